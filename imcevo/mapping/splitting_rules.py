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
    if P > 1 and not sequential:
        rows = ceil_div(P, left)
        over_p = ceil_div(P, rows)
        left = floor_div(left, over_p)
    cols, over_q = 1.0, 1.0
    if Q > 1:
        cols = ceil_div(Q, left)
        over_q = ceil_div(Q, cols)
    return PixelShare(over_n * over_p * over_q, images, rows, cols)


@kernel()
def rows_touched(P: float, per_copy: float, per_slab: float, stride: float, R: float, pad: float, H: float) -> float:
    """Input rows read when P output rows are cut into copies of `per_copy` rows and these into slabs of `per_slab`.

    Every slab reads each input row under its windows once: (rows - 1)*min(stride, R) + R, without the padding; rows
    under two slabs (halo) are read twice. The same serves for columns.
    """
    touched = rows_touched_in_slabs(P, per_copy, per_slab, stride, R, pad, H)
    row = padded_cut(1.0, P, stride, R, pad, H)
    while row < P:
        touched -= padding_at_cut(row, per_copy, per_slab, stride, R, pad, H)
        row = padded_cut(row + 1.0, P, stride, R, pad, H)
    return touched


@kernel()
def rows_touched_in_slabs(
    P: float, per_copy: float, per_slab: float, stride: float, R: float, pad: float, H: float
) -> float:  # fmt: skip
    """`rows_touched` with the padding above the first slab and below the last left out, that at cuts counted."""
    whole = floor_div(P, per_copy)
    tail = P - whole * per_copy
    pieces = whole * ceil_div(per_copy, per_slab) + ceil_div(tail, per_slab)
    return (P - pieces) * min(stride, R) + pieces * R - pad - max(0.0, (P - 1) * stride - pad + R - H)


@kernel()
def padded_cut(row: float, P: float, stride: float, R: float, pad: float, H: float) -> float:
    """The first row from `row` on where a cut between slabs would leave either of them padding; P if there is none.

    A property of the layer; few kernels reach so far into the padding that there is any.
    """
    if row * stride < pad:
        return min(row, P)
    return min(P, max(row, floor_div(H + pad - R, stride) + 2.0))


@kernel()
def padding_at_cut(
    row: float, per_copy: float, per_slab: float, stride: float, R: float, pad: float, H: float
) -> float:  # fmt: skip
    """Rows of padding under the windows of the slabs that end and begin before `row`; 0 if none does."""
    in_copy = row - floor_div(row, per_copy) * per_copy
    in_slab = in_copy - floor_div(in_copy, per_slab) * per_slab
    padding = max(0.0, pad - row * stride) + max(0.0, (row - 1) * stride - pad + R - H)
    return padding if in_slab == 0.0 else 0.0
