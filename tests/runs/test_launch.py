from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import pytest

from imcevo.errors import UserError
from imcevo.problem import load_problem
from imcevo.runs import Experiment, RunSpec, Status, resume_run, run_experiment
from imcevo.runs.evaluations import read_blocks
from imcevo.runs.files import locked
from tests.optimise.synthetic import brute_force_front
from tests.runs.small import contents

Make = Callable[..., Experiment]


class KilledError(Exception):
    """Stands for the end of the process."""


def kill_at(generation: int) -> Callable[[RunSpec, Path], Callable[[Status], None]]:
    def progress(status: Status) -> None:
        if status.generation >= generation:
            raise KilledError

    return lambda run, folder: progress


@pytest.fixture
def straight(experiment: Make, tmp_path: Path) -> Path:
    """A finished run."""
    return run_experiment(experiment(), out=tmp_path / "straight")


def interrupted(plan: Experiment, folder: Path, generation: int) -> Path:
    with pytest.raises(KilledError):
        run_experiment(plan, out=folder, progress=kill_at(generation))
    return folder


def test_a_run_holds_every_design_once_and_the_front_of_them(straight: Path) -> None:
    blocks = list(read_blocks(straight / "evaluations.bin"))
    X, F, G = (np.concatenate([getattr(block, name) for block in blocks]) for name in "XFG")
    assert len(X) == len(np.unique(X, axis=0)) == 400
    front = pd.read_csv(straight / "front.csv")
    assert set(front["design"]) == brute_force_front(F, G)
    names = ["energy_J_mean", "latency_s_max", "area_m2"]
    assert np.array_equal(front[names].to_numpy(), F[front["design"]])
    assert np.array_equal(np.lexsort(front[names].to_numpy().T[::-1]), np.arange(len(front)))
    problem = load_problem(straight / "problem.toml")
    again = problem.evaluate(X.astype(np.int64))
    assert np.array_equal(again.F, F)
    assert np.array_equal(again.G, G)
    history = pd.read_csv(straight / "history.csv")
    last = history.iloc[-1]
    assert (last["evaluations"], last["front_size"]) == (400, len(front))
    assert last["hypervolume"] == problem.box.hypervolume(front[names].to_numpy())
    assert last["feasible_share"] == (G <= 0).all(axis=1).mean()
    assert (np.diff(history["hypervolume"]) >= 0).all()


def test_breakdown_adds_up_to_the_front(straight: Path) -> None:
    front, parts = (pd.read_csv(straight / f"{name}.csv") for name in ("front", "breakdown"))
    assert front["design"].equals(parts["design"])
    for network in ("resnet18", "mobilebert"):
        for quantity in ("energy_J", "latency_s"):
            total = parts.filter(regex=rf"^{quantity}\.{network}\.").sum(axis=1)
            np.testing.assert_allclose(total, front[f"{quantity}.{network}"], rtol=1e-9)
    np.testing.assert_allclose(parts.filter(regex=r"^area_m2\.").sum(axis=1), front["area_m2"], rtol=1e-9)


def test_same_seed_same_bytes_other_seed_other_bytes(experiment: Make, straight: Path, tmp_path: Path) -> None:
    again = run_experiment(experiment(), out=tmp_path / "again")
    assert contents(again) == contents(straight)
    other = run_experiment(experiment(("seeds = [1]", "seeds = [2]")), out=tmp_path / "other")
    assert contents(other, ("evaluations.bin",)) != contents(straight, ("evaluations.bin",))


def test_results_do_not_depend_on_threads(experiment: Make, straight: Path, tmp_path: Path) -> None:
    before = numba.get_num_threads()
    four = run_experiment(experiment(("threads = 1", "threads = 4")), out=tmp_path / "four")
    assert numba.get_num_threads() == before
    names = ("front.csv", "evaluations.bin", "history.csv", "breakdown.csv", "checkpoint.npz")
    assert contents(four, names) == contents(straight, names)


@pytest.mark.parametrize("every_s", [0.0, 1e9], ids=["checkpoint each generation", "no checkpoint"])
def test_killed_and_resumed_is_as_if_never_killed(
    experiment: Make, straight: Path, tmp_path: Path, every_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imcevo.runs.search_loop.SearchLoop.checkpoint_every_s", every_s)
    plan = experiment()
    for generation in np.random.default_rng(4).integers(1, 14, size=5):
        folder = interrupted(plan, tmp_path / f"at {generation}", int(generation))
        for later in (int(generation) + 1, 16):
            with pytest.raises(KilledError):
                resume_run(folder, progress=kill_at(later))
        assert resume_run(folder)
        assert contents(folder) == contents(straight)
        shutil.rmtree(folder)


def test_a_torn_last_generation_is_evaluated_again(experiment: Make, straight: Path, tmp_path: Path) -> None:
    folder = interrupted(experiment(), tmp_path / "torn", 6)
    log = folder / "evaluations.bin"
    for damage in (log.read_bytes()[:-37], log.read_bytes() + b"GEN1\x07", log.read_bytes()[:-20] + b"\0" * 20):
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        (copy / "evaluations.bin").write_bytes(damage)
        assert resume_run(copy)
        assert contents(copy) == contents(straight)
        shutil.rmtree(copy)


def test_a_run_killed_before_its_first_generation_resumes(
    experiment: Make, straight: Path, tmp_path: Path
) -> None:
    for kept in (("problem.toml", "experiment.toml"), ("problem.toml", "experiment.toml", "manifest.json")):
        folder = tmp_path / f"early {len(kept)}"
        interrupted(experiment(), folder, 1)
        for path in folder.iterdir():
            if path.name not in kept:
                path.unlink()
        if len(kept) == 3:
            (folder / "evaluations.bin").write_bytes((straight / "evaluations.bin").read_bytes()[:30])
        assert resume_run(folder)
        assert contents(folder) == contents(straight)


def test_resuming_a_finished_run_changes_nothing(straight: Path) -> None:
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in straight.iterdir()}
    assert not resume_run(straight)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in straight.iterdir()} == before


