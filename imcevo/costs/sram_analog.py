"""Analog SRAM: the cells of a column discharge its read bit line (charge sharing)."""

from __future__ import annotations

import numpy as np

from imcevo.costs.families import MacroCosts, MacroDesigns, cell_family
from imcevo.costs.lines import Lines
from imcevo.costs.macro import analog_latch_macro, cell_charge, input_slots, sensing_of
from imcevo.technology import MemoryCell, SramAnalogCell, Technology


@cell_family("sram_analog")
def sram_analog_macro(
    designs: MacroDesigns, lines: Lines, cell: MemoryCell, technology: Technology
) -> MacroCosts:
    """A macro of latches with read stacks; every sensed cell costs its share of the bit lines, whatever the data."""
    assert isinstance(cell, SramAnalogCell)
    supply = designs.supply
    slots = input_slots(designs, cell)
    settling = sensing_of(cell.sense_time.si, lines, supply)
    share_F = cell.read_lines.si * lines.column_F / designs.rows
    charge = cell_charge(technology.calibration.charge_energy.si, slots, share_F, supply.voltage_V)
    return analog_latch_macro(designs, lines, cell, slots, settling, technology, cell_read_J=np.asarray(charge))
