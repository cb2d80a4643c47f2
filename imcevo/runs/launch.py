"""Running experiments: run folders made, continued, finished."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numba

from imcevo.errors import UserError
from imcevo.optimise import optimiser_entry
from imcevo.problem import CodesignProblem, load_problem
from imcevo.runs import manifest as manifests
from imcevo.runs.compilation import compile_side_by_side
from imcevo.runs.config import LARGEST_BUDGET, Experiment, RunSpec, load_experiment
from imcevo.runs.files import LOCK, locked, make_folder, os_errors_told, write_atomically, write_companions
from imcevo.runs.history import FILE as HISTORY
from imcevo.runs.islands.search import IslandSearch
from imcevo.runs.manifest import Manifest, Stretch, load_manifest, new_manifest
from imcevo.runs.recorder import EVALUATIONS, Progress, RunRecorder
from imcevo.runs.results import BREAKDOWN, FRONT, write_results
from imcevo.runs.search_loop import SearchLoop, rewind
from imcevo.runs.workers import workers as workers_for

EXPERIMENT = "experiment.toml"
PROBLEM = "problem.toml"
LOG = "run.log"
LARGEST_GENERATION = 10_000_000  # population x variables; bounds the memory of a generation
DEFAULT_FOLDER = Path("results") / "runs"

ProgressOf = Callable[[RunSpec, Path], Progress]


def run_experiment(
    experiment: Experiment,
    *,
    out: Path | None = None,
    progress: ProgressOf | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Path:
    """Run an experiment in a folder that does not exist yet.

    One run has its files in ``results/runs/<experiment>/<seed>``, or in `out`. Several have theirs in
    ``<seed>`` and ``<baseline>/<seed>`` below ``results/runs/<experiment>``, or below `out`.

    Args:
        workers: processes on this machine: for islands (as many as there are cores, if None), or for whole runs
            side by side (one after the other, if None). They change no result.
        scheduler: address of a Dask scheduler whose workers compute instead; for whole runs side by side they must
            see `out` under the same path.

    Returns:
        The run's folder, or the one that holds the several runs.

    Raises:
        UserError: the folder exists with something in it, or cannot be written; the problem file is wrong.
    """
    runs = experiment.runs()
    folder = out
    if folder is None:
        folder = DEFAULT_FOLDER / experiment.name
        folder = folder / runs[0].folder if len(runs) == 1 else folder
    problem = load_problem(experiment.problem)
    _require_fitting(experiment, problem)
    require_unused(folder)
    prepare(folder, problem, experiment.resolved_toml(runs[0] if len(runs) == 1 else None))
    _work(folder, problem, experiment, progress, Helpers(workers, scheduler))
    return folder


def _require_fitting(experiment: Experiment, problem: CodesignProblem) -> None:
    """Find out before anything is written whether the optimiser can be used on the problem."""
    try:
        optimiser_entry(experiment.optimiser).build(problem, experiment.options, seed=experiment.seeds[0])
    except UserError as error:
        raise error.in_file(experiment.file) from None


def resume_run(
    folder: Path,
    *,
    evaluations: int | None = None,
    progress: ProgressOf | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> bool:
    """Continue the run, or the several runs, of a folder; the files become those of an uninterrupted run.

    Args:
        evaluations: a larger budget than so far, for a run that is finished or not: the files become those of a
            run that had it from the start.
        workers, scheduler: as `run_experiment`.

    Returns:
        False if there was nothing left to do.

    Raises:
        UserError: not such a folder; corrupted; of another format version, problem or model; in use; a budget
            that is not larger.
    """
    if not folder.is_dir():
        raise UserError("is not a folder" if folder.exists() else "no such run folder", file=folder)
    if not (folder / EXPERIMENT).exists():
        raise UserError(f"is not a run folder: it has no {EXPERIMENT}", file=folder)
    experiment = load_experiment(folder / EXPERIMENT)
    problem = load_problem(folder / PROBLEM)
    if evaluations is not None:
        experiment = _extended(folder, experiment, evaluations)
    return _work(folder, problem, experiment, progress, Helpers(workers, scheduler))


def _extended(folder: Path, experiment: Experiment, evaluations: int) -> Experiment:
    """The experiment with a larger budget, in its file too."""
    if not experiment.evaluations < evaluations <= LARGEST_BUDGET:
        allowed = f"more than the {experiment.evaluations} of now, at most {LARGEST_BUDGET}"
        raise UserError("is no extension", key="--evaluations", value=evaluations, allowed=allowed)
    longer = replace(experiment, evaluations=evaluations)
    runs = experiment.runs()
    with locked(folder):
        write_atomically(folder / EXPERIMENT, longer.resolved_toml(runs[0] if len(runs) == 1 else None))
    return longer


class Helpers(NamedTuple):
    """What the user said about who computes."""

    workers: int | None
    scheduler: str | None

    @property
    def asked_for(self) -> bool:
        return self != (None, None)


def _work(
    folder: Path, problem: CodesignProblem, experiment: Experiment, progress: ProgressOf | None, helpers: Helpers
) -> bool:
    """All runs of a prepared folder, the finished ones excepted; False if all were finished."""
    runs = experiment.runs()
    try:
        compile_side_by_side(problem, folder / PROBLEM)
        if len(runs) == 1:
            with locked(folder):
                return _continue(folder, problem, experiment, runs[0], progress, helpers)
        with locked(folder):
            for run in runs:
                if not (folder / run.folder / EXPERIMENT).exists():
                    prepare(folder / run.folder, problem, experiment.resolved_toml(run))
            if helpers.asked_for and experiment.islands is None:
                tasks = [(folder / run.folder, experiment.evaluations) for run in runs]
                with workers_for(*helpers, most_useful=len(runs)) as staff:
                    return any(staff.map(_alone, tasks))
            worked = False
            for run in runs:
                with locked(folder / run.folder):
                    worked |= _continue(folder / run.folder, problem, experiment, run, progress, helpers)
            return worked
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; continue with `imcevo resume {folder}`") from None


def _alone(task: tuple[Path, int]) -> bool:
    """One of several runs in a worker; whoever continues it after the worker's death loses nothing."""
    folder, evaluations = task
    if not (folder / EXPERIMENT).exists():
        raise UserError("a worker does not see this folder: it must be shared", file=folder)
    experiment = replace(load_experiment(folder / EXPERIMENT), evaluations=evaluations, threads=1)
    with locked(folder):
        return _continue(
            folder, load_problem(folder / PROBLEM), experiment, experiment.runs()[0], None, Helpers(None, None)
        )


