from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.optimize import minimize

from imcevo.optimise.evolution import EvolutionOptions
from imcevo.optimise.nsga2 import Nsga2
from imcevo.optimise.pymoo_problem import PymooNsga2, as_pymoo
from tests.optimise.synthetic import Synthetic


class Codesign(Synthetic):
    @property
    def n_var(self) -> int:
        return len(self.upper)


def test_pymoos_own_algorithm_solves_the_problem() -> None:
    problem: Any = Codesign()
    repair = RoundingRepair()
    algorithm = NSGA2(
        pop_size=40, sampling=IntegerRandomSampling(), crossover=SBX(vtype=float, repair=repair),
        mutation=PM(vtype=float, repair=repair), eliminate_duplicates=True,
    )  # fmt: skip
    result = minimize(as_pymoo(problem), algorithm, ("n_gen", 10), seed=1)
    E = problem.evaluate(np.asarray(result.X, dtype=np.int64))
    assert np.array_equal(E.F, result.F)
    assert (E.G <= 0).all()


def test_reals_are_rounded_to_the_nearest_index() -> None:
    problem: Any = Codesign()
    out = as_pymoo(problem).evaluate(np.array([[1.4, 4.6, 0.0, 2.0, 1.0, 2.9]]), return_as_dictionary=True)
    exact = problem.evaluate(np.array([[1, 5, 0, 2, 1, 3]]))
    assert np.array_equal(out["F"], exact.F)
    assert np.array_equal(out["G"], exact.G)


@pytest.mark.parametrize("infeasible_share", [0.0, 0.3])
def test_our_nsga2_in_pymoos_interface_evaluates_the_same_designs(infeasible_share: float) -> None:
    options = EvolutionOptions(population=30, infeasible_share=infeasible_share)
    inside: Any = Codesign()
    result = minimize(as_pymoo(inside), PymooNsga2(options), ("n_gen", 8), seed=5)
    outside: Any = Codesign()
    search = Nsga2(outside, options, seed=5)
    for _ in range(8):
        search.tell(outside.evaluate(search.ask()))
    assert np.array_equal(np.concatenate(inside.evaluated), np.concatenate(outside.evaluated))
    best = search.F[(search.rank == 0) & (search.G <= 0).all(axis=1)]
    assert np.array_equal(np.unique(result.F, axis=0), np.unique(best, axis=0))


def test_an_exhausted_space_ends_pymoos_loop() -> None:
    problem: Any = Codesign((1, 1, 1, 1, 1, 1))
    minimize(as_pymoo(problem), PymooNsga2(EvolutionOptions(population=20)), ("n_gen", 100), seed=1)
    assert len(np.concatenate(problem.evaluated)) == len(problem.everything())
