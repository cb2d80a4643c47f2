"""Doors to pymoo: a co-design problem for anybody's algorithm, and our NSGA-II for anybody's pymoo script."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.population import Population
from pymoo.core.problem import Problem

from imcevo.optimise.evolution import EvolutionOptions
from imcevo.optimise.nsga2 import Nsga2
from imcevo.problem import CodesignProblem, Evaluation


class PymooCodesignProblem(Problem):
    """`CodesignProblem` as a vectorised pymoo problem: integer variables 0 to ``upper``, F minimised, G <= 0.

    Algorithms over reals may be used too: variables are rounded to the nearest index before evaluation.

    Attributes:
        codesign: the problem behind; ``codesign.frame(result.X)`` turns a result into a table of designs.
    """

    def __init__(self, codesign: CodesignProblem) -> None:
        self.codesign = codesign
        super().__init__(
            n_var=codesign.n_var, n_obj=codesign.n_obj, n_ieq_constr=codesign.n_constr,
            xl=np.zeros(codesign.n_var, dtype=np.int64), xu=codesign.upper, vtype=int,
        )  # fmt: skip

    def _evaluate(self, x: NDArray[Any], out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        evaluation = self.codesign.evaluate(np.rint(x.astype(np.float64)).astype(np.int64))
        out["F"], out["G"] = evaluation.F, evaluation.G


def as_pymoo(problem: CodesignProblem) -> PymooCodesignProblem:
    """The problem for pymoo: ``minimize(as_pymoo(problem), algorithm, ("n_eval", 5000), seed=1)``."""
    return PymooCodesignProblem(problem)


class PymooNsga2(NSGA2):
    """`Nsga2` behind pymoo's interface (callbacks, terminations, results); for problems made by `as_pymoo`.

    It evaluates the very designs that `Nsga2` does at the same seed; the objects around them make it slower.
    """

    def __init__(self, options: EvolutionOptions, **kwargs: Any) -> None:
        super().__init__(pop_size=options.population, **kwargs)
        self.options = options

    def _setup(self, problem: PymooCodesignProblem, **kwargs: Any) -> None:
        if self.seed is None:
            raise ValueError("PymooNsga2 needs a seed: minimize(..., seed=1)")
        self.search = Nsga2(problem.codesign, self.options, seed=self.seed)

    def _initialize_infill(self) -> Population:
        return self._infill()

    def _infill(self) -> Population | None:
        X = self.search.ask()
        if len(X) == 0:
            self.termination.force_termination = True
            return None
        return Population.new(X=X)

    def _initialize_advance(self, infills: Population, **kwargs: Any) -> None:
        self._advance(infills)

    def _advance(self, infills: Population | None = None, **kwargs: Any) -> None:
        if infills is None:
            return
        X, F, G = infills.get("X", "F", "G")
        self.search.tell(Evaluation(X.astype(np.int64), F, G.reshape(len(X), -1)))
        s = self.search
        self.pop = Population.new(X=s.X, F=s.F, G=s.G, rank=s.rank, crowding=s.crowding)

    def _set_optimum(self, **kwargs: Any) -> None:
        first = (self.pop.get("rank") == 0) & self.pop.get("feas")
        self.opt = self.pop[first] if first.any() else self.pop[[np.argmin(self.pop.get("cv"))]]
