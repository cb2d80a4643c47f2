"""Resistive cells: conductances between a driven row and a sensed column (RRAM, PCM, FeFET, STT-MRAM, flash)."""

from __future__ import annotations

import numpy as np

from imcevo.costs.equation import Real, equation
from imcevo.costs.families import MacroCosts, MacroDesigns, cell_family
from imcevo.costs.lines import Lines, line_energy
from imcevo.costs.macro import analog_read_out, column_periphery_area, drivers_of, input_slots, sensing_of
from imcevo.technology import MemoryCell, ResistiveCell, Technology


@equation(
    name="conductance of a cell behind its wires", formula="1 / (cell_ohm + (row_ohm + column_ohm)/2)", unit="S",
    source="series resistance of half a row and half a column, the mean over the array",
)  # fmt: skip
def conductance(cell_ohm: Real, row_ohm: Real, column_ohm: Real) -> Real:
    return 1 / (cell_ohm + (row_ohm + column_ohm) / 2)


@equation(
    name="read energy of a conductance",
    formula="resistive_energy * slots * slot_s * voltage_V * read_V * conductance_S",
    unit="J",
    source="derived: the clamp of the read-out draws the cells' current from the supply while the column settles;"
    " scale: calibration.toml, resistive_energy",
)
def read_energy(
    resistive_energy: Real, slots: Real, slot_s: Real, voltage_V: Real, read_V: Real, conductance_S: Real
) -> Real:
    return resistive_energy * slots * slot_s * voltage_V * read_V * conductance_S


@equation(
    name="programming pulses of a cell", formula="verify_pulses if bits_per_cell > 1 else 1", unit="1",
    source="program and verify: Wan et al., Nature 608 (2022) 504",
)  # fmt: skip
def programming_pulses(bits_per_cell: Real, verify_pulses: Real) -> Real:
    return np.where(np.asarray(bits_per_cell) > 1, verify_pulses, 1.0)


@equation(
    name="programming energy of a cell",
    formula="pulses * write_V^2 * (pulse_s * (on_S + off_S)/2 + column_F)",
    unit="J",
    source="NeuroSim V1.3: t V^2 G at the mean conductance, and the column's charge",
)
def programming_energy(
    pulses: Real, write_V: Real, pulse_s: Real, on_S: Real, off_S: Real, column_F: Real
) -> Real:
    return pulses * write_V**2 * (pulse_s * (on_S + off_S) / 2 + column_F)


@equation(
    name="programming energy of a cell at a stated current",
    formula="pulses * write_V * (write_A * pulse_s + write_V * column_F)",
    unit="J",
    source="derived: the driver's charge, and the column's",
)
def driven_programming_energy(pulses: Real, write_V: Real, write_A: Real, pulse_s: Real, column_F: Real) -> Real:
    return pulses * write_V * (write_A * pulse_s + write_V * column_F)


@cell_family("resistive")
def resistive_macro(
    designs: MacroDesigns, lines: Lines, cell: MemoryCell, technology: Technology
) -> MacroCosts:
    """A macro of resistive cells."""
    assert isinstance(cell, ResistiveCell)
    overhead = technology.circuits.cmos.driver_overhead.si
    none = np.zeros_like(designs.rows)

    drivers = drivers_of(designs, lines, cell, technology)
    settling = sensing_of(cell.sense_time.si, lines, designs.supply)
    slots = input_slots(designs, cell)
    read_out = analog_read_out(designs, slots, settling, technology)

    read_V = np.minimum(cell.read_voltage.si, designs.supply.voltage_V)
    on_S, off_S = (
        conductance(resistance.si, lines.row_ohm, lines.column_ohm)
        for resistance in (cell.on_resistance, cell.off_resistance)
    )
    scale = technology.calibration.resistive_energy.si
    supply_V = designs.supply.voltage_V
    low, high = (read_energy(scale, slots, settling, supply_V, read_V, value) for value in (off_S, on_S))

    pulses = programming_pulses(designs.bits_per_cell, cell.verify_pulses.si)
    write_V, write_s = cell.write_voltage.si, cell.write_time.si
    row_write = line_energy(overhead, lines.row_F, write_V)
    if cell.write_current is None:
        cell_write = programming_energy(pulses, write_V, write_s, on_S, off_S, lines.column_F)
    else:
        cell_write = driven_programming_energy(pulses, write_V, cell.write_current.si, write_s, lines.column_F)
    return MacroCosts(
        cells_m2=designs.rows * designs.cols * lines.cell_m2,
        drivers_m2=drivers.area_m2,
        column_periphery_m2=column_periphery_area(designs, cell),
        adc_m2=read_out.adc_m2,
        adder_tree_m2=none,
        cell_read_J=none,
        cell_read_x_J=np.asarray(low),
        cell_read_xw_J=np.asarray(high) - np.asarray(low),
        row_drive_J=drivers.drive_J,
        row_drive_x_J=drivers.drive_x_J,
        column_read_J=read_out.sample_J,
        adc_conversion_J=read_out.adc.energy_J,
        adder_tree_sum_J=none,
        cell_write_J=np.asarray(cell_write),
        row_write_J=np.asarray(pulses * row_write),
        read_s=read_out.read_s,
        row_write_s=np.asarray(pulses * (write_s + lines.row_delay_s)),
    )
