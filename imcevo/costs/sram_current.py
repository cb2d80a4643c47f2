"""Current SRAM: every cell pulls its column up or down; the column settles to the mean (current summing)."""

from __future__ import annotations

import numpy as np

from imcevo.costs.equation import Real, equation
from imcevo.costs.families import MacroCosts, MacroDesigns, cell_family
from imcevo.costs.lines import Lines
from imcevo.costs.macro import (
    analog_read_out,
    column_periphery_area,
    drivers_of,
    input_slots,
    latch_write,
    sensing_of,
)
from imcevo.technology import MemoryCell, SramCurrentCell, Technology


@equation(
    name="current through a cell in one input cycle",
    formula="current_energy * slots * sense_FO4 * gate_delay_s * voltage_V^2 / stack_ohm",
    unit="J",
    source="V^2 t / R of the conducting stack; scale: calibration.toml, current_energy",
)
def cell_current(
    current_energy: Real, slots: Real, sense_FO4: Real, gate_delay_s: Real, voltage_V: Real, stack_ohm: Real
) -> Real:
    return current_energy * slots * sense_FO4 * gate_delay_s * voltage_V**2 / stack_ohm


@cell_family("sram_current")
def sram_current_macro(
    designs: MacroDesigns, lines: Lines, cell: MemoryCell, technology: Technology
) -> MacroCosts:
    """A macro of latches with pull-up and pull-down stacks; one of them conducts, whatever the data."""
    assert isinstance(cell, SramCurrentCell)
    supply = designs.supply
    none = np.zeros_like(designs.rows)

    drivers = drivers_of(designs, lines, cell, technology)
    slots = input_slots(designs, cell)
    settling = sensing_of(cell.sense_time.si, lines, supply)
    read_out = analog_read_out(designs, slots, settling, technology)
    current = cell_current(
        technology.calibration.current_energy.si, slots, cell.sense_time.si, supply.gate_delay_s, supply.voltage_V,
        cell.read_stack.si * supply.gate_ohm,
    )  # fmt: skip

    write = latch_write(designs, lines, technology)
    return MacroCosts(
        cells_m2=designs.rows * designs.cols * lines.cell_m2,
        drivers_m2=drivers.area_m2,
        column_periphery_m2=column_periphery_area(designs, cell),
        adc_m2=read_out.adc_m2,
        adder_tree_m2=none,
        cell_read_J=np.asarray(current),
        cell_read_x_J=none,
        cell_read_xw_J=none,
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
