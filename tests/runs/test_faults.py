"""What happens to machines: full disks, read-only folders, kills, clocks that jump. Never a silent wrong result."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from imcevo.analysis import load_run
from imcevo.cli import main
from imcevo.errors import UserError
from imcevo.runs import Experiment, load_experiment, resume_run, run_experiment
from imcevo.runs import evaluations as log
from tests.runs.small import contents
from tests.runs.test_launch import interrupted
from tests.tools.kills import EXPERIMENT, kill_and_resume, lasting_files

Make = Callable[..., Experiment]


@pytest.fixture
def straight(experiment: Make, tmp_path: Path) -> Path:
    """A finished run."""
    return run_experiment(experiment(), out=tmp_path / "straight")


@pytest.mark.parametrize(
    ("operation", "error"),
    [("fsync", errno.ENOSPC), ("replace", errno.EDQUOT), ("open", errno.EROFS), ("write", errno.ENOSPC)],
)
def test_every_write_may_be_refused_and_the_run_resumed(
    experiment: Make, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, error: int
) -> None:
    """The n-th operation fails; after that the disk works again."""
    monkeypatch.setattr("imcevo.runs.search_loop.SearchLoop.checkpoint_every_s", 0.0)
    plan = experiment()
    calls, fatal = [0], [0]
    place, name = (log, "_write_all") if operation == "write" else (os, operation)
    original = getattr(place, name)

    def refusing(*args: object, **kwargs: object) -> object:
        calls[0] += 1
        if calls[0] == fatal[0]:
            if operation == "write":  # the disk takes a part
                file, data = args
                original(file, data[: len(data) // 2])  # type: ignore[index,arg-type]
            raise OSError(error, os.strerror(error), str(tmp_path))
        return original(*args, **kwargs)

    monkeypatch.setattr(place, name, refusing)
    refusals = []
    for fatal[0] in (1, 2, 3, 8, 21):
        calls[0] = 0
        folder = tmp_path / f"{operation} {fatal[0]}"
        try:
            run_experiment(plan, out=folder)
        except UserError as told:
            refusals.append(str(told))
        calls[0] = 10**9
        if (folder / "experiment.toml").exists():
            resume_run(folder)
        else:
            run_experiment(plan, out=folder)
        assert contents(folder) == contents(straight)
        assert not list(folder.glob("*.tmp"))
    assert len(refusals) > 3
    assert all(os.strerror(error) in told and "\n" not in told for told in refusals)


def limited_to(n_bytes: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


def test_a_file_that_may_not_grow_ends_the_run_with_code_2(tmp_path: Path) -> None:
    (tmp_path / "search.toml").write_text(EXPERIMENT.replace("4000", "1000"))
    arguments = [sys.executable, "-m", "imcevo", "run", "search.toml", "--out", "run", "--quiet"]
    done = subprocess.run(
        arguments, cwd=tmp_path, capture_output=True, text=True, preexec_fn=limited_to(30_000), check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["imcevo: error: run/evaluations.bin: cannot be written: File too large"]
    assert main(["resume", str(tmp_path / "run"), "--quiet"]) == 0
    run_experiment(load_experiment(tmp_path / "search.toml"), out=tmp_path / "straight")
    assert contents(tmp_path / "run") == contents(tmp_path / "straight")


def test_a_finished_run_in_a_read_only_folder_can_be_read(
    straight: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = os.open

    def read_only(path: object, flags: int, *args: int, **kwargs: int) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return opened(path, flags, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", read_only)
    assert main(["front", str(straight), "--json"]) == 0
    capsys.readouterr()
    assert main(["resume", str(straight)]) == 2
    assert "Read-only file system" in capsys.readouterr().err


def test_clocks_that_jump_change_nothing_but_times(
    experiment: Make, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: object = None) -> Jumping:  # type: ignore[override]
            return cls.fromtimestamp(float(rng.uniform(0, 4e9)), UTC)

    monkeypatch.setattr("imcevo.runs.manifest.datetime", Jumping)
    for clock in ("time.monotonic", "time.perf_counter", "time.time"):
        monkeypatch.setattr(clock, lambda: float(rng.uniform(-1e9, 1e9)))
    folder = interrupted(experiment(), tmp_path / "jumping", 7)
    assert resume_run(folder)
    assert contents(folder) == contents(straight)
    assert load_run(folder).manifest.evaluations == 400


@pytest.mark.parametrize("name", ["front.csv", "breakdown.csv", "history.csv"])
def test_a_table_changed_after_the_run_is_noticed(straight: Path, name: str) -> None:
    path = straight / name
    text = path.read_text()
    digit = next(i for i in range(len(text) // 2, len(text)) if text[i].isdigit())
    path.write_text(text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :])
    run = load_run(straight)
    with pytest.raises(UserError, match="changed since the run ended"):
        getattr(run, name.removesuffix(".csv"))


@pytest.mark.parametrize("text", ["", "model = 1\n", "[model]\nprofile = 1\n"])
def test_a_finished_run_whose_problem_is_damaged_is_told_in_one_line(
    straight: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (straight / "problem.toml").write_text(text)
    assert main(["front", str(straight), "--json"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert "problem.toml: model.profile: is missing" in told[0]


def test_options_changed_on_the_way_are_noticed(experiment: Make, tmp_path: Path) -> None:
    folder = interrupted(experiment(), tmp_path / "run", 5)
    path = folder / "experiment.toml"
    path.write_text(path.read_text().replace("mutations_per_child = 1.5", "mutations_per_child = 1.6"))
    with pytest.raises(UserError, match="has other options"):
        resume_run(folder)


def test_ctrl_c_says_how_to_go_on(
    experiment: Make, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    experiment()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("imcevo.runs.search_loop.SearchLoop._record", interrupt)
        assert main(["run", str(tmp_path / "search.toml"), "--out", str(tmp_path / "run")]) == 130
    told = capsys.readouterr().err.splitlines()[-1]
    assert told == f"imcevo: error: interrupted; continue with `imcevo resume {tmp_path / 'run'}`"
    assert main(["resume", str(tmp_path / "run"), "--quiet"]) == 0
    assert contents(tmp_path / "run") == contents(straight)


def test_kills_at_random_times_leave_no_trace(tmp_path: Path) -> None:
    """The short form of `python -m tests.tools.kills`."""
    experiment = tmp_path / "search.toml"
    experiment.write_text(EXPERIMENT.replace("4000", "1500"))
    run_experiment(load_experiment(experiment), out=tmp_path / "straight")
    kill_and_resume(experiment, tmp_path / "killed", 2.5, np.random.default_rng(3))
    assert lasting_files(tmp_path / "killed") == lasting_files(tmp_path / "straight")
    assert json.loads((tmp_path / "killed" / "manifest.json").read_text())["status"] == "finished"
