"""How one design maps one network, layer by layer, ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imcevo.costs.terms import ACTIONS, RESOURCES
from imcevo.errors import UserError, unknown_name
from imcevo.hardware import LATENCY_WEIGHT, table_of
from imcevo.mapping.factors import ELSEWHERE, FACTORS, ON_ARRAYS, ORDERS
from imcevo.mapping.judge import least_energy_latency
from imcevo.mapping.policies import EVEN_WEIGHT, mapping_policy
from imcevo.mapping.records import STREAMED, Record
from imcevo.problem.codesign import CodesignProblem
from imcevo.problem.designs import complete_design
from imcevo.simulator import PhysicalSimulator
from imcevo.simulator.physical import Part
from imcevo.simulator.precision_choice import PrecisionChoiceSimulator
from imcevo.simulator.sums import energy_by_component
from imcevo.workload.table import MATRIX


def mapping_report(
    problem: CodesignProblem, given: Mapping[str, Any], network: str, policy: str | None, *, file: Path | None = None
) -> dict[str, Any]:
    """The matrix layers of `network` on a design: factors, utilisation, traffic, energy, latency, what binds.

    ``distance`` is energy x latency over its least for the layer, minus 1; None where weights stay on chip, since a
    layer's best then depends on the tiles that the others leave it. Same-shape layers are one row (``count``).

    Raises:
        UserError: a wrong design, an unknown network or policy, or a profile that has no mapping policies.
    """
    design, _ = complete_design(problem, given, file=file)
    simulator = problem.simulator
    if isinstance(simulator, PrecisionChoiceSimulator):
        simulator = simulator.of_design(design)
    if not isinstance(simulator, PhysicalSimulator):
        raise UserError("has a mapper of its own", file=problem.file, key="model.profile", value=simulator.name,
                        allowed="physical")  # fmt: skip
    if network not in simulator.networks:
        raise unknown_name("network of this problem", network, simulator.networks, key="--network")
    if LATENCY_WEIGHT not in design:
        design[LATENCY_WEIGHT] = EVEN_WEIGHT  # read if `policy` is the exact mapper and the problem's is not
    designs = simulator.repair(table_of([design]))
    parts = simulator.parts(designs, mapping_policy(policy) if policy else simulator.policy)
    told = [_layers_of(simulator, part, simulator.networks.index(network)) for part in parts]
    rows = {position: row for own, _, _ in told for position, row in own.items()}
    return {
        "network": network, "policy": policy or "of the problem", "layers": [rows[i] for i in sorted(rows)],
        "energy_J": sum(energy for _, energy, _ in told), "latency_s": sum(latency for _, _, latency in told),
    }  # fmt: skip


def _layers_of(simulator: PhysicalSimulator, part: Part, network: int) -> tuple[dict[int, Any], float, float]:
    """By position, the matrix layers of a network that one part runs; energy and latency of all that it runs of it."""
    geometry, mapping, layers = part.geometry, part.mapping, simulator.layers
    counted = simulator.count(geometry, part.costs.rates, mapping, per_layer=True)
    seconds = counted.times.sum(axis=2)
    energy = energy_by_component(counted.counts, part.costs, seconds)[0].sum(axis=1)
    latency = seconds[0]
    total = layers["network"] == network
    wanted = total & (layers["kind"] == MATRIX) & (mapping.factors["unit"][0] != ELSEWHERE)
    least = np.full(len(layers), np.nan)
    judged = wanted & (mapping.factors["unit"][0] == ON_ARRAYS)
    if geometry["deployment"][0] == STREAMED:
        least[judged] = least_energy_latency(layers[judged], geometry, simulator.prices(part.costs))[0]
    rows = {}
    for i in np.flatnonzero(wanted):
        layer, f = layers[i], mapping.factors[0, i]
        counts = dict(zip(ACTIONS, counted.counts[0, i], strict=True))
        rows[int(i)] = {
            "layer": _told(layer), "count": int(layer["count"]), "part": part.name,
            "factors": {name: int(f[name]) for name in FACTORS} | {"order": ORDERS[f["order"]]},
            "duplicates": int(f["macro_v"]) * int(f["tile_v"]) * int(f["group_v"]),
            "utilisation": _utilisation(layer, f, geometry[0]),
            "energy_J": float(energy[i]), "latency_s": float(latency[i]),
            "dram_bits": counts["dram"], "glb_bits": counts["glb_read"] + counts["glb_write"],
            "binds": RESOURCES[int(counted.times[0, i].argmax())],
            "distance": None if np.isnan(least[i]) else max(0.0, float(energy[i] * latency[i] / least[i] - 1.0)),
        }  # fmt: skip
    return rows, float(energy[total].sum()), float(latency[total].sum())


def _told(layer: Record) -> str:
    groups = f" x {layer['G']} groups" if layer["G"] > 1 else ""
    return f"{layer['K']} x {layer['M']}{groups}, {layer['N'] * layer['P']} x {layer['Q']} px"


def _utilisation(layer: Record, f: Record, chip: Record) -> float | None:
    """Cells that hold weights, averaged over rounds, over the cells of all arrays taken; None on the digital unit."""
    if f["unit"] != ON_ARRAYS:
        return None
    slices = -(-int(layer["second_bits"]) // int(chip["bits_per_cell"]))
    held, taken = float(layer["weights"]) * slices, float(chip["rows"]) * float(chip["cols"])
    for name, folds in (("k", -(-layer["K"] // f["rows_k"])), ("m", -(-layer["M"] // f["cols_m"])),
                        ("g", -(-layer["G"] // f["pack_g"]))):  # fmt: skip
        space = int(f[f"macro_{name}"]) * int(f[f"tile_{name}"]) * int(f[f"group_{name}"])
        taken *= space * -(-int(folds) // space)
    return held / taken
