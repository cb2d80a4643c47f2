"""Single designs from users: completed by what the problem fixes, checked, evaluated, reported."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError, listed, unknown_name
from imcevo.hardware import Value, parameter, table_of
from imcevo.problem.codesign import CodesignProblem
from imcevo.problem.profiles import check_known
from imcevo.problem.quantities import QUANTITIES, of_networks
from imcevo.simulator.results import Breakdown, Metrics, NetworkSnr
from imcevo.technology.exposure_field import too_large_for_one_die


def complete_design(
    problem: CodesignProblem, given: Mapping[str, Any], *, file: Path | str | None = None
) -> tuple[dict[str, Value], dict[str, str]]:
    """A design's values with the fixed ones filled in, and a note per value off the grid.

    Raises:
        UserError: unknown or missing key, wrong type, out of range, or a fixed value contradicted.
    """
    space = problem.space.values
    for name in given:
        if name not in space:
            raise unknown_name("hardware parameter of this problem", name, space, file=file, key=str(name))
    missing = [name for name in problem.space.genes if name not in given]
    if missing:
        raise UserError(
            f"missing: {listed(missing)}",
            file=file,
            allowed=f"a value for each of {listed(problem.space.genes)}",
        )
    design: dict[str, Value] = {}
    notes: dict[str, str] = {}
    for name, values in space.items():
        design[name] = values[0] if name not in given else _checked(name, given[name], file)
        if design[name] in values:
            continue
        if len(values) == 1:
            raise UserError(
                "contradicts the problem, which fixes it",
                file=file,
                key=name,
                value=design[name],
                allowed=repr(values[0]),
            )
        check_known(problem.simulator, name, design[name], file=file, place=name)
        notes[name] = (
            f"{design[name]} is not in the design space ({listed(values)}): evaluated as given"
        )
    return design, notes


def _checked(name: str, value: Any, file: Path | str | None) -> Value:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        raise UserError(
            "is not a finite number", file=file, key=name, value=plain, allowed=parameter(name).allowed
        )
    return parameter(name).checked(plain, file=file)


def evaluation_report(
    problem: CodesignProblem,
    given: Mapping[str, Any],
    *,
    explain: bool = False,
    monte_carlo: bool = False,
    file: Path | str | None = None,
) -> dict[str, Any]:
    """Everything about one design, ready for JSON: results, violations, breakdown, repairs, notes.

    Raises:
        UserError: as `complete_design`.
    """
    design, notes = complete_design(problem, given, file=file)
    designs = problem.simulator.repair(table_of([design]))
    used = designs.design(0)
    metrics = problem.simulator.simulate(designs)
    notes |= problem.simulator.shortfall_notes(used)
    snr = problem.simulator.network_snr(used)
    violations: dict[str, float] = {}
    for constraint in problem.constraints:
        missed = float(constraint.missed(metrics)[0])
        if missed > 0:
            violations[constraint.name] = missed
            notes.setdefault(constraint.name, constraint.sentence(missed))
    warning = too_large_for_one_die(metrics.area_m2)
    report = {
        "networks": {
            name: _network_results(metrics, index, snr.get(name)) for index, name in enumerate(problem.networks)
        },
        "area_m2": float(metrics.area_m2[0]),
        "cost": None if metrics.cost is None else float(metrics.cost[0]),
        "cost_unit": problem.simulator.cost_unit,
        **{q.name: float(q.value(metrics, q.worst)[0]) for q in QUANTITIES.values() if q.bounded == "worst"},
        "feasible": not violations,
        "violations": violations,
        "warnings": [] if warning is None else [warning],
        "breakdown": _breakdown(problem.simulator.breakdown(designs), problem.networks),
        "repairs": [repair._asdict() for repair in problem.simulator.repairs(design)],
        "notes": notes,
        "weight_loading": {
            name: loading._asdict() for name, loading in problem.simulator.weight_loading(used).items()
        },
    }
    if monte_carlo:
        sampled = problem.simulator.sampled_snr(used)
        if sampled is None:
            raise UserError("is not known to this profile", value="--monte-carlo", allowed="the physical profile")
        report["monte_carlo"] = [layer._asdict() for layer in sampled]
    if explain:
        terms = problem.simulator.explain(used)
        report["explain"] = [{**term._asdict(), "inputs": dict(term.inputs)} for term in terms]
    return report


def _network_results(metrics: Metrics, index: int, snr: NetworkSnr | None) -> dict[str, float | str | None]:
    results: dict[str, float | str | None] = {
        "energy_J": float(metrics.energy_J[0, index]),
        "latency_s": float(metrics.latency_s[0, index]),
        "snr_dB": snr.snr_dB if snr else None,
    }
    results |= {quantity.name: float(quantity.of_network(metrics, index)[0]) for quantity in of_networks()}
    if snr:
        results |= {
            "snr_confidence": snr.confidence,
            "limiting_layer": snr.limiting_layer,
            "limiting_layer_snr_dB": snr.limiting_layer_snr_dB,
        }
    return results


def _breakdown(breakdown: Breakdown, networks: Sequence[str]) -> dict[str, Any]:
    """Components of the first design; those that the chip does not have are left out."""
    area = _named(breakdown.area_components, breakdown.area_m2[0])
    absent = {name for name, value in area.items() if value == 0}
    # Components without an area of their own (leakage, writing) are absent where no network spends on them.
    spent = dict(zip(breakdown.energy_components, breakdown.energy_J[0].sum(axis=0) > 0, strict=True))
    absent |= {name for name, any_energy in spent.items() if name not in area and not any_energy}
    return {
        "energy_J": {
            network: _present(_named(breakdown.energy_components, breakdown.energy_J[0, index]), absent)
            for index, network in enumerate(networks)
        },
        "latency_s": {
            network: _named(breakdown.latency_components, breakdown.latency_s[0, index])
            for index, network in enumerate(networks)
        },
        "area_m2": _present(area, absent),
    }


def _named(components: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(components, values, strict=True)}


def _present(values: Mapping[str, float], absent: set[str]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value != 0 or name not in absent}
