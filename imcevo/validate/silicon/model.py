"""A measured chip as the physical profile sees it: one design per measurement, priced once, counted in closed form.

One array-full matrix-vector product (MVM) is the unit: every weight of the array is used once, by one input vector of
`rows_active` rows. What it takes is counted here from the chip's configuration; every price, rate and area comes from
`imcevo.costs.unit_costs`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.costs import UnitCosts, unit_costs
from imcevo.costs.terms import ACTION_TABLE, AREA_COMPONENTS, RATES
from imcevo.hardware import Design, table_of
from imcevo.technology import Technology
from imcevo.units import MM2, OPERATIONS_PER_MAC, PJ, TERA
from imcevo.validate.silicon.chips import COMPONENTS, Chip, Hardware, Measurement

FJ, NS = 1e-15, 1e-9

# What one constant scales: parts that the same circuit designer's choices move together.
GROUPS: dict[str, tuple[str, ...]] = {
    "cells": ("cells", "column_periphery"), "drivers": ("drivers",), "converter": ("adc",),
    "digital": ("adder_tree", "shift_add"),
}  # fmt: skip
_GROUP_OF = {part: group for group, parts in GROUPS.items() for part in parts}


class Point(NamedTuple):
    """One measurement with what it belongs to."""

    chip: Chip
    measurement: Measurement


@dataclass(frozen=True)
class Predictions:
    """Measurements of one quantity, in SI units, and what the model says.

    Attributes:
        points: the measurements ``[n_points]``.
        measured: energy of one MVM (of the parts measured) in J, time of one MVM in s, or area in m2 ``[n_points]``.
        terms: the model's value by group, in the order of `GROUPS` (time: one column) ``[n_points, n_groups]``.
    """

    points: tuple[Point, ...]
    measured: NDArray[np.float64]
    terms: NDArray[np.float64]

    @property
    def chips(self) -> NDArray[np.object_]:
        """Names of the chips ``[n_points]``."""
        return np.array([point.chip.name for point in self.points], dtype=object)

    @property
    def families(self) -> NDArray[np.object_]:
        """Circuit families of the chips ``[n_points]``."""
        return np.array([point.chip.family for point in self.points], dtype=object)

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Points that enter fits and statistics ``[n_points]``."""
        return np.array([point.measurement.excluded is None for point in self.points])

    @property
    def calibrating(self) -> NDArray[np.bool_]:
        """Points that may fit constants of their own chip ``[n_points]``."""
        return np.array([point.measurement.calibrates for point in self.points])

    def of_chip(self, name: str) -> NDArray[np.bool_]:
        """Mask of the points of a chip ``[n_points]``."""
        return np.asarray(self.chips == name)


class Work(NamedTuple):
    """What one MVM of one macro takes."""

    macs: float
    columns: float  # that hold weights
    slices: int  # steps of one input
    positions: int  # of the column mux
    conversions: float  # per column group and MVM
    counts: dict[str, float]  # action -> count


def predict(chips: Sequence[Chip], technology: Technology) -> dict[str, Predictions]:
    """Model and measurement of every figure, by quantity.

    Raises:
        UserError: a design that the model has no price for.
    """
    points = [Point(chip, measurement) for chip in chips for measurement in chip.measurements]
    varied = _with_input_codings(technology, chips)
    costs = unit_costs(table_of([_design(point) for point in points]), varied)
    timed = unit_costs(table_of([_timed_design(point) for point in points]), varied)
    found: dict[str, list[tuple[Point, float, list[float]]]] = {}
    for index, point in enumerate(points):
        cycle_s = timed.rates[index, RATES.index("input_cycle_s")]
        row = (point, _measured(point), _terms(point, costs, index, float(cycle_s)))
        found.setdefault(point.measurement.quantity, []).append(row)
    return {
        quantity: Predictions(tuple(r[0] for r in rows), np.array([r[1] for r in rows]), np.array([r[2] for r in rows]))
        for quantity, rows in found.items()
    }


def work_of(point: Point) -> Work:
    """Counts of one MVM of one macro at the measurement's conditions."""
    hw, m = point.chip.hardware, point.measurement
    op = point.chip.operation
    input_bits, weight_bits = m.input_bits or op.input_bits, m.weight_bits or op.weight_bits
    x = op.input_level if m.input_level is None else m.input_level
    w = op.weight_level if m.weight_level is None else m.weight_level
    product = x * w if op.product_level is None else op.product_level
    per_weight = ceil(weight_bits / hw.bits_per_cell) + hw.extra_cols_per_weight
    weights = hw.cols // per_weight
    columns = float(weights * per_weight)
    slices = m.input_slices or ceil(input_bits / (m.dac_bits or hw.dac_bits))
    rows = float(hw.rows_active)
    conversions = columns / hw.cols_summed * (1 if hw.analog_accumulation else slices)
    cells, lines, sensed = rows * columns * slices, rows * slices, columns * slices
    counts = {
        "cell_read": cells, "cell_read_x": cells * x, "cell_read_w": cells * w, "cell_read_xw": cells * product,
        "row_drive": lines, "row_drive_x": lines * x, "column_read": sensed, "adc_conversion": conversions,
        "adder_tree_sum": sensed, "shift_add": sensed if hw.adc_type == "none" else conversions,
    }  # fmt: skip
    positions = hw.cols_per_adc // hw.cols_summed
    return Work(rows / hw.rows_per_input * weights, columns, slices, positions, conversions, counts)


