"""CMOS nodes: what their data files hold."""

from __future__ import annotations

from itertools import pairwise

from pydantic import model_validator

from imcevo.config import StrictModel
from imcevo.technology import quantity as q


class Node(StrictModel):
    """One CMOS node.

    Attributes:
        feature_size: F.
        nominal_voltage, lowest_voltage, highest_voltage: supply.
        threshold_voltage: of the alpha-power delay law.
        gate_delay: fan-out-of-4 inverter at nominal supply.
        switching_energy: of a gate at equal voltage, relative (any two nodes compare).
        logic_area: of a gate, relative.
        sram_cell_area: 6T cell.
        wire_width, wire_resistivity, wire_aspect_ratio, wire_capacitance: of the array's wires.
    """

    feature_size: q.Length
    nominal_voltage: q.Voltage
    lowest_voltage: q.Voltage
    highest_voltage: q.Voltage
    threshold_voltage: q.Voltage
    gate_delay: q.Time
    switching_energy: q.Number
    logic_area: q.Number
    sram_cell_area: q.CellArea
    wire_width: q.Length
    wire_resistivity: q.Resistivity
    wire_aspect_ratio: q.Number
    wire_capacitance: q.CapacitancePerLength

    @model_validator(mode="after")
    def _ordered(self) -> Node:
        voltages = (self.threshold_voltage, self.lowest_voltage, self.nominal_voltage, self.highest_voltage)
        if not all(low.si < high.si for low, high in pairwise(voltages)):
            raise ValueError("voltages must rise from threshold over lowest and nominal to highest")
        if self.sram_cell_area.unit != "F2":
            raise ValueError("sram_cell_area must be given in F2")
        return self

    @property
    def voltage_range_V(self) -> tuple[float, float]:
        """Lowest and highest supply."""
        return self.lowest_voltage.si, self.highest_voltage.si
