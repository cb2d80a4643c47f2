"""ZigZag-IMC's cost model (zigzag-dse 3.9.1): macro energy, clock and area of SRAM macros at 28 nm.

A macro multiplies `rows` inputs with `rows` x `cols` weights of `WEIGHT_BITS`; inputs come `input_bits` at a time.
Analog macros convert every bit column and add the columns of a weight by place value; digital macros add the rows of
a weight in a tree. One cycle passes DAC, product, ADC or tree, place-value tree and accumulator in sequence.
Source of all equations: Houshmand et al., arXiv 2305.18335, and the simulator's class `ImcArray`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.config import StrictModel, load_model
from imcevo.costs.equation import Real, equation
from imcevo.costs.peers.zigzag_mapping import UsedMacro
from imcevo.technology import quantity as q
from imcevo.technology.load import DATA

INPUT_BITS = WEIGHT_BITS = 8
SOURCE = "ZigZag-IMC (arXiv 2305.18335)"


class CellArea(StrictModel):
    """Area of one cell in an array of `rows`."""

    rows: int
    area: q.Area


class ZigZagConstants(StrictModel):
    """The data file ``peers/zigzag.toml``."""

    supply: q.Voltage
    nand_capacitance: q.Capacitance
    nand_area: q.Area
    nand_delay: q.Time
    xor_capacitance_ratio: q.Number
    xor_size_ratio: q.Number
    flip_flop_capacitance_ratio: q.Number
    flip_flop_area_ratio: q.Number
    bit_line_capacitance_ratio: q.Number
    multiplier_activity: q.Number
    adc_logic_capacitance: q.Capacitance
    adc_noise_capacitance: q.Capacitance
    adc_area_intercept: q.LogArea
    adc_area_slope: q.LogAreaPerBit
    adc_delay: q.Time
    adc_delay_per_row: q.Time
    dac_capacitance: q.Capacitance
    cell_area: list[CellArea]

    @property
    def nand_J(self) -> float:
        """Energy of one switched NAND gate."""
        return self.nand_capacitance.si * self.supply.si**2


class ZigZagMacro(NamedTuple):
    """One macro.

    Attributes:
        analog: analog or digital.
        rows: D2, inputs added up.
        cols: D1, weights side by side.
        adc_bits: of every bit column; ignored in digital macros.
        input_bits: applied per cycle, a power of two.
    """

    analog: bool
    rows: int
    cols: int
    adc_bits: int
    input_bits: int


@cache
def zigzag_constants() -> ZigZagConstants:
    """The shipped constants."""
    return load_model(DATA / "peers" / "zigzag.toml", ZigZagConstants, what="ZigZag-IMC's constants")


def clock_s(macro: ZigZagMacro, c: ZigZagConstants) -> float:
    """Clock period: the sum of all stages."""
    nand, xor = c.nand_delay.si, c.nand_delay.si * c.xor_size_ratio.si
    stages = nand
    if macro.analog:
        stages += _scalar(adc_time(macro.adc_bits, macro.rows, c.adc_delay_per_row.si, c.adc_delay.si))
        inputs, bits = WEIGHT_BITS, macro.adc_bits
    else:
        depth = np.log2(macro.rows)
        stages += _scalar(ripple_tree_time(depth, WEIGHT_BITS + depth - 2, nand, xor))
        inputs, bits = macro.input_bits, int(WEIGHT_BITS + depth)
    out_bits = bits
    if inputs > 1:
        stages += _scalar(ripple_tree_time(np.log2(inputs), inputs - 1, nand, xor))
        out_bits = bits + inputs
    if macro.input_bits < INPUT_BITS:
        stages += _scalar(ripple_tree_time(1, _accumulator_bits(macro) - out_bits - 1, nand, xor))
    return stages


def areas_m2(macro: ZigZagMacro, c: ZigZagConstants) -> Mapping[str, float]:
    """Area by part; ZigZag-IMC neglects DACs and leaves out registers."""
    nand = c.nand_area.si
    adder, flip_flop = nand * (3 + 2 * c.xor_size_ratio.si), nand * c.flip_flop_area_ratio.si
    tree, place_value, accumulator = _adders(macro)
    cells = macro.rows * macro.cols * WEIGHT_BITS
    converter = adc_area(c.adc_area_intercept.si, c.adc_area_slope.si, macro.adc_bits)
    cell = next(entry.area.si for entry in c.cell_area if entry.rows == macro.rows)
    return {
        "cells": cells * cell,
        "adcs": macro.cols * WEIGHT_BITS * _scalar(converter) if macro.analog else 0.0,
        "multipliers": cells * nand * (1 if macro.analog else macro.input_bits),
        "adder_trees": macro.cols * macro.input_bits * tree * adder,
        "place_value_adders": macro.cols * place_value * adder,
        "accumulators": macro.cols * accumulator * (adder + flip_flop),
    }


def energies_J(macro: ZigZagMacro, used: UsedMacro, c: ZigZagConstants) -> Mapping[str, float]:
    """Energy by part of a network's matrix layers on the macro."""
    cycles = INPUT_BITS / macro.input_bits
    nand, supply = c.nand_J, c.supply.si
    xor = nand * c.xor_capacitance_ratio.si
    adder, flip_flop = 3 * nand + 2 * xor, nand * c.flip_flop_capacitance_ratio.si
    product = nand * c.multiplier_activity.si
    _, place_value, accumulator = _adders(macro)
    outputs = cycles * used.output_uses
    shared = {
        "place_value_adders": outputs * place_value * adder,
        "accumulators": outputs * accumulator * (adder + flip_flop),
    }
    if macro.analog:
        dac = dac_energy(c.dac_capacitance.si, macro.input_bits, supply) if macro.input_bits > 1 else 0.0
        adc = adc_energy(c.adc_logic_capacitance.si, c.adc_noise_capacitance.si, macro.adc_bits, supply)
        bit_line = nand * c.bit_line_capacitance_ratio.si
        return {
            "dacs": cycles * used.input_uses * _scalar(dac),
            "adcs": outputs * WEIGHT_BITS * _scalar(adc),
            "multipliers": cycles * used.input_uses * macro.cols * WEIGHT_BITS * product,
            "bit_lines": outputs * macro.rows * WEIGHT_BITS * bit_line,
        } | shared
    products = macro.rows * macro.cols * WEIGHT_BITS * macro.input_bits
    full, half = tree_adders(macro.rows, WEIGHT_BITS, used.rows)
    trees = cycles * macro.input_bits * used.outputs * (full * adder + half * 2 * xor)
    return {
        "multipliers": cycles * used.activations * products * product,
        "adder_trees": float(np.sum(trees)),
    } | shared