def parts_of(measurement: Measurement, hardware: Hardware) -> tuple[str, ...]:
    """The model's components that a figure is of."""
    whole = COMPONENTS if hardware.shift_add else tuple(part for part in COMPONENTS if part != "shift_add")
    return measurement.components or whole


def step_time(point: Point) -> float:
    """Steps that one MVM is divided into: input slices times mux positions, digital bits side by side as one."""
    hw, work = point.chip.hardware, work_of(point)
    positions = 1 if hw.analog_accumulation else work.positions
    return ceil(work.slices / hw.parallel_input_bits) * positions


def _measured(point: Point) -> float:
    """The figure in SI units of one MVM of one macro (areas: of all macros)."""
    m, work, macros = point.measurement, work_of(point), point.chip.hardware.macros
    match m.unit:
        case "TOPS/W":
            return work.macs * OPERATIONS_PER_MAC / (m.value * TERA)
        case "fJ/MAC":
            return work.macs * m.value * FJ
        case "fJ/op":
            return work.macs * OPERATIONS_PER_MAC * m.value * FJ
        case "pJ/MVM":
            return m.value * PJ
        case "pJ/conversion":
            return work.conversions * m.value * PJ
        case "TOPS":
            return macros * work.macs * OPERATIONS_PER_MAC / (m.value * TERA)
        case "ns/MVM":
            return m.value * NS
        case "ns/step":
            return step_time(point) * m.value * NS
        case "um2":
            return m.value * 1e-12
        case _:
            return m.value * MM2


def _terms(point: Point, costs: UnitCosts, index: int, cycle_s: float) -> list[float]:
    """The model's value by group."""
    hw, m = point.chip.hardware, point.measurement
    work = work_of(point)
    slices = ceil(work.slices / hw.parallel_input_bits)
    if m.quantity == "throughput":
        return [cycle_s * slices]
    parts = parts_of(m, hw)
    value = dict.fromkeys(GROUPS, 0.0)
    if m.quantity == "energy":
        for action, (name, component, _) in enumerate(ACTION_TABLE):
            if component in parts:
                value[_GROUP_OF[component]] += work.counts.get(name, 0.0) * float(costs.energy_J[index, action])
        if not m.components:
            value["cells"] += float(costs.leakage_W[index]) * cycle_s * slices
    else:
        for component in parts:
            # Bits side by side have drivers, multipliers and adders of their own; the rows that take turns only cells.
            side_by_side = hw.parallel_input_bits if component in ("drivers", "adder_tree") else 1
            depth = hw.rows / _tree_rows(hw) if component == "cells" else 1.0
            area = float(costs.area_m2[index, AREA_COMPONENTS.index(component)])
            value[_GROUP_OF[component]] += hw.macros * side_by_side * depth * area
    return list(value.values())


def _tree_rows(hw: Hardware) -> int:
    """Rows of the array as priced: an adder tree has one input per active row, a bit line one load per row."""
    return hw.rows_active if hw.adc_type == "none" else hw.rows


def _design(point: Point) -> Design:
    chip, m = point.chip, point.measurement
    hw = chip.hardware
    return {
        "cell": _variant(hw), "node_nm": hw.node_nm, "voltage_V": m.voltage_V or chip.operation.voltage_V,
        "bits_per_cell": hw.bits_per_cell, "rows": _tree_rows(hw), "rows_active": hw.rows_active, "cols": hw.cols,
        "adc_type": hw.adc_type, "adc_bits": m.adc_bits or hw.adc_bits, "cols_per_adc": hw.cols_per_adc,
        "dac_bits": m.dac_bits or hw.dac_bits,
        # The rest of a chip, which enters nothing that is compared.
        "macros_per_tile": 1, "tiles_per_group": 1, "router_groups": 1, "input_buffer_B": 64, "output_buffer_B": 64,
        "glb_depth": 16, "dram": "lpddr4", "digital_lanes": 1,
    }  # fmt: skip


def _timed_design(point: Point) -> Design:
    """The design whose input cycle takes as long: columns joined before conversion count as one at the mux."""
    hw = point.chip.hardware
    return {**_design(point), "cols_per_adc": hw.cols_per_adc // hw.cols_summed}


def _variant(hw: Hardware) -> str:
    return f"{hw.cell}, {hw.input_coding}"


def _with_input_codings(technology: Technology, chips: Sequence[Chip]) -> Technology:
    """The technology with each chip's cell under the chip's own input coding."""
    cells = dict(technology.cells)
    for chip in chips:
        hw = chip.hardware
        cells[_variant(hw)] = technology.cell(hw.cell).model_copy(update={"input_coding": hw.input_coding})
    return dataclasses.replace(technology, cells=MappingProxyType(cells))
