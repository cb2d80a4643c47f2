"""Islands: several searches of one problem side by side that exchange their best designs now and then.

An epoch is a number of generations of every island. Islands of one epoch know nothing of each other, so any number of
workers may compute them; what they evaluated is put together in the order of the islands. Results depend on the seed
and the number of islands alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.optimise import OptimiserState
from imcevo.optimise.novelty import NoveltyFilter
from imcevo.problem import CodesignProblem, Evaluation
from imcevo.runs import checkpoint as checkpoints
from imcevo.runs.checkpoint import Checkpoint
from imcevo.runs.config import IslandsConfig, RunSpec
from imcevo.runs.evaluations import read_blocks
from imcevo.runs.history import History
from imcevo.runs.islands.epoch import Epoch, Island, Outcome, Question, evolve
from imcevo.runs.islands.shared_evaluations import SharedEvaluations
from imcevo.runs.recorder import RunRecorder
from imcevo.runs.workers import Workers

_EMIGRANTS = "emigrants."


class IslandSearch(RunRecorder):
    """Islands at work in a run folder; see `RunRecorder`.

    A checkpoint holds the islands between two epochs. What the log holds beyond it is computed again.

    Args:
        problem, run, budget: what is searched, how (`run.islands` is given), and for how many distinct designs.
        folder: an existing run folder; the search continues from what it holds.
        workers: who computes the islands.
    """

    def __init__(
        self, problem: CodesignProblem, run: RunSpec, budget: int, folder: Path, workers: Workers
    ) -> None:
        assert run.islands is not None
        self.islands: IslandsConfig = run.islands
        self._run, self._workers = run, workers
        self._question = Question.of(problem)
        self._states: list[Island | None] = [None] * run.islands.count
        self._novelty = NoveltyFilter(problem)
        self._known = SharedEvaluations(str(folder))
        self._complete: Checkpoint | None = None
        self._pending: tuple[int, Callable[[], list[Outcome]]] | None = None
        super().__init__(problem, budget, folder)

    def _step(self) -> bool:
        """One epoch; the next one is handed out before this one is written, so that the workers need not wait."""
        if self._pending is None:
            if self.budget <= self.evaluations or self.exhausted:
                return False
            self._begin(self.budget - self.evaluations)
        assert self._pending is not None
        left, outcomes_of = self._pending
        started = time.perf_counter()
        outcomes = outcomes_of()
        computed = time.perf_counter()
        generations = self._merged(outcomes)
        self._states = [outcome.island for outcome in outcomes]
        found = sum(map(len, generations))
        self.exhausted, self._pending = found == 0, None
        if 0 < found < left:
            self._begin(left - found)
        for rows in generations:
            self._write(rows)
        if left >= self._largest_epoch:  # else the budget, which may be extended later, has shaped it
            self._complete = self._checkpoint(self._state())
        self._timed(0.0, computed - started, time.perf_counter() - computed, 0.0)
        return not self.exhausted

    def _begin(self, left: int) -> None:
        """Hand out the next epoch, `left` evaluations from the end."""
        epochs = self._epochs(left)
        outcomes_of = self._workers.begin(evolve, epochs)
        self._pending = left, lambda: self._complete_outcomes(epochs, outcomes_of())

    def _complete_outcomes(self, epochs: list[Epoch], outcomes: list[Outcome | None]) -> list[Outcome]:
        """The outcomes, with those of workers that did not know enough."""
        again = [index for index, outcome in enumerate(outcomes) if outcome is None]
        told = [epochs[index]._replace(known=self._known.everything()) for index in again]
        done = dict(zip(again, self._workers.map(evolve, told), strict=True)) if told else {}
        complete = [done.get(index, outcome) for index, outcome in enumerate(outcomes)]
        return [outcome for outcome in complete if outcome is not None]

    @property
    def _largest_epoch(self) -> int:
        population: int = self._run.options.model_dump()["population"]
        return self.islands.count * self.islands.interval * population

    def _epochs(self, left: int) -> list[Epoch]:
        """The next epoch of every island, `left` evaluations from the end."""
        count, known = self.islands.count, self._known.news()
        epochs = []
        for index, state in enumerate(self._states):
            neighbour = self._states[index - 1]  # a ring: the last one sends to the first
            epochs.append(Epoch(
                question=self._question, optimiser=self._run.optimiser, options=self._run.options.model_dump(),
                seed=(self._run.seed, index), known=known,
                state=None if state is None else state.state,
                immigrants=None if neighbour is None or count == 1 else neighbour.emigrants,
                n_emigrants=self.islands.migrants, generations=self.islands.interval,
                limit=left // count + (index < left % count),
            ))  # fmt: skip
        return epochs

    def _merged(self, outcomes: list[Outcome]) -> list[NDArray[np.void]]:
        """Generations of all islands together, now known; of designs that several evaluated, the first."""
        sizes = np.zeros((max(len(outcome.sizes) for outcome in outcomes), len(outcomes)), dtype=np.int64)
        for island, outcome in enumerate(outcomes):
            sizes[: len(outcome.sizes), island] = outcome.sizes
        # Generation after generation, islands in their order; rows lie island after island.
        generation = np.concatenate([np.repeat(np.arange(len(own)), own) for own in sizes.T])
        order = np.argsort(generation, kind="stable")
        rows = np.concatenate([outcome.rows for outcome in outcomes])[order]
        keys = np.concatenate([outcome.keys for outcome in outcomes])[order]
        first = np.sort(np.unique(keys, return_index=True)[1])
        first = first[~self._known.keys.contains(keys[first])]
        self._known.add(keys[first])
        ends = np.searchsorted(first, np.cumsum(sizes.sum(axis=1)))
        return np.split(rows[first], ends[:-1]) if len(ends) else []

    def _write(self, rows: NDArray[np.void]) -> None:
        self._log.append(self.generation + 1, rows)
        self._archive(rows["X"], rows["F"], rows["G"])

    def _point(self) -> Checkpoint | None:
        return self._complete

    def _state(self) -> OptimiserState:
        """All islands as one state."""
        arrays: dict[str, NDArray[Any]] = {}
        values = []
        for index, island in enumerate(self._states):
            assert island is not None
            named = {**island.state.arrays, **_named(island.emigrants)}
            arrays |= {f"{index}.{name}": array for name, array in named.items()}
            values.append(dict(island.state.values))
        return OptimiserState(arrays, {"islands": values})

    def _continued(self, path: Path, *, begun: bool) -> int:
        end = len(self.layout.header())
        if not begun:
            return end
        point = checkpoints.load_checkpoint(self.folder)
        blocks = read_blocks(path)
        for _ in range(point.generation):
            block = next(blocks, None)
            if block is None:
                raise self._damaged(self.generation + 1)
            self._known.add(self._novelty.keys(block.X))
            self.archive.add(block.X, block.F, block.G)
            self.generation, end = block.generation, block.end
        try:
            self.history = History(point.history)
            self._states = list(_restored(point.state, self.islands.count))
        except (KeyError, ValueError, TypeError) as error:
            raise self._unfit(error) from None
        self._require_same_place(point, end)
        self._complete = point
        return end


def _named(emigrants: Evaluation) -> dict[str, NDArray[Any]]:
    return {_EMIGRANTS + name: array for name, array in emigrants._asdict().items()}


def _restored(state: OptimiserState, count: int) -> Iterator[Island]:
    values: list[Mapping[str, Any]] = state.values["islands"]
    if not isinstance(values, list) or len(values) != count:
        raise ValueError(f"it has not {count} islands")
    for index, own in enumerate(values):
        prefix = f"{index}."
        arrays = {n.removeprefix(prefix): a for n, a in state.arrays.items() if n.startswith(prefix)}
        emigrants = Evaluation(*(arrays.pop(_EMIGRANTS + name) for name in Evaluation._fields))
        yield Island(OptimiserState(arrays, own), emigrants)
