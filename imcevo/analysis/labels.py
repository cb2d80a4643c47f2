"""Result columns in words and engineering units."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.problem.quantities import QUANTITIES
from imcevo.units import MM2, engineering

# The design values that a reader asks for first.
KEY_VALUES = (
    "cell", "bits_per_cell", "rows", "cols", "adc_bits", "cols_per_adc", "macros_per_tile", "voltage_V",
)  # fmt: skip

MINUS = "minus_"  # begins the column of an objective that is maximised
_COLUMN = re.compile(r"(?P<name>.+?)_(?P<unit>W_per_m2|J|s|m2|W|V|B|Js|Jsm2|dB)")  # of what is no quantity
_HOW = {
    "max": "largest",
    "min": "least",
    "mean": "mean",
    "weighted_mean": "weighted mean",
    "geometric_mean": "geometric mean",
    "weighted_geometric_mean": "weighted geometric mean",
}
_UNITS = {"Js": "J s", "Jsm2": "J s m2", "per_s": "1/s", "W_per_m2": "W/m²"}
_PREFIXES = ((1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"))


class Quantity(NamedTuple):
    """A column: what it is, its SI unit (empty if it has none), how networks were aggregated (or empty)."""

    name: str
    unit: str
    how: str


def quantity(column: str) -> Quantity:
    """``"energy_J_mean"`` -> ``Quantity("energy", "J", "mean")``."""
    plain, how = column.removeprefix(MINUS), ""
    for suffix in sorted(_HOW, key=len, reverse=True):
        if plain.endswith(f"_{suffix}"):
            plain, how = plain.removesuffix(f"_{suffix}"), _HOW[suffix]
            break
    if plain in QUANTITIES:
        return Quantity(QUANTITIES[plain].label, QUANTITIES[plain].unit, how)
    match = _COLUMN.fullmatch(plain)
    if match is None:
        return Quantity(column.replace("_", " "), "", "")
    return Quantity(match["name"].replace("_", " "), match["unit"], how)


def unit(column: str) -> str:
    """SI unit of a column as figures write it, e.g. ``"J s m²"``; empty if it has none."""
    found = quantity(column).unit
    return _UNITS.get(found, found).replace("m2", "m²")


class Axis(NamedTuple):
    """How to draw a column: divide by `factor`, write `label`."""

    factor: float
    label: str


def axis(column: str, values: NDArray[np.float64]) -> Axis:
    """Axis of a column with a prefix that suits the typical value: ``Axis(1e-3, "mean energy [mJ]")``."""
    name, unit, how = quantity(column)
    title = f"{how} {name}".strip()
    if unit in QUANTITIES:  # its name is its unit
        return Axis(1.0, title)
    if unit == "m2":
        return Axis(MM2, f"{title} [mm²]")
    if unit not in ("J", "s", "W"):
        return Axis(1.0, f"{title} [{_UNITS.get(unit, unit)}]" if unit else title)
    typical = float(np.exp(np.mean(np.log(values)))) if len(values) and (values > 0).all() else 1.0
    factor, prefix = next((p for p in _PREFIXES if typical >= p[0]), _PREFIXES[-1])
    return Axis(factor, f"{title} [{prefix}{unit}]")


def pretty(column: str, value: object) -> str:
    """`told` with the typographic unit signs that figures can show."""
    return re.sub(r"(?<= )u(?=[A-Z])|(?<= )u(?=s$)", "µ", told(column, value)).replace("m2", "m²")


def told(column: str, value: object) -> str:
    """A value of a column in engineering units, e.g. ``"3.2 mJ"``; names and plain numbers as they are.

    Of an objective that is maximised, the quantity itself: ``"12 TOPS/W"`` for -12 of ``minus_TOPS_per_W_mean``.
    """
    unit = quantity(column).unit
    if column.startswith(MINUS) and isinstance(value, float):
        value = -value
    if unit in ("J", "s", "W", "m2", "per_s", "W_per_m2", *QUANTITIES) and isinstance(value, float | int | np.number):
        return engineering(float(value), unit)
    return f"{value:.4g} {_UNITS.get(unit, unit)}".strip() if isinstance(value, float) else str(value)
