"""Whether a chip can be printed as one die: a warning of every output that shows areas."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from imcevo.config import load_model
from imcevo.technology.load import DATA
from imcevo.technology.manufacturing import Manufacturing
from imcevo.units import MM2


@cache
def exposure_field_m2() -> float:
    """The largest die that one exposure prints (`manufacturing.toml`), m2."""
    return load_model(DATA / "manufacturing.toml", Manufacturing, what="manufacturing data").exposure_field.si


def too_large_for_one_die(area_m2: ArrayLike) -> str | None:
    """A sentence where chips of these areas ``[n_designs]`` are larger than one exposure field; None where none is."""
    areas = np.atleast_1d(np.asarray(area_m2, dtype=np.float64))
    larger = areas[areas > exposure_field_m2()]
    if len(larger) == 0:
        return None
    field, largest = (f"{area / MM2:,.0f} mm2" for area in (exposure_field_m2(), larger.max()))
    if len(areas) == 1:
        return f"the chip's {largest} are more than one exposure field ({field}): no single die"
    return (
        f"{len(larger)} of {len(areas)} designs are larger than one exposure field ({field}), up to {largest}: "
        "no single die; constraints.area_m2 excludes them"
    )
