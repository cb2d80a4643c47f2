"""What every optimiser is: ask for designs, tell their evaluation, hand over the state, take it back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from imcevo.optimise.novelty import KeySet, NoveltyFilter, Searchable
from imcevo.problem import Evaluation

Genomes = NDArray[np.int64]
Seed = int | Sequence[int]


class Scale(Protocol):
    """The scale on which distances between objective vectors are measured."""

    def normalised(self, F: NDArray[np.float64]) -> NDArray[np.float64]:
        """Objectives ``[n, n_obj]`` on the scale of the hypervolume box; monotone in every objective."""


class SearchProblem(Searchable, Protocol):
    """The part of a `CodesignProblem` that an optimiser sees."""

    @property
    def linkage(self) -> NDArray[np.int64]:
        """Which variables recombination exchanges together: equal numbers ``[n_var]``."""

    def initial(self, n: int, rng: np.random.Generator) -> Genomes:
        """`n` genomes ``[n, n_var]`` to begin with."""

    def mapped_greedily(self) -> QuickProblem | None:
        """The same question with layers mapped by the greedy rule, which is quick to evaluate; None where there is none
        on the same genomes."""

    def block_costs(self, candidates: Genomes) -> NDArray[np.float64]:
        """Two costs of every block of linked genes, and last of the rest, whose sums are objectives
        ``[n_candidates, n, n_blocks + 1, 2]``; asked only where `linkage` has blocks.

        Args:
            candidates: ``[n_candidates, n, n_var]``; those of a row differ in blocks alone.
        """

    @property
    def n_obj(self) -> int: ...
    @property
    def n_constr(self) -> int: ...
    @property
    def box(self) -> Scale: ...


class QuickProblem(SearchProblem, Protocol):
    """A problem that an optimiser may evaluate itself."""

    def evaluate(self, X: Genomes, *, canonical: bool = False) -> Evaluation:
        """Evaluations of genomes ``[n, n_var]``; `canonical`: they come from `Optimiser.ask`."""


class OptimiserState(NamedTuple):
    """All that an optimiser needs to continue exactly where it was, apart from the designs already evaluated.

    Attributes:
        arrays: by name, storable without pickle.
        values: JSON-able, the random generator's state among them.
    """

    arrays: Mapping[str, NDArray[Any]]
    values: Mapping[str, Any]


class Optimiser(ABC):
    """Ask/tell optimiser over genomes of whole numbers.

    `ask` gives distinct canonical designs that were never evaluated before; each must be told before the next
    ask.

    Args:
        problem: search space and scale of the objectives.
        population: designs per generation.
        seed: of the only random generator in use.
    """

    def __init__(self, problem: SearchProblem, *, population: int, seed: Seed) -> None:
        self.problem = problem
        self.population = population
        self.rng = np.random.default_rng(seed)
        self._novelty = NoveltyFilter(problem)
        self._asked: Genomes | None = None

    def ask(self, limit: int | None = None) -> Genomes:
        """The next generation ``[n, n_var]``, n <= `population` (and <= `limit`); empty once the space is
        exhausted.

        Raises:
            RuntimeError: the designs of the last `ask` were not told yet.
        """
        if self._asked is not None:
            raise RuntimeError("ask() was called twice: tell() the evaluation of the designs asked for first")
        wanted = self.population if limit is None else min(limit, self.population)
        X = self._novelty.collect(self._propose, wanted, self.rng)
        if len(X):
            self._asked = X
        return X.copy()

    def tell(self, evaluation: Evaluation) -> None:
        """Learn from the evaluation of the designs that `ask` gave.

        Raises:
            RuntimeError: nothing was asked.
            ValueError: other designs than those asked for, or F or G of another shape.
        """
        if self._asked is None:
            raise RuntimeError("tell() was called before ask()")
        n = len(self._asked)
        for name, got, expected in (
            ("X", evaluation.X, self._asked.shape),
            ("F", evaluation.F, (n, self.problem.n_obj)),
            ("G", evaluation.G, (n, self.problem.n_constr)),
        ):
            if got.shape != expected:
                raise ValueError(f"{name} has shape {got.shape}, expected {expected}")
        if not np.array_equal(evaluation.X, self._asked):
            raise ValueError("X differs from what ask() gave: tell the designs unchanged and in their order")
        self._novelty.register(self._asked)
        self._asked = None
        self._learn(evaluation)

    def state(self) -> OptimiserState:
        """The state between two generations.

        Raises:
            RuntimeError: designs were asked for and not told.
        """
        if self._asked is not None:
            raise RuntimeError("state() was called between ask() and tell()")
        values = {"rng": self.rng.bit_generator.state, "scanned": self._novelty.scanned}
        return OptimiserState(self._arrays(), values)

    def restore(self, state: OptimiserState, evaluated: Iterable[NDArray[np.integer]]) -> None:
        """Continue from `state`.

        Args:
            evaluated: chunks ``[n, n_var]`` of all designs evaluated until then, in any order.

        Raises:
            KeyError, ValueError, TypeError: not a state of this optimiser on this problem.
        """
        self._take(state.arrays)
        self.rng.bit_generator.state = state.values["rng"]
        self._novelty = NoveltyFilter(self.problem)
        for X in evaluated:
            self._novelty.register(X.astype(np.int64))
        self._novelty.scanned = int(state.values["scanned"])
        self._asked = None

    def avoid(self, others: KeySet) -> None:
        """From now on ask for none of the designs whose keys (`NoveltyFilter.keys`) are or will be in `others`."""
        self._novelty.others = others

    @abstractmethod
    def emigrants(self, n: int) -> Evaluation:
        """The best `n` designs, or fewer, to be sent elsewhere."""

    @abstractmethod
    def immigrate(self, evaluation: Evaluation) -> None:
        """Take in evaluated designs that come from elsewhere, between two generations."""

    @abstractmethod
    def _propose(self, n: int) -> Genomes:
        """About `n` genomes, not necessarily new, distinct or canonical."""

    @abstractmethod
    def _learn(self, evaluation: Evaluation) -> None:
        """Take a generation in."""

    @abstractmethod
    def _arrays(self) -> Mapping[str, NDArray[Any]]:
        """The arrays of `state`."""

    @abstractmethod
    def _take(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """The reverse of `_arrays`."""
