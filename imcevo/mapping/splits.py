"""Every distinct split of a layer over the meshes of a chip, one after the other (compiled)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.records import Record
from imcevo.mapping.space import DIMENSIONS, N_SPLITS, PIXEL_SHARES, SHARES, V
from imcevo.mapping.split import balanced, ceil_div, floor_div

# Where a walk through the splits stands: the choice tried at each depth, the factor it gave, and what is left before
# each depth of the four dimensions and of the mesh.
WALK_DTYPE = np.dtype([
    ("depth", np.int64), ("depths", np.int64), ("folds_k", np.int64),
    ("choice", np.int64, (N_SPLITS,)), ("value", np.int64, (N_SPLITS,)),
    ("rest", np.int64, (N_SPLITS + 1, len(DIMENSIONS))), ("left", np.int64, (N_SPLITS + 1,)),
])  # fmt: skip


@kernel()
def start_walk(walk: Record, depths: int, shares: NDArray[np.int64], rest: NDArray[np.int64], folds_k: float) -> None:
    """Begin before the first of `depths` choices, with `rest` ``[4]`` to split; full arrays have `folds_k` folds."""
    walk.depth, walk.depths, walk.folds_k = 0, depths, folds_k
    walk.choice[0], walk.value[0] = SHARES + 1, 0
    walk.left[0] = shares[0, SHARES]
    for d in range(len(DIMENSIONS)):
        walk.rest[0, d] = rest[d]


@kernel()
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


