"""Digital SRAM: a 1-bit multiplier in every cell and adder trees at the columns. Exact; no ADC."""

from __future__ import annotations

import numpy as np

from imcevo.costs.equation import Real, equation
from imcevo.costs.families import MacroCosts, MacroDesigns, cell_family
from imcevo.costs.lines import Lines
from imcevo.costs.logic import adder_tree_adders, adder_tree_delay, adder_tree_energy
from imcevo.costs.macro import column_periphery_area, drivers_of, latch_write
from imcevo.technology import MemoryCell, SramDigitalCell, Technology


@equation(
    name="selecting one of the columns that share an adder tree",
    formula="rows * activity * multiplier_J if cols_per_adc > 1 else 0",
    unit="J",
    source="one gate per row, as large as the 1-bit multiplier of ZigZag-IMC (arXiv 2305.18335)",
)
def column_select_energy(rows: Real, activity: Real, multiplier_J: Real, cols_per_adc: Real) -> Real:
    return np.where(np.asarray(cols_per_adc) > 1, rows * activity * multiplier_J, 0.0)


@equation(
    name="read of a digital macro in one input cycle",
    formula="row_s + gate_s + cols_per_adc * (tree_s + gate_s)",
    unit="s",
    source="not pipelined: the columns of a group use its adder tree one after the other"
    " (docs/reference/model_costs.md)",
)
def digital_read_time(row_s: Real, gate_s: Real, cols_per_adc: Real, tree_s: Real) -> Real:
    return row_s + gate_s + cols_per_adc * (tree_s + gate_s)


@cell_family("sram_digital")
def sram_digital_macro(
    designs: MacroDesigns, lines: Lines, cell: MemoryCell, technology: Technology
) -> MacroCosts:
    """A macro of latches with multipliers; `cols_per_adc` columns share one adder tree."""
    assert isinstance(cell, SramDigitalCell)
    gate = designs.gate
    activity = technology.circuits.gates.adder_activity.si
    shared = designs.cols_per_adc > 1
    none = np.zeros_like(designs.rows)

    drivers = drivers_of(designs, lines, cell, technology)
    adders = adder_tree_adders(designs.rows, technology.circuits.gates.register_weight_width.si)
    select_m2 = np.where(shared, designs.cols * designs.rows * gate.nand_m2, 0.0)

    tree_s = adder_tree_delay(designs.rows, gate.sum_s, gate.carry_s)
    select_J = column_select_energy(designs.rows, activity, gate.multiplier_J, designs.cols_per_adc)

    write = latch_write(designs, lines, technology)
    return MacroCosts(
        cells_m2=designs.rows * designs.cols * lines.cell_m2,
        drivers_m2=drivers.area_m2,
        column_periphery_m2=column_periphery_area(designs, cell) + select_m2,
        adc_m2=none,
        adder_tree_m2=designs.converters * adders * gate.adder_m2,
        cell_read_J=none,
        cell_read_x_J=none,
        cell_read_xw_J=gate.multiplier_J,
        row_drive_J=drivers.drive_J,
        row_drive_x_J=drivers.drive_x_J,
        column_read_J=np.asarray(select_J),
        adc_conversion_J=none,
        adder_tree_sum_J=np.asarray(
            adder_tree_energy(technology.calibration.digital_energy.si, adders, activity, gate.adder_J)
        ),
        cell_write_J=write.cell_J,
        row_write_J=write.row_J,
        read_s=np.asarray(digital_read_time(lines.row_delay_s, gate.nand_s, designs.cols_per_adc, tree_s)),
        row_write_s=write.row_s,
    )
