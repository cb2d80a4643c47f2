"""Analog SRAM: the cells of a column discharge its read bit line."""

from __future__ import annotations

import numpy as np

from imcevo.costs.equation import Real, equation
from imcevo.costs.families import MacroCosts, MacroDesigns, cell_family
from imcevo.costs.lines import Lines, column_settling
from imcevo.costs.macro import analog_read_out, column_periphery_area, drivers_of, latch_write
from imcevo.technology import MemoryCell, SramAnalogCell, Technology


@equation(
    name="charging a read bit line", formula="column_F * voltage_V^2", unit="J",
    source="C V^2 at full swing, whatever the data: an upper bound for single-ended bit lines",
)  # fmt: skip
def bit_line_energy(column_F: Real, voltage_V: Real) -> Real:
    return column_F * voltage_V**2


@cell_family("sram_analog")
def sram_analog_macro(
    designs: MacroDesigns, lines: Lines, cell: MemoryCell, technology: Technology
) -> MacroCosts:
    """A macro of latches with read stacks; a cell holds no charge of its own that a read would move."""
    assert isinstance(cell, SramAnalogCell)
    supply = designs.supply
    none = np.zeros_like(designs.rows)

    drivers = drivers_of(designs, lines, cell, technology)
    stack_ohm = cell.read_stack.si * supply.gate_ohm
    settling = lines.row_delay_s + column_settling(
        designs.adc_bits, stack_ohm, lines.column_ohm, lines.column_F
    )
    read_out = analog_read_out(designs, settling, technology)

    write = latch_write(designs, lines, technology)
    return MacroCosts(
        cells_m2=designs.rows * designs.cols * lines.cell_m2,
        drivers_m2=drivers.area_m2,
        column_periphery_m2=column_periphery_area(designs, cell),
        adc_m2=read_out.adc_m2,
        adder_tree_m2=none,
        cell_read_x_J=none,
        cell_read_xw_J=none,
        row_drive_J=drivers.drive_J,
        row_drive_x_J=drivers.drive_x_J,
        column_read_J=read_out.sample_J + bit_line_energy(lines.column_F, supply.voltage_V),
        adc_conversion_J=read_out.adc.energy_J,
        adder_tree_sum_J=none,
        cell_write_J=write.cell_J,
        row_write_J=write.row_J,
        read_s=read_out.read_s,
        row_write_s=write.row_s,
    )
