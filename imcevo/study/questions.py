"""The questions of a study: a problem asked again for other networks, objectives or values of its design space."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from imcevo.errors import UserError
from imcevo.hardware import Value
from imcevo.problem import CodesignProblem, load_problem
from imcevo.problem.quantities import QUANTITIES
from imcevo.problem.toml_text import to_toml
from imcevo.runs.files import write_companions
from imcevo.runs.launch import PROBLEM
from imcevo.study.config import Candidate, NetworkFacts
from imcevo.workload import load_network
from imcevo.workload.published import DIMENSIONS, PUBLISHED_FAMILIES, published_suite

# With one objective the box is not compared with anything: wide enough for all.
_WIDE = {"scale": "log10", "ideal": [1e-60], "reference": [1e60]}


def network_facts(problem: CodesignProblem) -> dict[str, NetworkFacts]:
    """Multiply-accumulates, weights and family of every network of a problem, in its order."""
    references = tomllib.loads(problem.text)["workloads"]["networks"]
    if problem.simulator.name == "published":
        return {name: _published_facts(name) for name in references}
    facts = {}
    with TemporaryDirectory() as folder:
        write_companions(problem.companion_files(), Path(folder))
        for reference in references:
            network = load_network(reference, relative_to=Path(folder))
            facts[network.name] = NetworkFacts(
                macs=network.macs, weights=network.array_weights, family=network.family
            )
    return facts


def _published_facts(name: str) -> NetworkFacts:
    suite = published_suite([name])
    size = {d: suite.sizes[:, index] for index, d in enumerate(DIMENSIONS[:-1])}
    weights = size["C"] * size["M"] * size["R"] * size["S"] * size["G"]
    macs = weights * size["N"] * size["P"] * size["Q"]
    layers = suite.layers[:, 0]
    return NetworkFacts(macs=int(layers @ macs), weights=int(layers @ weights), family=PUBLISHED_FAMILIES[name])


def asked_of(
    problem: CodesignProblem,
    networks: Sequence[str],
    *,
    objective: Mapping[str, str] | None = None,
    shares: Sequence[float] | None = None,
    design_space: Mapping[str, Any] | None = None,
) -> CodesignProblem:
    """The question of `problem`, asked for some of its networks.

    Args:
        networks: in the order of the problem.
        objective: as in a problem file, instead of the problem's objectives.
        shares: of the networks, for weighted means.
        design_space: values instead of the problem's.

    Raises:
        UserError: the changed question is not a valid one.
    """
    data = tomllib.loads(problem.text)
    kept = [problem.networks.index(name) for name in networks]
    workloads = data["workloads"]
    workloads["networks"] = [workloads["networks"][index] for index in kept]
    given = workloads.pop("weights", None)
    weights = list(shares) if shares is not None else given and [given[index] for index in kept]
    if objective is not None:
        data["objectives"], data["hypervolume"] = [dict(objective)], _WIDE
    if any(o.get("aggregate") == "weighted_mean" for o in data["objectives"]):
        workloads["weights"] = weights
    for quantity in QUANTITIES:
        bounds = data.get("constraints", {}).get(quantity)
        if isinstance(bounds, dict) and not set(bounds) <= {"min", "max"}:
            data["constraints"][quantity] = {n: bound for n, bound in bounds.items() if n in networks}
    data["design_space"] |= dict(design_space or {})
    with TemporaryDirectory() as folder:
        write_companions(problem.companion_files(), Path(folder))
        file = Path(folder) / PROBLEM
        file.write_text(to_toml(data), encoding="utf-8")
        return load_problem(file)


def question_of(problem: CodesignProblem, candidate: Candidate, metric: str) -> CodesignProblem:
    """The problem that a candidate is searched in, with the one objective it is chosen by."""
    return asked_of(
        problem, candidate.networks, objective={"metric": metric, "aggregate": candidate.aggregate},
        shares=candidate.shares, design_space=candidate.design_space,
    )  # fmt: skip


def front_question(problem: CodesignProblem, candidate: Candidate) -> CodesignProblem:
    """The same with the problem's own objectives."""
    return asked_of(problem, candidate.networks, shares=candidate.shares, design_space=candidate.design_space)


def stage_genes(question: CodesignProblem, stages: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The genes that each stage of sequential design searches, stages without any left out.

    Raises:
        UserError: a stage names what is no gene of any problem, or a gene of the problem is in no stage or two.
    """
    genes = question.space.genes
    named = [gene for stage in stages for gene in stage]
    for gene in named:
        if gene not in question.simulator.keys:
            raise UserError("is no gene of this problem", key="stages", value=gene, allowed=", ".join(genes))
    missing = [gene for gene in genes if named.count(gene) != 1]
    if missing:
        raise UserError("is in no stage, or in two", key="stages", value=missing[0], allowed="every gene in one stage")
    return [kept for stage in stages if (kept := tuple(gene for gene in stage if gene in genes))]


def start_values(question: CodesignProblem, start: str) -> dict[str, Value]:
    """The value of every gene before its stage: the middle one of its list (the lower of two), or the last."""
    values = question.space.values
    return {
        gene: values[gene][(len(values[gene]) - 1) // 2 if start == "middle" else -1] for gene in question.space.genes
    }
