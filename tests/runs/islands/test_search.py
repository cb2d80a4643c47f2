"""Islands: results depend on the seed and their number, not on who computes, dies, stops or goes on."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imcevo.cli import main
from imcevo.errors import UserError
from imcevo.runs import Experiment, load_experiment, resume_run, run_experiment
from imcevo.runs.evaluations import read_blocks
from imcevo.runs.islands.epoch import Epoch, Outcome, evolve
from imcevo.runs.islands.search import IslandSearch
from imcevo.runs.islands.shared_evaluations import _Memory
from imcevo.runs.recorder import Status
from imcevo.runs.workers import ThisProcess, workers
from tests.runs.small import contents
from tests.runs.test_launch import KilledError, interrupted
from tests.tools.kills import EXPERIMENT

Make = Callable[..., Experiment]
ISLANDS = ("[budget]", "[islands]\ncount = 3\ninterval = 2\nmigrants = 4\n\n[budget]")


@pytest.fixture
def straight(experiment: Make, tmp_path: Path) -> Path:
    """A finished run of three islands, computed one after the other."""
    return run_experiment(experiment(ISLANDS), out=tmp_path / "straight", workers=1)


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """Islands on a shipped problem, for workers in processes of their own."""
    path = tmp_path / "islands.toml"
    path.write_text(EXPERIMENT.replace("4000", "1200").replace(*ISLANDS))
    return path


def test_every_design_once_the_budget_to_the_last_and_all_islands_at_work(straight: Path) -> None:
    blocks = list(read_blocks(straight / "evaluations.bin"))
    X = np.concatenate([block.X for block in blocks])
    assert len(X) == len(np.unique(X, axis=0)) == 400
    assert len(blocks[0].X) > 2 * 24  # three populations, less the designs that several islands drew


def test_the_number_of_islands_and_migration_matter(experiment: Make, straight: Path, tmp_path: Path) -> None:
    found = {contents(straight)["evaluations.bin"]}
    for index, (old, new) in enumerate((("count = 3", "count = 2"), ("migrants = 4", "migrants = 0"))):
        other = run_experiment(experiment(ISLANDS, (old, new)), out=tmp_path / str(index), workers=1)
        found.add(contents(other)["evaluations.bin"])
    assert len(found) == 3


@pytest.mark.parametrize("optimiser", ["nsga2", "nsga3", "random"])
@pytest.mark.parametrize("every_s", [0.0, 1e9], ids=["checkpoint each epoch", "no checkpoint"])
def test_killed_and_resumed_is_as_if_never_killed(
    experiment: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimiser: str, every_s: float
) -> None:
    plan = experiment(ISLANDS, ('"nsga2"', f'"{optimiser}"'))
    straight = run_experiment(plan, out=tmp_path / "straight", workers=1)
    monkeypatch.setattr("imcevo.runs.recorder.RunRecorder.checkpoint_every_s", every_s)
    monkeypatch.setattr("imcevo.runs.workers.Processes", lambda count: ThisProcess())
    for generation in (1, 3, 5):
        folder = interrupted(plan, tmp_path / f"at {generation}", generation)
        assert resume_run(folder)
        assert contents(folder) == contents(straight)


def test_an_extended_run_is_as_if_it_had_the_budget_from_the_start(
    experiment: Make, straight: Path, tmp_path: Path
) -> None:
    folder = run_experiment(experiment(ISLANDS, ("= 400", "= 170")), out=tmp_path / "run", workers=1)
    assert resume_run(folder, evaluations=400, workers=1)
    assert contents(folder) == contents(straight)


def test_an_exhausted_space_ends_the_run(experiment: Make, tmp_path: Path) -> None:
    alone = run_experiment(experiment(("= 400", "= 100000"), ("= 24", "= 500")), out=tmp_path / "alone")
    plan = experiment(ISLANDS, ("= 400", "= 100000"), ("= 24", "= 500"))
    folder = run_experiment(plan, out=tmp_path / "islands", workers=1)
    designs = [
        np.unique(np.concatenate([block.X for block in read_blocks(run / "evaluations.bin")]), axis=0)
        for run in (alone, folder)
    ]
    assert np.array_equal(*designs)


def test_the_next_epoch_is_handed_out_before_the_last_one_is_written(
    experiment: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    begin, write = ThisProcess.begin, IslandSearch._write
    monkeypatch.setattr(ThisProcess, "begin", lambda *told: events.append("begun") or begin(*told))
    monkeypatch.setattr(IslandSearch, "_write", lambda *told: events.append("written") or write(*told))
    run_experiment(experiment(ISLANDS), out=tmp_path / "run", workers=1)
    generations = events.count("written")
    assert events[:2] == ["begun", "begun"]
    assert 2 * events.count("begun") >= generations > 0  # epochs of two generations
    assert events[-1] == "written"


def test_workers_that_forget_are_told_everything_again(
    experiment: Make, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks: list[int] = []

    def forgetful(epoch: Epoch) -> Outcome | None:
        tasks.append(len(epoch.known.added))
        if len(tasks) % 4 == 0:
            monkeypatch.setattr("imcevo.runs.islands.epoch.MEMORY", _Memory())
        return evolve(epoch)

    monkeypatch.setattr("imcevo.runs.islands.search.evolve", forgetful)
    folder = run_experiment(experiment(ISLANDS), out=tmp_path / "run", workers=1)
    assert max(tasks) > 2
    assert contents(folder) == contents(straight)


def test_processes_compute_the_same_and_one_of_them_may_die(shipped: Path, tmp_path: Path) -> None:
    straight = run_experiment(load_experiment(shipped), out=tmp_path / "straight", workers=1)
    killed: list[int | None] = []

    def progress(status: Status) -> None:
        if not killed:
            victim = multiprocessing.active_children()[0]
            victim.kill()
            victim.join()
            killed.append(victim.pid)

    plan = load_experiment(shipped)
    folder = run_experiment(plan, out=tmp_path / "two", workers=2, progress=lambda run, folder: progress)
    assert killed
    assert contents(folder) == contents(straight)
    assert not multiprocessing.active_children()


def test_seeds_side_by_side_are_the_seeds_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "seeds.toml"
    path.write_text(EXPERIMENT.replace("4000", "400").replace("[1]", '[1, 2]\nbaselines = ["random"]'))
    straight = run_experiment(load_experiment(path), out=tmp_path / "straight")
    assert main(["run", str(path), "--out", str(tmp_path / "two"), "--workers", "2", "--quiet"]) == 0
    for run in ("1", "2", "random/1", "random/2"):
        assert contents(tmp_path / "two" / run) == contents(straight / run)
    assert not resume_run(tmp_path / "two", workers=2)


def test_dask_computes_the_same_and_one_worker_may_die(shipped: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    straight = run_experiment(load_experiment(shipped), out=tmp_path / "straight", workers=1)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path)
    ) as cluster:
        killed: list[bool] = []

        def progress(status: Status) -> None:
            if not killed:
                killed.append(True)
                next(iter(cluster.workers.values())).process.process._process.kill()

        folder = run_experiment(
            load_experiment(shipped), out=tmp_path / "dask", scheduler=cluster.scheduler_address,
            progress=lambda run, folder: progress,
        )  # fmt: skip
        assert killed
    assert contents(folder) == contents(straight)


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        (("count = 3", "count = 0"), r"islands\.count: got 0"),
        (("count = 3", "conut = 3"), r"islands\.conut: unknown key; did you mean 'count'"),
        (("interval = 2", "interval = 90000"), r"islands: 6480000 makes too long an epoch"),
    ],
)
def test_mistakes_are_told(experiment: Make, replaced: tuple[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        experiment(ISLANDS, replaced)


def test_wrong_workers_and_schedulers_are_told(
    experiment: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment(ISLANDS)
    for wrong in (["--workers", "0"], ["--workers", "2", "--scheduler", "tcp://127.0.0.1:1"]):
        assert main(["run", str(tmp_path / "search.toml"), "--out", str(tmp_path / "run"), *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1
        assert main(["resume", str(tmp_path / "run"), *wrong]) == 2
        capsys.readouterr()


def test_damage_is_refused_or_repaired(
    experiment: Make, tmp_path: Path, straight: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imcevo.runs.recorder.RunRecorder.checkpoint_every_s", 0.0)
    monkeypatch.setattr("imcevo.runs.workers.Processes", lambda count: ThisProcess())
    folder = interrupted(experiment(ISLANDS), tmp_path / "stopped", 5)
    log, checkpoint = folder / "evaluations.bin", folder / "checkpoint.npz"
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 1
    log.write_bytes(data)
    with pytest.raises(UserError, match=r"generation \d is damaged"):
        resume_run(folder)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    with pytest.raises(UserError, match="is not a readable checkpoint; delete it"):
        resume_run(folder)
    checkpoint.unlink()
    assert resume_run(folder)
    assert contents(folder) == contents(straight)


def test_workers_are_as_many_as_are_of_use() -> None:
    assert isinstance(workers(8, None, most_useful=1), ThisProcess)
    assert isinstance(workers(1, None, most_useful=9), ThisProcess)


def test_a_worker_that_dies_for_ever_is_told(tmp_path: Path) -> None:
    from imcevo.runs.workers import Processes

    with Processes(1) as staff, pytest.raises(UserError, match="died"):
        staff.map(_die, [1])
    with pytest.raises(KilledError), Processes(1) as staff:
        staff.map(_fail, [1])


def _die(_: int) -> None:
    import os

    os._exit(9)


def _fail(_: int) -> None:
    raise KilledError
