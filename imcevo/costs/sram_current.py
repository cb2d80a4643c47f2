"""Current SRAM: every cell pulls its column up or down; the column settles to the mean (current summing)."""

from __future__ import annotations

import numpy as np

from imcevo.costs.equation import Real, equation
from imcevo.costs.families import MacroCosts, MacroDesigns, cell_family
from imcevo.costs.lines import Lines
from imcevo.costs.macro import analog_latch_macro, input_slots, sensing_of
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
    slots = input_slots(designs, cell)
    settling = sensing_of(cell.sense_time.si, lines, supply)
    current = cell_current(
        technology.calibration.current_energy.si, slots, cell.sense_time.si, supply.gate_delay_s, supply.voltage_V,
        cell.read_stack.si * supply.gate_ohm,
    )  # fmt: skip
    return analog_latch_macro(designs, lines, cell, slots, settling, technology, cell_read_J=np.asarray(current))
