"""Which designs of a front the model cannot tell apart, given how far it is off on chips left out of every fit."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.analysis.front_table import FrontTable
from imcevo.analysis.labels import quantity
from imcevo.analysis.run import Run
from imcevo.config import read_toml
from imcevo.errors import UserError
from imcevo.runs.launch import PROBLEM

TABLE = "model_uncertainty.csv"
PHYSICAL = "physical"  # the one profile that is compared with chips
# Objective -> the quantities it is a product of; what validation calls throughput is the time of a product.
_QUANTITIES = {
    "energy": ("energy",), "latency": ("throughput",), "area": ("area",), "EDP": ("energy", "throughput"),
    "EDAP": ("energy", "throughput", "area"), "throughput": ("throughput",), "TOPS": ("throughput",),
    "TOPS/W": ("energy",), "TOPS/mm2": ("throughput", "area"),
}  # fmt: skip

# Columns of a study's metrics -> their name in the table.
MEASURED = {"energy_J": "energy", "latency_s": "throughput", "area_m2": "area"}


@cache
def uncertainty_factors() -> Mapping[tuple[str, str], float]:
    """(quantity, compared) -> factor, as `imcevo.validate.silicon.uncertainty` computed it for the shipped chips."""
    text = (resources.files("imcevo") / "validate" / "data" / TABLE).read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {(row["quantity"], row["compared"]): float(row["factor"]) for row in rows}


def objective_factor(column: str, *, same_cell: bool) -> float:
    """Ratio up to which two values of an objective cannot be told apart; 1 where validation says nothing.

    Designs of one bit cell share the errors of its circuits, as two conditions of one chip do; others, and areas, of
    which a chip has only one, are as far apart as two chips. A product's factors add in squares of their logarithms,
    as errors of different quantities do.
    """
    return ratio_factor(_QUANTITIES.get(quantity(column).name, ()), same_cell=same_cell)


def ratio_factor(quantities: Iterable[str], *, same_cell: bool) -> float:
    """The same for the product of these `quantities` (``energy``, ``throughput``, ``area``)."""
    known = uncertainty_factors()
    logs = []
    for part in quantities:
        two_chips = known[part, "two_chips"]
        logs.append(np.log(known.get((part, "same_chip"), two_chips) if same_cell else two_chips))
    return float(np.exp(np.sqrt(np.sum(np.square(logs)))))


def value_factors() -> dict[str, float]:
    """Column -> factor within which 68 % of the predictions of left-out chips fall."""
    known = uncertainty_factors()
    return {column: known[name, "value"] for column, name in MEASURED.items()}


def cells_of(designs: pd.DataFrame) -> pd.Series:
    """The bit cells of every design in one text, those of a hybrid chip's digital tiles too; "" where none is known."""
    cells = designs["cell"].astype(str) if "cell" in designs else pd.Series("", index=designs.index)
    if "digital_cell" not in designs or "digital_groups" not in designs:
        return cells
    return cells.where(designs["digital_groups"] == 0, cells + " " + designs["digital_cell"].astype(str))


def _covered(column: str) -> bool:
    return quantity(column).name in _QUANTITIES


def profile_of(run: Run) -> str:
    """The profile that a run's problem asks for.

    Raises:
        UserError: its problem file is damaged.
    """
    path = run.path / PROBLEM
    model = read_toml(path, what="a problem file").get("model")
    profile = model.get("profile") if isinstance(model, dict) else None
    if not isinstance(profile, str):
        raise UserError("is missing", file=path, key="model.profile", allowed="the name of a profile")
    return profile


def representatives(run: FrontTable, profile: str) -> NDArray[np.int64] | None:
    """For each design of the front, the row of the design that stands for those it cannot be told apart from.

    Two designs cannot be told apart if all their objectives are within the factors (equal, where validation says
    nothing of an objective).
    The knee and the ends of the front come first, then the rest in its order; each joins the first that it cannot be
    told apart from. None for a profile whose error on chips is not known.
    """
    if profile != PHYSICAL:
        return None
    n = len(run.front)
    columns = zip(run.objectives, run.objective_values.T, strict=True)
    F = np.stack([np.log(np.abs(values)) if _covered(name) else values for name, values in columns], axis=1)
    cell = pd.factorize(cells_of(run.front))[0]
    same, other = (
        np.log([objective_factor(name, same_cell=alike) for name in run.objectives]) for alike in (True, False)
    )
    stands: NDArray[np.int64] = np.full(n, -1, dtype=np.int64)
    for row in dict.fromkeys([*run.remarkable.values(), *range(n)]):
        if stands[row] < 0:
            limits = np.where((cell == cell[row])[:, None], same, other)
            stands[(np.abs(F - F[row]) <= limits).all(axis=1) & (stands < 0)] = row
            stands[row] = row
    return stands
