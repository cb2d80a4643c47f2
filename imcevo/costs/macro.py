"""What macros of all families share: drivers, analog read-out, writing of latches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from imcevo.costs.adc import Adc, adc_of
from imcevo.costs.equation import Real, equation
from imcevo.costs.families import MacroDesigns
from imcevo.costs.lines import THERMAL_ENERGY_J, Lines, line_energy, sampling_energy
from imcevo.costs.scaling import Array
from imcevo.technology import MemoryCell, Technology


@equation(
    name="read of an analog macro in one input cycle",
    formula="pulses * settling_s + cols_per_adc * (conversion_s + mux_s)",
    unit="s",
    source="not pipelined: all columns sampled at once, then converted one by one (docs/model_costs.md)",
)
def analog_read_time(
    pulses: Real, settling_s: Real, cols_per_adc: Real, conversion_s: Real, mux_s: Real
) -> Real:
    return pulses * settling_s + cols_per_adc * (conversion_s + mux_s)


class Drivers(NamedTuple):
    """Word-line drivers of one macro, and one word line driven in one input cycle."""

    area_m2: Array
    drive_J: Array  # latching the input slice
    drive_x_J: Array  # full-scale input


def drivers_of(designs: MacroDesigns, lines: Lines, cell: MemoryCell, technology: Technology) -> Drivers:
    """Drivers with an input register of d bits; the line toggles once per pulse."""
    supply, gate = designs.supply, designs.gate
    line = line_energy(technology.circuits.cmos.driver_overhead.si, lines.row_F, supply.voltage_V)
    area = designs.rows * (cell.row_driver_area.si * supply.circuits.area + designs.dac_bits * gate.register_m2)
    return Drivers(area, designs.dac_bits * gate.register_J, designs.pulses * np.asarray(line))


def column_periphery_area(designs: MacroDesigns, cell: MemoryCell) -> Array:
    """Mux and write circuits of all columns of one macro, m2."""
    return designs.cols * cell.column_driver_area.si * designs.supply.circuits.area


class ReadOut(NamedTuple):
    """Sampling and conversion of an analog macro."""

    adc: Adc
    adc_m2: Array
    sample_J: Array
    read_s: Array


def analog_read_out(designs: MacroDesigns, settling_s: Real, technology: Technology) -> ReadOut:
    """Columns sampled at once, then converted one after the other by the ADC of their group."""
    supply = designs.supply
    adc = adc_of(designs.adc_bits, designs.flash, supply, technology)
    sample = sampling_energy(THERMAL_ENERGY_J, designs.adc_bits, supply.gate_F, supply.voltage_V)
    time = analog_read_time(designs.pulses, settling_s, designs.cols_per_adc, adc.time_s, designs.gate.nand_s)
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
