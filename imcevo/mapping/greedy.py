"""The greedy mapping policy (compiled): fill space from the inside out, keep weights still, then duplicate.

Per layer: pack the array; split the reduction, then outputs, then groups over the macros of a tile, the tiles
of a group and the router groups; give what is left to pixels (duplicates of the weights). Where the
weights stay on chip, every layer gets its own tiles and the tiles left over go to duplicates by water-filling.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.factors import MKV, ON_ARRAYS, ON_DIGITAL_UNIT, VKM, VMK, Mapping
from imcevo.mapping.kernel_records import RESIDENT, STREAMED, Record, Records, plain_factors
from imcevo.mapping.splitting_rules import balanced, ceil_div, floor_div, share_pixels
from imcevo.workload.table import MATRIX

_BISECTIONS = 24


def map_greedily(layers: Records, geometry: Records, n_networks: int) -> Mapping:
    """Greedy mappings of all layers on all designs.

    Args:
        layers: ``[n_layers]`` of `LAYER_DTYPE`.
        geometry: ``[n_designs]`` of `GEOMETRY_DTYPE`.
        n_networks: networks in `layers`.
    """
    factors = plain_factors(len(geometry), len(layers))
    tiles_needed = np.zeros((len(geometry), n_networks), dtype=np.int64)
    _map_designs(layers, geometry, factors, tiles_needed)
    return Mapping(factors, tiles_needed)


@kernel(parallel=True)
def _map_designs(layers: Records, geometry: Records, factors: Records, tiles_needed: NDArray[np.int64]) -> None:
    for d in numba.prange(len(geometry)):
        chip = geometry[d]
        for i in range(len(layers)):
            layer, f = layers[i], factors[d, i]
            if layer.kind != MATRIX or (layer.dynamic and not chip.dynamic_on_arrays):
                f.unit = ON_DIGITAL_UNIT
                continue
            f.unit = ON_ARRAYS
            fill_array(layer, chip, f)
            spread_over_chip(layer, chip, f)
            if chip.deployment != STREAMED and not layer.dynamic:
                place_resident(layer, f)
                if layer.behind:
                    follow(layer, chip, factors[d, i - layer.behind], f)
                tiles_needed[d, layer.network] += layer.stored * tiles_of(f)
        if chip.deployment != STREAMED:
            duplicate_resident(layers, chip, factors[d], tiles_needed[d], np.ones(len(layers)))
        for i in range(len(layers)):
            if factors[d, i].unit == ON_ARRAYS:
                order_in_time(layers[i], chip, factors[d, i])


@kernel()
def outputs_per_array(layer: Record, chip: Record) -> float:
    """Outputs that find columns in one array, each taking one per weight slice; at least one."""
    return max(1.0, floor_div(chip.cols, ceil_div(layer.second_bits, chip.bits_per_cell)))


@kernel()
def most_packed(layer: Record, chip: Record) -> float:
    """Groups that fit one array block-diagonally; 1 if a group needs more than one array."""
    if layer.G == 1:
        return 1.0
    by_columns = floor_div(outputs_per_array(layer, chip), layer.M)
    return max(1.0, min(layer.G, floor_div(chip.rows, layer.K), by_columns))


@kernel()
def fill_array(layer: Record, chip: Record, f: Record) -> None:
    """Rows, columns and packed groups of one array."""
    f.pack_g = balanced(layer.G, most_packed(layer, chip))
    f.rows_k = balanced(layer.K, chip.rows)
    f.cols_m = balanced(layer.M, outputs_per_array(layer, chip))


@kernel()
def spread_over_chip(layer: Record, chip: Record, f: Record) -> None:
    """Split folds over the three meshes, reduction first; what a mesh has left over goes to pixels."""
    k, m, g, v = ceil_div(layer.K, f.rows_k), ceil_div(layer.M, f.cols_m), ceil_div(layer.G, f.pack_g), layer.max_copies
    f.macro_k, f.macro_m, f.macro_g, f.macro_v = _share(k, m, g, v, chip.macros_per_tile)
    k, m, g, v = ceil_div(k, f.macro_k), ceil_div(m, f.macro_m), ceil_div(g, f.macro_g), ceil_div(v, f.macro_v)
    f.tile_k, f.tile_m, f.tile_g, f.tile_v = _share(k, m, g, v, chip.tiles_per_group)
    k, m, g, v = ceil_div(k, f.tile_k), ceil_div(m, f.tile_m), ceil_div(g, f.tile_g), ceil_div(v, f.tile_v)
    f.group_k, f.group_m, f.group_g, f.group_v = _share(k, m, g, v, chip.router_groups)


@kernel()
def _share(k: float, m: float, g: float, v: float, mesh: int) -> tuple[float, float, float, float]:
    over_k = balanced(k, mesh)
    left = floor_div(mesh, over_k)
    over_m = balanced(m, left)
    left = floor_div(left, over_m)
    over_g = balanced(g, left)
    return over_k, over_m, over_g, balanced(v, floor_div(left, over_g))


@kernel()
def place_resident(layer: Record, f: Record) -> None:
    """All folds in space: beyond the tiles of one group, as many groups as it takes; duplicates come later."""
    f.group_k = ceil_div(ceil_div(layer.K, f.rows_k), f.macro_k * f.tile_k)
    f.group_m = ceil_div(ceil_div(layer.M, f.cols_m), f.macro_m * f.tile_m)
    f.group_g = ceil_div(ceil_div(layer.G, f.pack_g), f.macro_g * f.tile_g)
    f.tile_v = f.group_v = 1


@kernel()
def tiles_of(f: Record) -> int:
    """Tiles a layer occupies: whole ones, never shared with another layer."""
    return f.tile_k * f.tile_m * f.tile_g * f.tile_v * f.group_k * f.group_m * f.group_g * f.group_v


@kernel()
def place_copies(chip: Record, copies: float, f: Record) -> None:
    """Duplicates of a resident layer: as many in its group as fit, the others in as many groups as it takes."""
    f.tile_v = min(max(1, floor_div(chip.tiles_per_group, f.tile_k * f.tile_m * f.tile_g)), copies)
    f.group_v = floor_div(copies, f.tile_v)


@kernel()
def follow(layer: Record, chip: Record, leader: Record, f: Record) -> None:
    """Use the weights where a `leader` of the same tensor has them, with as many of its duplicates as find work."""
    f.rows_k, f.cols_m, f.pack_g = leader.rows_k, leader.cols_m, leader.pack_g
    f.macro_k, f.macro_m, f.macro_g = leader.macro_k, leader.macro_m, leader.macro_g
    f.tile_k, f.tile_m, f.tile_g = leader.tile_k, leader.tile_m, leader.tile_g
    f.group_k, f.group_m, f.group_g = leader.group_k, leader.group_m, leader.group_g
    f.macro_v = min(leader.macro_v, layer.max_copies)
    place_copies(chip, min(leader.tile_v * leader.group_v, ceil_div(layer.max_copies, f.macro_v)), f)


@kernel()
def duplicate_resident(
    layers: Records, chip: Record, f: Records, tiles_needed: NDArray[np.int64], bias: NDArray[np.float64]
) -> None:  # fmt: skip
    """Give left-over tiles to duplicates so that the networks' relative vector steps shrink most.

    Minimising sum a_l / D_l under sum T_l D_l <= tiles gives D_l = mu sqrt(a_l / T_l); minimising a pipeline's slowest
    stage, max a_l / D_l, gives D_l = mu a_l: bisect on mu. a_l is a layer's share of its network's vector steps; `bias`
    ``[n_layers]`` scales its claim. Resident networks share the chip; swapped ones have it in turn. Layers of one
    tensor have its duplicates together: their steps add up.
    """
    tiles = chip.tiles_per_group * chip.router_groups
    want = np.zeros(len(layers))
    for network in range(len(tiles_needed)):
        _want_duplicates(layers, chip, f, network, want)
    want *= bias
    if chip.deployment == RESIDENT:
        needed = 0
        for network in range(len(tiles_needed)):
            needed += tiles_needed[network]
        _fill_with_duplicates(layers, chip, f, want, 0, len(layers), tiles, needed, tiles_needed)
    else:
        first = 0
        for network in range(len(tiles_needed)):
            end = first
            while end < len(layers) and layers[end].network == network:
                end += 1
            _fill_with_duplicates(layers, chip, f, want, first, end, tiles, tiles_needed[network], tiles_needed)
            first = end


@kernel()
def _want_duplicates(layers: Records, chip: Record, f: Records, network: int, want: NDArray[np.float64]) -> None:
    """D_l / mu of one network's layers into `want`; 0 for layers that hold no tiles."""
    total = 0.0
    for i in range(len(layers)):
        layer = layers[i]
        if layer.network == network and f[i].unit == ON_ARRAYS and not layer.dynamic:
            steps = layer.vectors / f[i].macro_v
            want[i - layer.behind] += layer.uses * steps
            total += layer.count * steps
    for i in range(len(layers)):
        if layers[i].network == network and want[i] > 0.0:
            want[i] = want[i] / total if chip.pipelined else math.sqrt(want[i] / (total * tiles_of(f[i])))


