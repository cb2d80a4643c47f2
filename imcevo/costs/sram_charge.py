"""Charge SRAM: every cell drives a capacitor with its product; the capacitors of a column share their charge."""

from __future__ import annotations

import numpy as np

from imcevo.costs.families import MacroCosts, MacroDesigns, cell_family
from imcevo.costs.lines import Lines, column_settling
from imcevo.costs.macro import analog_latch_macro, cell_charge, input_slots
from imcevo.technology import MemoryCell, SramChargeCell, Technology


@cell_family("sram_charge")
def sram_charge_macro(
    designs: MacroDesigns, lines: Lines, cell: MemoryCell, technology: Technology
) -> MacroCosts:
    """A macro of latches with a capacitor each; a product of 1 charges it, so that zeros cost nothing."""
    assert isinstance(cell, SramChargeCell)
    supply = designs.supply
    slots = input_slots(designs, cell)
    cell_F = cell.unit_capacitance.si + cell.product_gates.si * supply.gate_F
    # Every cell drives its own capacitor; the column only shares the charge.
    settling = lines.row_delay_s + column_settling(designs.adc_bits, supply.gate_ohm, lines.column_ohm, cell_F)
    charge = cell_charge(technology.calibration.charge_energy.si, slots, cell_F, supply.voltage_V)
    return analog_latch_macro(designs, lines, cell, slots, settling, technology, cell_read_xw_J=np.asarray(charge))
