"""What every search leaves in its run folder while it works: evaluations, history, checkpoints, times."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.optimise import Front, OptimiserState, ParetoArchive
from imcevo.problem import CodesignProblem
from imcevo.runs import checkpoint as checkpoints
from imcevo.runs import history as histories
from imcevo.runs.checkpoint import Checkpoint
from imcevo.runs.evaluations import EvaluationLog, Layout, read_layout
from imcevo.runs.files import os_errors_told, write_atomically
from imcevo.runs.history import History

EVALUATIONS = "evaluations.bin"
TIMING = "timing.csv"


class Status(NamedTuple):
    """Where a run stands, for the progress line; the last three as of the last row of the history."""

    generation: int
    evaluations: int
    budget: int
    evaluations_per_s: float
    remaining_s: float
    feasible_share: float
    hypervolume: float
    front_size: int


Progress = Callable[[Status], None]


def layout_of(problem: CodesignProblem) -> Layout:
    """What a row of ``evaluations.bin`` is made of."""
    return Layout(
        problem_hash=problem.hash,
        variables=tuple(problem.variable_names),
        upper=tuple(int(value) for value in problem.upper),
        objectives=tuple(problem.objective_names),
        constraints=tuple(problem.constraint_names),
    )


class RunRecorder(ABC):
    """A search at work in a run folder that this process holds.

    Every generation is appended to ``evaluations.bin`` before anything builds on it. A checkpoint is written
    once a second, and at the end, by the clock: what lies between is repeated, so that neither interruptions nor the
    machine's speed change a byte of the results.

    Args:
        problem, budget: what is searched, and for how many distinct designs.
        folder: an existing run folder; the search continues from what it holds.

    Attributes:
        layout: of ``evaluations.bin``.
        exhausted: every design of the space was evaluated before the budget was spent.

    Raises:
        UserError: the folder's files are corrupted or belong to another problem or version.
    """

    checkpoint_every_s = 1.0

    def __init__(self, problem: CodesignProblem, budget: int, folder: Path) -> None:
        self.problem, self.budget, self.folder = problem, budget, folder
        self.layout = layout_of(problem)
        self.archive = ParetoArchive(problem.n_var, problem.n_obj)
        self.history = History()
        self.generation = 0
        self.exhausted = False
        self._timing: list[str] = []
        self._log = self._opened()

    def __enter__(self) -> RunRecorder:
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()

    @property
    def evaluations(self) -> int:
        """Distinct designs evaluated."""
        return self.archive.n_evaluated

    def work(self, progress: Progress | None = None) -> Front:
        """Search until the budget is spent or the space exhausted; returns the front.

        Raises:
            UserError: the folder cannot be written any more; what it holds can be resumed.
        """
        started = saved = time.monotonic()
        already = self.evaluations
        while self._step():
            now = time.monotonic()
            if now - saved >= self.checkpoint_every_s:
                self._save()
                saved = now
            if progress is not None:
                progress(self._status(self.evaluations - already, now - started))
        self._record()
        self._save()
        if self.exhausted and progress is not None:
            progress(self._status(self.evaluations - already, time.monotonic() - started))
        return self.archive.front()

    @abstractmethod
    def _step(self) -> bool:
        """Search, and append to the log, for a generation or some; False if there is nothing left to do."""

    @abstractmethod
    def _point(self) -> Checkpoint | None:
        """Where to continue after an interruption; None where nothing may be saved yet."""

    @abstractmethod
    def _continued(self, path: Path, *, begun: bool) -> int:
        """Rebuild the search from the log at `path` and, if `begun`, the checkpoint.

        Returns:
            The length in bytes of the part of the log that was used.
        """

    def _archive(self, X: NDArray[np.integer], F: NDArray[np.float64], G: NDArray[np.float64]) -> None:
        """Take in a generation, with a row of the history where one is due."""
        self.archive.add(X, F, G)
        self.generation += 1
        if self.history.due(self.evaluations):
            self._record()

    def _record(self) -> None:
        front = self.archive.front()
        hypervolume = self.problem.box.hypervolume(front.F)
        share = self.archive.n_feasible / max(self.evaluations, 1)
        self.history.add(self.generation, self.evaluations, share, hypervolume, len(front.number))

    def _status(self, done: int, seconds: float) -> Status:
        """After `done` evaluations in so many seconds; an exhausted space ends the budget."""
        _, _, share, hypervolume, size = self.history.last
        budget = self.evaluations if self.exhausted else self.budget
        remaining_s = (budget - self.evaluations) * seconds / max(done, 1)
        rate = done / max(seconds, 1e-9)
        return Status(
            self.generation, self.evaluations, budget, rate, remaining_s, share, hypervolume, int(size)
        )

    def _checkpoint(self, state: OptimiserState) -> Checkpoint:
        return Checkpoint(self.generation, self.evaluations, self._log.length, self.history.array(), state)

    def _save(self) -> None:
        """Make everything durable; the evaluations first, since the checkpoint counts on them."""
        self._log.sync()
        point = self._point()
        if point is not None:
            checkpoints.save_checkpoint(self.folder, point)
        write_atomically(self.folder / histories.FILE, self.history.csv())
        timing = self.folder / TIMING
        with os_errors_told(timing), timing.open("a") as file:
            if file.tell() == 0:
                file.write("generation,evaluations,ask_s,evaluate_s,tell_s,record_s\n")
            file.writelines(self._timing)
        self._timing.clear()

    def _timed(self, *seconds: float) -> None:
        """Note how long the steps since the last call took."""
        self._timing.append(f"{self.generation},{self.evaluations},{','.join(f'{s:.6f}' for s in seconds)}\n")

    def _opened(self) -> EvaluationLog:
        """Continue from the checkpoint, if there is one, or from the log alone, if there is one."""
        path = self.folder / EVALUATIONS
        begun = (self.folder / checkpoints.FILE).exists()
        if not path.exists() and begun:
            raise UserError(f"is missing, but {checkpoints.FILE} needs it", file=path)
        layout = self.layout
        if path.exists() and not begun and path.stat().st_size < len(layout.header()):
            path.unlink()  # killed while the header was being written
        if not path.exists():
            return EvaluationLog(path, layout)
        if read_layout(path) != layout:
            raise UserError("holds the designs of another problem", file=path)
        return EvaluationLog(path, layout, keep=self._continued(path, begun=begun))

    def _damaged(self, generation: int) -> UserError:
        """A generation that the checkpoint counts on cannot be read."""
        name = checkpoints.FILE
        return UserError(
            f"generation {generation} is damaged or missing, but {name} needs it; delete {name} to continue from there",
            file=self.folder / EVALUATIONS,
        )

    def _unfit(self, error: Exception) -> UserError:
        """The checkpoint is of another search."""
        return UserError(f"does not fit this search: {error}", file=self.folder / checkpoints.FILE)

    def _require_same_place(self, point: Checkpoint, end: int) -> None:
        if (self.evaluations, end) != (point.evaluations, point.log_length):
            problem = f"does not belong to the {EVALUATIONS} beside it"
            raise UserError(problem, file=self.folder / checkpoints.FILE)

