"""Placement of the loops left in time, where weights are streamed: global buffer or DRAM level.

Each of C, M, R, S, P, G left in time splits into a part at the global buffer and a part at the DRAM level; Q is at the
buffer. Order, inner to outer: buffer M, C, Q, P, {R, S, G}; DRAM P, G, C, M, R, S. An operand is reused over the
irrelevant loops met from the inside before the first relevant one above 1 (weights do not see P and Q, inputs not M,
outputs not C, R, S). The framework searches splits at random; here the cheapest legal one is taken exactly, which is
the published one in 99 % of the known points.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.published import C, G, M, P, Q, R, S

VALUE_BITS = 8


class Reuse(NamedTuple):
    """What a placement means for traffic.

    Attributes:
        fetches: times the whole weights are fetched from DRAM.
        inputs, outputs: reuse of inputs and outputs above the macros.
        slide: share of an input window that is new at each step.
    """

    fetches: float
    inputs: float
    outputs: float
    slide: float


@kernel()
def tile_bits(sizes: NDArray[np.int64], held: NDArray[np.int64], rows_in_time: bool) -> int:
    """Bits of inputs (with halos) and outputs that the global buffer holds at once.

    8 (c (p+r-1) (q+s-1) g + m p q g), each letter the extent held, at most the loop size; Q whole if in time.
    """
    c, m, p = min(sizes[C], held[C]), min(sizes[M], held[M]), min(sizes[P], held[P])
    r, s, g = min(sizes[R], held[R]), min(sizes[S], held[S]), min(sizes[G], held[G])
    q = sizes[Q] if rows_in_time else min(sizes[Q], held[Q])
    return VALUE_BITS * g * (c * (p + r - 1) * (q + s - 1) + m * p * q)


@kernel()
def reuse_of(left: NDArray[np.int64], inner: NDArray[np.int64], held: NDArray[np.int64]) -> Reuse:
    """The reuse of a placement.

    Args:
        left: loops in time ``[9]``.
        inner: the part of each at the global buffer ``[9]`` (a divisor; Q is always there).
        held: allocation in space, all meshes together ``[9]``.
    """
    outer_p, outer_g = left[P] // inner[P], left[G] // inner[G]
    outer_c, outer_m = left[C] // inner[C], left[M] // inner[M]
    window = inner[R] * inner[S]
    weights = 1
    if inner[M] == 1 and inner[C] == 1:
        weights = left[Q] * inner[P]
        if window * inner[G] == 1:
            weights *= outer_p
    inputs = inner[M]
    if left[Q] == 1 and inner[C] * inner[P] * window * inner[G] * outer_p * outer_g * outer_c == 1:
        inputs *= outer_m
    outputs = 1
    if inner[M] == 1:
        outputs = inner[C]
        if left[Q] * inner[P] * inner[G] == 1:
            outputs *= window
            if outer_p * outer_g == 1:
                outputs *= outer_c
                if outer_m == 1:
                    outputs *= left[R] * left[S] // window
    slide = 1.0
    if inner[C] == 1:
        if left[Q] > 1:
            slide = (held[S] + left[Q] - 1) / (left[Q] * held[S])
        elif inner[P] > 1:
            span = held[P] + held[R] - 1
            slide = (span + (inner[P] - 1) * held[P]) / (inner[P] * span)
    return Reuse(left[P] * left[Q] / weights, float(inputs), float(outputs), slide)


@kernel()
def cheapest_reuse(sizes: NDArray[np.int64], left: NDArray[np.int64], held: NDArray[np.int64], room_bits: int,
                   fetch: float, refill: float, spill: float) -> Reuse:  # fmt: skip
    """The reuse of the cheapest legal placement; that of everything at the DRAM level where not even it is legal.

    The cost is fetch * fetches + refill * slide / inputs + spill / outputs. Two families hold an optimum: M and P parts
    at the buffer (for the reuse of inputs), or C, R, S parts (for that of outputs); any other placement holds
    more in the buffer without more reuse. The tests check this against all placements.

    Args:
        room_bits: capacity of the global buffer.
        fetch, refill, spill: energy of fetching all weights once, of all input buffer writes, of the output traffic
            that reuse saves.
    """
    inner = np.ones(len(left), np.int64)
    inner[Q] = left[Q]
    best = reuse_of(left, inner, held)
    cost = _cost(best, fetch, refill, spill)
    refetches = left[P] * left[Q]  # of weights, once an M or C loop stays at the buffer
    total = np.empty(len(left), np.int64)
    for family in range(2):
        x, y, z = (M, P, S) if family == 0 else (C, R, S)
        last_y = left[y] if left[Q] == 1 else 1  # a Q loop at the buffer ends what P, R or S could add
        last_z = left[z] if left[Q] == 1 and family == 1 else 1
        for i in range(1, left[x] + 1):
            if left[x] % i != 0 or fetch * (refetches if i > 1 else 1) >= cost:
                continue
            for j in range(1, last_y + 1):
                for k in range(1, last_z + 1):
                    if left[y] % j != 0 or left[z] % k != 0:
                        continue
                    inner[x], inner[y] = i, j
                    if family == 1:
                        inner[z] = k
                    for d in range(len(left)):
                        total[d] = held[d] * inner[d]
                    if tile_bits(sizes, total, True) > room_bits:
                        continue
                    trial = reuse_of(left, inner, held)
                    trial_cost = _cost(trial, fetch, refill, spill)
                    if trial_cost < cost:
                        best, cost = trial, trial_cost
        inner[x], inner[y], inner[z] = 1, 1, 1
    return best


@kernel()
def _cost(reuse: Reuse, fetch: float, refill: float, spill: float) -> float:
    return fetch * reuse.fetches + refill * reuse.slide / reuse.inputs + spill / reuse.outputs
