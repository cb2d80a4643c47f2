"""NeuroSim's model (V1.3) of a square sub-array that is read in parallel: area, energy and time of one input bit.

8-bit weights lie in slices of `bits_per_cell` side by side. Eight columns share a converter, so one input bit takes
eight reads; shift-adds then combine first the slices of a weight and then the bits of an input. Source: Peng et al.,
"DNN+NeuroSim", IEDM 2019, and the simulator itself.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.config import StrictModel, load_model
from imcevo.costs.equation import Real, equation
from imcevo.technology import quantity as q
from imcevo.technology.load import DATA

COLUMNS_PER_ADC = 8
INPUT_BITS = WEIGHT_BITS = 8
CELLS = ("RRAM", "SRAM")
NODES = (22, 32)
SOURCE = "NeuroSim V1.3 (Peng et al., IEDM 2019)"

Values = NDArray[np.float64]


class SramCell(StrictModel):
    """Size of a cell in features."""

    height: q.Number
    width: q.Number


class RramCell(SramCell):
    """1T1R."""

    read_voltage: q.Voltage


class Periphery(StrictModel):
    """Circuits along rows and columns."""

    column_area: q.Area
    row_area: q.Area
    row_energy: q.Energy
    front_delay: q.Time
    front_delay_per_cell: q.Time


class RramPeriphery(Periphery):
    """With the access transistors that the rows drive."""

    gate_capacitance: q.Capacitance


class SramPeriphery(Periphery):
    """Word-line switches are sized by the row's wire."""

    row_area_fixed: q.Area
    row_energy_fixed: q.Energy


class NeuroSimNode(StrictModel):
    """Constants of one node."""

    feature_size: q.Length
    supply: q.Voltage
    transistor_area: q.Area
    comparator_energy: q.Energy
    comparator_column_voltage: q.Voltage
    sar_energy: q.Energy
    sar_energy_per_bit: q.Energy
    sar_column_voltage: q.Voltage
    adder_area: q.Area
    flip_flop_area: q.Area
    adder_energy: q.Energy
    flip_flop_energy: q.Energy
    encoder_gate_energy: q.Energy
    encoder_delay: q.Time
    encoder_delay_per_level: q.Time
    mux_decoder_area: q.Area
    rram: RramPeriphery
    sram: SramPeriphery


class NeuroSimConstants(StrictModel):
    """The data file ``peers/neurosim.toml``."""

    wire_capacitance: q.CapacitancePerLength
    sense_time: q.Time
    clock_margin: q.Number
    cell_row_height: q.Number
    gate_pitch: q.Number
    rram: RramCell
    sram: SramCell
    nodes: list[NeuroSimNode]


class SubArrays(NamedTuple):
    """Sub-arrays of one cell and node, all ``[n]``.

    Attributes:
        rows: rows, and as many columns.
        levels: of the converter.
        bits_per_cell: of weights.
        sar: SAR converters; current sense amplifiers, one per level, otherwise.
        row_activity: share of rows that a read drives.
        column_ohm: mean resistance of a column while it is read, a matter of weights and inputs.
    """

    rows: Values
    levels: Values
    bits_per_cell: Values
    sar: NDArray[np.bool_]
    row_activity: Values
    column_ohm: Values

    @property
    def converters(self) -> Values:
        return np.ceil(self.rows / COLUMNS_PER_ADC)

    @property
    def adc_bits(self) -> Values:
        return np.log2(self.levels)

    @property
    def slices(self) -> Values:
        return np.ceil(WEIGHT_BITS / self.bits_per_cell)


class Estimates(NamedTuple):
    """Results, all ``[n]``: `area_m2` is the rectangle around the layout, `used_area_m2` the sum of its modules."""

    area_m2: Values
    used_area_m2: Values
    energy_J: Values
    latency_s: Values


@cache
def neurosim_constants() -> NeuroSimConstants:
    """The shipped constants."""
    return load_model(DATA / "peers" / "neurosim.toml", NeuroSimConstants, what="NeuroSim's constants")


