"""The greedy mapper against the rule as it is described, spelled out slowly; loop placement against all placements."""

from functools import cache
from itertools import product
from math import prod

import numpy as np
import pytest

from imcevo.mapping.published import N_DIMENSIONS, N_MESHES, C, G, M, N, P, Q, R, S, Y, map_layer
from imcevo.mapping.published_loops import cheapest_reuse, reuse_of, tile_bits


def mapped(sizes, meshes, rows_in_time):
    spatial, left = np.empty((N_MESHES, N_DIMENSIONS), np.int64), np.empty(N_DIMENSIONS, np.int64)
    map_layer(np.array(sizes), np.array(meshes), rows_in_time, spatial, left)
    return spatial, left


@cache
def primes_of(v):
    return [p for p in range(2, v + 1) if v % p == 0 and all(p % q for q in range(2, p))]


@cache
def best_allocation(sizes, capacity):
    """The rule word by word: the highest utilisation by recursion, the first found winning ties."""
    best = (1.0, (1,) * len(sizes))
    for k, v in enumerate(sizes):
        if v > capacity:
            n = -(-v // capacity)
            a = -(-v // n)
            utilisation = (a * (n - 1) + v % a) / n
            if utilisation > best[0]:
                best = (utilisation, tuple(a if j == k else 1 for j in range(len(sizes))))
        for p in primes_of(v):
            if p <= capacity:
                rest = tuple(x // p if j == k else x for j, x in enumerate(sizes))
                utilisation, taken = best_allocation(rest, capacity // p)
                if utilisation * p > best[0]:
                    best = (utilisation * p, tuple(t * p if j == k else t for j, t in enumerate(taken)))
    return best


def slowly_mapped(sizes, meshes, rows_in_time):
    left = list(sizes)
    if rows_in_time:
        left[Q] = 1
    spatial = np.ones((N_MESHES, N_DIMENSIONS), dtype=np.int64)
    upper = [[Y], [R, S], [M, C], [G], [P, Q], [N]]
    for mesh, capacity in enumerate(meshes):
        for group in ([[C, R, S]], [[Y, M]], upper, upper, upper)[mesh]:
            _, taken = best_allocation(tuple(left[d] for d in group), capacity)
            for d, t in zip(group, taken, strict=True):
                spatial[mesh, d], left[d] = t, -(-left[d] // t)
            capacity //= prod(taken)
    if rows_in_time:
        left[Q] = sizes[Q]
    return spatial, np.array(left)


def random_layer(rng):
    sizes = np.ones(N_DIMENSIONS, dtype=np.int64)
    sizes[[C, M]] = rng.choice([1, 3, 16, 24, 40, 64, 88, 120, 197, 256, 384, 960, 1000], 2)
    sizes[[P, Q]] = rng.choice([1, 7, 12, 13, 14, 27, 55, 56, 112, 139, 197], 2)
    sizes[[R, S]] = rng.choice([1, 3, 5, 7, 11], 2)
    sizes[G], sizes[Y] = rng.choice([1, 1, 16, 72]), rng.choice([1, 2, 3, 4, 8])
    return sizes


def random_meshes(rng):
    return [
        int(rng.choice([16, 32, 64, 128, 256, 512])), int(rng.choice([16, 32, 64, 128, 256, 512])),
        *(int(x) for x in rng.choice([1, 2, 4, 6, 8, 16, 32, 64, 128], 3)),
    ]  # fmt: skip


@pytest.mark.parametrize("rows_in_time", [False, True])
def test_mapper_follows_the_rule(rows_in_time):
    rng = np.random.default_rng(7)
    for _ in range(300):
        sizes, meshes = random_layer(rng), random_meshes(rng)
        spatial, left = mapped(sizes, meshes, rows_in_time)
        expected_spatial, expected_left = slowly_mapped(sizes.tolist(), meshes, rows_in_time)
        assert (spatial == expected_spatial).all(), (sizes, meshes)
        assert (left == expected_left).all()


def test_mapper_covers_the_layer_within_the_meshes():
    rng = np.random.default_rng(8)
    for _ in range(300):
        sizes, meshes = random_layer(rng), random_meshes(rng)
        spatial, left = mapped(sizes, meshes, False)
        assert (spatial.prod(axis=1) <= meshes).all()
        assert (spatial.prod(axis=0) * left >= sizes).all()


def divisors(v):
    return [d for d in range(1, v + 1) if v % d == 0]


def test_cheapest_placement_is_the_best_of_all_legal_ones():
    rng = np.random.default_rng(9)
    better_than_default = 0
    for _ in range(250):
        left, held = np.ones(N_DIMENSIONS, dtype=np.int64), np.ones(N_DIMENSIONS, dtype=np.int64)
        for d, values in ((C, [1, 2, 6]), (M, [1, 4]), (P, [1, 2, 6]), (R, [1, 3]), (S, [1, 3]), (G, [1, 2])):
            left[d], held[d] = rng.choice(values), rng.choice([1, 2, 4])
        left[Q] = rng.choice([1, 1, 5])
        sizes = left * held
        prices = rng.choice([1e-3, 1.0, 30.0], 3) * rng.random(3)
        ones = np.ones(N_DIMENSIONS, dtype=np.int64)
        ones[Q] = left[Q]
        smallest = tile_bits.py_func(sizes, held, True)
        room = int(smallest * rng.choice([1, 2, 8, 64]))
        best = np.inf
        for inner in product(*(divisors(int(left[d])) for d in (C, M, P, R, S, G))):
            trial = ones.copy()
            trial[[C, M, P, R, S, G]] = inner
            if tile_bits.py_func(sizes, held * trial, True) <= room:
                best = min(best, cost(reuse_of.py_func(left, trial, held), prices))
        found = cost(cheapest_reuse(sizes, left, held, room, *prices), prices)
        assert found == pytest.approx(best, rel=1e-12)
        better_than_default += found < cost(reuse_of.py_func(left, ones, held), prices)
    assert better_than_default > 20  # the search had something to find


def cost(reuse, prices):
    return prices[0] * reuse.fetches + prices[1] * reuse.slide / reuse.inputs + prices[2] / reuse.outputs


def test_where_nothing_is_legal_everything_stays_at_dram():
    left, held = np.full(N_DIMENSIONS, 2), np.full(N_DIMENSIONS, 3)
    assert cheapest_reuse(left * held, left, held, 1, 1.0, 1.0, 1.0).fetches == 1
