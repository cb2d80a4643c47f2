"""What macros of all families share: drivers, analog read-out, writing of latches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from imcevo.costs.adc import Adc, adc_of
from imcevo.costs.equation import Real, equation
from imcevo.costs.families import MacroCosts, MacroDesigns
from imcevo.costs.lines import THERMAL_ENERGY_J, Lines, line_energy, sampling_energy
from imcevo.costs.scaling import Array, Supply
from imcevo.portable.arrays import exp2
from imcevo.technology import MemoryCell, Technology


@equation(
    name="read of an analog macro in one input cycle",
    formula="2 * clock_s + slots * settling_s + cols_per_adc * (conversion_s + mux_s)",
    unit="s",
    source="not pipelined: one clock to precharge and one to hold, all columns sampled at once, then converted one by"
    " one (docs/reference/model_costs.md)",
)
def analog_read_time(
    clock_s: Real, slots: Real, settling_s: Real, cols_per_adc: Real, conversion_s: Real, mux_s: Real
) -> Real:
    return 2 * clock_s + slots * settling_s + cols_per_adc * (conversion_s + mux_s)


@equation(
    name="charge of a cell in one input cycle",
    formula="charge_energy * slots * cell_F * voltage_V^2",
    unit="J",
    source="C V^2 of what one cell charges; scale: calibration.toml, charge_energy",
)
def cell_charge(charge_energy: Real, slots: Real, cell_F: Real, voltage_V: Real) -> Real:
    return charge_energy * slots * cell_F * voltage_V**2


@equation(
    name="voltage DACs of the word lines", formula="dac_F * dac_bits * voltage_V^2 if dac_bits > 1 else 0", unit="J",
    source="ZigZag-IMC (arXiv 2305.18335)",
)  # fmt: skip
def dac_energy(dac_F: Real, dac_bits: Real, voltage_V: Real) -> Real:
    return np.where(np.asarray(dac_bits) > 1, dac_F * dac_bits * voltage_V**2, 0.0)


def input_slots(designs: MacroDesigns, cell: MemoryCell) -> Array:
    """How often a word line is driven for one input slice of d bits ``[n_designs]``: 2^d - 1 pulses, d phases, or 1."""
    if cell.input_coding == "pulses":
        return exp2(designs.dac_bits) - 1
    return designs.dac_bits if cell.input_coding == "phases" else np.ones_like(designs.dac_bits)


@equation(
    name="time in which a column is sensed",
    formula="row_s + sense_FO4 * gate_delay_s + .38 * column_ohm * column_F",
    unit="s",
    source="word line, sensing of the cell's family, distributed RC line (Bakoglu 1990)",
)
def sensing_time(row_s: Real, sense_FO4: Real, gate_delay_s: Real, column_ohm: Real, column_F: Real) -> Real:
    return row_s + sense_FO4 * gate_delay_s + 0.38 * column_ohm * column_F


def sensing_of(sense_FO4: float, lines: Lines, supply: Supply) -> Array:
    """Seconds of one slot of the input slice, where the column's drive does not depend on a single cell."""
    return np.asarray(
        sensing_time(lines.row_delay_s, sense_FO4, supply.gate_delay_s, lines.column_ohm, lines.column_F)
    )


class Drivers(NamedTuple):
    """Word-line drivers of one macro, and one word line driven in one input cycle."""

    area_m2: Array
    drive_J: Array  # latching the input slice
    drive_x_J: Array  # full-scale input


def drivers_of(designs: MacroDesigns, lines: Lines, cell: MemoryCell, technology: Technology) -> Drivers:
    """Drivers with an input register of d bits, and a DAC where inputs are amplitudes; lines toggle in each slot."""
    supply, gate = designs.supply, designs.gate
    line = line_energy(technology.circuits.cmos.driver_overhead.si, lines.row_F, supply.voltage_V)
    each_m2 = cell.row_driver_area.si * supply.circuits.area + designs.dac_bits * gate.register_m2
    drive = designs.dac_bits * gate.register_J
    if cell.input_coding == "amplitude":
        dac = technology.circuits.dac
        reference = technology.node(dac.node_nm)
        dac_F = dac.bit_capacitance.si * supply.capacitance / reference.switching_energy.si
        drive = drive + dac_energy(dac_F, designs.dac_bits, supply.voltage_V)
        bits = np.where(designs.dac_bits > 1, designs.dac_bits, 0.0)
        each_m2 = each_m2 + bits * dac.bit_area.si * supply.gate_area / reference.logic_area.si
    return Drivers(designs.rows * each_m2, np.asarray(drive), input_slots(designs, cell) * np.asarray(line))


