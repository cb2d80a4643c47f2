"""The closed space of mappings of one layer on one design (compiled): choices relative to the hardware.

A mapping is a row of small whole numbers, the same for genome and exact mapper; `decode` turns it into factors that
fit. Every mesh serves the reduction first, then outputs, groups and pixels; a choice says which share of the mesh, on
a logarithmic scale, a dimension may take. All shares at their largest are the greedy filling. The whole story is in
``docs/reference/mapping.md``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.factors import KVM, MVK, ORDERS, VMK
from imcevo.mapping.greedy import most_packed, order_in_time, outputs_per_array
from imcevo.mapping.kernel_records import Record
from imcevo.mapping.splitting_rules import balanced, ceil_div, floor_div, share_pixels
from imcevo.portable.elementary import exp2, power

FEWEST_FOLDS, EVEN_ROWS = 1, 0
# Choice e of E lets a dimension take mesh^(e/E); pixels get nothing or all that is left.
SHARES, PIXEL_SHARES, PACK_SHARES, SLAB_SHARES = 2, 1, 3, 4
AS_GREEDY = len(ORDERS)  # the last `order`: loop order and slabs by the greedy rule

# A resident layer's claim to tiles left over, against the greedy rule's: 2^((copies - NEUTRAL_COPIES) / 2).
NEUTRAL_COPIES = 8

MESHES, DIMENSIONS = ("macro", "tile", "group"), "kmgv"
N_SPLITS = len(MESHES) * len(DIMENSIONS)
K, M, G, V = range(len(DIMENSIONS))

# Name -> largest value; the smallest is 0.
CHOICES: dict[str, int] = {
    "rows": FEWEST_FOLDS,
    "pack": PACK_SHARES,
    **{f"{mesh}_{name}": PIXEL_SHARES if name == "v" else SHARES for mesh in MESHES for name in DIMENSIONS},
    "order": AS_GREEDY,
    "slabs": SLAB_SHARES,
    "copies": 2 * NEUTRAL_COPIES,
}
FIRST_SPLIT, ORDER, SLABS, COPIES = 2, 2 + N_SPLITS, 3 + N_SPLITS, 4 + N_SPLITS


@kernel()
def share(whole: float, e: int, of: int) -> int:
    """floor(whole^(e/of)), at least 1: the share e of `of` of a mesh on a logarithmic scale."""
    return max(1, int(power(float(whole), e / of) + 1e-9))


@kernel()
def mesh_shares(chip: Record, shares: NDArray[np.int64]) -> None:
    """What share e of each mesh is, into `shares` ``[3, SHARES + 1]``."""
    for e in range(SHARES + 1):
        shares[0, e] = share(chip.macros_per_tile, e, SHARES)
        shares[1, e] = share(chip.tiles_per_group, e, SHARES)
        shares[2, e] = share(chip.router_groups, e, SHARES)


@kernel()
def fill_rows_and_columns(layer: Record, chip: Record, pack: int, f: Record) -> None:
    """The array: as many rows and columns as it has, a share of the groups that fit."""
    f.pack_g = balanced(layer.G, share(most_packed(layer, chip), pack, PACK_SHARES))
    f.rows_k = balanced(layer.K, chip.rows)
    f.cols_m = balanced(layer.M, outputs_per_array(layer, chip))


@kernel()
def set_splits(values: NDArray[np.int64], f: Record) -> None:
    """The factors of the three meshes from ``[N_SPLITS]`` values."""
    f.macro_k, f.macro_m, f.macro_g, f.macro_v = values[0], values[1], values[2], values[3]
    f.tile_k, f.tile_m, f.tile_g, f.tile_v = values[4], values[5], values[6], values[7]
    f.group_k, f.group_m, f.group_g, f.group_v = values[8], values[9], values[10], values[11]


@kernel()
def even_rows(layer: Record, f: Record) -> None:
    """Spread the reduction evenly over the macros it has, in as few rounds as full arrays need."""
    rounds = ceil_div(ceil_div(layer.K, f.rows_k), f.macro_k)
    f.rows_k = ceil_div(layer.K, f.macro_k * rounds)
    f.macro_k = balanced(ceil_div(layer.K, f.rows_k), f.macro_k)


@kernel(inline=False)
def decode(
    layer: Record, chip: Record, shares: NDArray[np.int64], choice: NDArray[np.uint8], stays: bool, f: Record
) -> None:  # fmt: skip
    """The factors that a row of `CHOICES` means on a design.

    Args:
        shares: of this design, by `mesh_shares`.
        choice: ``[len(CHOICES)]``.
        stays: the weights stay on chip: groups and copies are placed afterwards.
    """
    fill_rows_and_columns(layer, chip, choice[1], f)
    values, rest = np.empty(N_SPLITS, np.int64), np.empty(len(DIMENSIONS), np.int64)
    first_rest(layer, f, choice[0], rest)
    for mesh in range(len(MESHES)):
        left = shares[mesh, SHARES]
        for d in range(len(DIMENSIONS)):
            e = choice[FIRST_SPLIT + 4 * mesh + d]
            taken = balanced(rest[d], min(left, shares[mesh, e if d < V else e * (SHARES // PIXEL_SHARES)]))
            values[4 * mesh + d] = taken
            rest[d] = ceil_div(ceil_div(layer.K, f.rows_k) if mesh == 0 and d == K else rest[d], taken)
            left = floor_div(left, taken)
    set_splits(values, f)
    if choice[0] == EVEN_ROWS and f.pack_g == 1:
        even_rows(layer, f)
    if stays:
        f.tile_v, f.order, f.slabs = 1, 0, 1
        return
    set_time(layer, chip, choice[ORDER], choice[SLABS], f)


@kernel()
def first_rest(layer: Record, f: Record, rows: int, rest: NDArray[np.int64]) -> None:
    """What there is to split before the first mesh ``[4]``: folds, or single reduction elements if rows are even."""
    rest[K] = layer.K if rows == EVEN_ROWS and f.pack_g == 1 else ceil_div(layer.K, f.rows_k)
    rest[M], rest[G], rest[V] = ceil_div(layer.M, f.cols_m), ceil_div(layer.G, f.pack_g), layer.max_copies


@kernel()
def rounds_of_reduction(layer: Record, f: Record) -> bool:
    """Whether a layer works in several rounds over the reduction."""
    return ceil_div(layer.K, f.rows_k * f.macro_k) > f.tile_k * f.group_k


@kernel()
def rounds_of_outputs(layer: Record, f: Record) -> bool:
    """Whether a layer works in several rounds over the outputs."""
    return ceil_div(layer.M, f.cols_m * f.macro_m) > f.tile_m * f.group_m


@kernel()
def rounds_change_weights(layer: Record, f: Record) -> bool:
    """Whether a layer works in several rounds over reduction or outputs, so that order and slabs matter."""
    return rounds_of_reduction(layer, f) or rounds_of_outputs(layer, f)


@kernel()
def rows_of_a_copy(layer: Record, f: Record) -> float:
    """Output rows of one copy of the weights."""
    copies = f.macro_v * f.tile_v * f.group_v
    return share_pixels(layer.N, layer.P, layer.Q, layer.sequential, copies).rows


@kernel(inline=False)
def set_time(layer: Record, chip: Record, order: int, slabs: int, f: Record) -> None:
    """Loop order and slabs. A recurrent step needs the whole output of the one before, in whatever order is legal."""
    f.order, f.slabs = 0, 1
    if not rounds_change_weights(layer, f):
        return
    if order == AS_GREEDY:
        order_in_time(layer, chip, f)
    elif layer.sequential:
        f.order, f.slabs = order % 2, layer.P
    else:
        rows = rows_of_a_copy(layer, f)
        f.order, f.slabs = order, balanced(rows, share(rows, slabs, SLAB_SHARES))


TIME_CHOICES = 1 + len(ORDERS) * (SLAB_SHARES + 1)


@kernel()
def try_time(layer: Record, chip: Record, index: int, f: Record) -> bool:
    """Set loop order and slabs to number `index` of TIME_CHOICES; False if an earlier number means the same."""
    if index == 0:
        set_time(layer, chip, AS_GREEDY, 0, f)
        return True
    slabs, order = (index - 1) // len(ORDERS), (index - 1) % len(ORDERS)
    over_k, over_m = rounds_of_reduction(layer, f), rounds_of_outputs(layer, f)
    if not (over_k or over_m) or (layer.sequential and (slabs > 0 or order > 1)):
        return False
    if not layer.sequential and not (over_k and over_m) and order != VMK and order != (MVK if over_m else KVM):
        return False  # with one of the two loops, only whether it runs inside or outside of the slabs
    if slabs > 0:
        set_time(layer, chip, order, slabs - 1, f)
        before = f.slabs
        set_time(layer, chip, order, slabs, f)
        return f.slabs != before
    set_time(layer, chip, order, 0, f)
    return order < 2 or layer.N > 1  # with one slab, only whether outputs or reduction come first


# Where weights stay on chip: macros and tiles of a group are split, groups are taken as needed, then come copies.
RESIDENT_SPLITS = 7


@kernel()
def copies_step(step: int) -> int:
    """1, 2, 3, 4, 6, 8, 11, ...: numbers of copies, half an octave apart."""
    return int(exp2(0.5 * step) + 0.5)

