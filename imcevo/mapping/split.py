"""Splitting rules of whole numbers shared by mappers and counting kernels (compiled).

Whole numbers are divided as float64, which is exact below 2^53: compiled integer division takes two checks, two
branches and a correction of the sign, and its result would be converted to float64 anyway.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from imcevo.kernels import kernel


@kernel()
def ceil_div(a: float, b: float) -> float:
    """ceil(a / b) of positive whole numbers."""
    return np.ceil(a / b)


@kernel()
def floor_div(a: float, b: float) -> float:
    """floor(a / b) of positive whole numbers."""
    return np.floor(a / b)


@kernel()
def balanced(size: float, capacity: float) -> float:
    """ceil(size / ceil(size / capacity)): the smallest factor that needs no more rounds than `capacity` would.

    The rounds it needs are ceil(size / capacity): f(x) = ceil(size / x) is a Galois connection with itself, f f f = f.
    """
    return ceil_div(size, ceil_div(size, capacity))


class PixelShare(NamedTuple):
    """How copies of the weights share the vectors, all whole numbers.

    Attributes:
        copies: that have work.
        images, rows, cols: of one copy, at most.
    """

    copies: float
    images: float
    rows: float
    cols: float


@kernel()
def share_pixels(N: float, P: float, Q: float, sequential: int, copies: float) -> PixelShare:
    """How `copies` duplicates of the weights share the vectors: over images first, then output rows, then columns.

    Recurrent steps (`sequential`) depend on one another, so P is not shared.
    """
    images, over_n, left = 1.0, 1.0, 1.0 * copies
    if N > 1:
        images = ceil_div(N, copies)
        over_n = ceil_div(N, images)
        left = floor_div(copies, over_n)
    rows, over_p = 1.0 * P, 1.0
    if not sequential:
        rows = ceil_div(P, left)
        over_p = ceil_div(P, rows)
        left = floor_div(left, over_p)
    cols = ceil_div(Q, left)
    return PixelShare(over_n * over_p * ceil_div(Q, cols), images, rows, cols)


@kernel()
def rows_touched(P: float, per_copy: float, per_slab: float, stride: float, R: float, pad: float, H: float) -> float:
    """Input rows read when P output rows are cut into copies of `per_copy` rows and these into slabs of `per_slab`.

    Every slab reads each input row under its windows once: (rows - 1)*min(stride, R) + R, without the padding; rows
    under two slabs (halo) are read twice. The same serves for columns.
    """
    whole = floor_div(P, per_copy)
    tail = P - whole * per_copy
    pieces = whole * ceil_div(per_copy, per_slab) + ceil_div(tail, per_slab)
    touched = (P - pieces) * min(stride, R) + pieces * R
    start, copy_end = 0.0, 1.0 * per_copy
    while start < P and start * stride < pad:  # slabs that reach into the padding above
        touched -= pad - start * stride
        start = min(start + per_slab, copy_end)
        if start == copy_end:
            copy_end += per_copy
    end = 1.0 * P
    copy_start = P - tail if tail > 0 else P - 1.0 * per_copy
    beyond = (end - 1) * stride - pad + R - H
    while beyond > 0 and end > 0:  # slabs that reach into the padding below
        touched -= beyond
        end = copy_start + floor_div(end - 1 - copy_start, per_slab) * per_slab
        if end == copy_start:
            copy_start -= per_copy
        beyond = (end - 1) * stride - pad + R - H
    return touched
