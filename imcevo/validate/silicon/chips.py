"""Measured chips: the format of their TOML files (`docs/reference/validation.md`) and their reading."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from imcevo.config import StrictModel, load_model
from imcevo.errors import UserError, listed, unknown_name
from imcevo.hardware import parameter
from imcevo.technology import Technology, load_technology

# How cells compute: charge redistributed over capacitors, bit lines discharged, currents summed, adder trees.
FAMILIES = ("sram_charge", "sram_discharge", "sram_current", "sram_digital", "rram", "envm")
QUANTITIES = ("energy", "throughput", "area")
# The parts of a macro, as `imcevo.costs.terms` names them.
COMPONENTS = ("cells", "drivers", "column_periphery", "adc", "adder_tree", "shift_add")
# Unit -> quantity; what a unit is counted per is in `imcevo.validate.silicon.model`.
UNITS: dict[str, str] = {
    "TOPS/W": "energy", "fJ/MAC": "energy", "fJ/op": "energy", "pJ/MVM": "energy", "pJ/conversion": "energy",
    "TOPS": "throughput", "ns/MVM": "throughput", "ns/step": "throughput",
    "um2": "area", "mm2": "area",
}  # fmt: skip
_MOST_CHIPS = 500
_CELLS = "cells"  # folder of bit cells beside the chips

Text = Annotated[str, StringConstraints(min_length=3, max_length=400)]
Voltage = Annotated[float, Field(gt=0, le=5)]
Level = Annotated[float, Field(ge=0, le=1)]
Bits = Annotated[int, Field(ge=1, le=32)]
Count = Annotated[int, Field(ge=1, le=65536)]


class Hardware(StrictModel):
    """The macro as built.

    Attributes:
        cell: a bit cell of the technology, or of the folder ``cells`` beside the chip.
        rows_active: word lines that are on at once.
        rows_per_input: word lines that one input drives (2: a pair of cells on one bit line).
        cols_summed: columns joined in the analog domain before one conversion.
        cols_per_adc: columns behind one converter (digital: one adder tree).
        extra_cols_per_weight: columns of a weight beside those of its bits.
        dac_bits: input bits applied in one step; `input_coding` says how, as the bit cell's key of that name.
        parallel_input_bits: input bits that digital cells process side by side.
        analog_accumulation: one conversion for all steps of an input, not one per step.
        macros: macros that the figures are of.
        shift_add: whether the figures of the whole macro include the shift-adders.
    """

    cell: str
    node_nm: int
    rows: int
    cols: int
    rows_active: Count
    rows_per_input: Annotated[int, Field(ge=1, le=16)] = 1
    bits_per_cell: int = 1
    cols_summed: Annotated[int, Field(ge=1, le=64)] = 1
    adc_type: Literal["sar", "flash", "none"]
    adc_bits: int
    cols_per_adc: int
    extra_cols_per_weight: Annotated[int, Field(ge=0, le=64)] = 0
    dac_bits: int
    input_coding: Literal["amplitude", "phases", "pulses"]
    parallel_input_bits: Bits = 1
    analog_accumulation: bool = False
    macros: Count = 1
    shift_add: bool
    note: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Hardware:
        for key in ("node_nm", "rows", "cols", "bits_per_cell", "adc_bits", "cols_per_adc", "dac_bits"):
            try:
                parameter(key).checked(getattr(self, key))
            except UserError as mistake:
                raise ValueError(str(mistake)) from None
        if self.rows_active > self.rows:
            raise ValueError(f"rows_active {self.rows_active} is more than the {self.rows} rows")
        if self.cols_per_adc > self.cols or self.cols_per_adc % self.cols_summed:
            raise ValueError("cols_per_adc must be a multiple of cols_summed, and at most cols")
        return self


class Operation(StrictModel):
    """Conditions that hold where a measurement states no others.

    Attributes:
        voltage_V: supply.
        input_level, weight_level: mean over full scale of inputs and of stored bits.
        product_level: mean product of an input and a stored bit, where it is not the product of their means: half of
            random XNOR products are 1.
        activity: what the source says about the levels; that it says nothing, where so.
    """

    voltage_V: Voltage
    input_bits: Bits
    weight_bits: Bits
    input_level: Level
    weight_level: Level
    product_level: Level | None = None
    activity: Text


class Measurement(StrictModel):
    """One figure of the chip.

    Attributes:
        components: parts of the macro that the figure is of; all of them if empty.
        input_slices: steps of one input, where they are not ceil(input bits / bits per step).
        method: ``digitised`` from a plot, or ``simulated``, where it is not a number that the source states.
        calibrates: may be used to fit constants of this chip; all others are predicted.
        excluded: why the figure is compared but enters no statistics and no fit.
    """

    quantity: Literal["energy", "throughput", "area"]
    components: tuple[str, ...] = ()
    value: Annotated[float, Field(gt=0)]
    unit: str
    source: Text
    voltage_V: Voltage | None = None
    input_bits: Bits | None = None
    weight_bits: Bits | None = None
    adc_bits: Bits | None = None
    dac_bits: Annotated[int, Field(ge=1, le=8)] | None = None
    input_level: Level | None = None
    weight_level: Level | None = None
    input_slices: Bits | None = None
    method: Literal["stated", "digitised", "simulated"] = "stated"
    calibrates: bool = False
    excluded: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, data: object) -> object:
        if isinstance(data, dict) and isinstance(data.get("components"), list):
            return {**data, "components": tuple(data["components"])}
        return data

    @model_validator(mode="after")
    def _known(self) -> Measurement:
        if UNITS.get(self.unit) != self.quantity:
            raise ValueError(f"unit {self.unit!r} is not one of {self.quantity}: "
                             + ", ".join(unit for unit, of in UNITS.items() if of == self.quantity))  # fmt: skip
        unknown = [name for name in self.components if name not in COMPONENTS]
        if unknown:
            raise ValueError(f"component {unknown[0]!r} is not one of {', '.join(COMPONENTS)}")
        if self.components and self.quantity == "throughput":
            raise ValueError("a throughput is of the whole macro: leave components out")
        if self.calibrates and self.excluded:
            raise ValueError("a figure cannot calibrate and be excluded")
        return self


class Chip(StrictModel):
    """One chip.

    Attributes:
        family: circuit family within which constants are shared.
        compute: how the cells compute, in words.
    """

    name: Annotated[str, StringConstraints(min_length=2, max_length=40)]
    title: Text
    source: Text
    family: Literal["sram_charge", "sram_discharge", "sram_current", "sram_digital", "rram", "envm"]
    compute: Text
    hardware: Hardware
    operation: Operation
    measurements: Annotated[list[Measurement], Field(min_length=1, max_length=1000)]


def shipped_folder() -> Path:
    """Folder of the shipped chips."""
    return Path(str(resources.files("imcevo") / "validate" / "data" / "chips"))


def load_chips(path: Path | None = None) -> tuple[Chip, ...]:
    """The chips of a TOML file or of a folder of them, sorted by file; the shipped ones if `path` is None.

    Raises:
        UserError: nothing there, or a file that is not a chip.
    """
    path = shipped_folder() if path is None else path
    files: Sequence[Path] = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not 1 <= len(files) <= _MOST_CHIPS:
        raise UserError(f"holds {len(files)} chips (*.toml)", file=path, allowed=f"1 to {_MOST_CHIPS}")
    chips = tuple(load_model(file, Chip, what="a chip") for file in files)
    names = [chip.name for chip in chips]
    for file, name in zip(files, names, strict=True):
        if names.count(name) > 1:
            raise UserError("is the name of two chips", file=file, key="name", value=name)
    return chips


def chip_technology(chips: Sequence[Chip], path: Path | None = None) -> Technology:
    """The technology with the shipped chips' cells and, for chips of `path`, those in the folder ``cells`` beside them.

    Raises:
        UserError: a chip whose cell or node has no data, whose supply its node forbids, or whose cell needs an ADC.
    """
    own = shipped_folder() / _CELLS
    if path is not None:
        beside = (path if path.is_dir() else path.parent) / _CELLS
        own = beside if beside.is_dir() else own
    technology = load_technology(own)
    for chip in chips:
        if chip.hardware.cell not in technology.cells:
            raise unknown_name("bit cell", chip.hardware.cell, technology.cells, key=f"{chip.name}: hardware.cell")
        if chip.hardware.node_nm not in technology.nodes:
            known = f"{listed(sorted(technology.nodes))} nm"
            key = f"{chip.name}: hardware.node_nm"
            raise UserError("is not a CMOS node with data", key=key, value=chip.hardware.node_nm, allowed=known)
        low, high = technology.node(chip.hardware.node_nm).voltage_range_V
        for supply in [chip.operation.voltage_V, *(m.voltage_V for m in chip.measurements if m.voltage_V)]:
            if not low <= supply <= high:
                key, allowed = f"{chip.name}: voltage_V", f"{low:g} to {high:g} V"
                raise UserError(f"is no supply for {chip.hardware.node_nm} nm", key=key, value=supply, allowed=allowed)
        if technology.cell(chip.hardware.cell).has_adc != (chip.hardware.adc_type != "none"):
            needs = "an ADC" if chip.hardware.adc_type == "none" else "no ADC"
            key = f"{chip.name}: hardware.adc_type"
            raise UserError(f"does not fit: {chip.hardware.cell} has {needs}", key=key, value=chip.hardware.adc_type)
    return technology
