"""A mapping's factors resolved into folds, rounds and pixel pieces of one layer (compiled)."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.factors import KMV, KVM, MKV, MVK, ON_ARRAYS, VKM
from imcevo.mapping.kernel_records import Record, Records
from imcevo.mapping.splitting_rules import ceil_div, floor_div, share_pixels
from imcevo.workload.table import MATRIX


class Loops(NamedTuple):
    """One matrix layer on the arrays of one design, all whole numbers.

    Attributes:
        slices, input_cycles: weight slices Y; input cycles per vector.
        row_steps: reads of the fullest array in one input cycle.
        sensed: how often the columns of one output are sensed per input cycle, averaged over groups: once per row step
            of every array they are in, also where only rows of other packed groups are on.
        folds_k, folds_m: array-sized pieces of the reduction and the outputs (per group).
        tile_folds_k, tile_folds_m: the same in tile-sized pieces.
        space_m: tile-sized output pieces worked on at once.
        time_k, time_m, time_g: rounds left to time.
        copies: duplicates of the weights that have work.
        tile_copies: tiles over which they are spread.
        rows_per_copy, cols_per_copy, slab_rows: output rows and columns of one copy; rows of one slab of it.
        v_loop: slabs in time.
        steps: vectors that one copy processes per round.
        tile_k, tile_groups: reduction elements per group, and groups, that one tile holds.
        diagonal: groups per array, averaged over groups: a packed array is diagonal, the rest of its cells is empty.
        m_in_k, v_in_m, v_in_k: whether the first loop runs inside the second.
        weights_reload: whether a slab loop runs outside a loop that changes the weights.
    """

    slices: float
    input_cycles: float
    row_steps: float
    sensed: float
    folds_k: float
    folds_m: float
    tile_folds_k: float
    tile_folds_m: float
    space_m: float
    time_k: float
    time_m: float
    time_g: float
    copies: float
    tile_copies: float
    rows_per_copy: float
    cols_per_copy: float
    slab_rows: float
    v_loop: float
    steps: float
    tile_k: float
    tile_groups: float
    diagonal: float
    m_in_k: bool
    v_in_m: bool
    v_in_k: bool
    weights_reload: bool


class Packing(NamedTuple):
    """How arrays are read and groups are spread, as of `Loops`."""

    row_steps: float
    sensed: float
    diagonal: float
    time_g: float


class Pixels(NamedTuple):
    """How output pixels are spread over copies and slabs, as of `Loops`; `images` of one copy."""

    copies: float
    images: float
    rows_per_copy: float
    cols_per_copy: float
    slab_rows: float
    v_loop: float


@kernel(inner=True)
def resolve(layer: Record, chip: Record, f: Record) -> Loops:
    """The loops of a layer on a design under the factors `f`."""
    slices, input_cycles = ceil_div(layer.second_bits, chip.bits_per_cell), ceil_div(layer.input_bits, chip.dac_bits)
    return loops_of(layer, f, slices, input_cycles, packing_of(layer, chip, f, layer.G == 1), pixels_of(layer, f))


@kernel(inner=True)
def packing_of(layer: Record, chip: Record, f: Record, one_group: bool) -> Packing:
    """The part of `resolve` that is short work where there is but one group."""
    row_steps, _, sensed = _reads(layer, chip.rows_active, f, ceil_div(layer.K, f.rows_k), one_group)
    if one_group:
        return Packing(row_steps, sensed, 1.0, 1.0)
    last = layer.G - floor_div(layer.G, f.pack_g) * f.pack_g
    diagonal = ((layer.G - last) * f.pack_g + last * last) / layer.G
    return Packing(row_steps, sensed, diagonal, ceil_div(layer.G, f.pack_g * f.macro_g * f.tile_g * f.group_g))


@kernel(inner=True)
def pixels_of(layer: Record, f: Record) -> Pixels:
    """The part of `resolve` that says who works on which pixels."""
    share = share_pixels(layer.N, layer.P, layer.Q, layer.sequential, f.macro_v * f.tile_v * f.group_v)
    slab_rows, slabs = share.rows, 1.0
    if f.slabs > 1:
        slab_rows = ceil_div(share.rows, f.slabs)
        slabs = ceil_div(share.rows, slab_rows)
    return Pixels(share.copies, share.images, share.rows, share.cols, slab_rows, share.images * slabs)


@kernel(inner=True)
def loops_of(
    layer: Record, f: Record, slices: float, input_cycles: float, packing: Packing, pixels: Pixels
) -> Loops:  # fmt: skip
    """The rest of `resolve`."""
    # ceil(ceil(a / b) / c) = ceil(a / (b c)): independent divisions instead of one after the other.
    in_tile_k, in_tile_m, in_tile_g = f.rows_k * f.macro_k, f.cols_m * f.macro_m, f.pack_g * f.macro_g
    over_k, over_m = f.tile_k * f.group_k, f.tile_m * f.group_m
    tile_folds_k, tile_folds_m = ceil_div(layer.K, in_tile_k), ceil_div(layer.M, in_tile_m)
    time_k, time_m = ceil_div(layer.K, in_tile_k * over_k), ceil_div(layer.M, in_tile_m * over_m)
    m_in_k = f.order == KVM or f.order == VKM or f.order == KMV
    v_in_m = f.order == MVK or f.order == MKV or f.order == KMV
    v_in_k = f.order == KVM or f.order == MKV or f.order == KMV
    weights_reload = pixels.v_loop > 1 and ((time_m > 1 and not v_in_m) or (time_k > 1 and not v_in_k))
    return Loops(
        slices=slices,
        input_cycles=input_cycles,
        row_steps=packing.row_steps,
        sensed=packing.sensed,
        folds_k=ceil_div(layer.K, f.rows_k),
        folds_m=ceil_div(layer.M, f.cols_m),
        tile_folds_k=tile_folds_k,
        tile_folds_m=tile_folds_m,
        space_m=min(1.0 * over_m, tile_folds_m),
        time_k=time_k,
        time_m=time_m,
        time_g=packing.time_g,
        copies=pixels.copies,
        tile_copies=min(1.0 * f.tile_v * f.group_v, ceil_div(pixels.copies, f.macro_v)),
        rows_per_copy=pixels.rows_per_copy,
        cols_per_copy=pixels.cols_per_copy,
        slab_rows=pixels.slab_rows,
        v_loop=pixels.v_loop,
        steps=pixels.images * pixels.rows_per_copy * pixels.cols_per_copy,
        tile_k=min(layer.K, in_tile_k),
        tile_groups=min(layer.G, in_tile_g),
        diagonal=packing.diagonal,
        m_in_k=m_in_k,
        v_in_m=v_in_m,
        v_in_k=v_in_k,
        weights_reload=weights_reload,
    )


@kernel()
def steps_of_array(rows: float, groups: float, rows_active: float) -> float:
    """Row steps that read `groups` packed groups of `rows` rows each; a group is split only if it must be."""
    if rows > rows_active:
        return groups * ceil_div(rows, rows_active)
    return ceil_div(groups, floor_div(rows_active, rows))


@kernel(inner=True)
def _reads(
    layer: Record, rows_active: float, f: Record, folds_k: float, one_group: bool
) -> tuple[float, float, float]:  # fmt: skip
    """`row_steps` of `Loops`, the pieces that one output's reduction is read in, `sensed` of `Loops`."""
    rows, tail = min(layer.K, f.rows_k), layer.K - (folds_k - 1) * f.rows_k
    if one_group:
        row_steps = ceil_div(rows, rows_active)
        pieces = (folds_k - 1) * row_steps + ceil_div(tail, rows_active)
        return row_steps, pieces, pieces
    if rows * f.pack_g <= rows_active:
        return 1.0, folds_k, folds_k
    packed = min(layer.G, f.pack_g)
    row_steps = steps_of_array(rows, packed, rows_active)
    pieces = (folds_k - 1) * ceil_div(rows, rows_active) + ceil_div(tail, rows_active)
    sensed = (folds_k - 1.0) * row_steps + steps_of_array(tail, packed, rows_active)
    last = layer.G - floor_div(layer.G, packed) * packed
    if last > 0:
        of_last = (folds_k - 1.0) * steps_of_array(rows, last, rows_active) + steps_of_array(tail, last, rows_active)
        sensed += (of_last - sensed) * last / layer.G
    return row_steps, pieces, sensed


