"""The loop of one run: ask, evaluate, tell, record; and its reconstruction from a run folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.experiment import checkpoint as checkpoints
from imcevo.experiment import history as histories
from imcevo.experiment.config import RunSpec
from imcevo.experiment.evaluations import Block, EvaluationLog, Layout, read_blocks, read_layout
from imcevo.experiment.files import os_errors_told, write_atomically
from imcevo.experiment.history import History
from imcevo.optimise import Front, ParetoArchive, optimiser_entry
from imcevo.problem import CodesignProblem, Evaluation

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


class Session:
    """A search at work in a run folder that this process holds.

    Every generation is appended to ``evaluations.bin`` before anything builds on it. A checkpoint is written
    once a second, and at the end, by the clock: what lies between is repeated from the file without
    simulating, so that neither interruptions nor the machine's speed change a byte of the results.

    Args:
        problem, run, budget: what is searched, how, and for how many distinct designs.
        folder: an existing run folder; the search continues from what it holds.

    Attributes:
        exhausted: every design of the space was evaluated before the budget was spent.

    Raises:
        UserError: the folder's files are corrupted or belong to another problem or version.
    """

    checkpoint_every_s = 1.0

    def __init__(self, problem: CodesignProblem, run: RunSpec, budget: int, folder: Path) -> None:
        self.problem, self.budget, self.folder = problem, budget, folder
        self.optimiser = optimiser_entry(run.optimiser).build(problem, run.options, seed=run.seed)
        self.archive = ParetoArchive(problem.n_var, problem.n_obj)
        self.history = History()
        self.generation = 0
        self.exhausted = False
        self._timing: list[str] = []
        self._log = self._reopened() if (folder / EVALUATIONS).exists() else self._new_log()

    def __enter__(self) -> Session:
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
        while self._step(self._simulated):
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

    def _step(self, evaluate: Callable[[NDArray[np.int64]], Evaluation]) -> bool:
        """One generation; False if there is none left to do."""
        clock = [time.perf_counter()]
        limit = self.budget - self.evaluations
        X = self.optimiser.ask(limit) if limit > 0 else np.empty((0, 0), dtype=np.int64)
        if len(X) == 0:
            self.exhausted = limit > 0
            return False
        clock.append(time.perf_counter())
        evaluation = evaluate(X)
        clock.append(time.perf_counter())
        self.optimiser.tell(evaluation)
        self.archive.add(*evaluation)
        clock.append(time.perf_counter())
        self.generation += 1
        if self.history.due(self.evaluations):
            self._record()
        clock.append(time.perf_counter())
        seconds = ",".join(f"{later - earlier:.6f}" for earlier, later in pairwise(clock))
        self._timing.append(f"{self.generation},{self.evaluations},{seconds}\n")
        return True

    def _simulated(self, X: NDArray[np.int64]) -> Evaluation:
        evaluation = self.problem.evaluate(X, canonical=True)
        self._log.append(self.generation + 1, *evaluation)
        return evaluation

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

    def _save(self) -> None:
        """Make everything durable; the evaluations first, since the checkpoint counts on them."""
        self._log.sync()
        point = checkpoints.Checkpoint(
            self.generation, self.evaluations, self._log.length, self.history.array(), self.optimiser.state()
        )
        checkpoints.save_checkpoint(self.folder, point)
        write_atomically(self.folder / histories.FILE, self.history.csv())
        timing = self.folder / TIMING
        with os_errors_told(timing), timing.open("a") as file:
            if file.tell() == 0:
                file.write("generation,evaluations,ask_s,evaluate_s,tell_s,record_s\n")
            file.writelines(self._timing)
        self._timing.clear()

    def _new_log(self) -> EvaluationLog:
        if (self.folder / checkpoints.FILE).exists():
            problem = f"is missing, but {checkpoints.FILE} needs it"
            raise UserError(problem, file=self.folder / EVALUATIONS)
        return EvaluationLog(self.folder / EVALUATIONS, self._layout())

    def _layout(self) -> Layout:
        p = self.problem
        return Layout(
            problem_hash=p.hash,
            variables=tuple(p.variable_names),
            upper=tuple(int(value) for value in p.upper),
            objectives=tuple(p.objective_names),
            constraints=tuple(p.constraint_names),
        )

    def _reopened(self) -> EvaluationLog:
        """Continue from the checkpoint, if there is one, and the intact generations after it."""
        path = self.folder / EVALUATIONS
        begun = (self.folder / checkpoints.FILE).exists()
        if not begun and path.stat().st_size < len(self._layout().header()):
            path.unlink()  # killed while the header was being written
            return self._new_log()
        if read_layout(path) != self._layout():
            raise UserError("holds the designs of another problem", file=path)
        blocks = read_blocks(path)
        end = len(self._layout().header())
        if begun:
            end = self._restored(checkpoints.load_checkpoint(self.folder), blocks)
        for block in blocks:
            self._step(lambda X, block=block: _repeated(X, block, path))  # type: ignore[misc]
            end = block.end
        self._timing.clear()  # nothing was simulated
        return EvaluationLog(path, self._layout(), keep=end)

    def _restored(self, point: checkpoints.Checkpoint, blocks: Iterator[Block]) -> int:
        """Put optimiser, archive and history where `point` says; returns where its part of the file ends."""
        path = self.folder / checkpoints.FILE
        end = 0

        def evaluated() -> Iterator[NDArray[np.unsignedinteger]]:
            nonlocal end
            for _ in range(point.generation):
                block = next(blocks, None)
                if block is None:
                    raise UserError(
                        f"generation {self.generation + 1} is damaged or missing, but {path.name} needs it; "
                        f"delete {path.name} to continue from there",
                        file=self.folder / EVALUATIONS,
                    )
                self.archive.add(block.X, block.F, block.G)
                self.generation, end = block.generation, block.end
                yield block.X

        try:
            self.optimiser.restore(point.state, evaluated())
            self.history = History(point.history)
        except (KeyError, ValueError, TypeError) as error:
            raise UserError(f"does not fit this search: {error}", file=path) from None
        if (self.evaluations, end) != (point.evaluations, point.log_length):
            raise UserError(f"does not belong to the {EVALUATIONS} beside it", file=path)
        return end


def rewind(folder: Path, population: int) -> None:
    """Make a finished run one that can go on past its budget as if it had never ended there.

    Its last generation was cut to the budget: it is dropped. Everything before it is repeated from the file.
    """
    path, end = folder / EVALUATIONS, None
    for block in read_blocks(path):
        if len(block.X) < population:
            break
        end = block.end
    (folder / checkpoints.FILE).unlink(missing_ok=True)
    with os_errors_told(path):
        os.truncate(path, len(read_layout(path).header()) if end is None else end)


def _repeated(X: NDArray[np.int64], block: Block, path: Path) -> Evaluation:
    """The stored evaluation of the designs that the search asks for again."""
    if not np.array_equal(X, block.X):
        problem = f"generation {block.generation} holds other designs than this search asks for"
        raise UserError(f"{problem}: it was made by another version, or is corrupted", file=path)
    return Evaluation(X, np.ascontiguousarray(block.F), np.ascontiguousarray(block.G))