def column_periphery_area(designs: MacroDesigns, cell: MemoryCell) -> Array:
    """Mux and write circuits of all columns of one macro, m2."""
    return designs.cols * cell.column_driver_area.si * designs.supply.circuits.area


class ReadOut(NamedTuple):
    """Sampling and conversion of an analog macro."""

    adc: Adc
    adc_m2: Array
    sample_J: Array
    read_s: Array


def analog_read_out(designs: MacroDesigns, slots: Array, settling_s: Real, technology: Technology) -> ReadOut:
    """Columns sampled at once, then converted one after the other by the ADC of their group."""
    supply = designs.supply
    adc = adc_of(designs.adc_bits, designs.flash, supply, technology)
    sample = sampling_energy(THERMAL_ENERGY_J, designs.adc_bits, supply.gate_F, supply.voltage_V)
    time = analog_read_time(
        supply.clock_s, slots, settling_s, designs.cols_per_adc, adc.time_s, designs.gate.nand_s
    )
    return ReadOut(adc, designs.converters * adc.area_m2, np.asarray(sample), np.asarray(time))


class LatchWrite(NamedTuple):
    """Writing one row of latches."""

    cell_J: Array
    row_J: Array
    row_s: Array


def latch_write(designs: MacroDesigns, lines: Lines, technology: Technology) -> LatchWrite:
    """One bit line of each pair swings fully; then the word line opens for one clock."""
    supply = designs.supply
    overhead = technology.circuits.cmos.driver_overhead.si
    return LatchWrite(
        np.asarray(line_energy(overhead, lines.column_F, supply.voltage_V)),
        np.asarray(line_energy(overhead, lines.row_F, supply.voltage_V)),
        lines.row_delay_s + lines.column_delay_s + supply.clock_s,
    )


def analog_latch_macro(
    designs: MacroDesigns, lines: Lines, cell: MemoryCell, slots: Array, settling_s: Array, technology: Technology,
    *, cell_read_J: Array | None = None, cell_read_xw_J: Array | None = None,
) -> MacroCosts:  # fmt: skip
    """A macro of latches read by ADCs; families differ in how a column settles and in what a cell costs.

    Args:
        slots: of the input slice, by `input_slots`.
        settling_s: of one slot.
        cell_read_J, cell_read_xw_J: of one cell in one input cycle, whatever the data, and times input and weight.
    """
    none = np.zeros_like(designs.rows)
    drivers = drivers_of(designs, lines, cell, technology)
    read_out = analog_read_out(designs, slots, settling_s, technology)
    write = latch_write(designs, lines, technology)
    return MacroCosts(
        cells_m2=designs.rows * designs.cols * lines.cell_m2,
        drivers_m2=drivers.area_m2,
        column_periphery_m2=column_periphery_area(designs, cell),
        adc_m2=read_out.adc_m2,
        adder_tree_m2=none,
        cell_read_J=none if cell_read_J is None else cell_read_J,
        cell_read_x_J=none,
        cell_read_xw_J=none if cell_read_xw_J is None else cell_read_xw_J,
        row_drive_J=drivers.drive_J,
        row_drive_x_J=drivers.drive_x_J,
        column_read_J=read_out.sample_J,
        adc_conversion_J=read_out.adc.energy_J,
        adder_tree_sum_J=none,
        cell_write_J=write.cell_J,
        row_write_J=write.row_J,
        read_s=read_out.read_s,
        row_write_s=write.row_s,
    )