def prepare(folder: Path, problem: CodesignProblem, experiment: str) -> None:
    """Write the inputs of a run, the experiment last: a folder that has it can be resumed."""
    make_folder(folder)
    write_companions(problem.companion_files(), folder)
    write_atomically(folder / PROBLEM, problem.resolved_toml())
    write_atomically(folder / EXPERIMENT, experiment)


def require_unused(folder: Path) -> None:
    """Check that a folder can take a new run.

    Raises:
        UserError: it holds a run, or something else.
    """
    with os_errors_told(folder, "be read"):
        if not folder.exists():
            return
        if not folder.is_dir():
            raise UserError("is a file, expected a folder for the run", file=folder)
        names = {entry.name for entry in folder.iterdir()}
    if EXPERIMENT in names:
        raise UserError(
            f"this run exists; continue it with `imcevo resume {folder}`, delete it, or choose another --out",
            file=folder,
        )
    # A run that was killed before it was prepared has left nothing of value.
    ours = (LOCK, PROBLEM, "networks", "statistics")
    strangers = sorted(n for n in names if n not in ours and not n.endswith(".tmp"))
    if strangers:
        raise UserError("is not empty", file=folder, value=strangers[0], allowed="a new or an empty folder")


def _continue(
    folder: Path,
    problem: CodesignProblem,
    experiment: Experiment,
    run: RunSpec,
    progress: ProgressOf | None,
    helpers: Helpers,
) -> bool:
    """One run in a folder that is locked; False if it was finished."""
    population: int = run.options.model_dump()["population"]
    if population * problem.n_var > LARGEST_GENERATION:
        allowed = f"at most {LARGEST_GENERATION // problem.n_var} for its {problem.n_var} variables"
        file = folder / EXPERIMENT
        raise UserError("is too large", file=file, key="optimiser.population", value=population, allowed=allowed)
    manifest = manifest_of(folder, problem, run)
    if manifest.status == "finished":
        if manifest.evaluations >= experiment.evaluations or manifest.exhausted:
            return False
        if run.islands is None:  # islands keep a checkpoint that no budget has shaped
            rewind(folder, population)
        manifest = manifest.model_copy(update={"status": "running"})
        manifest.save(folder)
    stored = load_experiment(folder / EXPERIMENT)
    if stored.evaluations != experiment.evaluations:  # one of several runs, all extended
        write_atomically(folder / EXPERIMENT, replace(stored, evaluations=experiment.evaluations).resolved_toml(run))
    threads = min(experiment.threads or manifests.available_cores(), numba.config.NUMBA_NUM_THREADS)
    started, clock, before = manifests.now(), time.monotonic(), numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        with _session(folder, problem, experiment, run, helpers) as session:
            verb = "resumed" if session.generation else "started"
            note(folder, f"{verb} at {session.evaluations} evaluations, {threads} threads")
            front = session.work(progress(run, folder) if progress else None)
        write_results(problem, front, folder)
    finally:
        numba.set_num_threads(before)
    if session.exhausted:
        note(folder, f"space exhausted: it has {session.evaluations} distinct designs")
    size = len(front.number)
    note(folder, f"finished: {session.evaluations} evaluations, {size} designs in the front")
    stretch = Stretch(started=started, seconds=round(time.monotonic() - clock, 3), threads=threads)
    files = {name: manifests.file_hash(folder / name) for name in (FRONT, BREAKDOWN, HISTORY)}
    done = {
        "status": "finished", "evaluations": session.evaluations, "exhausted": session.exhausted, "files": files
    }  # fmt: skip
    manifest.model_copy(update={**done, "work": [*manifest.work, stretch]}).save(folder)
    return True


