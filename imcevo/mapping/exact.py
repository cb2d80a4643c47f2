"""The exact mapper at given prices (compiled): of all mappings of the closed space, the one of least cost.

A layer's cost is a weighted sum of its energy and latency. Splits are walked depth first; a mesh is left out with
all that lies below it if a lower bound of its cost is not below the best mapping found. What the factors of a tile
decide is worked out once per tile; a complete split is first priced by the simulator's own counts with every reuse
taken for granted that depends on loop order and slabs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.factors import MKV, VMK
from imcevo.mapping.kernel_records import Record, Records
from imcevo.mapping.layer_work import moved_by
from imcevo.mapping.loops import resolve
from imcevo.mapping.mesh_splits import ARRAY_FILLINGS, leave_out, next_split, set_walked, start_walk
from imcevo.mapping.price import (
    INPUT_BUFFER_WRITE,
    LOCAL_LINK,
    array_energy,
    moving_energy,
    priced,
)
from imcevo.mapping.space import (
    CHOICES,
    DIMENSIONS,
    FIRST_SPLIT,
    N_SPLITS,
    ORDER,
    TIME_CHOICES,
    G,
    K,
    M,
    V,
    decode,
    rounds_change_weights,
    try_time,
)
from imcevo.mapping.splitting_rules import ceil_div

CHOICE_TOPS = np.array(list(CHOICES.values()), dtype=np.uint8)
# What differs from a bound by rounding alone has reached it.
_REACHED = 1.0 + 1e-12


@kernel()
def cost_of(price: Record, energy: float, latency: float) -> float:
    """The weighted sum of a layer's energy, leakage included, and latency."""
    return price.energy_weight * (energy + price.leakage_W * latency) + price.time_weight * latency


@kernel(inline=False)
def _try_times(
    layer: Record, chip: Record, rate: Record, price: Record, inside_J: float, least: float, f: Record,
    trial: Records, best: Records,
) -> float:  # fmt: skip
    """Loop orders and slabs of one split: what is cheaper than `least` goes into ``best[0]``; returns the least."""
    rounds = rounds_change_weights(layer, f)
    f.order, f.slabs = MKV, 1
    if rounds and layer.sequential:
        f.order, f.slabs = VMK, layer.P  # the only slabs there are
    energy, latency = priced(layer, chip, rate, price, inside_J, f, True)
    cost = cost_of(price, energy, latency)
    bound = cost * _REACHED
    if bound >= least:
        return least
    if not rounds:  # nothing is fetched twice in whatever order
        f.order = 0
        if layer.load_share < 1.0:  # rounds over groups still replace weights that the next layer could have used
            energy, latency = priced(layer, chip, rate, price, inside_J, f, False)
            cost = cost_of(price, energy, latency)
            if cost >= least:
                return least
        best[0] = trial[0]
        return cost
    for index in range(TIME_CHOICES):
        if not try_time(layer, chip, index, f):
            continue
        energy, latency = priced(layer, chip, rate, price, inside_J, f, False)
        cost = cost_of(price, energy, latency)
        if cost < least:
            least = cost
            best[0] = trial[0]
        if cost <= bound:
            break
    return least


class _Tile(NamedTuple):
    """What the factors of arrays and macros say of every split they are part of.

    Attributes:
        inside_J: by `array_energy`.
        least_J: with all movement, if one tile does it all without copies and buffers hold everything.
        least_s: the same of global buffer and DRAM.
        local: the same of bits from a router to its tiles.
        inputs, sums: bits of all inputs once, and of one partial sum of all outputs.
        folds_k, folds_m, folds_g: tile-sized pieces of reduction, outputs, groups.
        vectors: of one copy within a tile.
        rows: written in a tile of one fold, at least, and of all folds together.
        read_s, step_s: seconds of one vector in the macros, and in macros or tile buffers, whichever is slower.
        write_s, link_s: seconds to write a row, and of one bit through all routers together.
    """

    inside_J: float
    least_J: float
    least_s: float
    local: float
    inputs: float
    sums: float
    folds_k: float
    folds_m: float
    folds_g: float
    vectors: float
    rows: float
    all_rows: float
    read_s: float
    step_s: float
    write_s: float
    link_s: float


