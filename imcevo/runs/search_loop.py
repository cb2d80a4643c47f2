"""The loop of one run: ask, evaluate, tell, record; and its reconstruction from a run folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.optimise import optimiser_entry
from imcevo.problem import CodesignProblem, Evaluation
from imcevo.runs import checkpoint as checkpoints
from imcevo.runs.checkpoint import Checkpoint
from imcevo.runs.config import RunSpec
from imcevo.runs.evaluations import Block, read_blocks, read_layout
from imcevo.runs.files import os_errors_told
from imcevo.runs.history import History
from imcevo.runs.recorder import EVALUATIONS, RunRecorder


class SearchLoop(RunRecorder):
    """One optimiser at work in a run folder; see `RunRecorder`.

    What lies between the checkpoint and the end of the log is repeated from the log without simulating.

    Args:
        problem, run, budget: what is searched, how, and for how many distinct designs.
        folder: an existing run folder; the search continues from what it holds.
    """

    def __init__(self, problem: CodesignProblem, run: RunSpec, budget: int, folder: Path) -> None:
        self.optimiser = optimiser_entry(run.optimiser).build(problem, run.options, seed=run.seed)
        super().__init__(problem, budget, folder)

    def _step(self) -> bool:
        return self._generation(self._simulated)

    def _generation(self, evaluate: Callable[[NDArray[np.int64]], Evaluation]) -> bool:
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
        clock.append(time.perf_counter())
        self._archive(*evaluation)
        clock.append(time.perf_counter())
        self._timed(*(later - earlier for earlier, later in pairwise(clock)))
        return True

    def _simulated(self, X: NDArray[np.int64]) -> Evaluation:
        evaluation = self.problem.evaluate(X, canonical=True)
        self._log.append(self.generation + 1, self.layout.rows(*evaluation))
        return evaluation

    def _point(self) -> Checkpoint:
        return self._checkpoint(self.optimiser.state())

    def _continued(self, path: Path, *, begun: bool) -> int:
        """Continue from the checkpoint, if there is one, and the intact generations after it."""
        blocks = read_blocks(path)
        end = len(self.layout.header())
        if begun:
            end = self._restored(checkpoints.load_checkpoint(self.folder), blocks)
        for block in blocks:
            self._generation(lambda X, block=block: _repeated(X, block, path))  # type: ignore[misc]
            end = block.end
        self._timing.clear()  # nothing was simulated
        return end

    def _restored(self, point: Checkpoint, blocks: Iterator[Block]) -> int:
        """Put optimiser, archive and history where `point` says; returns where its part of the file ends."""
        end = 0

        def evaluated() -> Iterator[NDArray[np.unsignedinteger]]:
            nonlocal end
            for _ in range(point.generation):
                block = next(blocks, None)
                if block is None:
                    raise self._damaged(self.generation + 1)
                self.archive.add(block.X, block.F, block.G)
                self.generation, end = block.generation, block.end
                yield block.X

        try:
            self.optimiser.restore(point.state, evaluated())
            self.history = History(point.history)
        except (KeyError, ValueError, TypeError) as error:
            raise self._unfit(error) from None
        self._require_same_place(point, end)
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