def test_several_runs_are_resumed_where_they_stopped(experiment: Make, straight: Path, tmp_path: Path) -> None:
    plan = experiment(("seeds = [1]", 'seeds = [1, 2]\nbaselines = ["random"]'))
    folder = tmp_path / "several"
    seen: list[str] = []

    def stop_in_second(run: RunSpec, below: Path) -> Callable[[Status], None]:
        seen.append(run.folder)
        return kill_at(5)(run, below) if run.folder == "2" else lambda status: None

    with pytest.raises(KilledError):
        run_experiment(plan, out=folder, progress=stop_in_second)
    assert seen == ["1", "2"]
    assert resume_run(folder)
    assert contents(folder / "1", ("front.csv", "evaluations.bin")) == contents(
        straight, ("front.csv", "evaluations.bin")
    )
    statuses = [json.loads((folder / run.folder / "manifest.json").read_text()) for run in plan.runs()]
    assert [s["status"] for s in statuses] == ["finished"] * 4
    assert [len(s["work"]) for s in statuses] == [1, 1, 1, 1]


def test_existing_runs_and_strangers_are_not_overwritten(
    experiment: Make, straight: Path, tmp_path: Path
) -> None:
    plan = experiment()
    before = contents(straight)
    with pytest.raises(UserError, match="imcevo resume"):
        run_experiment(plan, out=straight)
    assert contents(straight) == before
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match=r"thesis\.tex"):
        run_experiment(plan, out=stranger)
    assert [path.name for path in stranger.iterdir()] == ["thesis.tex"]
    with pytest.raises(UserError, match="is a file"):
        run_experiment(plan, out=stranger / "thesis.tex")
    with pytest.raises(UserError, match=r"thesis\.tex.*(Not a directory|be read|be created)"):
        run_experiment(plan, out=stranger / "thesis.tex" / "run")


def test_two_processes_cannot_work_on_one_folder(experiment: Make, tmp_path: Path) -> None:
    folder = interrupted(experiment(), tmp_path / "run", 2)
    with locked(folder), pytest.raises(UserError, match="another process"):
        resume_run(folder)
    assert resume_run(folder)


def test_an_exhausted_space_ends_the_run(experiment: Make, tmp_path: Path) -> None:
    plan = experiment(("evaluations = 400", "evaluations = 100000"), ("population = 24", "population = 500"))
    folder = run_experiment(plan, out=tmp_path / "all")
    manifest = json.loads((folder / "manifest.json").read_text())
    problem = load_problem(folder / "problem.toml")
    grid = np.stack(np.meshgrid(*(np.arange(u + 1) for u in problem.upper), indexing="ij"), axis=-1)
    designs = np.unique(problem.canonical(grid.reshape(-1, problem.n_var)), axis=0)
    assert manifest["exhausted"]
    assert manifest["evaluations"] == len(designs)
    assert "exhausted" in (folder / "run.log").read_text()


def test_no_feasible_design_leaves_empty_tables(experiment: Make, tmp_path: Path) -> None:
    folder = run_experiment(experiment(constraints={"area_m2": 1e-30}), out=tmp_path / "none")
    for name in ("front.csv", "breakdown.csv"):
        table = pd.read_csv(folder / name)
        assert len(table) == 0
        assert len(table.columns) > 5


def test_history_stays_short_in_long_runs() -> None:
    from imcevo.runs.history import History

    history = History()
    for evaluations in range(100, 1_000_001, 100):
        if history.due(evaluations):
            history.add(evaluations / 100, evaluations, 0.5, 0.5, 7)
    table = history.array()
    assert len(table) < 900
    assert table[:90, 0].tolist() == list(range(1, 91))


def test_a_generation_that_memory_cannot_hold_is_refused(
    experiment: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imcevo.runs.launch.LARGEST_GENERATION", 24 * 3)
    with pytest.raises(UserError, match=r"optimiser\.population: 24 is too large \(allowed: at most \d+ for its"):
        run_experiment(experiment(), out=tmp_path / "run")
