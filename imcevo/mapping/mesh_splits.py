"""Every distinct split of a layer over the meshes of a chip, one after the other (compiled)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.kernel_records import Record
from imcevo.mapping.space import (
    DIMENSIONS,
    EVEN_ROWS,
    FEWEST_FOLDS,
    N_SPLITS,
    PACK_SHARES,
    PIXEL_SHARES,
    SHARES,
    V,
    even_rows,
    fill_rows_and_columns,
    first_rest,
    set_splits,
)
from imcevo.mapping.splitting_rules import balanced, ceil_div, floor_div

ARRAY_FILLINGS = (PACK_SHARES + 1) * 2  # how groups are packed, and whether rows are full or even

# Where a walk through the splits of one filling of the arrays stands: that filling (rows of a full array, whether rows
# are even), the depth to go on at, the first one decided last, the choice tried at each depth, the factor it gave, and
# before each depth what is left of the four dimensions and of the mesh, and over how many tiles each dimension goes.
WALK_DTYPE = np.dtype([
    ("full_rows", np.int64), ("rows", np.int64), ("depth", np.int64), ("first", np.int64), ("depths", np.int64),
    ("folds_k", np.int64), ("choice", np.int64, (N_SPLITS,)), ("value", np.float64, (N_SPLITS,)),
    ("rest", np.float64, (N_SPLITS + 1, len(DIMENSIONS))), ("left", np.float64, (N_SPLITS + 1,)),
    ("over", np.float64, (N_SPLITS + 1, len(DIMENSIONS))),
])  # fmt: skip


@kernel(inline=False)
def start_walk(
    layer: Record, chip: Record, filling: int, depths: int, shares: NDArray[np.int64], walk: Record, f: Record
) -> bool:  # fmt: skip
    """Fill the arrays in way `filling` of ARRAY_FILLINGS, and begin before the first of `depths` choices.

    Returns:
        False if an earlier filling means the same.
    """
    pack = PACK_SHARES - filling // 2
    walk.rows = EVEN_ROWS if filling % 2 else FEWEST_FOLDS
    before = 0
    if pack < PACK_SHARES:
        fill_rows_and_columns(layer, chip, pack + 1, f)
        before = f.pack_g
    fill_rows_and_columns(layer, chip, pack, f)
    if f.pack_g == before or (f.pack_g > 1 and walk.rows == EVEN_ROWS):
        return False
    walk.full_rows = f.rows_k
    first_rest(layer, f, walk.rows, walk.rest[0])
    walk.depth, walk.depths, walk.folds_k = 0, depths, ceil_div(layer.K, f.rows_k)
    walk.choice[0], walk.value[0] = SHARES + 1, 0
    walk.left[0] = shares[0, SHARES]
    for d in range(len(DIMENSIONS)):
        walk.over[0, d] = 1.0
    return True


@kernel()
def set_walked(layer: Record, values: NDArray[np.int64], walk: Record, f: Record) -> None:
    """The factors of a walk's arrays split by `values` ``[N_SPLITS]``."""
    f.rows_k = walk.full_rows
    set_splits(values, f)
    if walk.rows == EVEN_ROWS:
        even_rows(layer, f)


@kernel(inline=False)
def next_split(walk: Record, shares: NDArray[np.int64]) -> int:
    """Go on to the next factor that differs from its neighbour, the largest share first, depth first, and through
    all depths below that leave no choice.

    Returns:
        The last depth decided, ``walk.depths - 1`` when the split is complete; -1 at the end. ``walk.first`` is the
        first one; to leave out all splits that share it, call `leave_out`.
    """
    while walk.depth >= 0:
        at = walk.depth
        mesh, d = at // len(DIMENSIONS), at % len(DIMENSIONS)
        walk.choice[at] -= SHARES // PIXEL_SHARES if d == V else 1
        if walk.choice[at] < 0:
            walk.depth -= 1
            continue
        taken = _taken(walk.rest[at, d], min(walk.left[at], shares[mesh, walk.choice[at]]))
        if taken == walk.value[at]:
            continue
        walk.first = at
        _decide(walk, shares, at, taken)
        while at + 1 < walk.depths:
            at += 1
            d = at % len(DIMENSIONS)
            if walk.rest[at, d] > 1 and walk.left[at] > 1:
                walk.choice[at] = SHARES + (SHARES // PIXEL_SHARES if d == V else 1)
                walk.value[at] = 0
                walk.depth = at
                return at - 1
            walk.choice[at] = 0
            _decide(walk, shares, at, 1)
        walk.depth = at
        return at
    return -1


@kernel()
def leave_out(walk: Record) -> None:
    """Go on with the next factor at the first depth that was decided last."""
    walk.depth = walk.first


@kernel()
def _taken(size: float, capacity: float) -> float:
    return size if size <= capacity else balanced(size, capacity)


@kernel()
def _decide(walk: Record, shares: NDArray[np.int64], at: int, taken: float) -> None:
    """The factor at a depth, and what it leaves to those below."""
    d = at % len(DIMENSIONS)
    walk.value[at] = taken
    for other in range(len(DIMENSIONS)):
        walk.rest[at + 1, other] = walk.rest[at, other]
        walk.over[at + 1, other] = walk.over[at, other]
    if at > V:
        walk.over[at + 1, d] *= taken
    if taken > 1 or at == 0:
        walk.rest[at + 1, d] = ceil_div(walk.folds_k if at == 0 else walk.rest[at, d], taken)
    if d < V:
        walk.left[at + 1] = floor_div(walk.left[at], taken) if taken > 1 else walk.left[at]
    else:
        walk.left[at + 1] = shares[at // len(DIMENSIONS) + 1, SHARES] if at + 1 < N_SPLITS else 1
