"""How one design maps one network, layer by layer, ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imcevo.errors import UserError, unknown_name
from imcevo.hardware import LATENCY_WEIGHT, table_of
from imcevo.mapping.policies import EVEN_WEIGHT
from imcevo.problem.codesign import CodesignProblem
from imcevo.problem.designs import complete_design


def mapping_report(
    problem: CodesignProblem, given: Mapping[str, Any], network: str, policy: str | None, *, file: Path | None = None
) -> dict[str, Any]:
    """The matrix layers of `network` on a design: factors, utilisation, traffic, energy, latency, what binds.

    Rows are `MappedLayer`s: same-shape layers are one (``count``).

    Raises:
        UserError: a wrong design, an unknown network or policy, or a profile that has no mapping policies.
    """
    design, _ = complete_design(problem, given, file=file)
    simulator = problem.simulator
    if network not in simulator.networks:
        raise unknown_name("network of this problem", network, simulator.networks, key="--network")
    if LATENCY_WEIGHT not in design:
        design[LATENCY_WEIGHT] = EVEN_WEIGHT  # read if `policy` is the exact mapper and the problem's is not
    repaired = simulator.repair(table_of([design])).design(0)
    report = simulator.layer_report(repaired, network, policy)
    if report is None:
        raise UserError("has a mapper of its own", file=problem.file, key="model.profile", value=simulator.name,
                        allowed="physical")  # fmt: skip
    return {
        "network": network, "policy": policy or "of the problem", "layers": [dict(vars(row)) for row in report.layers],
        "energy_J": report.energy_J, "latency_s": report.latency_s,
    }  # fmt: skip
