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
        input_coding: how a word line takes an input slice of d bits: as a count of 2^d - 1 ``pulses``, as d
            binary-weighted ``phases`` that are merged before one conversion, or at once as the ``amplitude`` of a DAC.
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
    input_coding: Literal["pulses", "phases", "amplitude"]
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
        sense_time: until the read-out has settled in one slot of the input slice; the cells conduct that long.
        read_voltage: across the cell while it is sensed (the supply, where that is lower).
        write_voltage, write_time: of one programming pulse.
        write_current: through the cell during a pulse, where its resistance does not set it: phase-change cells melt,
            ferroelectric ones take none. None: write voltage over the resistance.
        verify_pulses: pulses until a cell of more than one bit holds its value; one bit takes one pulse.
    """

    family: Literal["resistive"]
    on_resistance: q.Resistance
    off_resistance: q.Resistance
    read_voltage: q.Voltage
    sense_time: q.Number
    write_voltage: q.Voltage
    write_time: q.Time
    write_current: q.Current | None = None
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
        read_lines: lines of one column that are precharged and discharged.
        sense_time: how long the cells discharge them in one slot of the input slice.
    """

    family: Literal["sram_analog"]
    read_lines: q.Number
    sense_time: q.Number


class GainCell(SramAnalogCell):
    """A charge on the gate of a read stack that discharges the column's read bit line (embedded DRAM).

    Attributes:
        retention: within which every row is read and written back.
    """

    family: Literal["gain_cell"]  # type: ignore[assignment]  # read like its base, a family of its own
    retention: q.Time


class SramChargeCell(MemoryCell):
    """A latch whose product with the input drives a capacitor; charge is shared on the column.

    Attributes:
        unit_capacitance: of a cell's capacitor.
        product_gates: gate inputs that the product charges beside the capacitor, at the node's reference size.
    """

    family: Literal["sram_charge"]
    unit_capacitance: q.Capacitance
    product_gates: q.Number


class SramCurrentCell(MemoryCell):
    """A latch whose product pulls its column up or down; the column settles to the mean of all cells.

    Attributes:
        read_stack: resistance of the pull-up or pull-down in inverters of the node's reference size.
        sense_time: how long the cells of a column conduct in one slot of the input slice.
    """

    family: Literal["sram_current"]
    read_stack: q.Number
    sense_time: q.Number


class SramDigitalCell(MemoryCell):
    """A latch with a 1-bit multiplier; products are summed by adder trees."""

    has_adc: ClassVar[bool] = False

    family: Literal["sram_digital"]


CELL_FAMILIES: dict[str, type[MemoryCell]] = {
    "resistive": ResistiveCell,
    "sram_analog": SramAnalogCell,
    "gain_cell": GainCell,
    "sram_charge": SramChargeCell,
    "sram_current": SramCurrentCell,
    "sram_digital": SramDigitalCell,
}
