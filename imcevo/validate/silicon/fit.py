"""Constants fitted on measured chips: few, robust, and never on the figures that they are judged by.

A constant scales one group of a macro's parts (`silicon_model.GROUPS`; time has one). *Shared* constants hold for a
circuit family; the one of time for all, since test benches and controllers set clocks more than cells do. A chip's
*own* constants start from the shared ones of the other chips and move as far as its calibrating figures ask for, so
that one figure moves what it is made of and nothing is fitted that nobody measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from imcevo.validate.silicon.model import Predictions

# Spreads in the logarithm (a choice, not fitted): of a constant before any chip is seen; of chips around a family's
# constants; of a chip's own constants around the family's; of a chip's figures around the model with its own constants.
CONSTANT_SPREAD, FAMILY_SPREAD, CHIP_SPREAD, FIGURE_SPREAD = np.log([3.0, 2.0, 3.0, 1.05])

Array = NDArray[np.float64]


class Fitted(NamedTuple):
    """One way of setting the constants of every point, and what came out.

    Attributes:
        predicted: the model's value ``[n_points]``.
        used: points that a constant of their own chip was fitted on ``[n_points]``.
        constants: how many the figures determined (degrees of freedom; a constant that can hardly move counts little).
        figures: that they were fitted on.
    """

    predicted: Array
    used: NDArray[np.bool_]
    constants: float
    figures: int


class Constants(NamedTuple):
    """Logarithms of constants ``[n_groups]`` and the degrees of freedom that the figures took."""

    logs: Array
    freedom: float


def as_they_are(data: Predictions) -> Fitted:
    """No constant fitted."""
    return Fitted(data.terms.sum(axis=1), np.zeros(len(data.points), dtype=bool), 0, 0)


def shared_constants(data: Predictions) -> dict[str, Constants]:
    """The shared constants by family, every chip counting alike."""
    found = {}
    families = _families(data)
    for family in dict.fromkeys(families):
        rows = (families == family) & data.counted
        if rows.any():
            found[str(family)] = _shared(data, rows)
    return found


def with_shared(data: Predictions, reference: Predictions | None = None) -> Fitted:
    """Shared constants of all chips of `reference` (of the chips themselves, if None: in-sample)."""
    reference = data if reference is None else reference
    known = shared_constants(reference)
    n_groups = data.terms.shape[1]
    none = Constants(np.zeros(n_groups), 0.0)
    logs = np.array([known.get(str(family), none).logs for family in _families(data)])
    return Fitted(
        (data.terms * np.exp(logs)).sum(axis=1), np.zeros(len(data.points), dtype=bool),
        sum(constants.freedom for constants in known.values()), int(reference.counted.sum()),
    )  # fmt: skip


def leave_one_out(data: Predictions, reference: Predictions | None = None) -> Fitted:
    """Each chip by shared constants of the other chips of its family; as the model is, where it has none."""
    logs = _without_itself(data, data if reference is None else reference)
    predicted = np.array([(row * np.exp(logs[chip])).sum() for row, chip in zip(data.terms, data.chips, strict=True)])
    return Fitted(predicted, np.zeros(len(data.points), dtype=bool), 0, 0)


def with_own(data: Predictions, reference: Predictions | None = None) -> Fitted:
    """Each chip's own constants, fitted on its calibrating figures from the others' shared ones.

    Points of chips without calibrating figures are not predicted (NaN).
    """
    start = _without_itself(data, data if reference is None else reference)
    predicted = np.full(len(data.points), np.nan)
    used = data.calibrating & data.counted
    freedom = 0.0
    for chip in dict.fromkeys(data.chips):
        rows, fitted = data.of_chip(chip), data.of_chip(chip) & used
        if not fitted.any():
            continue
        weights = np.full(int(fitted.sum()), 1 / FIGURE_SPREAD)
        own = _fit(data.terms[fitted], data.measured[fitted], weights, start[chip], CHIP_SPREAD)
        predicted[rows] = (data.terms[rows] * np.exp(own.logs)).sum(axis=1)
        freedom += own.freedom
    return Fitted(predicted, used, freedom, int(used.sum()))


def _without_itself(data: Predictions, reference: Predictions) -> Mapping[str, Array]:
    """Shared constants for each chip, fitted on the other chips of its family."""
    found = {}
    for chip in dict.fromkeys(data.chips):
        family = _families(data)[data.of_chip(chip)][0]
        rows = (_families(reference) == family) & reference.counted & ~reference.of_chip(chip)
        found[chip] = _shared(reference, rows).logs if rows.any() else np.zeros(data.terms.shape[1])
    return found


def _families(data: Predictions) -> NDArray[np.object_]:
    """What shares constants ``[n_points]``: circuit families; all chips where there is one constant, of time."""
    return data.families if data.terms.shape[1] > 1 else np.full(len(data.points), "all", dtype=object)


def _shared(data: Predictions, rows: NDArray[np.bool_]) -> Constants:
    chips = data.chips[rows]
    weights = np.array([1 / (FAMILY_SPREAD * np.sqrt(np.sum(chips == chip))) for chip in chips])
    return _fit(data.terms[rows], data.measured[rows], weights, np.zeros(data.terms.shape[1]), CONSTANT_SPREAD)


def _fit(terms: Array, measured: Array, weights: Array, start: Array, spread: float) -> Constants:
    """Constants around `start`: weighted log ratios, large ones by their size and not its square (soft L1)."""
    active = np.flatnonzero((terms > 0).any(axis=0))

    def residuals(moved: Array) -> Array:
        logs = start.copy()
        logs[active] += moved
        model = (terms * np.exp(logs)).sum(axis=1)
        return np.concatenate([weights * np.log(model / measured), moved / spread])

    logs = start.copy()
    logs[active] += least_squares(residuals, np.zeros(len(active)), loss="soft_l1").x
    model = terms * np.exp(logs)
    slopes = weights[:, None] * model[:, active] / model.sum(axis=1, keepdims=True)
    curvature = slopes.T @ slopes
    freedom = np.trace(np.linalg.solve(curvature + np.eye(len(active)) / spread**2, curvature))
    return Constants(logs, float(freedom))
