"""Bit cells: what their data files hold, one model per family."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from imcevo.config import StrictModel
from imcevo.technology import quantity as q


class MemoryCell(StrictModel):
    """What every bit cell states; a family adds what its physics needs.

    Attributes:
        family: names the cost functions that price the cell (`imcevo.costs.families`).
        volatile: loses its weights without supply.
        area: of one cell, in F^2 or in 6T cells of its node.
        aspect_ratio: cell width (along the word line) over height.
        stored_bits: most bits in one cell.
        input_bits: most input bits that a word line takes in one input cycle.
        access_capacitance: load of one cell on its word line, and on its bit line, at the gate set's node.
        row_driver_area, column_driver_area: of one line, at the node of the buffers.
        leakage: supply current of one idle cell.
        endurance: writes before wear-out.
        variation: standard deviation of a cell's analog value over its mean.
    """

    has_adc: ClassVar[bool] = True

    family: str
    volatile: bool
    area: q.CellArea
    aspect_ratio: q.Number
    stored_bits: q.Bits
    input_bits: q.Bits
    access_capacitance: q.Capacitance
    row_driver_area: q.Area
    column_driver_area: q.Area
    leakage: q.Current
    endurance: q.Number
    variation: q.NumberOrZero

    @property
    def max_bits_per_cell(self) -> int:
        return int(self.stored_bits.value)

    @property
    def max_dac_bits(self) -> int:
        return int(self.input_bits.value)

    @property
    def write_endurance(self) -> float:
        """Writes before wear-out."""
        return self.endurance.si

    @property
    def on_off_ratio(self) -> float:
        """Largest over smallest cell value; infinite where a stored zero contributes nothing."""
        return float("inf")

    @property
    def read_resistance_ohm(self) -> float:
        """Of the most conducting cell, where a static current flows through the column wire while it is sensed;
        infinite where the column only carries charge: its wire then takes time, not signal."""
        return float("inf")


class ResistiveCell(MemoryCell):
    """A conductance behind an access transistor; currents sum on the column.

    Attributes:
        on_resistance, off_resistance: of the largest and the smallest stored value.
        read_voltage: across the cell while it is sensed (the supply, where that is lower).
        write_voltage, write_time: of one programming pulse.
        verify_pulses: pulses until a cell of more than one bit holds its value; one bit takes one pulse.
    """

    family: Literal["resistive"]
    on_resistance: q.Resistance
    off_resistance: q.Resistance
    read_voltage: q.Voltage
    write_voltage: q.Voltage
    write_time: q.Time
    verify_pulses: q.Number

    @model_validator(mode="after")
    def _ordered(self) -> ResistiveCell:
        if self.off_resistance.si <= self.on_resistance.si:
            raise ValueError("off_resistance must be above on_resistance")
        return self

    @property
    def on_off_ratio(self) -> float:
        return self.off_resistance.si / self.on_resistance.si

    @property
    def read_resistance_ohm(self) -> float:
        return self.on_resistance.si


class SramAnalogCell(MemoryCell):
    """A latch whose read stack discharges the column's read bit line.

    Attributes:
        read_stack: resistance of the read stack in inverters of the node's reference size.
    """

    family: Literal["sram_analog"]
    read_stack: q.Number


class SramDigitalCell(MemoryCell):
    """A latch with a 1-bit multiplier; products are summed by adder trees."""

    has_adc: ClassVar[bool] = False

    family: Literal["sram_digital"]


CELL_FAMILIES: dict[str, type[MemoryCell]] = {
    "resistive": ResistiveCell,
    "sram_analog": SramAnalogCell,
    "sram_digital": SramDigitalCell,
}