def estimate(arrays: SubArrays, cell: str, node_nm: int, constants: NeuroSimConstants) -> Estimates:
    """Area, energy and time of one input bit of sub-arrays of a cell of `CELLS` at a node of `NODES`."""
    node = next(known for known in constants.nodes if known.feature_size.value == node_nm)
    area, used_area = _areas(arrays, cell, node, constants)
    return Estimates(area, used_area, _energy(arrays, cell, node, constants), _latency(arrays, cell, node, constants))


def _areas(arrays: SubArrays, cell: str, node: NeuroSimNode, c: NeuroSimConstants) -> tuple[Values, Values]:
    feature, size = node.feature_size.si, c.rram if cell == "RRAM" else c.sram
    height, width = arrays.rows * size.height.si * feature, arrays.rows * size.width.si * feature
    transistors = np.where(arrays.sar, sar_transistors(arrays.adc_bits), flash_transistors(arrays.levels))
    adder_bits, flip_flops, *_ = _shift_add(arrays)
    logic_row = c.cell_row_height.si * feature * width
    columns = arrays.converters * (
        transistors * node.transistor_area.si
        + adder_bits * node.adder_area.si
        + flip_flops * node.flip_flop_area.si
    )
    columns = columns + 2 * logic_row + np.where(arrays.sar, 0.0, _encoder_rows(arrays, width / feature, c) * logic_row)
    if cell == "RRAM":
        columns, rows = columns + arrays.rows * node.rram.column_area.si, arrays.rows * node.rram.row_area.si
    else:
        columns = columns + arrays.rows * node.sram.column_area.si
        rows = node.sram.row_area_fixed.si + arrays.rows * node.sram.row_area.si
    used = height * width + columns + rows + node.mux_decoder_area.si
    return _values(bounding_area(height, width, columns, rows)), used


def _encoder_rows(arrays: SubArrays, width: Values, c: NeuroSimConstants) -> Values:
    """Logic rows of the encoders behind sense amplifiers: two inverters, a NAND2 and a NAND of half the levels wide."""
    per_encoder = (2 * 2 + 3 + arrays.levels / 2 + 1) * c.gate_pitch.si
    side_by_side = np.minimum(arrays.converters, np.ceil(width / per_encoder))
    return np.ceil(arrays.converters / side_by_side) * (arrays.levels - 1)


def _energy(arrays: SubArrays, cell: str, node: NeuroSimNode, c: NeuroSimConstants) -> Values:
    bits, sense_s = arrays.adc_bits, c.sense_time.si
    flash = (arrays.levels - 1) * node.comparator_energy.si + column_energy(
        node.comparator_column_voltage.si, arrays.column_ohm, sense_s
    )
    sar_cycle = node.sar_energy.si + bits * node.sar_energy_per_bit.si
    sar = (bits + 1) * (sar_cycle + column_energy(node.sar_column_voltage.si, arrays.column_ohm, sense_s))
    encoders = COLUMNS_PER_ADC * arrays.converters * (arrays.levels + bits) * node.encoder_gate_energy.si
    *_, added_bits, stored_bits = _shift_add(arrays)
    shift_add = added_bits * node.adder_energy.si + stored_bits * node.flip_flop_energy.si
    total = arrays.rows * np.where(arrays.sar, sar, flash) + np.where(arrays.sar, 0.0, encoders)
    return _values(total + arrays.converters * shift_add + COLUMNS_PER_ADC * _array_energy(arrays, cell, node, c))


def _array_energy(arrays: SubArrays, cell: str, node: NeuroSimNode, c: NeuroSimConstants) -> Real:
    """Lines and their drivers, per read of every eighth column."""
    wire = c.wire_capacitance.si * node.feature_size.si
    if cell == "RRAM":
        bit_line_F = wire * c.rram.height.si * arrays.rows
        word_line_F = (wire * c.rram.width.si + node.rram.gate_capacitance.si) * arrays.rows
        active = np.rint(arrays.row_activity * arrays.rows)
        lines = switching_energy(bit_line_F, c.rram.read_voltage.si) * arrays.converters + active * switching_energy(
            word_line_F, node.supply.si
        )
        return lines + arrays.rows * node.rram.row_energy.si
    bit_line_F = wire * c.sram.height.si * arrays.rows
    precharge = 2 * switching_energy(bit_line_F, node.supply.si) * arrays.rows
    return precharge + node.sram.row_energy_fixed.si + arrays.rows * node.sram.row_energy.si


