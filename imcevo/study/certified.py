"""Problems small enough to be decided: joint and single-network optima exactly, and searches held against them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from imcevo.problem import load_problem
from imcevo.problem.config import Aggregate
from imcevo.runs.certify import NAME as EXHAUSTIVE
from imcevo.study.config import Candidate, NetworkFacts, Study
from imcevo.study.measure import SUITE, measured
from imcevo.study.questions import network_facts
from imcevo.study.run_store import Search
from imcevo.study.searches import Answer, Task, search_of

JOINT, SPECIALISED = "joint", "specialised"
_CERTIFY = Search(EXHAUSTIVE, {})


def certified_tasks(study: Study) -> list[Task]:
    """Exhaustive runs and searches for every problem of ``[certified]``: joint by aggregate, and each network alone."""
    config = study.config.certified
    if config is None:
        return []
    tasks = []
    # What is held against the optimum is the search itself: it begins with nothing.
    optimiser = {key: value for key, value in study.config.optimiser.items() if key != "head_start"}
    search = search_of(optimiser, config.evaluations)
    for given in config.problems:
        file = study.file.parent / given
        facts = network_facts(load_problem(file))
        for candidate in _candidates(tuple(facts), config.aggregates):
            tasks.append(Task(file, study.config.choice.metric, candidate, _CERTIFY))
            tasks += [
                Task(file, study.config.choice.metric, candidate, search._replace(seed=seed))
                for seed in study.config.seeds
            ]
    return tasks


def _candidates(networks: tuple[str, ...], aggregates: Sequence[Aggregate]) -> list[Candidate]:
    def candidate(name: str, entry: str, chosen: tuple[str, ...], aggregate: Aggregate) -> Candidate:
        left_out = tuple(n for n in networks if n not in chosen)
        return Candidate(name, entry, 0, chosen, left_out, aggregate, None, (), "middle", {}, False, len(chosen) == 1)

    joint = [candidate(f"{JOINT}, {aggregate}", JOINT, networks, aggregate) for aggregate in aggregates]
    # With one network all aggregates are the same.
    return joint + [candidate(f"{SPECIALISED} {name}", SPECIALISED, (name,), "max") for name in networks]


def certified_tables(study: Study, answers: Sequence[Answer]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The certified designs on every network, and the searches held against them.

    First: as `imcevo.study.measure.metrics_table`, with ``problem``, ``aggregate`` (of a joint design),
    ``largest`` (specialised for the network with the most multiply-accumulates or weights, as the study says) and
    ``macs`` of the network. Second: a row per problem, design and seed: ``found`` and ``certified`` objective,
    ``regret`` = found / certified - 1 (infinite without a feasible design).
    """
    metrics, searches = [], []
    for file in dict.fromkeys(a.task.problem for a in answers):
        problem = load_problem(file)
        facts = network_facts(problem)
        mine = [a for a in answers if a.task.problem == file and a.design is not None]
        exact = [a for a in mine if a.task.search.optimiser == EXHAUSTIVE]
        designs = [a.design.values for a in exact if a.design is not None]
        table = measured(problem, SUITE, exact, designs).drop(columns="seed")
        table.insert(0, "problem", file.stem)
        table["aggregate"] = np.repeat([a.task.candidate.aggregate for a in exact], len(facts))
        largest = largest_network(facts, study.config.largest_by)
        table["largest"] = table["design"] == f"{SPECIALISED} {largest}"
        table["macs"] = [facts[name].macs for name in table["network"]]
        metrics.append(table)
        searches.append(_held_against(file, mine, exact))
    return pd.concat(metrics, ignore_index=True), pd.concat(searches, ignore_index=True)


def largest_network(facts: dict[str, NetworkFacts], by: str) -> str:
    """The network with the most ``macs`` or ``weights``; the first of equals."""
    return max(facts, key=lambda name: int(getattr(facts[name], by)))


def _held_against(file: Path, answers: Sequence[Answer], exact: Sequence[Answer]) -> pd.DataFrame:
    optimum = {a.task.candidate.name: a.design.objective for a in exact if a.design is not None}
    rows = []
    for a in answers:
        if a.task.search.optimiser == EXHAUSTIVE or a.design is None:
            continue
        best = optimum[a.task.candidate.name]
        found = a.design.objective if a.design.feasible else float("inf")
        rows.append({
            "problem": file.stem, "design": a.task.candidate.name, "seed": a.task.search.seed,
            "evaluations": a.design.evaluations, "found": found, "certified": best, "regret": found / best - 1.0,
        })  # fmt: skip
    return pd.DataFrame(rows)
