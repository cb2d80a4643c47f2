"""A problem with one scalar objective instead of its own, as optimisers see it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imcevo.optimise.optima import SCALARS
from imcevo.portable.arrays import log10
from imcevo.problem import CodesignProblem, Evaluation


class _Decades:
    """Distances between objective values are measured in decades."""

    def normalised(self, F: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(log10(F))


class ScalarProblem:
    """The design space and constraints of `problem` with the objective `objective` of `SCALARS`."""

    n_obj = 1
    box = _Decades()

    def __init__(self, problem: CodesignProblem, objective: str) -> None:
        self.problem, self.objective = problem, objective
        self.upper, self.linkage, self.n_constr = problem.upper, problem.linkage, problem.n_constr

    def canonical(self, X: ArrayLike) -> NDArray[np.int64]:
        """As of `CodesignProblem`."""
        return self.problem.canonical(X)

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """As of `CodesignProblem`."""
        return self.problem.sample(n, rng)

    def initial(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """As of `CodesignProblem`."""
        return self.problem.initial(n, rng)

    def mapped_greedily(self) -> None:
        """None: scalar searches have no head start."""

    def block_costs(self, candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        """As of `CodesignProblem`."""
        return self.problem.block_costs(candidates)

    def evaluate(self, X: NDArray[np.int64]) -> Evaluation:
        """F ``[n, 1]`` and G ``[n, n_constr]`` of canonical genomes ``[n, n_var]``."""
        metrics = self.problem.simulator.simulate(self.problem.decode(X))
        return Evaluation(X, SCALARS[self.objective].of(metrics)[:, None], self.problem.violations(metrics))