@kernel(parallel=True)
def _count_pieces(layers: Records, geometry: Records, factors: Records, pieces: NDArray[np.int64]) -> None:
    for d in numba.prange(len(geometry)):
        for i in range(len(layers)):
            layer, f = layers[i], factors[d, i]
            if layer.kind == MATRIX and f.unit == ON_ARRAYS:
                pieces[d, i] = _reads(layer, geometry[d].rows_active, f, ceil_div(layer.K, f.rows_k), layer.G == 1)[1]


def reduction_pieces(layers: Records, geometry: Records, factors: Records) -> NDArray[np.int64]:
    """Reads that the reduction of every layer falls into ``[n_designs, n_layers]``; 0 where it is not on arrays."""
    pieces = np.zeros(factors.shape, dtype=np.int64)
    _count_pieces(layers, geometry, factors, pieces)
    return pieces


@kernel(parallel=True)
def _count_loads(layers: Records, geometry: Records, factors: Records, loads: NDArray[np.float64]) -> None:
    for d in numba.prange(len(geometry)):
        for i in range(len(layers)):
            if factors[d, i].unit == ON_ARRAYS:
                loops = resolve(layers[i], geometry[d], factors[d, i])
                rounds = 1.0 * loops.time_k * loops.time_m * loops.time_g
                if rounds == 1.0:
                    rounds = layers[i].load_share
                loads[d, layers[i].network] += layers[i].count * rounds * (loops.v_loop if loops.weights_reload else 1)


def loads_per_inference(layers: Records, geometry: Records, factors: Records, n_networks: int) -> NDArray[np.float64]:
    """How often streamed weights overwrite the most written cell, per inference ``[n_designs, n_networks]``.

    Layers are taken to share their cells: an upper bound, exact where one layer fills the chip.

    Args:
        layers, geometry, factors: records ``[n_layers]``, ``[n_designs]``, ``[n_designs, n_layers]``.
    """
    loads = np.zeros((len(geometry), n_networks))
    _count_loads(layers, geometry, factors, loads)
    return loads
