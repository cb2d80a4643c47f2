"""Analog SRAM: the cells of a column discharge its read bit line (charge sharing)."""

from __future__ import annotations

import numpy as np

from imcevo.costs.families import MacroCosts, MacroDesigns, cell_family
from imcevo.costs.lines import Lines
from imcevo.costs.macro import (
    analog_read_out,
    cell_charge,
    column_periphery_area,
    drivers_of,
    input_slots,
    latch_write,
    sensing_of,
)
from imcevo.technology import MemoryCell, SramAnalogCell, Technology


@cell_family("sram_analog")
def sram_analog_macro(
    designs: MacroDesigns, lines: Lines, cell: MemoryCell, technology: Technology
) -> MacroCosts:
    """A macro of latches with read stacks; every sensed cell costs its share of the bit lines, whatever the data."""
    assert isinstance(cell, SramAnalogCell)
    supply = designs.supply
    none = np.zeros_like(designs.rows)

    drivers = drivers_of(designs, lines, cell, technology)
    slots = input_slots(designs, cell)
    settling = sensing_of(cell.sense_time.si, lines, supply)
    read_out = analog_read_out(designs, slots, settling, technology)
    share_F = cell.read_lines.si * lines.column_F / designs.rows
    charge = cell_charge(technology.calibration.charge_energy.si, slots, share_F, supply.voltage_V)

    write = latch_write(designs, lines, technology)
    return MacroCosts(
        cells_m2=designs.rows * designs.cols * lines.cell_m2,
        drivers_m2=drivers.area_m2,
        column_periphery_m2=column_periphery_area(designs, cell),
        adc_m2=read_out.adc_m2,
        adder_tree_m2=none,
        cell_read_J=np.asarray(charge),
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
