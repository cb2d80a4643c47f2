"""Exhaustive runs: every design of a space decided, in a run folder that can be killed and resumed.

Files as of any run, without the evaluations (they are too many): ``problem.toml experiment.toml manifest.json
front.csv breakdown.csv checkpoint.npz run.log``, and ``summary.json`` with the certified optima.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numba
import numpy as np
from pydantic import Field

from imcevo.config import StrictModel, load_model, read_toml
from imcevo.errors import UserError
from imcevo.optimise import Front, OptimiserState
from imcevo.optimise.exhaustive import ExhaustiveSearch
from imcevo.optimise.optima import SCALARS, scalar
from imcevo.problem import CodesignProblem, load_problem
from imcevo.problem.toml_text import to_toml
from imcevo.runs import launch as runs
from imcevo.runs import manifest as manifests
from imcevo.runs.checkpoint import FILE as CHECKPOINT
from imcevo.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from imcevo.runs.config import MOST_THREADS, RunSpec
from imcevo.runs.files import locked, write_atomically
from imcevo.runs.manifest import Manifest, Stretch
from imcevo.runs.results import write_results

NAME = "exhaustive"
SUMMARY = "summary.json"
CHECKPOINT_EVERY_S = 2.0
_NO_HISTORY = np.empty((0, 0))


class ExhaustiveOptions(StrictModel):
    """``[optimiser]`` of an exhaustive experiment: `optima` names scalar objectives to certify."""

    name: Literal["exhaustive"]
    optima: list[str] = Field(default_factory=list)
    chunk: int = Field(default=65536, ge=1, le=2**22)


class ExhaustiveConfig(StrictModel):
    """The experiment file: no budget and no seeds, there is nothing to choose."""

    problem: str = Field(min_length=1)
    threads: int = Field(default=0, ge=0, le=MOST_THREADS)
    optimiser: ExhaustiveOptions


@dataclass(frozen=True)
class Certification:
    """A checked experiment file."""

    file: Path
    problem: Path
    threads: int
    options: ExhaustiveOptions

    def resolved_toml(self) -> str:
        """The experiment with every default written out, its problem beside it."""
        return to_toml({"problem": runs.PROBLEM, "threads": self.threads, "optimiser": self.options.model_dump()})


class Status(NamedTuple):
    """Where an exhaustive run stands."""

    decided: int
    to_decide: int
    designs_per_s: float
    remaining_s: float
    front_size: int

    def __str__(self) -> str:
        minutes, seconds = divmod(round(self.remaining_s), 60)
        return (
            f"{self.decided:,} of {self.to_decide:,} designs, {self.designs_per_s:,.0f}/s, "
            f"front {self.front_size:,}, {minutes}:{seconds:02d} left"
        )


Progress = Callable[[Status], None]


def is_exhaustive(path: Path | str) -> bool:
    """Whether an experiment file asks for an exhaustive run; raises a `UserError` where it is not TOML."""
    optimiser = read_toml(path, what="an experiment file").get("optimiser")
    return isinstance(optimiser, dict) and optimiser.get("name") == NAME


def load_certification(path: Path | str) -> Certification:
    """Read and check an exhaustive experiment file.

    Raises:
        UserError: the first mistake found, with file, key, value and what is allowed.
    """
    file = Path(path)
    config = load_model(file, ExhaustiveConfig, what="an experiment file")
    for index, name in enumerate(config.optimiser.optima):
        scalar(name, file=file, key=f"optimiser.optima[{index}]")
    return Certification(file, file.parent / config.problem, config.threads, config.optimiser)


def certify(certification: Certification, *, out: Path | None = None, progress: Progress | None = None) -> Path:
    """Decide a whole design space in a folder that does not exist yet; returns the folder.

    Raises:
        UserError: the folder exists with something in it, or cannot be written; the problem file is wrong.
    """
    folder = out or runs.DEFAULT_FOLDER / certification.file.stem
    problem = load_problem(certification.problem)
    runs.require_unused(folder)
    runs.prepare(folder, problem, certification.resolved_toml())
    _work(folder, problem, certification, progress)
    return folder


def resume_certification(folder: Path, *, progress: Progress | None = None) -> bool:
    """Continue an exhaustive run; False if there was nothing left to do.

    Raises:
        UserError: corrupted; of another format version, problem or model; in use.
    """
    certification = load_certification(folder / runs.EXPERIMENT)
    return _work(folder, load_problem(folder / runs.PROBLEM), certification, progress)


def _work(
    folder: Path, problem: CodesignProblem, certification: Certification, progress: Progress | None
) -> bool:
    options = certification.options
    with locked(folder):
        manifest = runs.manifest_of(folder, problem, RunSpec(NAME, options, 0, ""))
        if manifest.status == "finished":
            return False
        search = ExhaustiveSearch(problem, options.optima, chunk=options.chunk)
        if (folder / CHECKPOINT).exists():
            _restore(search, folder)
        threads = min(certification.threads or manifests.available_cores(), numba.config.NUMBA_NUM_THREADS)
        started, clock, before = manifests.now(), time.monotonic(), numba.get_num_threads()
        numba.set_num_threads(threads)
        try:
            runs.note(folder, f"{search.decided.next} designs decided, {threads} threads")
            _search(search, folder, manifest, Stretch(started=started, seconds=0.0, threads=threads), progress)
        finally:
            numba.set_num_threads(before)
        stretch = Stretch(started=started, seconds=round(time.monotonic() - clock, 3), threads=threads)
        manifest = manifest.model_copy(update={
            "status": "finished", "evaluations": search.decided.evaluated, "exhausted": True,
            "work": [*manifest.work, stretch],
        })  # fmt: skip
        _write_results(search, folder, sum(part.seconds for part in manifest.work))
        manifest.save(folder)
        runs.note(folder, f"finished: {search.n_designs} designs, {len(search.decided.front)} in the front")
    return True


def _search(
    search: ExhaustiveSearch, folder: Path, manifest: Manifest, stretch: Stretch, progress: Progress | None
) -> None:
    clock = saved = time.monotonic()
    begun = search.decided.next
    while not search.done:
        search.step()
        now = time.monotonic()
        if now - saved >= CHECKPOINT_EVERY_S or search.done:
            _save(search, folder)
            # The seconds of a stretch that is killed later count too, up to here.
            so_far = stretch.model_copy(update={"seconds": round(now - clock, 3)})
            manifest.model_copy(update={"work": [*manifest.work, so_far]}).save(folder)
            saved = now
        if progress is not None:
            rate = (search.decided.next - begun) / max(now - clock, 1e-9)
            left = (search.n_to_evaluate - search.decided.next) / rate
            progress(Status(search.decided.next, search.n_to_evaluate, rate, left, len(search.decided.front)))


def _save(search: ExhaustiveSearch, folder: Path) -> None:
    values = {"problem": search.problem.hash, "designs": search.n_to_evaluate}
    state = OptimiserState(search.arrays(), values)
    save_checkpoint(folder, Checkpoint(0, search.decided.evaluated, 0, _NO_HISTORY, state))


def _restore(search: ExhaustiveSearch, folder: Path) -> None:
    try:
        point = load_checkpoint(folder)
        values = {"problem": search.problem.hash, "designs": search.n_to_evaluate}
        if dict(point.state.values) != values:
            raise ValueError("it is of another search")
        search.restore(point.state.arrays)
    except (KeyError, ValueError, TypeError, UserError) as error:
        raise UserError(
            f"does not fit this search ({error}); delete it to start from the beginning", file=folder / CHECKPOINT
        ) from None


def _write_results(search: ExhaustiveSearch, folder: Path, seconds: float) -> None:
    known = search.decided
    front = Front(known.front, search.genomes(known.front), known.front_F)
    write_results(search.problem, front, folder)
    write_atomically(folder / SUMMARY, json.dumps(_summary(search, seconds), indent=2, allow_nan=False) + "\n")


def _summary(search: ExhaustiveSearch, seconds: float) -> dict[str, Any]:
    best: dict[str, Any] = {}
    for name in search.optima:
        if name in search.decided.best:
            value, number = search.decided.best[name]
            design = search.problem.decode(search.genomes(np.array([number]))).design(0)
            best[name] = {
                "value": value, "unit": SCALARS[name].unit, "equation": SCALARS[name].equation, "design": design,
            }  # fmt: skip
    return {
        "problem": search.problem.name,
        "problem_hash": search.problem.hash,
        "designs": search.n_designs,
        "evaluated": search.decided.evaluated,
        "proven": search.n_proven,
        "repeated": search.n_repeated,
        "proven_by": list(search.proven_genes),
        "feasible": search.n_feasible,
        "feasible_evaluated": search.decided.feasible,
        "front": len(search.decided.front),
        "objectives": list(search.problem.objective_names),
        "seconds": round(seconds, 3),
        "best": best,
    }
