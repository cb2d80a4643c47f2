"""A number with its unit and its source: the only form in which technology data may be stated."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from imcevo.config import StrictModel

# Unit as written in data files -> (dimension, factor to the SI value that the code computes with).
UNITS: dict[str, tuple[str, float]] = {
    "1": ("number", 1.0), "relative": ("number", 1.0), "FO4": ("number", 1.0), "cycles": ("number", 1.0),
    "bit": ("bits", 1.0), "F2": ("cell area", 1.0), "6T": ("cell area", 1.0),
    "V": ("voltage", 1.0), "mV": ("voltage", 1e-3),
    "ohm": ("resistance", 1.0), "kohm": ("resistance", 1e3), "Mohm": ("resistance", 1e6), "ohm m": ("resistivity", 1.0),
    "ps": ("time", 1e-12), "ns": ("time", 1e-9), "us": ("time", 1e-6),
    "nm": ("length", 1e-9), "um": ("length", 1e-6), "mm": ("length", 1e-3),
    "um2": ("area", 1e-12), "mm2": ("area", 1e-6),
    "fF": ("capacitance", 1e-15), "fF/um": ("capacitance per length", 1e-9),
    "fJ": ("energy", 1e-15), "pJ": ("energy", 1e-12),
    "fJ/bit": ("energy per bit", 1e-15), "pJ/bit": ("energy per bit", 1e-12),
    "pA": ("current", 1e-12), "uA": ("current", 1e-6), "uA/mm2": ("current per area", 1.0), "Mb/s": ("bit rate", 1e6),
    "log10(um2)": ("log area", 1.0), "log10(um2)/bit": ("log area per bit", 1.0),
    "USD": ("price", 1.0), "1/cm2": ("defect density", 1e4),
}  # fmt: skip
_FACTORS = {unit: factor for unit, (_, factor) in UNITS.items()}


class Quantity(StrictModel):
    """``{ value = 48, unit = "F2", source = "..." }`` of a data file.

    Attributes:
        value: the number as published.
        unit: one of `UNITS`.
        source: where the number can be looked up; an assumption of the model says so first.
    """

    value: float
    unit: str
    source: str = Field(min_length=4)

    @property
    def si(self) -> float:
        """The value in SI units (cell areas in their own unit, numbers as they are)."""
        return self.value * _FACTORS[self.unit]


def _of(dimension: str, low: float = 0.0, *, above: bool = True) -> AfterValidator:
    units = [unit for unit, (known, _) in UNITS.items() if known == dimension]

    def check(quantity: Quantity) -> Quantity:
        if quantity.unit not in units:
            raise ValueError(f"unit {quantity.unit!r} is not one of {dimension}: {', '.join(units)}")
        if quantity.value < low or (above and quantity.value == low):
            raise ValueError(f"value {quantity.value:g} must be {'above' if above else 'at least'} {low:g}")
        return quantity

    return AfterValidator(check)


def _whole(quantity: Quantity) -> Quantity:
    if quantity.value != int(quantity.value):
        raise ValueError(f"value {quantity.value:g} must be a whole number")
    return quantity


Number = Annotated[Quantity, _of("number")]
NumberOrZero = Annotated[Quantity, _of("number", above=False)]
Bits = Annotated[Quantity, _of("bits"), AfterValidator(_whole)]
CellArea = Annotated[Quantity, _of("cell area")]
Voltage = Annotated[Quantity, _of("voltage")]
Resistance = Annotated[Quantity, _of("resistance")]
Resistivity = Annotated[Quantity, _of("resistivity")]
Time = Annotated[Quantity, _of("time")]
Length = Annotated[Quantity, _of("length")]
Area = Annotated[Quantity, _of("area")]
Capacitance = Annotated[Quantity, _of("capacitance")]
CapacitancePerLength = Annotated[Quantity, _of("capacitance per length")]
Energy = Annotated[Quantity, _of("energy")]
EnergyPerBit = Annotated[Quantity, _of("energy per bit")]
Current = Annotated[Quantity, _of("current", above=False)]
CurrentPerArea = Annotated[Quantity, _of("current per area", above=False)]
BitRate = Annotated[Quantity, _of("bit rate")]
LogArea = Annotated[Quantity, _of("log area")]
LogAreaPerBit = Annotated[Quantity, _of("log area per bit")]
Price = Annotated[Quantity, _of("price")]
DefectDensity = Annotated[Quantity, _of("defect density")]
