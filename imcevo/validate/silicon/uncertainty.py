"""How far the model can tell designs apart: factors from chips that no constant was fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

TABLE = "model_uncertainty.csv"  # package data, read by `imcevo front`
COLUMNS = ("quantity", "compared", "factor", "chips", "differences")
_COVERAGE = 0.68


def model_uncertainty(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Factors within which two thirds (68 %) of the comparisons come out, from leave-one-chip-out errors.

    Rows of `COLUMNS`, by quantity: ``value`` (one number against silicon); ratios of two numbers, of which shared
    errors cancel: ``same_chip`` (two conditions of one chip; two thirds of the pairs of two thirds of the chips),
    ``two_chips``, and among those ``same_family`` and ``other_family``. The error of a chip is the median of
    ln(model / measured) over its figures of the whole macro.

    Args:
        points: of the report of `imcevo.validate.silicon.compare.validate_silicon`.
    """
    rows = []
    for quantity in dict.fromkeys(point["quantity"] for point in points):
        logs: dict[tuple[str, str], list[float]] = {}
        for point in points:
            if point["quantity"] == quantity and point["excluded"] is None and point["of"] == "macro":
                ratio = point["ratio"]["leave_one_out"]
                logs.setdefault((point["chip"], point["family"]), []).append(float(np.log(ratio)))
        errors = {chip: float(np.median(values)) for chip, values in logs.items()}
        inside = [[abs(e - f) for e, f in combinations(values, 2)] for values in logs.values() if len(values) > 1]
        apart: dict[str, list[float]] = {"value": [abs(e) for e in errors.values()]}
        if inside:
            apart["same_chip"] = [float(np.quantile(sizes, _COVERAGE)) for sizes in inside]
        for (one, e), (other, f) in combinations(errors.items(), 2):
            for compared in ("two_chips", "same_family" if one[1] == other[1] else "other_family"):
                apart.setdefault(compared, []).append(abs(e - f))
        for compared, sizes in apart.items():
            factor = float(np.exp(np.quantile(sizes, _COVERAGE)))
            rows.append(dict(zip(COLUMNS, (quantity, compared, factor, len(errors), len(sizes)), strict=True)))
    return rows
