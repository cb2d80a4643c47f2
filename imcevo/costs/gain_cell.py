"""Gain cells (embedded DRAM in plain CMOS): read like analog SRAM, and refreshed."""

from __future__ import annotations

import numpy as np

from imcevo.costs.equation import Real, equation
from imcevo.costs.families import MacroCosts, MacroDesigns, cell_family
from imcevo.costs.lines import Lines
from imcevo.costs.sram_analog import sram_analog_macro
from imcevo.technology import GainCell, MemoryCell, Technology


@equation(
    name="refresh of a macro",
    formula="rows * (cols * cell_write_J + 2 * row_write_J) / retention_s",
    unit="W",
    source="derived: every row read and written back within the retention time; half of the lines swing in each",
)
def refresh_power(rows: Real, cols: Real, cell_write_J: Real, row_write_J: Real, retention_s: Real) -> Real:
    return rows * (cols * cell_write_J + 2 * row_write_J) / retention_s


@equation(
    name="reading between refreshes",
    formula="read_s * (1 + 2 * rows * row_write_s/retention_s)",
    unit="s",
    source="derived: the share of time that refreshing takes, to first order",
)
def refreshed_read_time(read_s: Real, rows: Real, row_write_s: Real, retention_s: Real) -> Real:
    return read_s * (1 + 2 * rows * row_write_s / retention_s)


@cell_family("gain_cell")
def gain_cell_macro(
    designs: MacroDesigns, lines: Lines, cell: MemoryCell, technology: Technology
) -> MacroCosts:
    """A macro of gain cells; the read leaves the stored charge alone."""
    assert isinstance(cell, GainCell)
    macro, retention_s = sram_analog_macro(designs, lines, cell, technology), cell.retention.si
    refresh = refresh_power(designs.rows, designs.cols, macro.cell_write_J, macro.row_write_J, retention_s)
    read_s = refreshed_read_time(macro.read_s, designs.rows, macro.row_write_s, retention_s)
    return macro._replace(standby_W=np.asarray(refresh), read_s=np.asarray(read_s))
