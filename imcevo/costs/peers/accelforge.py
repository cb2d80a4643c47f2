"""AccelForge's cost model (1.0.467) of its `basic_analog` macro with ISAAC's ReRAM cell at 32 nm.

Inputs come bit by bit, weights in slices of one cell each; every product of an input slice and a weight slice is one
cell read, every sum of a column one conversion. Sources: Andrulis et al., "CiMLoop", ISPASS 2024, and "Modeling
analog-digital-converter energy and area", arXiv 2404.06553.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.config import StrictModel, load_model
from imcevo.costs.equation import Real, equation
from imcevo.technology import quantity as q
from imcevo.technology.load import DATA
from imcevo.units import PJ

ADC_SOURCE = "Andrulis et al., arXiv 2404.06553"
ARRAY_SOURCE = "CiMLoop (Andrulis et al., ISPASS 2024)"


class Adc(StrictModel):
    """Survey regression of ADCs."""

    energy: q.Energy
    base: q.Number
    fast_energy: q.Energy
    rate_exponent: q.Number
    bits_exponent: q.Number
    node_exponent: q.Number
    area: q.Area
    area_node_exponent: q.Number
    area_rate_exponent: q.Number
    area_energy_exponent: q.Number
    per_array: q.Number
    cycle: q.Time


class Array(StrictModel):
    """Cells and drivers."""

    node: q.Length
    on_resistance: q.Resistance
    off_resistance: q.Resistance
    read_voltage: q.Voltage
    read_pulse: q.Time
    cell_size: q.CellArea
    wire_resistance: q.Resistance
    mean_input: q.Number
    mean_cell: q.Number
    row_driver: q.Energy
    row_driver_per_cell: q.Energy
    column_driver: q.Energy
    row_driver_area: q.Area
    row_driver_area_per_cell: q.Area
    column_driver_area: q.Area


class AccelForgeConstants(StrictModel):
    """The data file ``peers/accelforge.toml``."""

    adc: Adc
    array: Array


class AccelForgeMacros(NamedTuple):
    """Macros and the matrix product M x K times K x N that each computes; all ``[n_macros]``."""

    rows: NDArray[np.float64]
    cols: NDArray[np.float64]
    adc_bits: NDArray[np.float64]
    bits_per_cell: NDArray[np.float64]
    input_bits: NDArray[np.float64]
    weight_bits: NDArray[np.float64]
    M: NDArray[np.float64]
    N: NDArray[np.float64]
    K: NDArray[np.float64]


@cache
def accelforge_constants() -> AccelForgeConstants:
    """The shipped constants."""
    return load_model(DATA / "peers" / "accelforge.toml", AccelForgeConstants, what="AccelForge's constants")


def energies_J(macros: AccelForgeMacros, constants: AccelForgeConstants) -> Mapping[str, Real]:
    """Energy by part, ``[n_macros]`` each."""
    a = constants.array
    slices = np.ceil(macros.weight_bits / macros.bits_per_cell)
    reads = macros.M * macros.N * macros.K * macros.input_bits * slices
    conversions = macros.M * macros.N * macros.input_bits * slices * np.ceil(macros.K / macros.rows)
    drives = macros.M * macros.K * macros.input_bits * np.ceil(macros.N * slices / macros.cols)
    wire_ohm = a.wire_resistance.si * (macros.rows + macros.cols) / 2
    on_S, off_S = conductance(a.on_resistance.si, wire_ohm), conductance(a.off_resistance.si, wire_ohm)
    cell_J = cell_energy(
        a.read_pulse.si, a.read_voltage.si, on_S, off_S, a.mean_input.si, a.mean_cell.si
    )
    return {
        "adcs": conversions * _conversion_J(macros, constants),
        "cells": reads * cell_J,
        "column_drivers": conversions * a.column_driver.si,
        "row_drivers": drives * row_driver_energy(a.row_driver.si, a.row_driver_per_cell.si, macros.cols),
    }


def areas_m2(macros: AccelForgeMacros, constants: AccelForgeConstants) -> Mapping[str, Real]:
    """Area by part, ``[n_macros]`` each."""
    adc, a = constants.adc, constants.array
    energy_pJ = _conversion_J(macros, constants) / PJ
    one = adc_area(
        adc.area.si, _node_nm(a), adc.area_node_exponent.si, _rate(macros, adc), adc.area_rate_exponent.si,
        energy_pJ, adc.area_energy_exponent.si,
    )  # fmt: skip
    cells = macros.rows * macros.cols
    return {
        "adcs": adc.per_array.si * one,
        "cells": cells * a.cell_size.si * a.node.si**2,
        "column_drivers": macros.cols * a.column_driver_area.si,
        "row_drivers": macros.rows * a.row_driver_area.si + cells * a.row_driver_area_per_cell.si,
    }


def _conversion_J(macros: AccelForgeMacros, constants: AccelForgeConstants) -> Real:
    adc, bits = constants.adc, macros.adc_bits
    slow = slow_adc_energy(adc.energy.si, adc.base.si, bits)
    fast = fast_adc_energy(adc.fast_energy.si, bits, _rate(macros, adc), adc.rate_exponent.si)
    scale = adc_scale(bits, adc.bits_exponent.si, _node_nm(constants.array), adc.node_exponent.si)
    return np.maximum(slow, fast) * scale


def _rate(macros: AccelForgeMacros, adc: Adc) -> NDArray[np.float64]:
    """Samples per second of each ADC."""
    return macros.cols / (adc.cycle.si * adc.per_array.si)


def _node_nm(array: Array) -> float:
    return array.node.value


@equation(name="energy of a slow conversion, unscaled", formula="scale_J * base^bits", unit="J", source=ADC_SOURCE)
def slow_adc_energy(scale_J: Real, base: Real, bits: Real) -> Real:
    return scale_J * base**bits


@equation(
    name="energy of a fast conversion, unscaled", formula="scale_J * 4^bits * rate^exponent", unit="J",
    source=ADC_SOURCE,
)  # fmt: skip
def fast_adc_energy(scale_J: Real, bits: Real, rate: Real, exponent: Real) -> Real:
    return scale_J * np.exp2(2 * bits) * rate**exponent


@equation(
    name="bits and node in the energy of a conversion", formula="bits^-bits_exponent * nm^node_exponent", unit="1",
    source=ADC_SOURCE,
)  # fmt: skip
def adc_scale(bits: Real, bits_exponent: Real, nm: Real, node_exponent: Real) -> Real:
    return bits**-bits_exponent * nm**node_exponent


@equation(
    name="area of an ADC", formula="scale_m2 * nm^node_exponent * rate^rate_exponent * energy_pJ^energy_exponent",
    unit="m2", source=ADC_SOURCE,
)  # fmt: skip
def adc_area(
    scale_m2: Real, nm: Real, node_exponent: Real, rate: Real, rate_exponent: Real, energy_pJ: Real,
    energy_exponent: Real,
) -> Real:  # fmt: skip
    return scale_m2 * nm**node_exponent * rate**rate_exponent * energy_pJ**energy_exponent


@equation(
    name="conductance of a cell with its wires", formula="1 / (cell_ohm + wire_ohm)", unit="S", source=ARRAY_SOURCE
)
def conductance(cell_ohm: Real, wire_ohm: Real) -> Real:
    return 1.0 / (cell_ohm + wire_ohm)


@equation(
    name="energy of a cell read", formula="pulse_s * V^2 * (off_S + (on_S - off_S) * w) * x", unit="J",
    source=ARRAY_SOURCE,
)  # fmt: skip
def cell_energy(pulse_s: Real, V: Real, on_S: Real, off_S: Real, x: Real, w: Real) -> Real:
    """Mean over inputs x and cell values w, both in 0..1."""
    return pulse_s * V**2 * (off_S + (on_S - off_S) * w) * x


@equation(
    name="energy of driving a row", formula="fixed_J + per_cell_J * cols", unit="J", source=ARRAY_SOURCE
)
def row_driver_energy(fixed_J: Real, per_cell_J: Real, cols: Real) -> Real:
    return fixed_J + per_cell_J * cols