@kernel()
def _fill_with_duplicates(
    layers: Records, chip: Record, f: Records, want: NDArray[np.float64], first: int, end: int, tiles: int, needed: int,
    tiles_needed: NDArray[np.int64],
) -> None:  # fmt: skip
    """Duplicate the layers `first` to `end` on what `tiles` leave beyond those `needed` without duplicates."""
    if needed == 0 or needed >= tiles:
        return
    least = np.inf
    for i in range(first, end):
        if want[i] > 0.0:
            least = min(least, want[i])
    low, high = 0.0, 2.0 * tiles / least
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        taken = 0
        for i in range(first, end):
            if want[i] > 0.0:
                taken += layers[i].stored * tiles_of(f[i]) * _duplicates(layers[i], f[i], want[i] * middle)
        if taken <= tiles:
            low = middle
        else:
            high = middle
    for i in range(first, end):
        if want[i] > 0.0:
            before = tiles_of(f[i])
            duplicates = _duplicates(layers[i], f[i], want[i] * low)
            place_copies(chip, duplicates, f[i])
            tiles_needed[layers[i].network] += layers[i].stored * (tiles_of(f[i]) - before)
    for i in range(first, end):
        if layers[i].behind and f[i].unit == ON_ARRAYS:
            follow(layers[i], chip, f[i - layers[i].behind], f[i])


