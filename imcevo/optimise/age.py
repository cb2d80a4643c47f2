"""Who survives in AGE-MOEA-II: A. Panichella, "An improved Pareto front modeling algorithm for large-scale
many-objective optimization", GECCO 2022.

The rules are those of pymoo's survival, which compiles its distances for the processor at hand and lets LLVM reorder
and contract them (numba's fastmath), solves by BLAS and breaks ties as an unstable sort leaves them, so that equal
searches end differently on other processors and under other versions. Here all of it is the same bits everywhere, and
ties are drawn.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import moocore
import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.optimise.ranking import Survivors
from imcevo.portable.arrays import exp, log, row_sums, solved
from imcevo.portable.elementary import power

_OFF_AXIS = 1e-6  # of the directions whose nearest points are the corners
_LEAST = 1e-8  # of lengths and distances that are divided by
_DIGITS = 12  # to which objectives of the first front are rounded
_NEWTON_STEPS, _PRECISION = 100, 1e-3


class _Shape(NamedTuple):
    """A first front as the unit sphere of the p-norm.

    Attributes:
        ideal, extent: what its points are moved and divided by ``[n_obj]``.
        p: of the norm; 1 a plane, above convex towards the reference, below towards the ideal point.
    """

    ideal: NDArray[np.float64]
    extent: NDArray[np.float64]
    p: float


def age_survivors(F: NDArray[np.float64], n: int, rng: np.random.Generator) -> Survivors:
    """The best `n` rows of `F` ``[n_designs, n_obj]`` by non-domination rank, then diversity and proximity; ties are
    drawn."""
    rank = np.asarray(moocore.pareto_rank(F), dtype=np.int64)
    score = np.zeros(len(F))
    first = rank == 0
    score[first], shape = _first_front(np.round(F[first], _DIGITS))
    others = (rank > 0) & (rank < np.sort(rank)[n - 1])  # of the front that fits in part, any
    if others.any():
        lengths = np.empty(int(np.count_nonzero(others)))
        _lengths(np.abs(F[others] / shape.extent - shape.ideal), shape.p, lengths)
        score[others] = 1.0 / np.maximum(lengths, _LEAST)
    kept = np.lexsort((rng.random(len(F)), -score, rank))[:n]
    return Survivors(kept, rank[kept], score[kept])


def _first_front(front: NDArray[np.float64]) -> tuple[NDArray[np.float64], _Shape]:
    """Score of every point of the first front ``[n]``, infinite at its corners, and the front's shape."""
    ideal = front.min(axis=0)
    moved = front - ideal
    n, n_obj = moved.shape
    if n < n_obj:
        return np.zeros(n), _Shape(ideal, _positive(moved.max(axis=0)), 1.0)
    corners = _corners(moved)
    plane = solved(moved[corners], np.ones(n_obj))
    if plane is None or not (np.isfinite(plane) & (plane > 0)).all():
        extent = moved.max(axis=0)
    else:
        extent = 1.0 / plane
    extent = _positive(extent)
    scaled = np.ascontiguousarray(moved / extent)
    length = row_sums(scaled**2)
    length[corners] = np.inf
    p = _norm_through(scaled[int(length.argmin())])
    score = np.zeros(n)
    score[corners] = np.inf
    _spread(scaled, p, corners, score)
    return score, _Shape(ideal, extent, p)


def _positive(extent: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where((extent > 0) & np.isfinite(extent), extent, 1.0)


def _corners(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """The point nearest to each axis ``[n_obj]``, each only once."""
    n_obj = points.shape[1]
    found: list[int] = []
    for axis in range(n_obj):
        direction = np.full(n_obj, _OFF_AXIS)
        direction[axis] += 1.0
        along = row_sums(points * direction) / row_sums(direction**2)
        distance = row_sums((points - along[:, None] * direction) ** 2)
        distance[found] = np.inf
        found.append(int(distance.argmin()))
    return np.array(found, dtype=np.intp)


def _norm_through(point: NDArray[np.float64]) -> float:
    """p of the norm in which the length of `point` ``[n_obj]`` is 1, between .1 and 20; 1 where there is none.

    Newton's method on ln sum_j x_j^p = 0.
    """
    logs = np.asarray(log(point[point > 0] + 1e-10))
    p = 1.0
    for _ in range(_NEWTON_STEPS):
        terms = np.asarray(exp(p * logs))
        total, slope = float(row_sums(terms)), float(row_sums(terms * logs))
        if not (0.0 < total < np.inf) or slope == 0.0 or not np.isfinite(slope):
            return 1.0
        before, p = p, p - float(log(total)) * total / slope
        if abs(p - before) <= _PRECISION:
            break
    return 1.0 if not p > 0.1 else min(p, 20.0)


@kernel()
def _length(point: NDArray[np.float64], p: float) -> float:
    """(sum_j x_j^p)^(1/p) of the positive coordinates."""
    total = 0.0
    for x in point:
        if x > 0.0:
            total += power(x, p)
    return power(total, 1.0 / p)


@kernel(entry=True)
def _lengths(points: NDArray[np.float64], p: float, lengths: NDArray[np.float64]) -> None:
    for i in range(len(points)):
        lengths[i] = _length(points[i], p)


@kernel()
def _distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    total = 0.0
    for j in range(len(a)):
        total += (a[j] - b[j]) * (a[j] - b[j])
    return sqrt(total)


@kernel()
def _along_front(a: NDArray[np.float64], b: NDArray[np.float64], p: float, middle: NDArray[np.float64]) -> float:
    """Distance of two points of the unit sphere: straight where it is a plane, else by way of its point between."""
    if 0.95 < p < 1.05:
        return _distance(a, b)
    middle[:] = 0.5 * a + 0.5 * b
    length = _length(middle, p)
    if length > 0.0:
        middle /= length
    return _distance(a, middle) + _distance(b, middle)


@kernel(entry=True)
def _spread(points: NDArray[np.float64], p: float, corners: NDArray[np.intp], score: NDArray[np.float64]) -> None:
    """Scores of all points but the corners: of those left, the one farthest from its two nearest among those taken is
    taken next; that sum, of each distance over the other's length, is its score."""
    n, n_obj = points.shape
    length, on_sphere, middle = np.empty(n), np.zeros((n, n_obj)), np.empty(n_obj)
    for i in range(n):
        length[i] = _length(points[i], p)
        if length[i] > 0.0:
            on_sphere[i] = points[i] / length[i]
        length[i] = length[i] if length[i] >= _LEAST else 1.0
    nearest, second, left = np.full(n, np.inf), np.full(n, np.inf), np.ones(n, np.bool_)
    for corner in corners:
        left[corner] = False
    latest = 0
    for taken in range(n):
        if taken >= len(corners):
            latest, best = -1, -1.0
            for i in range(n):
                if left[i]:
                    both = nearest[i] if second[i] == np.inf else nearest[i] + second[i]
                    if both > best:
                        latest, best = i, both
            left[latest] = False
            score[latest] = best
        else:
            latest = corners[taken]
        for i in range(n):
            if left[i]:
                distance = max(_along_front(on_sphere[i], on_sphere[latest], p, middle), _LEAST) / length[latest]
                if distance < nearest[i]:
                    nearest[i], second[i] = distance, nearest[i]
                elif distance < second[i]:
                    second[i] = distance
