"""Every distinct split of a layer over the meshes of a chip, one after the other (compiled)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.records import Record
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
from imcevo.mapping.split import balanced, ceil_div, floor_div

ARRAY_FILLINGS = (PACK_SHARES + 1) * 2  # how groups are packed, and whether rows are full or even

# Where a walk through the splits of one filling of the arrays stands: that filling (rows of a full array, whether rows
# are even), the choice tried at each depth, the factor it gave, and what is left before each depth of the four
# dimensions and of the mesh.
WALK_DTYPE = np.dtype([
    ("full_rows", np.int64), ("rows", np.int64), ("depth", np.int64), ("depths", np.int64), ("folds_k", np.int64),
    ("choice", np.int64, (N_SPLITS,)), ("value", np.int64, (N_SPLITS,)),
    ("rest", np.int64, (N_SPLITS + 1, len(DIMENSIONS))), ("left", np.int64, (N_SPLITS + 1,)),
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
    """Go on to the next factor that differs from its neighbour, the largest share first, depth first.

    Returns:
        The depth just decided, ``walk.depths - 1`` when the split is complete; -1 at the end. To leave out all splits
        below a depth, set ``walk.depth`` back to it.
    """
    while walk.depth >= 0:
        at = walk.depth
        mesh, d = at // len(DIMENSIONS), at % len(DIMENSIONS)
        walk.choice[at] -= SHARES // PIXEL_SHARES if d == V else 1
        if walk.choice[at] < 0:
            walk.depth -= 1
            continue
        taken = balanced(walk.rest[at, d], min(walk.left[at], shares[mesh, walk.choice[at]]))
        if taken == walk.value[at]:
            continue
        walk.value[at] = taken
        if at + 1 == walk.depths:
            return at
        for other in range(len(DIMENSIONS)):
            walk.rest[at + 1, other] = walk.rest[at, other]
        walk.rest[at + 1, d] = ceil_div(walk.folds_k if at == 0 else walk.rest[at, d], taken)
        walk.left[at + 1] = shares[mesh + 1, SHARES] if d == V else floor_div(walk.left[at], taken)
        walk.choice[at + 1] = SHARES + (SHARES // PIXEL_SHARES if (at + 1) % len(DIMENSIONS) == V else 1)
        walk.value[at + 1] = 0
        walk.depth = at + 1
        return at
    return -1