def tree_adders(rows: int, bits: int, used: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Full adders of a tree over `rows` inputs of `bits` with both and with one input in use.

    Level k holds rows/2^k ripple adders of bits + k - 1 full adders. The first `used` inputs are in use.

    Args:
        used: inputs in use, ``[n]``.

    Returns:
        full, half: ``[n]``; half-used adders switch their XOR gates only.
    """
    level = np.arange(1, int(np.log2(rows)) + 1)
    width = bits + level - 1
    count, rest = np.divmod(np.asarray(used)[..., None], 2**level)
    both = count + (rest > 2 ** (level - 1))
    one = (rest > 0) & (rest <= 2 ** (level - 1))
    return (both * width).sum(axis=-1), (one * width).sum(axis=-1)


def _adders(macro: ZigZagMacro) -> tuple[float, float, float]:
    """Full adders per row-adding tree, place-value tree and accumulator (as many flip-flops) of one weight column."""
    depth = int(np.log2(macro.rows))
    tree = 0.0 if macro.analog else _scalar(tree_size(macro.rows, WEIGHT_BITS, depth))
    inputs, bits = (WEIGHT_BITS, macro.adc_bits) if macro.analog else (macro.input_bits, WEIGHT_BITS + depth)
    place_value = _scalar(place_value_tree_size(inputs, bits)) if inputs > 1 else 0.0
    return tree, place_value, float(_accumulator_bits(macro) if macro.input_bits < INPUT_BITS else 0)


def _accumulator_bits(macro: ZigZagMacro) -> int:
    return INPUT_BITS + WEIGHT_BITS + (macro.adc_bits if macro.analog else int(np.log2(macro.rows)))


def _scalar(value: Real) -> float:
    return float(value)


@equation(name="energy of a conversion", formula="(logic_F * bits + noise_F * 4^bits) * V^2", unit="J", source=SOURCE)
def adc_energy(logic_F: Real, noise_F: Real, bits: Real, V: Real) -> Real:
    return (logic_F * bits + noise_F * np.exp2(2 * bits)) * V**2


@equation(
    name="area of an ADC", formula="1e-12 * 10^(intercept - slope * bits) * 2^bits", unit="m2", source=SOURCE
)
def adc_area(intercept: Real, slope: Real, bits: Real) -> Real:
    return 1e-12 * 10.0 ** (intercept - slope * bits) * np.exp2(bits)


@equation(name="time of a conversion", formula="bits * (per_row_s * rows + bit_s)", unit="s", source=SOURCE)
def adc_time(bits: Real, rows: Real, per_row_s: Real, bit_s: Real) -> Real:
    return bits * (per_row_s * rows + bit_s)


@equation(name="energy of a DAC", formula="capacitance_F * bits * V^2", unit="J", source=SOURCE)
def dac_energy(capacitance_F: Real, bits: Real, V: Real) -> Real:
    return capacitance_F * bits * V**2


@equation(
    name="full adders of a row-adding tree", formula="rows * (bits + 1) - (bits + depth + 1)", unit="1", source=SOURCE
)
def tree_size(rows: Real, bits: Real, depth: Real) -> Real:
    return rows * (bits + 1) - (bits + depth + 1)


@equation(
    name="full adders of a place-value tree",
    formula="bits * (inputs - 1) + inputs * (log2(inputs) - 1/2)",
    unit="1",
    source=SOURCE,
)
def place_value_tree_size(inputs: Real, bits: Real) -> Real:
    return bits * (inputs - 1) + inputs * (np.log2(inputs) - 0.5)


@equation(
    name="delay of a tree of ripple adders",
    formula="(depth - 1) * 2 * xor_s + (xor_s + 2 * nand_s) + carries * 2 * nand_s",
    unit="s",
    source=SOURCE,
)
def ripple_tree_time(depth: Real, carries: Real, nand_s: Real, xor_s: Real) -> Real:
    """Sums down the tree, then the last adder's carry chain."""
    return (depth - 1) * 2 * xor_s + (xor_s + 2 * nand_s) + carries * 2 * nand_s