_NO_TILE = _Tile(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@kernel(inline=False)
def _tile(
    layer: Record, ideal: Record, rate: Record, price: Record, walk: Record, f: Record
) -> _Tile:  # fmt: skip
    set_walked(layer, walk.value, walk, f)
    copies = f.macro_v
    f.macro_v = 1
    f.tile_k = f.tile_m = f.tile_g = f.tile_v = f.group_k = f.group_m = f.group_g = f.group_v = 1
    f.order, f.slabs = MKV, 1
    loops = resolve(layer, ideal, f)
    inside_J = array_energy(layer, ideal, price, loops)
    moved, busy = moved_by(layer, ideal, f, loops, rate, price.sum_bits, price.writes_per_inference, True)
    steps = loops.time_k * loops.time_m * loops.time_g * loops.steps
    read_s = layer.count * busy.reading / steps
    return _Tile(
        inside_J=inside_J,
        least_J=inside_J + moving_energy(price, moved),
        least_s=layer.count * max(busy.glb, busy.dram),
        local=moved.local_link,
        inputs=moved.input_buffer_write,
        sums=moved.output_buffer / loops.tile_folds_k,
        folds_k=loops.time_k,
        folds_m=loops.time_m,
        folds_g=loops.time_g,
        vectors=1.0 * layer.vectors / copies,
        rows=1.0 * f.rows_k * f.pack_g,
        all_rows=loops.time_m * loops.time_g * layer.K * f.pack_g / f.macro_k,
        read_s=read_s,
        step_s=max(read_s, layer.count * copies * max(busy.input_buffer, busy.output_buffer) / steps),
        write_s=layer.count * layer.load_share * rate.row_write_s,
        link_s=1.0 / (ideal.router_groups * rate.router_bps),
    )


@kernel()
def _bound(chip: Record, price: Record, tile: _Tile, at: int, walk: Record) -> float:
    """A lower bound of the cost of all splits that share the factors decided up to depth `at`.

    Energy and data movement: what is undecided is not split, there are no copies, buffers hold everything. Time of
    the tiles: the work divided by all that is left of the chip.
    """
    over_k, over_m = walk.over[at + 1, K], walk.over[at + 1, M]
    rounds_k, rounds_m = ceil_div(tile.folds_k, over_k), ceil_div(tile.folds_m, over_m)
    more_inputs = tile.inputs * (min(tile.folds_m, over_m) - 1.0)
    more_local = more_inputs + 2.0 * tile.sums * (tile.folds_k - rounds_k)
    energy = tile.least_J + more_inputs * price.energy_J[INPUT_BUFFER_WRITE] + more_local * price.energy_J[LOCAL_LINK]
    routing = (tile.local + more_local) * tile.link_s
    left = walk.left[at + 1]
    if at < N_SPLITS - 1 - len(DIMENSIONS):
        left *= chip.router_groups
    elif at == N_SPLITS - 1:
        routing *= chip.router_groups / (walk.value[at - 3] * walk.value[at - 2] * walk.value[at - 1] * walk.value[at])
    rounds = rounds_k * rounds_m
    written = tile.all_rows / (over_k * over_m * left)
    if tile.folds_g > 1.0:
        rounds *= ceil_div(tile.folds_g, walk.over[at + 1, G])
        written /= walk.over[at + 1, G]
    copies_left = walk.rest[at + 1, V]
    steps = tile.vectors * max(rounds * copies_left, left) / (walk.over[at + 1, V] * left * copies_left)
    working = max(steps * tile.read_s + max(tile.rows, written) * tile.write_s, steps * tile.step_s)
    return cost_of(price, energy, max(tile.least_s, routing, working))


@kernel(inline=False)
def map_streamed(
    layer: Record, chip: Record, ideal: Record, rate: Record, price: Record,
    shares: NDArray[np.int64], walk: Record, f: Record, trial: Records, best: Records,
) -> None:  # fmt: skip
    """The cheapest mapping of one layer that is written into the arrays before use, into ``best[0]``."""
    least = np.inf
    start = np.empty(len(CHOICE_TOPS), np.uint8)
    # Good mappings to begin with: the greedy filling with and without copies, and one array after the other.
    for kind in range(3):
        for c in range(len(start)):
            copies = FIRST_SPLIT <= c < ORDER and (c - FIRST_SPLIT) % len(DIMENSIONS) == V
            start[c] = 0 if (kind == 1 and copies) or (kind == 2 and c >= FIRST_SPLIT) else CHOICE_TOPS[c]
        decode(layer, chip, shares, start, False, f)
        inside_J = array_energy(layer, chip, price, resolve(layer, chip, f))
        least = _try_times(layer, chip, rate, price, inside_J, least, f, trial, best)
    for filling in range(ARRAY_FILLINGS):
        if not start_walk(layer, chip, filling, N_SPLITS, shares, walk, f):
            continue
        tile = _NO_TILE
        at = next_split(walk, shares)
        while at >= 0:
            if walk.first <= V <= at:
                tile = _tile(layer, ideal, rate, price, walk, f)
            if at >= V:
                if _bound(chip, price, tile, at, walk) >= least:
                    leave_out(walk)
                elif at == N_SPLITS - 1:
                    set_walked(layer, walk.value, walk, f)
                    least = _try_times(layer, chip, rate, price, tile.inside_J, least, f, trial, best)
            at = next_split(walk, shares)
