"""Damaged and foreign run folders: one line that names the file, never a traceback or a wrong result."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imcevo.analysis import load_run
from imcevo.errors import UserError
from imcevo.runs import Experiment, resume_run, run_experiment
from imcevo.runs.checkpoint import load_checkpoint
from tests.runs.small import contents
from tests.runs.test_launch import interrupted

Make = Callable[..., Experiment]


@pytest.fixture
def stopped(experiment: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run killed in its ninth generation, with a checkpoint of the eighth."""
    monkeypatch.setattr("imcevo.runs.search_loop.SearchLoop.checkpoint_every_s", 0.0)
    return interrupted(experiment(), tmp_path / "stopped", 9)


def refused(folder: Path, file: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        resume_run(folder)
    assert str(error.value).startswith(str(folder / file))
    assert "\n" not in str(error.value)


def test_random_garbage_in_any_file_is_refused_or_repaired(
    stopped: Path, experiment: Make, tmp_path: Path
) -> None:
    straight = run_experiment(experiment(), out=tmp_path / "straight")
    rng = np.random.default_rng(0)
    refusals = 0
    for trial in range(60):
        copy = tmp_path / "copy"
        shutil.copytree(stopped, copy)
        names = ("checkpoint.npz", "evaluations.bin", "manifest.json", "experiment.toml", "problem.toml")
        name = names[trial % len(names)]
        data = bytearray((copy / name).read_bytes())
        for _ in range(int(rng.integers(1, 4))):
            place = int(rng.integers(len(data)))
            action = rng.integers(3)
            if action == 0:
                data[place] = int(rng.integers(256))
            elif action == 1:
                del data[place:]
                data += b"?"
            else:
                data[place:place] = rng.bytes(5)
        (copy / name).write_bytes(data)
        told = ""
        try:
            resume_run(copy)
        except UserError as error:
            told = str(error)
        refusals += bool(told)
        assert not told or str(copy) in told
        if not told and name in ("checkpoint.npz", "evaluations.bin"):
            assert contents(copy, ("evaluations.bin",)) == contents(straight, ("evaluations.bin",))
        shutil.rmtree(copy)
    assert refusals > 30


def test_a_deleted_checkpoint_is_rebuilt_from_the_evaluations(
    stopped: Path, experiment: Make, tmp_path: Path
) -> None:
    straight = run_experiment(experiment(), out=tmp_path / "straight")
    (stopped / "checkpoint.npz").write_bytes(b"garbage")
    refused(stopped, "checkpoint.npz", "is not a readable checkpoint; delete it")
    (stopped / "checkpoint.npz").unlink()
    assert resume_run(stopped)
    assert contents(stopped) == contents(straight)


def test_evaluations_damaged_before_the_checkpoint_are_refused_until_it_is_deleted(
    stopped: Path, experiment: Make, tmp_path: Path
) -> None:
    straight = run_experiment(experiment(), out=tmp_path / "straight")
    log = stopped / "evaluations.bin"
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 1
    log.write_bytes(data)
    refused(stopped, "evaluations.bin", r"generation \d is damaged or missing")
    (stopped / "checkpoint.npz").unlink()
    assert resume_run(stopped)
    assert contents(stopped) == contents(straight)


def test_a_missing_file_is_named(stopped: Path, tmp_path: Path) -> None:
    for name, message in (
        ("evaluations.bin", "is missing"),
        ("manifest.json", "is missing"),
        ("problem.toml", "no such file"),
    ):
        copy = tmp_path / f"without {name}"
        shutil.copytree(stopped, copy)
        (copy / name).unlink()
        refused(copy, name, message)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", 2, "another format version"),
        ("model", "0123456789abcdef", "another version of the model"),
        ("problem_hash", "0" * 64, "another question"),
        ("seed", 7, "the run is another"),
        ("optimiser", "random", "the run is another"),
        ("surprise", 1, "unknown key"),
    ],
)
def test_a_foreign_manifest_is_refused(stopped: Path, key: str, value: object, message: str) -> None:
    path = stopped / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    refused(stopped, "manifest.json", message)


def test_a_checkpoint_of_another_version_is_refused(stopped: Path) -> None:
    path = stopped / "checkpoint.npz"
    with np.load(path) as stored:
        arrays = dict(stored)
    facts = json.loads(arrays["checkpoint.json"].tobytes())
    arrays["checkpoint.json"] = np.frombuffer(json.dumps({**facts, "format": 99}).encode(), np.uint8)
    np.savez(path, **arrays)
    refused(stopped, "checkpoint.npz", "another format version")


def test_a_pickle_in_a_checkpoint_is_not_opened(stopped: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (pytest.fail, ("the pickle was opened",))

    path = stopped / "checkpoint.npz"
    with np.load(path) as stored:
        arrays = dict(stored)
    np.savez(path, allow_pickle=True, **{**arrays, "history": np.array([Bomb()], dtype=object)})
    refused(stopped, "checkpoint.npz", "is not a readable checkpoint")


def test_a_checkpoint_that_swells_is_not_opened(stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imcevo.runs.checkpoint._LARGEST_UNPACKED_BYTES", 1000)
    with pytest.raises(UserError, match="is not a readable checkpoint"):
        load_checkpoint(stopped)


def test_an_unfinished_run_is_not_analysed(stopped: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="imcevo resume"):
        load_run(stopped)
    with pytest.raises(UserError, match="no such run folder"):
        load_run(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"it has no manifest\.json"):
        load_run(tmp_path)
    with pytest.raises(UserError, match=r"it has no experiment\.toml"):
        resume_run(tmp_path)


def test_refused_writes_leave_the_checkpoint_intact(stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (stopped / "checkpoint.npz").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("imcevo.runs.files.os.fsync", full)
        with pytest.raises(UserError, match="No space left on device"):
            resume_run(stopped)
    assert (stopped / "checkpoint.npz").read_bytes() == before
    assert not list(stopped.glob(".*.tmp"))
    assert resume_run(stopped)