@kernel()
def _duplicates(layer: Record, f: Record, wanted: float) -> float:
    return max(1.0, min(ceil_div(layer.max_copies, f.macro_v), np.floor(min(wanted, 1e9))))


@kernel()
def order_in_time(layer: Record, chip: Record, f: Record) -> None:
    """Slabs so that a slab fits the global buffer, and the loop order that moves fewer bits from DRAM.

    Weights outermost (MKV) loads them once but re-reads activations per round; slabs outermost (VMK) re-loads the
    weights per slab.
    """
    time_k = ceil_div(ceil_div(layer.K, f.rows_k * f.macro_k), f.tile_k * f.group_k)
    time_m = ceil_div(ceil_div(layer.M, f.cols_m * f.macro_m), f.tile_m * f.group_m)
    f.slabs, f.order = 1, VMK
    if layer.sequential and time_k * time_m > 1:
        f.slabs = layer.P  # a step needs the whole output of the one before: all rounds, then the next step
        return
    if time_k == 1 and time_m > 1:
        f.order = VKM  # nothing to sum over time: reuse the inputs over the outputs
    activations = layer.inputs_bits + layer.outputs_bits
    room = chip.glb_bits - layer.held_bits
    if activations <= room or layer.P == 1:
        return
    rows = share_pixels(layer.N, layer.P, layer.Q, layer.sequential, f.macro_v * f.tile_v * f.group_v).rows
    slabs = rows if room <= 0.0 else min(rows, np.floor(activations / room) + 1)
    f.slabs = ceil_div(rows, ceil_div(rows, slabs))
    rereads = layer.inputs_bits * (time_m - 1) + 2.0 * (time_k - 1) * layer.outputs_bits
    if time_k * time_m > 1 and rereads < layer.operand_bits * (f.slabs - 1):
        f.order = MKV
