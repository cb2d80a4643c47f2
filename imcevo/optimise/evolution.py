"""Evolution on integer arrays: what all evolutionary optimisers share; they differ in who survives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from imcevo.config import StrictModel
from imcevo.errors import UserError
from imcevo.optimise.archive import ParetoArchive
from imcevo.optimise.base import Genomes, Optimiser, SearchProblem, Seed
from imcevo.optimise.operators import best_blocks, binary_tournament, mutate, mutate_blocks, uniform_crossover
from imcevo.optimise.ranking import Survivors, survivors, violation
from imcevo.problem import Evaluation

_WORST = 1e6  # far beyond the box
# Share of the children that are a parent with other blocks (mappings) only, and how many other values are tried for
# each of its blocks, see `best_blocks`. Selection sees whole designs, and nearly every other child has new hardware, so
# that little else improves the mapping of a good chip. Measured: docs/reference/mapping.md.
_KEEP_HARDWARE, _TRIALS = 0.25, 3
# Share of the first generation that comes from the head start: with more of it, kinds of chip that only an exact
# mapping makes good are not found.
_HEAD_START_SHARE = 0.25


class EvolutionOptions(StrictModel):
    """``[optimiser]`` of every evolutionary optimiser.

    Attributes:
        population: designs kept, and children per generation.
        crossover_probability: of a pair to recombine at all.
        mutations_per_child: genes changed per child, on average.
        step_share: share of the mutations that step to a neighbouring value.
        infeasible_share: share of the population kept for infeasible designs, see `survivors`; 0 is the original
            NSGA-II. Measured on the shipped problems (10,000 designs, 8 seeds, median hypervolume, 0 against .3):
            sram_streamed4 .113 and .160, quickstart .260 and .261, rram_resident4 .173 and .167. Without it the
            search misses kinds of design whose feasible region is small, such as chips that just hold a network.
        head_start: designs searched under the greedy mapping before the first generation, a quarter of which their
            front then makes; only where the problem maps exactly. They do not count as evaluations, and one takes some
            thirtieth of the time. Measured: docs/reference/mapping.md.
    """

    population: int = Field(default=100, ge=4, le=100_000)
    crossover_probability: float = Field(default=0.9, ge=0, le=1)
    mutations_per_child: float = Field(default=1.5, gt=0)
    step_share: float = Field(default=0.5, ge=0, le=1)
    infeasible_share: float = Field(default=0.3, ge=0, le=0.5)
    head_start: int = Field(default=0, ge=0, le=10_000_000)


class Evolution(Optimiser):
    """A population from which tournaments pick parents, and which the best of it and of its children survive.

    Distances are measured on the scale of the problem's hypervolume box, so that a decade of energy counts as much at
    its low as at its high end.
    """

    def __init__(self, problem: SearchProblem, options: EvolutionOptions, *, seed: Seed) -> None:
        super().__init__(problem, population=options.population, seed=seed)
        self.options = options
        self._quick = problem.mapped_greedily() if options.head_start else None
        if options.head_start and self._quick is None:
            raise UserError("needs exact mappings", key="optimiser.head_start", value=options.head_start,
                            allowed='0, or a problem with [mapping] policy = "exact"')  # fmt: skip
        self._has_blocks = len(np.unique(problem.linkage)) < len(problem.linkage)
        self.X: Genomes = np.empty((0, len(problem.upper)), dtype=np.int64)
        self.F = np.empty((0, problem.n_obj))
        self.G = np.empty((0, problem.n_constr))
        self.rank = np.empty(0, dtype=np.int64)
        self.crowding = np.empty(0)

    def _propose(self, n: int) -> Genomes:
        if len(self.X) == 0:
            first, self._quick = self._first(n), None  # what is proposed again for doubles is drawn afresh
            return first
        n_pairs = (n + 1) // 2
        parents = self.X[binary_tournament(self.rank, self.crowding, 2 * n_pairs, self.rng)]
        pairs = parents.reshape(2, n_pairs, -1)
        linkage = self.problem.linkage
        children = uniform_crossover(pairs, self.options.crossover_probability, linkage, self.rng)
        per_child, step_share = self.options.mutations_per_child, self.options.step_share
        children = mutate(children, self.problem.upper, per_child, step_share, linkage, self.rng)
        if self._has_blocks:
            kept = self.rng.random(len(children)) < _KEEP_HARDWARE
            better = self._with_better_blocks(parents[kept])
            new = (better != parents[kept]).any(axis=1)
            children[np.flatnonzero(kept)[new]] = better[new]
        return children

    def _first(self, n: int) -> Genomes:
        """The first generation, begun with the best of a head start."""
        X = self.problem.initial(n, self.rng)
        if self._quick is None:
            return X
        options = self.options.model_copy(update={"head_start": 0})
        search = type(self)(self._quick, options, seed=int(self.rng.integers(2**63)))
        archive = ParetoArchive(X.shape[1], self.problem.n_obj)
        while (left := self.options.head_start - archive.n_evaluated) > 0 and len(asked := search.ask(left)):
            evaluation = self._quick.evaluate(asked, canonical=True)
            search.tell(evaluation)
            archive.add(*evaluation)
        return np.concatenate([archive.front().thinned(round(_HEAD_START_SHARE * self.population)), X])

    def _with_better_blocks(self, X: Genomes) -> Genomes:
        """Other values tried for every block of linked genes, the best of which stay."""
        if len(X) == 0:
            return X
        problem, step_share = self.problem, self.options.step_share
        trials = [X]
        for _ in range(_TRIALS):
            donors = self.X[self.rng.integers(0, len(self.X), size=len(X))]
            trials.append(mutate_blocks(X, donors, problem.upper, step_share, problem.linkage, self.rng))
        candidates = np.stack(trials)
        return best_blocks(candidates, problem.block_costs(candidates), problem.linkage, self.rng)

    def _learn(self, evaluation: Evaluation) -> None:
        X = np.concatenate([self.X, evaluation.X])
        F = np.concatenate([self.F, evaluation.F])
        G = np.concatenate([self.G, evaluation.G])
        violated = violation(G)
        # Infeasible designs may have any objectives; those without a logarithm are the worst there are.
        comparable = (violated == 0) | (F > 0).all(axis=1)
        scaled = np.full_like(F, _WORST)
        scaled[comparable] = self.problem.box.normalised(F[comparable])
        kept, self.rank, self.crowding = survivors(
            scaled, violated, self.population, self.options.infeasible_share, self.rng, self._best
        )
        self.X, self.F, self.G = X[kept], F[kept], G[kept]

    def emigrants(self, n: int) -> Evaluation:
        chosen = np.lexsort((-self.crowding, self.rank, violation(self.G) > 0))[:n]
        return Evaluation(self.X[chosen], self.F[chosen], self.G[chosen])

    def immigrate(self, evaluation: Evaluation) -> None:
        new = ~(evaluation.X[:, None] == self.X).all(axis=2).any(axis=1)
        if new.any():
            self._learn(Evaluation(*(part[new] for part in evaluation)))

    @abstractmethod
    def _best(self, F: NDArray[np.float64], n: int) -> Survivors:
        """The best `n` of at least one feasible design, n <= their number.

        Args:
            F: objectives ``[n_designs, n_obj]`` on the scale of the hypervolume box.
        """

    def _arrays(self) -> Mapping[str, NDArray[Any]]:
        return {"X": self.X, "F": self.F, "G": self.G, "rank": self.rank, "crowding": self.crowding}

    def _take(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        shapes = {
            "X": (np.int64, (self.X.shape[1],)), "F": (np.float64, (self.F.shape[1],)),
            "G": (np.float64, (self.G.shape[1],)), "rank": (np.int64, ()), "crowding": (np.float64, ()),
        }  # fmt: skip
        n = len(arrays["X"])
        for name, (kind, row) in shapes.items():
            if arrays[name].dtype != kind or arrays[name].shape != (n, *row):
                raise ValueError(f"{name} is {arrays[name].dtype}{arrays[name].shape}, expected {(n, *row)}")
        if n and ((arrays["X"] < 0) | (arrays["X"] > self.problem.upper)).any():
            raise ValueError("X leaves the search space")
        self.X, self.F, self.G = arrays["X"], arrays["F"], arrays["G"]
        self.rank, self.crowding = arrays["rank"], arrays["crowding"]
