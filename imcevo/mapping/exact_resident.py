"""The exact mapper where weights stay on chip (compiled): cost against tiles per layer, then the chip shared out.

Every layer gets its trade-off of cost against tiles. Under one multiplier mu per chip (or per swapped network) each
layer takes the mapping of least cost + mu * tiles; bisection finds the smallest mu that fits. That is optimal for the
tiles it uses (Everett, "Generalized Lagrange multiplier method", Operations Research 11(3), 1963); tiles left over
then go, one change of a mapping at a time, where they save the most per tile.

Layers of other sizes that share a tensor are mapped with the one that leads them: its mapping says where the weights
are and how many duplicates, the others use as many of these as find work (`follow`), and all their costs count.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.exact import cost_of
from imcevo.mapping.greedy import follow, place_copies, place_resident, tiles_of
from imcevo.mapping.kernel_records import Record, Records
from imcevo.mapping.loops import resolve, steps_of_array
from imcevo.mapping.mesh_splits import ARRAY_FILLINGS, next_split, set_walked, start_walk
from imcevo.mapping.price import array_energy, priced
from imcevo.mapping.space import N_SPLITS, RESIDENT_SPLITS, K, copies_step
from imcevo.mapping.splitting_rules import ceil_div

MOST_OPTIONS = 96  # mappings of one layer none of which is both dearer and larger than another
_BISECTIONS = 60


@kernel(inline=False)
def list_options(
    layers: Records, chip: Record, ideal: Record, rate: Record, movement: Record, price: Record,
    shares: NDArray[np.int64], walk: Record, f: Record, theirs: Records,
    trial: Records, options: Records, cost: NDArray[np.float64], tiles: NDArray[np.int64], most_tiles: int,
) -> int:  # fmt: skip
    """A layer's mappings of which none is both dearer and larger than another; returns their number.

    Args:
        layers: the layer, and those that follow it ``[n]``.
        theirs: scratch ``[n]``.
        options, cost, tiles: filled ``[MOST_OPTIONS]``.
        most_tiles: of the chip.
    """
    n, layer = 0, layers[0]
    values = np.ones(N_SPLITS, np.int64)
    for filling in range(ARRAY_FILLINGS):
        if not start_walk(layer, chip, filling, RESIDENT_SPLITS, shares, walk, f):
            continue
        inside_J = 0.0
        at = next_split(walk, shares)
        while at >= 0:
            if walk.first == K:
                set_walked(layer, walk.value, walk, f)
                inside_J = array_energy(layer, chip, price, resolve(layer, chip, f))
            if at == RESIDENT_SPLITS - 1:
                values[:RESIDENT_SPLITS] = walk.value[:RESIDENT_SPLITS]
                set_walked(layer, values, walk, f)
                place_resident(layer, f)
                f.order, f.slabs = 0, 1
                n = _add_copies(
                    layers, chip, ideal, rate, movement, price, inside_J, f, theirs, trial, options, cost, tiles, n,
                    most_tiles,
                )  # fmt: skip
            at = next_split(walk, shares)
    return n


@kernel(inline=False)
def _add_copies(
    layers: Records, chip: Record, ideal: Record, rate: Record, movement: Record, price: Record, inside_J: float,
    f: Record, theirs: Records, trial: Records, options: Records, cost: NDArray[np.float64], tiles: NDArray[np.int64],
    n: int, most_tiles: int,
) -> int:  # fmt: skip
    """Add one split with every number of copies that fits, if any of them can be worth its tiles."""
    layer = layers[0]
    alone = layer.stored * tiles_of(f)
    most = max(1, min(ceil_div(layer.max_copies, f.macro_v), most_tiles // alone))
    macro_v = f.macro_v
    f.macro_v = f.tile_v = f.group_v = 1
    least, moving = priced(layer, ideal, movement, price, inside_J, f, True)
    f.macro_v = macro_v
    row_steps = steps_of_array(min(layer.K, f.rows_k), f.pack_g, chip.rows_active)
    cycles = 1.0 * layer.vectors / macro_v * row_steps * ceil_div(layer.input_bits, chip.dac_bits)
    alone_s = layer.count * cycles * rate.input_cycle_s
    if _is_pointless(cost_of(price, least, max(moving, alone_s / most)), alone, cost, tiles, n):
        return n
    step, copies = 0, 1
    while True:
        place_copies(chip, copies, f)
        taken = layer.stored * tiles_of(f)
        if not _is_pointless(cost_of(price, least, max(moving, alone_s / copies)), taken, cost, tiles, n):
            energy, latency = priced(layer, chip, rate, price, inside_J, f, False)
            together = cost_of(price, energy, latency)
            for i in range(1, len(layers)):
                together += _cost_of_follower(layers[i], chip, rate, price, f, theirs[i])
            n = _keep(together, taken, trial, options, cost, tiles, n)
        if copies == most:
            return n
        before = copies
        while copies == before:
            step += 1
            copies = min(most, copies_step(step))


@kernel(inline=False)
def _cost_of_follower(layer: Record, chip: Record, rate: Record, price: Record, leader: Record, f: Record) -> float:
    """The cost of a layer that uses the weights of the layer mapped as `leader`; its own mapping into `f`."""
    follow(layer, chip, leader, f)
    f.order, f.slabs = 0, 1
    inside_J = array_energy(layer, chip, price, resolve(layer, chip, f))
    energy, latency = priced(layer, chip, rate, price, inside_J, f, False)
    return cost_of(price, energy, latency)


@kernel()
def _is_pointless(
    new_cost: float, new_tiles: int, cost: NDArray[np.float64], tiles: NDArray[np.int64], n: int
) -> bool:  # fmt: skip
    """Whether one of `n` mappings is no dearer and no larger."""
    j = 0
    while j < n and (tiles[j] > new_tiles or cost[j] > new_cost):
        j += 1
    return j < n


@kernel()
def _keep(
    new_cost: float, new_tiles: int, trial: Records, options: Records, cost: NDArray[np.float64],
    tiles: NDArray[np.int64], n: int,
) -> int:  # fmt: skip
    """Add a mapping unless one that is there is no dearer and no larger; drop those that it makes pointless."""
    if _is_pointless(new_cost, new_tiles, cost, tiles, n):
        return n
    kept = 0
    for j in range(n):
        if not (new_tiles <= tiles[j] and new_cost <= cost[j]):
            options[kept], cost[kept], tiles[kept] = options[j], cost[j], tiles[j]
            kept += 1
    if kept < MOST_OPTIONS:
        options[kept], cost[kept], tiles[kept] = trial[0], new_cost, new_tiles
        kept += 1
    return kept


@kernel(inline=False)
def _choose(mu: float, n: NDArray[np.int64], cost: NDArray[np.float64], tiles: NDArray[np.int64], first: int, end: int,
            chosen: NDArray[np.int64]) -> int:  # fmt: skip
    """The mappings of least cost + mu * tiles of layers `first` to `end` (the smaller of equals); returns the tiles."""
    total = 0
    for i in range(first, end):
        best = 0
        for j in range(1, n[i]):
            gain = cost[i, best] + mu * tiles[i, best] - cost[i, j] - mu * tiles[i, j]
            if gain > 0 or (gain == 0 and tiles[i, j] < tiles[i, best]):
                best = j
        if n[i] > 0:
            chosen[i] = best
            total += tiles[i, best]
    return total


@kernel(inline=False)
def share_out(most_tiles: int, n: NDArray[np.int64], cost: NDArray[np.float64], tiles: NDArray[np.int64], first: int,
              end: int, chosen: NDArray[np.int64]) -> None:  # fmt: skip
    """Choose one mapping for each of the layers `first` to `end` so that they fit; the smallest where nothing fits.

    Args:
        n: mappings per layer ``[n_layers]``; 0 for layers that need no tiles.
        cost, tiles: ``[n_layers, MOST_OPTIONS]``.
        chosen: filled ``[n_layers]``.
    """
    if _choose(0.0, n, cost, tiles, first, end, chosen) <= most_tiles:
        return
    low, high = 0.0, 0.0
    for i in range(first, end):
        for j in range(n[i]):
            high = max(high, cost[i, j])
    high *= 2.0
    taken = _choose(high, n, cost, tiles, first, end, chosen)
    if taken > most_tiles:
        return
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high) if low == 0.0 else math.sqrt(low * high)
        if _choose(middle, n, cost, tiles, first, end, chosen) <= most_tiles:
            high = middle
        else:
            low = middle
    taken = _choose(high, n, cost, tiles, first, end, chosen)
    _use_the_rest(most_tiles - taken, n, cost, tiles, first, end, chosen)


@kernel(inline=False)
def _use_the_rest(left: int, n: NDArray[np.int64], cost: NDArray[np.float64], tiles: NDArray[np.int64], first: int,
                  end: int, chosen: NDArray[np.int64]) -> None:  # fmt: skip
    """Spend the tiles left over, largest saving per tile first."""
    while True:
        best, best_i, best_j = 0.0, -1, -1
        for i in range(first, end):
            for j in range(n[i]):
                more = tiles[i, j] - tiles[i, chosen[i]]
                saved = cost[i, chosen[i]] - cost[i, j]
                if 0 < more <= left and saved > best * more:
                    best, best_i, best_j = saved / more, i, j
        if best_i < 0:
            return
        left -= tiles[best_i, best_j] - tiles[best_i, chosen[best_i]]
        chosen[best_i] = best_j
