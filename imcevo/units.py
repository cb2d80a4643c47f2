"""Units at the boundary: the code computes in SI."""

from __future__ import annotations

PJ = 1e-12
MM2 = 1e-6
CM2 = 1e-4

_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"),
             (1e-9, "n"), (1e-12, "p"), (1e-15, "f"), (1e-18, "a"))  # fmt: skip


def engineering(value: float, unit: str, digits: int = 4) -> str:
    """`value` with an engineering prefix, e.g. ``engineering(3.2e-5, "J") == "32 uJ"``.

    Areas print in mm2, numbers without unit as they are.
    """
    if unit == "m2":
        return f"{value / MM2:.{digits}g} mm2"
    if not unit:
        return f"{value:.{digits}g}"
    if value == 0 or value != value or value in (float("inf"), float("-inf")):
        return f"{value:g} {unit}"
    for factor, prefix in _PREFIXES:
        if abs(value) >= factor:
            return f"{value / factor:.{digits}g} {prefix}{unit}"
    return f"{value:.{digits}g} {unit}"
