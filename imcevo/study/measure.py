"""Every design of a study evaluated on every network: tables that need the simulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from imcevo.hardware import DesignTable, Value, table_of
from imcevo.problem import CodesignProblem
from imcevo.runs.results import breakdown_of
from imcevo.study.config import NetworkFacts
from imcevo.study.questions import asked_of
from imcevo.study.searches import FRONT, Answer

SUITE, ALONE = "suite", "alone"


def repaired(problem: CodesignProblem, designs: Sequence[Mapping[str, Value]]) -> DesignTable:
    """Designs as the simulator takes them."""
    return problem.simulator.repair(table_of(designs))


def metrics_table(problem: CodesignProblem, answers: Sequence[Answer]) -> pd.DataFrame:
    """A row per design, seed, deployment and network.

    Deployment ``suite``: all networks share the chip as the problem says; ``feasible`` is the suite's. ``alone``: the
    network has the chip for itself.
    """
    chosen = [a for a in answers if a.design is not None]
    designs = [a.design.values for a in chosen if a.design is not None]
    tables = [measured(problem, SUITE, chosen, designs)]
    tables += [measured(asked_of(problem, [network]), ALONE, chosen, designs) for network in problem.networks]
    return pd.concat(tables, ignore_index=True)


def measured(
    problem: CodesignProblem, deployment: str, answers: Sequence[Answer], designs: Sequence[Mapping[str, Value]]
) -> pd.DataFrame:
    """A row per design and network of `problem`, see `metrics_table`."""
    metrics = problem.simulator.simulate(repaired(problem, designs))
    feasible = (problem.violations(metrics) <= 0).all(axis=1)
    n_networks = len(problem.networks)
    columns: dict[str, Any] = {
        "design": np.repeat([a.task.candidate.name for a in answers], n_networks),
        "entry": np.repeat([a.task.candidate.entry for a in answers], n_networks),
        "seed": np.repeat([a.task.search.seed for a in answers], n_networks),
        "deployment": deployment,
        "network": list(problem.networks) * len(answers),
        "energy_J": metrics.energy_J.ravel(),
        "latency_s": metrics.latency_s.ravel(),
        "area_m2": np.repeat(metrics.area_m2, n_networks),
        "feasible": np.repeat(feasible, n_networks),
    }
    if metrics.cost is not None:
        columns["cost"] = np.repeat(metrics.cost, n_networks)
    return pd.DataFrame(columns)


def objectives_table(problem: CodesignProblem, answers: Sequence[Answer]) -> pd.DataFrame:
    """A row per design and seed: the problem's own objectives, and whether it runs the suite."""
    chosen = [a for a in answers if a.design is not None]
    metrics = problem.simulator.simulate(repaired(problem, [a.design.values for a in chosen if a.design is not None]))
    columns: dict[str, Any] = {
        "design": [a.task.candidate.name for a in chosen], "entry": [a.task.candidate.entry for a in chosen],
        "seed": [a.task.search.seed for a in chosen], "feasible": (problem.violations(metrics) <= 0).all(axis=1),
    }  # fmt: skip
    columns |= dict(zip(problem.objective_names, problem.objective_values(metrics).T, strict=True))
    return pd.DataFrame(columns)


def designs_table(problem: CodesignProblem, answers: Sequence[Answer]) -> pd.DataFrame:
    """A row per design and seed: what it was searched for and how, where its run is, its genes.

    ``beyond_space``: it was given values that the problem does not list, so no search of the problem can find it.
    """
    listed = problem.space.values
    rows = []
    for a in answers:
        if a.design is None:
            continue
        candidate = a.task.candidate
        rows.append({
            "design": candidate.name, "entry": candidate.entry, "seed": a.task.search.seed,
            "networks": " ".join(candidate.networks), "left_out": " ".join(candidate.left_out),
            "alone": candidate.alone, "aggregate": candidate.aggregate,
            "method": "sequential" if candidate.stages else "joint",
            "beyond_space": any(
                value not in listed.get(gene, ())
                for gene, given in candidate.design_space.items()
                for value in (given if isinstance(given, list) else [given])
            ),
            "objective": a.design.objective, "feasible": a.design.feasible,
            "evaluations": a.design.evaluations, "runs": " ".join(a.runs), **a.design.values,
        })  # fmt: skip
    return pd.DataFrame(rows)


def networks_table(facts: Mapping[str, NetworkFacts]) -> pd.DataFrame:
    """A row per network: multiply-accumulates, weights, family."""
    return pd.DataFrame([{"network": name, **fact.model_dump()} for name, fact in facts.items()])


def fronts_table(answers: Sequence[Answer], objectives: Sequence[str], fronts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The non-dominated designs of every front search: design, seed, objectives."""
    tables = [pd.DataFrame(columns=["design", "seed", *objectives])]
    for a, front in zip((a for a in answers if a.task.kind == FRONT), fronts, strict=True):
        table = front[list(objectives)].copy()
        table.insert(0, "seed", a.task.search.seed)
        table.insert(0, "design", a.task.candidate.name)
        tables.append(table)
    return pd.concat(tables[1:] or tables, ignore_index=True)


def breakdown_table(problem: CodesignProblem, answers: Sequence[Answer]) -> pd.DataFrame:
    """Components of the median design of every candidate, on the suite."""
    chosen = [median_answer(group) for group in _by_candidate(answers)]
    designs = repaired(problem, [a.design.values for a in chosen if a.design is not None])
    table = breakdown_of(problem, designs)
    table.insert(0, "seed", [a.task.search.seed for a in chosen])
    table.insert(0, "design", [a.task.candidate.name for a in chosen])
    return table


def median_answer(group: Sequence[Answer]) -> Answer:
    """Of one candidate's answers, the one with the (lower) median objective; feasible ones first."""
    ranked = sorted(
        (a for a in group if a.design is not None),
        key=lambda a: (not a.design.feasible, a.design.objective, a.task.search.seed) if a.design else (True, 0.0, 0),
    )
    feasible = [a for a in ranked if a.design is not None and a.design.feasible] or ranked
    return feasible[(len(feasible) - 1) // 2]


def _by_candidate(answers: Sequence[Answer]) -> list[list[Answer]]:
    groups: dict[str, list[Answer]] = {}
    for a in answers:
        if a.design is not None:
            groups.setdefault(a.task.candidate.name, []).append(a)
    return list(groups.values())


def answers_of(answers: Sequence[Answer], design: str) -> list[Answer]:
    """The chosen designs of one candidate, a seed each."""
    return [a for a in answers if a.design is not None and a.task.candidate.name == design]
