"""Word lines and bit lines of an array: load, resistance, delay, energy."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np

from imcevo.costs.equation import Real, equation
from imcevo.costs.scaling import Array, Supply, wire_resistance
from imcevo.portable import exact
from imcevo.portable.arrays import exp2, log2
from imcevo.technology import MemoryCell, Node, Technology

_LN2 = exact.log(2.0)
THERMAL_ENERGY_J = 1.380649e-23 * 300  # k T at 300 K


@equation(
    name="line capacitance", formula="cells * (cell_F + wire_F_per_m * pitch_m)", unit="F",
    source="row and column load of published IMC simulators (NeuroSim V1.3, ZigZag-IMC)",
)  # fmt: skip
def line_capacitance(cells: Real, cell_F: Real, wire_F_per_m: Real, pitch_m: Real) -> Real:
    return cells * (cell_F + wire_F_per_m * pitch_m)


@equation(
    name="line resistance", formula="cells * pitch_m * wire_ohm_per_m", unit="ohm", source="wire in series"
)  # fmt: skip
def line_resistance(cells: Real, pitch_m: Real, wire_ohm_per_m: Real) -> Real:
    return cells * pitch_m * wire_ohm_per_m


@equation(
    name="delay of a driven line",
    formula="gate_delay_s * max(1, log4(line_F/gate_F)) + .38 * line_ohm * line_F",
    unit="s",
    source="fan-out-of-4 driver chain (logical effort) and distributed RC line (Bakoglu 1990)",
)
def driven_line_delay(gate_delay_s: Real, line_F: Real, gate_F: Real, line_ohm: Real) -> Real:
    return gate_delay_s * np.maximum(1.0, log2(line_F / gate_F) / 2) + 0.38 * line_ohm * line_F


@equation(
    name="settling of a column to half an LSB",
    formula="(adc_bits + 1) * ln(2) * (cell_ohm + line_ohm/2) * line_F",
    unit="s",
    source="single-pole settling driven by one conducting cell, Elmore delay of the line",
)
def column_settling(adc_bits: Real, cell_ohm: Real, line_ohm: Real, line_F: Real) -> Real:
    return (adc_bits + 1) * _LN2 * (cell_ohm + line_ohm / 2) * line_F


@equation(
    name="energy of a driven line", formula="driver_overhead * line_F * voltage_V^2", unit="J",
    source="C V^2 of the line and its fan-out-of-4 driver",
)  # fmt: skip
def line_energy(driver_overhead: Real, line_F: Real, voltage_V: Real) -> Real:
    return driver_overhead * line_F * voltage_V**2


@equation(
    name="sampling capacitor of a column",
    formula="12 * kT_J * 4^adc_bits + gate_F * voltage_V^2",
    unit="J",
    source="derived: kT/C noise at 300 K equal to the quantisation noise, and the sampling switch",
)
def sampling_energy(kT_J: Real, adc_bits: Real, gate_F: Real, voltage_V: Real) -> Real:
    return 12 * kT_J * exp2(2 * adc_bits) + gate_F * voltage_V**2


# Standard deviation of a sampled column in converter steps: what `sampling_energy` sizes the capacitor for.
SAMPLING_NOISE_STEPS = 1 / sqrt(12)


class Lines(NamedTuple):
    """Word line and bit line of each design's arrays ``[n_designs]``.

    Attributes:
        cell_m2: area of one cell.
        row_F, row_ohm, row_delay_s: of a word line and its driver.
        column_F, column_ohm, column_delay_s: of a bit line, the delay when it is driven (writing).
    """

    cell_m2: Array
    row_F: Array
    row_ohm: Array
    row_delay_s: Array
    column_F: Array
    column_ohm: Array
    column_delay_s: Array


def column_wire_ohm(cell: MemoryCell, node: Node) -> float:
    """Resistance of one cell's piece of a bit line."""
    feature = node.feature_size.si
    _, _, height = _cell_size(cell, feature, node.sram_cell_area.si * feature**2)
    per_m = wire_resistance(node.wire_resistivity.si, node.wire_width.si, node.wire_aspect_ratio.si)
    return float(line_resistance(1.0, height, per_m))


def _cell_size(cell: MemoryCell, feature_m: Real, sram_cell_m2: Real) -> tuple[Real, Real, Real]:
    """Area, width and height of a cell, m2 and m."""
    area = cell.area.si * (feature_m**2 if cell.area.unit == "F2" else sram_cell_m2)
    return area, np.sqrt(area * cell.aspect_ratio.si), np.sqrt(area / cell.aspect_ratio.si)


def lines_of(rows: Array, cols: Array, supply: Supply, cell: MemoryCell, technology: Technology) -> Lines:
    """The lines of arrays of one kind of cell."""
    area, width, height = _cell_size(cell, supply.feature_m, supply.sram_cell_m2)
    reference = technology.node(technology.circuits.gates.node_nm)
    load = cell.access_capacitance.si * supply.capacitance / reference.switching_energy.si
    row_F = line_capacitance(cols, load, supply.wire_F_per_m, width)
    row_ohm = line_resistance(cols, width, supply.wire_ohm_per_m)
    column_F = line_capacitance(rows, load, supply.wire_F_per_m, height)
    column_ohm = line_resistance(rows, height, supply.wire_ohm_per_m)
    return Lines(*(np.asarray(value) for value in (
        area,
        row_F, row_ohm, driven_line_delay(supply.gate_delay_s, row_F, supply.gate_F, row_ohm),
        column_F, column_ohm, driven_line_delay(supply.gate_delay_s, column_F, supply.gate_F, column_ohm),
    )))  # fmt: skip
