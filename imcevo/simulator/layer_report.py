"""How the layers of one network run on one design: factors, utilisation, traffic, energy, latency, what binds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imcevo.costs.terms import ACTIONS, RESOURCES
from imcevo.mapping.factors import ELSEWHERE, FACTORS, ON_ARRAYS, ORDERS
from imcevo.mapping.kernel_records import STREAMED, Record
from imcevo.mapping.optimality_gap import least_energy_latency
from imcevo.portable.arrays import row_sums
from imcevo.simulator.parts import Part
from imcevo.simulator.pricing import by_component_J
from imcevo.simulator.results import LayerReport, MappedLayer
from imcevo.simulator.stages import Stages
from imcevo.workload.table import MATRIX


def layer_report(stages: Stages, parts: Sequence[Part], network: int) -> LayerReport:
    """Of the parts of one design ``[1]``; layers in the order of the suite's rows."""
    told = [_of_part(stages, part, network) for part in parts]
    rows = {position: row for own, _, _ in told for position, row in own.items()}
    return LayerReport(
        [rows[i] for i in sorted(rows)], sum(energy for _, energy, _ in told), sum(latency for _, _, latency in told)
    )


def _of_part(stages: Stages, part: Part, network: int) -> tuple[dict[int, MappedLayer], float, float]:
    """By position, the matrix layers of a network that one part runs; energy and latency of all that it runs of it."""
    layers, mapping, geometry, costs = stages.suite.layers, part.mapping, part.tiles.geometry, part.tiles.costs
    counts = stages.count(geometry, costs.rates, mapping, per_layer=True)
    seconds = row_sums(counts.times)
    energy = row_sums(by_component_J(counts.actions, costs, seconds)[0])
    latency = seconds[0]
    total = layers["network"] == network
    wanted = total & (layers["kind"] == MATRIX) & (mapping.factors["unit"][0] != ELSEWHERE)
    least = np.full(len(layers), np.nan)
    compared = wanted & (mapping.factors["unit"][0] == ON_ARRAYS)
    if geometry["deployment"][0] == STREAMED:
        least[compared] = least_energy_latency(layers[compared], geometry, stages.prices(costs))[0]
    rows = {}
    for i in np.flatnonzero(wanted):
        layer, f = layers[i], mapping.factors[0, i]
        actions = dict(zip(ACTIONS, counts.actions[0, i], strict=True))
        rows[int(i)] = MappedLayer(
            layer=_shape(layer), count=int(layer["count"]), part=part.tiles.name,
            factors={name: int(f[name]) for name in FACTORS} | {"order": ORDERS[f["order"]]},
            duplicates=int(f["macro_v"]) * int(f["tile_v"]) * int(f["group_v"]),
            utilisation=_utilisation(layer, f, geometry[0]),
            energy_J=float(energy[i]), latency_s=float(latency[i]),
            dram_bits=actions["dram"], glb_bits=actions["glb_read"] + actions["glb_write"],
            binds=RESOURCES[int(counts.times[0, i].argmax())],
            distance=None if np.isnan(least[i]) else max(0.0, float(energy[i] * latency[i] / least[i] - 1.0)),
        )  # fmt: skip
    return rows, float(row_sums(energy[total])), float(row_sums(latency[total]))


def _shape(layer: Record) -> str:
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