def _latency(arrays: SubArrays, cell: str, node: NeuroSimNode, c: NeuroSimConstants) -> Values:
    periphery = node.rram if cell == "RRAM" else node.sram
    front = front_delay(periphery.front_delay.si, periphery.front_delay_per_cell.si, arrays.rows)
    encoder = node.encoder_delay.si + arrays.levels * node.encoder_delay_per_level.si
    converter = np.where(arrays.sar, (arrays.adc_bits + 1) * c.sense_time.si, c.sense_time.si + encoder)
    clock = sense_cycle(c.clock_margin.si, front, converter)
    return _values(clock * input_bit_cycles(COLUMNS_PER_ADC, arrays.slices))


def _shift_add(arrays: SubArrays) -> tuple[Values, Values, Values, Values]:
    """Of the two shift-adds behind a converter: adder bits, flip-flops, and each times its uses per input bit."""
    bits, slices = arrays.adc_bits, arrays.slices
    inputs = np.ceil(COLUMNS_PER_ADC / slices)
    by_slice, by_input = bits, bits + slices
    stored_slice, stored_input = by_slice + slices, by_input + INPUT_BITS
    return (
        by_slice + by_input,
        stored_slice + stored_input,
        COLUMNS_PER_ADC * by_slice + inputs * by_input,
        COLUMNS_PER_ADC * stored_slice + inputs * stored_input,
    )


def _values(result: Real) -> Values:
    return np.asarray(result, dtype=np.float64)


@equation(name="transistors of a flash ADC", formula="(levels - 1) * (57 + 49)", unit="1", source=SOURCE)
def flash_transistors(levels: Real) -> Real:
    return (levels - 1) * (57 + 49)


@equation(
    name="transistors of a SAR ADC", formula="269 + 209 + (109 + 73) * (bits - 1)", unit="1", source=SOURCE
)
def sar_transistors(bits: Real) -> Real:
    return 269 + 209 + (109 + 73) * (bits - 1)


@equation(
    name="rectangle around a sub-array",
    formula="(height + columns_m2 / width) * (width + rows_m2 / height)",
    unit="m2",
    source=SOURCE + ": modules of columns are as wide, those of rows as high as the array",
)
def bounding_area(height: Real, width: Real, columns_m2: Real, rows_m2: Real) -> Real:
    return (height + columns_m2 / width) * (width + rows_m2 / height)


@equation(name="energy drawn by a column that is sensed", formula="V^2 / ohm * s", unit="J", source=SOURCE)
def column_energy(V: Real, ohm: Real, s: Real) -> Real:
    return V**2 / ohm * s


@equation(name="energy of charging a line", formula="F * V^2", unit="J", source=SOURCE)
def switching_energy(F: Real, V: Real) -> Real:
    return F * V**2


@equation(
    name="delay before the converter", formula="fixed_s + per_cell_s * rows^2", unit="s",
    source="form of an Elmore delay, resistance and capacitance of a line both grow with rows",
)  # fmt: skip
def front_delay(fixed_s: Real, per_cell_s: Real, rows: Real) -> Real:
    return fixed_s + per_cell_s * rows**2


@equation(name="sensing cycle", formula="margin * (front_s + converter_s)", unit="s", source=SOURCE)
def sense_cycle(margin: Real, front_s: Real, converter_s: Real) -> Real:
    return margin * (front_s + converter_s)


@equation(
    name="cycles of an input bit", formula="2 * columns_per_adc + ceil(columns_per_adc / slices)", unit="1",
    source=SOURCE + ": conversions and two shift-adds, one after the other",
)  # fmt: skip
def input_bit_cycles(columns_per_adc: Real, slices: Real) -> Real:
    return 2 * columns_per_adc + np.ceil(columns_per_adc / slices)
