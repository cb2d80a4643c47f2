"""The exact mapper at given prices (compiled): of all mappings of the closed space, the one of least cost.

A layer's cost is a weighted sum of its energy and latency. Splits are walked depth first; a mesh is left out with
all that lies below it if a lower bound of its cost is not below the best mapping found. Bounds come from the
simulator's own counts on a chip whose buffers hold everything.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.factors import MKV
from imcevo.mapping.loops import steps_of_array
from imcevo.mapping.price import priced
from imcevo.mapping.records import Record, Records
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
    try_time,
)
from imcevo.mapping.split import ceil_div
from imcevo.mapping.splits import ARRAY_FILLINGS, next_split, set_walked, start_walk

# What differs from a bound by rounding alone has reached it.
CHOICE_TOPS = np.array(list(CHOICES.values()), dtype=np.uint8)
_REACHED = 1.0 + 1e-12


@kernel()
def cost_of(price: Record, energy: float, latency: float) -> float:
    """The weighted sum of a layer's energy, leakage included, and latency."""
    return price.energy_weight * (energy + price.leakage_W * latency) + price.time_weight * latency


@kernel(inline=False)
def _try_times(
    layer: Record, chip: Record, rate: Record, price: Record, least: float, f: Record, trial: Records, best: Records,
    counts: NDArray[np.float64], count: Record, times: NDArray[np.float64], time: Record,
) -> tuple[float, int]:  # fmt: skip
    """Loop orders and slabs of one split: what is cheaper than `least` goes into ``best[0]``.

    Returns:
        The least cost, and how many mappings and bounds were priced.
    """
    f.order, f.slabs = MKV, 1
    energy, latency = priced(layer, chip, rate, price, f, True, counts, count, times, time)
    bound, work = cost_of(price, energy, latency) * _REACHED, 1
    if bound >= least:
        return least, work
    for index in range(TIME_CHOICES):
        if not try_time(layer, chip, index, f):
            continue
        energy, latency = priced(layer, chip, rate, price, f, False, counts, count, times, time)
        cost = cost_of(price, energy, latency)
        work += 1
        if cost < least:
            least = cost
            best[0] = trial[0]
        if cost <= bound:
            break
    return least, work


@kernel(inline=False)
def map_streamed(
    layer: Record, chip: Record, ideal: Record, rate: Record, movement: Record, price: Record,
    shares: NDArray[np.int64], walk: Record, f: Record, trial: Records, best: Records,
    counts: NDArray[np.float64], count: Record, times: NDArray[np.float64], time: Record,
) -> tuple[float, int]:  # fmt: skip
    """The cheapest mapping of one layer that is written into the arrays before use, into ``best[0]``.

    Returns:
        Its cost, and how many mappings and bounds were priced.
    """
    least, work = np.inf, 0
    start = np.empty(len(CHOICE_TOPS), np.uint8)
    # Good mappings to begin with: the greedy filling with and without copies, and one array after the other.
    for kind in range(3):
        for c in range(len(start)):
            copies = FIRST_SPLIT <= c < ORDER and (c - FIRST_SPLIT) % len(DIMENSIONS) == V
            start[c] = 0 if (kind == 1 and copies) or (kind == 2 and c >= FIRST_SPLIT) else CHOICE_TOPS[c]
        decode(layer, chip, shares, start, False, f)
        least, done = _try_times(layer, chip, rate, price, least, f, trial, best, counts, count, times, time)
        work += done
    for filling in range(ARRAY_FILLINGS):
        if not start_walk(layer, chip, filling, N_SPLITS, shares, walk, f):
            continue
        at = next_split(walk, shares)
        while at >= 0:
            if at == N_SPLITS - 1:
                set_walked(layer, walk.value, walk, f)
                least, done = _try_times(layer, chip, rate, price, least, f, trial, best, counts, count, times, time)
                work += done
            elif at >= V and at % len(DIMENSIONS) != K:
                work += 1
                if _bound(layer, ideal, rate, movement, price, at, walk, f, counts, count, times, time) >= least:
                    walk.depth = at
            at = next_split(walk, shares)
    return least, work


@kernel(inline=False)
def _bound(
    layer: Record, ideal: Record, rate: Record, movement: Record, price: Record, at: int, walk: Record, f: Record,
    counts: NDArray[np.float64], count: Record, times: NDArray[np.float64], time: Record,
) -> float:  # fmt: skip
    """A lower bound of the cost of all splits that share the factors decided up to depth `at`.

    Energy and data movement: what is undecided is not split, there are no copies, buffers hold everything. Time of
    the macros: the work divided by all that is left of the chip.
    """
    values = np.ones(N_SPLITS, np.int64)
    over = np.ones(len(DIMENSIONS), np.int64)
    for done in range(at + 1):
        over[done % len(DIMENSIONS)] *= walk.value[done]
        if done % len(DIMENSIONS) != V:
            values[done] = walk.value[done]
    set_walked(layer, values, walk, f)
    folds = walk.folds_k
    f.order, f.slabs = MKV, 1
    energy, moving = priced(layer, ideal, movement, price, f, True, counts, count, times, time)
    left = walk.left[at + 1] * (ideal.router_groups if at < N_SPLITS - 1 - len(DIMENSIONS) else 1)
    outer = 1.0 * ceil_div(ceil_div(layer.M, f.cols_m), over[M]) * ceil_div(ceil_div(layer.G, f.pack_g), over[G])
    steps = outer * ceil_div(folds, over[K]) * layer.vectors / over[V] / left
    steps = max(steps, 1.0 * layer.vectors / (over[V] * walk.rest[at + 1, V]))
    row_steps = steps_of_array(min(layer.K, f.rows_k), f.pack_g, ideal.rows_active)
    cycles = steps * row_steps * ceil_div(layer.input_bits, ideal.dac_bits)
    written = max(f.rows_k, outer * layer.K / (over[K] * left)) * f.pack_g
    working = layer.count * (cycles * rate.input_cycle_s + written * rate.row_write_s)
    return cost_of(price, energy, max(moving, working))
