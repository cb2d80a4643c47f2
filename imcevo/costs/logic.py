"""Digital circuits built from the gate set: accumulators, adder trees, the digital unit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from imcevo.costs.equation import Real, equation
from imcevo.costs.scaling import Array, Supply
from imcevo.portable.arrays import log2
from imcevo.technology import Technology
from imcevo.technology.circuits import Gates


@equation(
    name="adding a word to a register", formula="width * activity * (adder_J + register_J)", unit="J",
    source="ripple adder and register of ZigZag-IMC's gate set (arXiv 2305.18335); half of the bits change",
)  # fmt: skip
def accumulate_energy(width: Real, activity: Real, adder_J: Real, register_J: Real) -> Real:
    return width * activity * (adder_J + register_J)


@equation(
    name="full adders of an adder tree, per column",
    formula="(rows*(weight_bits + 1) - (weight_bits + log2(rows) + 1)) / weight_bits",
    unit="1",
    source="ZigZag-IMC (arXiv 2305.18335): D (B + 1) - (B + log2 D + 1) adders for D weights of B bits, a column each",
)
def adder_tree_adders(rows: Real, weight_bits: Real) -> Real:
    return (rows * (weight_bits + 1) - (weight_bits + log2(rows) + 1)) / weight_bits


@equation(
    name="one sum of an adder tree", formula="digital_energy * adders * adder_activity * adder_J", unit="J",
    source="ZigZag-IMC (arXiv 2305.18335); scale: calibration.toml, digital_energy",
)  # fmt: skip
def adder_tree_energy(digital_energy: Real, adders: Real, adder_activity: Real, adder_J: Real) -> Real:
    return digital_energy * adders * adder_activity * adder_J


@equation(
    name="delay of an adder tree", formula="log2(rows) * sum_s + log2(rows) * carry_s", unit="s",
    source="ZigZag-IMC (arXiv 2305.18335): one sum per level, then the carry through the last level",
)  # fmt: skip
def adder_tree_delay(rows: Real, sum_s: Real, carry_s: Real) -> Real:
    return log2(rows) * (sum_s + carry_s)


@equation(
    name="one multiply-accumulate of the digital unit",
    formula="width^2 * multiplier_J + (width*(width - 1) + sum_width) * adder_activity * adder_J"
    " + (2*width + sum_width) * register_J",
    unit="J",
    source="array multiplier, ripple adder and registers of ZigZag-IMC's gate set (arXiv 2305.18335)",
)
def mac_energy(
    width: Real, sum_width: Real, multiplier_J: Real, adder_activity: Real, adder_J: Real, register_J: Real
) -> Real:
    adders = width * (width - 1) + sum_width
    return width**2 * multiplier_J + adders * adder_activity * adder_J + (2 * width + sum_width) * register_J


@equation(
    name="one element-wise operation of the digital unit",
    formula="sum_width * (adder_activity * adder_J + 3 * register_J)",
    unit="J",
    source="ripple adder, three registers (operands, result) of ZigZag-IMC's gate set (arXiv 2305.18335)",
)
def operation_energy(sum_width: Real, adder_activity: Real, adder_J: Real, register_J: Real) -> Real:
    return sum_width * (adder_activity * adder_J + 3 * register_J)


@equation(
    name="area of one lane of the digital unit",
    formula="width^2 * gate_m2 + (width*(width - 1) + sum_width) * adder_m2 + 3 * sum_width * register_m2",
    unit="m2",
    source="array multiplier, ripple adder and registers of ZigZag-IMC's gate set (arXiv 2305.18335)",
)
def lane_area(width: Real, sum_width: Real, gate_m2: Real, adder_m2: Real, register_m2: Real) -> Real:
    return width**2 * gate_m2 + (width * (width - 1) + sum_width) * adder_m2 + 3 * sum_width * register_m2


class GateCosts(NamedTuple):
    """The gate set at each design's node and supply ``[n_designs]``."""

    nand_m2: Array
    nand_s: Array
    multiplier_J: Array
    register_J: Array
    register_m2: Array
    adder_J: Array
    adder_m2: Array
    sum_s: Array
    carry_s: Array


def gates_of(supply: Supply, gates: Gates) -> GateCosts:
    """The gate set scaled to every design."""
    energy, area, delay = supply.gates
    return GateCosts(
        area * gates.nand_area.si, delay * gates.nand_delay.si, energy * gates.multiplier_energy.si,
        energy * gates.flip_flop_energy.si, area * gates.flip_flop_area.si,
        energy * gates.adder_energy.si, area * gates.adder_area.si,
        delay * gates.adder_sum_delay.si, delay * gates.adder_carry_delay.si,
    )  # fmt: skip


class DigitalUnit(NamedTuple):
    """The chip's digital unit, per lane ``[n_designs]``."""

    mac_J: Array
    operation_J: Array
    lane_m2: Array


def digital_unit_of(gate: GateCosts, technology: Technology) -> DigitalUnit:
    """One lane of the digital unit."""
    unit, activity = technology.circuits.digital_unit, technology.circuits.gates.adder_activity.si
    width, sums = unit.operand_width.si, unit.accumulator_width.si
    return DigitalUnit(
        np.asarray(mac_energy(width, sums, gate.multiplier_J, activity, gate.adder_J, gate.register_J)),
        np.asarray(operation_energy(sums, activity, gate.adder_J, gate.register_J)),
        np.asarray(lane_area(width, sums, gate.nand_m2, gate.adder_m2, gate.register_m2)),
    )
