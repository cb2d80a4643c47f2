"""Fronts as arrays: the non-dominated set, its knee, its ends. All objectives are minimised."""

from __future__ import annotations

import moocore
import numpy as np
from numpy.typing import NDArray


def nondominated(F: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows of `F` ``[n, n_obj]`` no other row dominates; equal rows are all kept."""
    return np.asarray(moocore.is_nondominated(F, keep_weakly=True), dtype=bool)


def decades(F: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of the objectives `F` ``[n, n_obj]``: of what is maximised (all below 0), minus that of -F.

    An objective with both signs (decibels) is a logarithm already and stays.
    """
    columns = [
        np.log10(column) if (column > 0).all() else -np.log10(-column) if (column < 0).all() else column
        for column in F.T
    ]
    return np.stack(columns, axis=1)


def ends(F: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each objective the row of the front `F` ``[n, n_obj]`` that is lowest in it ``[n_obj]``.

    Of equals, the one with the smallest product of all objectives.
    """
    product = decades(F).sum(axis=1)
    return np.array([np.lexsort((product, column))[0] for column in F.T], dtype=np.intp)


def knee(F: NDArray[np.float64]) -> int:
    """Row of the front `F` ``[n, n_obj]`` where it bulges most towards the ideal point.

    With z the `decades` of the objectives, scaled to 0 .. 1 over the front, the row of the largest distance
    (1 - sum(z)) / sqrt(n_obj) from the plane sum(z) = 1, which runs through the points that are worst in one
    objective and ideal in the others; with two objectives the classical line between the ends of the front.
    I. Das, "On characterizing the knee of the Pareto curve based on normal-boundary intersection", Structural
    Optimization 18, 1999; plane form as in X. Zhang, Y. Tian, Y. Jin, "A knee point-driven evolutionary
    algorithm for many-objective optimization", IEEE TEC 19(6), 2015.
    """
    z = decades(F)
    span = np.ptp(z, axis=0)
    z = (z - z.min(axis=0)) / np.where(span > 0, span, 1.0)
    return int(np.argmin(z.sum(axis=1)))