@contextmanager
def _session(
    folder: Path, problem: CodesignProblem, experiment: Experiment, run: RunSpec, helpers: Helpers
) -> Iterator[RunRecorder]:
    if run.islands is None:
        with SearchLoop(problem, run, experiment.evaluations, folder) as session:
            yield session
        return
    with (
        workers_for(*helpers, most_useful=run.islands.count) as staff,
        IslandSearch(problem, run, experiment.evaluations, folder, staff) as islands,
    ):
        yield islands


def manifest_of(folder: Path, problem: CodesignProblem, run: RunSpec) -> Manifest:
    """The folder's manifest, checked against what is about to continue it; a new one if there is none.

    Raises:
        UserError: the folder is of another run, problem or version of the model.
    """
    fresh = new_manifest(
        problem=problem.name, problem_hash=problem.hash, optimiser=run.optimiser, search=run.search_hash, seed=run.seed
    )
    path = folder / manifests.FILE
    if not path.exists():
        if (folder / EVALUATIONS).exists():
            raise UserError(f"is missing, but there is an {EVALUATIONS}", file=path)
        fresh.save(folder)
        return fresh
    found = load_manifest(folder)
    for key, reason in (
        ("problem_hash", f"the run answers another question than the {PROBLEM} beside it"),
        ("optimiser", f"the run is another than the {EXPERIMENT} beside it says"),
        ("seed", f"the run is another than the {EXPERIMENT} beside it says"),
        ("search", f"the run has other options than the {EXPERIMENT} beside it says"),
        ("model", "the run was made with another version of the model; run the experiment anew"),
    ):
        if getattr(found, key) not in (getattr(fresh, key), None):
            expected = str(getattr(fresh, key))
            raise UserError(reason, file=path, key=key, value=getattr(found, key), allowed=expected)
    return found


def note(folder: Path, message: str) -> None:
    """Append a line with the time to the run's log."""
    with os_errors_told(folder / LOG), (folder / LOG).open("a") as log:
        log.write(f"{manifests.now()} {message}\n")
