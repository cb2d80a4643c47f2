"""Uniform random search: the floor that every optimiser has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from imcevo.config import StrictModel
from imcevo.optimise.base import Genomes, Optimiser, SearchProblem, Seed
from imcevo.problem import Evaluation


class RandomOptions(StrictModel):
    """``[optimiser]`` with ``name = "random"``; `population` designs are drawn at a time."""

    population: int = Field(default=100, ge=1, le=100_000)


class RandomSearch(Optimiser):
    """Designs drawn uniformly, without replacement."""

    def __init__(self, problem: SearchProblem, options: RandomOptions, *, seed: Seed) -> None:
        super().__init__(problem, population=options.population, seed=seed)

    def _propose(self, n: int) -> Genomes:
        return self.problem.sample(n, self.rng)

    def emigrants(self, n: int) -> Evaluation:
        empty = np.empty((0, len(self.problem.upper)), dtype=np.int64)
        return Evaluation(empty, np.empty((0, self.problem.n_obj)), np.empty((0, self.problem.n_constr)))

    def immigrate(self, evaluation: Evaluation) -> None:
        pass

    def _learn(self, evaluation: Evaluation) -> None:
        pass

    def _arrays(self) -> Mapping[str, NDArray[Any]]:
        return {}

    def _take(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        pass
