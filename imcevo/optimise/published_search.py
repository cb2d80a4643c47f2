"""The optimiser of arXiv 2603.03880 for one scalar objective: spread sampling, then a genetic algorithm in four phases.

1,000 random designs, of which the 500 most spread by Hamming distance are evaluated; from the best 70, four phases of
10 generations with ever finer operators: 3,300 evaluations. Its public code scores designs whose mapping fails with 0,
the best value there is; that is an option here, so that its effect can be measured.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymoo.algorithms.soo.nonconvex.ga import GA
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.optimize import minimize

from imcevo.optimise.optima import SCALARS
from imcevo.portable.arrays import row_sums
from imcevo.problem import CodesignProblem

SAMPLES, SPREAD, POPULATION, GENERATIONS = 1000, 500, 70, 10
# (probability, eta) of simulated binary crossover and of polynomial mutation, phase by phase.
PHASES = (((1.0, 3.0), (1.0, 3.0)), ((0.9, 7.0), (0.5, 7.0)), ((1.0, 15.0), (0.2, 15.0)), ((1.0, 25.0), (0.05, 25.0)))
# Shortfalls by which a mapping fails in the framework's simulator; its other checks reject a design properly.
MAPPING_FAILURES = ("glb_bits", "weight_steps")


class Search(NamedTuple):
    """All designs that a search evaluated.

    Attributes:
        X: genomes in order of evaluation ``[n, n_var]``.
        values: the objective ``[n]``, without the scoring of failures.
        feasible: ``[n]``.
        chosen: position of the design that the search takes for the best.
    """

    X: NDArray[np.int64]
    values: NDArray[np.float64]
    feasible: NDArray[np.bool_]
    chosen: int

    @property
    def best(self) -> float:
        """The best value of a feasible design, infinite if there is none."""
        return float(np.where(self.feasible, self.values, np.inf).min())


class _Scored(Problem):
    """One scalar objective as a pymoo problem that remembers what it evaluated."""

    def __init__(self, problem: CodesignProblem, objective: str, failures_win: bool) -> None:
        super().__init__(n_var=problem.n_var, n_obj=1, n_ieq_constr=1, xl=0, xu=problem.upper, vtype=int)
        self.problem, self.objective, self.failures_win = problem, objective, failures_win
        self.record: list[tuple[NDArray[Any], ...]] = []

    def _evaluate(self, x: NDArray[np.float64], out: dict[str, NDArray[np.float64]]) -> None:
        X = np.rint(x).astype(np.int64)
        metrics = self.problem.simulator.simulate(self.problem.decode(X))
        values, violations = SCALARS[self.objective].of(metrics), self.problem.violations(metrics)
        scores, missed = values.copy(), row_sums(np.maximum(violations, 0.0))
        if self.failures_win:
            failures = np.isin(self.problem.constraint_names, MAPPING_FAILURES)
            missed = row_sums(np.maximum(violations[:, ~failures], 0.0))
            scores[violations[:, failures].max(axis=1, initial=0.0) > 0] = 0.0
        self.record.append((X, values, violations.max(axis=1, initial=0.0) <= 0, scores, missed))
        out["F"], out["G"] = scores[:, None], missed[:, None]


def published_search(problem: CodesignProblem, objective: str, *, seed: int, failures_win: bool = False) -> Search:
    """Search a problem for one scalar objective with the published optimiser.

    Args:
        objective: a name of `imcevo.optimise.optima.SCALARS`.
        failures_win: score designs whose mapping fails with 0, as the published code does.
    """
    rng = np.random.default_rng(seed)
    scored = _Scored(problem, objective, failures_win)
    X = most_spread(problem.sample(SAMPLES, rng), SPREAD)
    population = Population.new(X=X)
    _evaluated(scored, population)
    for crossover, mutation in PHASES:
        algorithm = GA(
            pop_size=POPULATION, sampling=_best_of(population),
            crossover=SBX(prob=crossover[0], eta=crossover[1], vtype=float, repair=RoundingRepair()),
            mutation=PM(prob=mutation[0], eta=mutation[1], vtype=float, repair=RoundingRepair()),
            eliminate_duplicates=True,
        )  # fmt: skip
        # pymoo counts the population that a phase starts from as its first generation.
        phase = minimize(scored, algorithm, ("n_gen", GENERATIONS + 1), seed=int(rng.integers(2**31)), verbose=False)
        population = phase.pop
    X, values, feasible, scores, missed = (np.concatenate(column) for column in zip(*scored.record, strict=True))
    return Search(X, values, feasible, int(np.lexsort((scores, missed))[0]))


def most_spread(X: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """`n` rows of `X` by farthest-point sampling from the first, with the Hamming distance."""
    chosen = [0]
    distance = (X[0] != X).sum(axis=1)
    while len(chosen) < min(n, len(X)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, (X[chosen[-1]] != X).sum(axis=1))
        distance[chosen] = -1
    return X[chosen]


def _evaluated(problem: _Scored, population: Population) -> None:
    out: dict[str, NDArray[np.float64]] = {}
    problem._evaluate(population.get("X"), out)
    population.set("F", out["F"], "G", out["G"])
    for individual in population:
        individual.evaluated.update({"F", "G", "H"})


def _best_of(population: Population) -> Population:
    """The best individuals, feasible ones first; they count as evaluated."""
    missed, scores = population.get("G")[:, 0], population.get("F")[:, 0]
    return population[np.lexsort((scores, missed))[:POPULATION]]
