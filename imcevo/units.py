"""Units at the boundary: the code computes in SI."""

from __future__ import annotations

PJ = 1e-12
MM2 = 1e-6
CM2 = 1e-4
TERA = 1e12
OPERATIONS_PER_MAC = 2  # a multiplication and an addition, as TOPS are counted everywhere in the field

# Unit suffix of a stored key -> the unit people read, and how many of its unprefixed ones are in one of the suffix.
_SHOWN = {
    "per_s": ("/s", 1.0), "TOPS": ("OPS", TERA), "TOPS_per_W": ("OPS/W", TERA), "TOPS_per_mm2": ("OPS/mm2", TERA),
    "W_per_m2": ("W/mm2", MM2),
}  # fmt: skip

_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"),
             (1e-9, "n"), (1e-12, "p"), (1e-15, "f"), (1e-18, "a"))  # fmt: skip


def unit_suffix(key: str) -> str:
    """The unit that a stored key ends with, e.g. ``unit_suffix("power_density_W_per_m2") == "W_per_m2"``; or ""."""
    compound = next((unit for unit in sorted(_SHOWN, key=len, reverse=True) if f"_{key}".endswith(f"_{unit}")), None)
    return compound or (key.rsplit("_", 1)[-1] if "_" in key else "")


def engineering(value: float, unit: str, digits: int = 4) -> str:
    """`value` with an engineering prefix, e.g. ``engineering(3.2e-5, "J") == "32 uJ"``.

    Areas print in mm2, money and numbers without unit as they are, units of `unit_suffix` as people read
    them: ``"12 TOPS/W"``.
    """
    if unit == "USD":
        return f"{value:.{digits}g} USD"
    if unit == "m2":
        return f"{value / MM2:.{digits}g} mm2"
    if unit in _SHOWN:
        unit, scale = _SHOWN[unit]
        value *= scale
    if not unit:
        return f"{value:.{digits}g}"
    if value == 0 or value != value or value in (float("inf"), float("-inf")):
        return f"{value:g} {unit}"
    for factor, prefix in _PREFIXES:
        if abs(value) >= factor and (factor >= 1 or unit != "/s"):  # "2 m/s" would be a speed
            return f"{value / factor:.{digits}g} {prefix}{unit}"
    return f"{value:.{digits}g} {unit}"
