"""The published design spaces of the study, each decided exhaustively once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import moocore
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.optimise.exhaustive import ExhaustiveSearch
from imcevo.optimise.optima import SCALARS
from imcevo.problem import CodesignProblem, load_problem
from imcevo.simulator.published import PublishedSimulator
from imcevo.simulator.results import Metrics

# Of the tables; published areas and energies have ten.
DIGITS = 9
OBJECTIVES = ("ela", "ela_mean", "ela_all", "el", "el_mean")
NODES_SPACE = "published_sram4_nodes"
# The space for nine networks asked about four of them: some published designs answer that question.
FOUR_ON_NINE = "published_sram9 on 4 networks"
SPACES = ("published_rram4", "published_sram4", "published_sram9")


@dataclass(frozen=True)
class DecidedSpace:
    """A problem on the published profile and the finished search of it.

    Attributes:
        name: of the space in the tables.
    """

    name: str
    problem: CodesignProblem
    search: ExhaustiveSearch

    @cached_property
    def simulator(self) -> PublishedSimulator:
        simulator = self.problem.simulator
        if not isinstance(simulator, PublishedSimulator):
            raise UserError("is not on the published profile", file=self.problem.file, key="model.profile")
        return simulator

    @property
    def optima(self) -> tuple[str, ...]:
        """Objectives with a certified optimum."""
        return tuple(self.search.decided.best)

    def optimum(self, objective: str) -> float:
        """The certified optimum's value."""
        return self.search.decided.best[objective].value

    def optimal_genome(self, objective: str) -> NDArray[np.int64]:
        """Its design as a genome ``[n_var]``."""
        return np.asarray(self.search.genomes(np.array([self.search.decided.best[objective].design]))[0])

    def metrics(self, X: NDArray[np.int64]) -> Metrics:
        """Of genomes ``[n, n_var]``."""
        return self.problem.simulator.simulate(self.problem.decode(X))

    def near_optimal(self, objectives: Sequence[str], factor: float) -> NDArray[np.int64]:
        """Genomes ``[n, n_var]`` of all feasible designs up to `factor` times one of the optima, by a second pass."""
        found = []
        search = self.search
        for start in range(0, search.n_to_evaluate, search.chunk):
            X = search.genomes(np.arange(start, min(start + search.chunk, search.n_to_evaluate)))
            metrics = self.metrics(X)
            near = [SCALARS[name].of(metrics) <= factor * self.optimum(name) for name in objectives]
            found.append(X[(self.problem.violations(metrics) <= 0).all(axis=1) & np.logical_or.reduce(near)])
        return np.concatenate(found)


def decide(name: str, problem: CodesignProblem, objectives: Sequence[str] = OBJECTIVES) -> DecidedSpace:
    """Decide the whole space of a problem."""
    search = ExhaustiveSearch(problem, objectives)
    while not search.done:
        search.step()
    return DecidedSpace(name, problem, search)


def decide_all(folder: Path) -> dict[str, DecidedSpace]:
    """Every space of the study by name, from the problem files in `folder`.

    Raises:
        UserError: a problem file is missing or wrong.
    """
    problems = {name: load_problem(folder / f"{name}.toml") for name in (*SPACES, NODES_SPACE)}
    four, nine = problems["published_sram4"], problems["published_sram9"]
    problems[FOUR_ON_NINE] = replace(nine, simulator=four.simulator)
    extra = {NODES_SPACE: ("el_cost",)}
    return {name: decide(name, problem, (*extra.get(name, ()), *OBJECTIVES)) for name, problem in problems.items()}


def optima_table(spaces: Sequence[DecidedSpace]) -> pd.DataFrame:
    """A row per space and objective: the certified optimum, its design, results per network, area and cost."""
    rows = []
    for space in spaces:
        counts = space.search
        for objective in space.optima:
            X = space.optimal_genome(objective)[None, :]
            metrics, networks = space.metrics(X), space.problem.networks
            rows.append({
                "space": space.name, "networks": len(networks), "designs": counts.n_designs,
                "evaluated": counts.decided.evaluated, "proven": counts.n_proven, "repeated": counts.n_repeated,
                "feasible": counts.n_feasible, "objective": objective, "unit": SCALARS[objective].unit,
                "value": space.optimum(objective), **space.problem.decode(X).design(0),
                "area_m2": metrics.area_m2[0], "cost": metrics.known_cost()[0],
                **{f"energy_J.{n}": metrics.energy_J[0, i] for i, n in enumerate(networks)},
                **{f"latency_s.{n}": metrics.latency_s[0, i] for i, n in enumerate(networks)},
            })  # fmt: skip
    return pd.DataFrame(rows)


def front_table(space: DecidedSpace) -> pd.DataFrame:
    """The exact front to `DIGITS` digits: genes and objectives, a row per design, sorted by the objectives.

    Designs that are better than another in a later digit alone are left out: there sums are rounded, and areas as
    decomposed from published ones carry noise.
    """
    known = space.search.decided
    F = np.array([[float(f"{value:.{DIGITS}g}") for value in row] for row in known.front_F])
    stays = np.flatnonzero(moocore.is_nondominated(F, keep_weakly=True))
    order = stays[np.lexsort(F[stays].T[::-1])]
    designs = space.problem.decode(space.search.genomes(known.front[order]))
    columns = {key: designs[key] for key in space.problem.space.genes if key not in space.search.proven_genes}
    return pd.DataFrame(columns | dict(zip(space.problem.objective_names, F[order].T, strict=True)))


def design_text(problem: CodesignProblem, genome: NDArray[np.int64]) -> str:
    """A design's genes in one cell of a table: ``rows=256 cols=128 ...``."""
    design = problem.decode(genome[None, :]).design(0)
    return " ".join(f"{key}={design[key]:g}" for key in problem.space.genes)
