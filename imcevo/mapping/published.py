"""The greedy mapper of arXiv 2603.03880 in closed form: five meshes, filled from the inside by priority.

Every dimension of a layer starts with its loop size (Y: weight slices). At each mesh, groups of dimensions are served
in a fixed order with the capacity that earlier groups left; within a group the allocation of highest utilisation is
taken, the first found winning ties; then each size is replaced by ceil(size / allocated). What remains is time.

Two moves serve a dimension of size v at capacity c: a prime factor p <= c of v (utilisation multiplies by p, go on
with v / p and floor(c / p)), or, where v > c, the imperfect split in n = ceil(v / c) parts of a = ceil(v / n) with
utilisation (a (n - 1) + v mod a) / n, which ends the group. The utilisation of an untouched group is 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel

C, M, P, Q, R, S, N, G, Y = range(9)
N_DIMENSIONS = 9
ROWS, COLUMNS, MACROS, TILES, GROUPS = range(5)
N_MESHES = 5

# Priority groups: rows, columns, and the three upper meshes alike; -1 pads.
_PRIORITY = np.array(
    [[C, R, S], [Y, M, -1], [Y, -1, -1], [R, S, -1], [M, C, -1], [G, -1, -1], [P, Q, -1], [N, -1, -1]]
)
_GROUP_SIZE = 3
_MOST_DIVISORS = 128  # of any size below 2^15; loop sizes end at 25,088
_MOST_PRIMES = 6
_IMPERFECT = _MOST_PRIMES  # the move after the primes


@kernel()
def map_layer(sizes: NDArray[np.int64], meshes: NDArray[np.int64], rows_in_time: bool,
              spatial: NDArray[np.int64], left: NDArray[np.int64]) -> None:  # fmt: skip
    """Map one layer.

    Args:
        sizes: loop sizes with Y ``[9]``.
        meshes: rows, columns, macros per tile, tiles per group, router groups ``[5]``.
        rows_in_time: the whole Q loop stays in time (weights streamed).
        spatial: filled with the allocation per mesh and dimension ``[5, 9]``.
        left: filled with what stays in time ``[9]``.
    """
    left[:] = sizes
    spatial[:] = 1
    if rows_in_time:
        left[Q] = 1
    group, taken = np.empty(_GROUP_SIZE, np.int64), np.empty(_GROUP_SIZE, np.int64)
    for mesh in range(N_MESHES):
        capacity = meshes[mesh]
        first, last = (mesh, mesh + 1) if mesh < MACROS else (2, len(_PRIORITY))
        for priority in range(first, last):
            for k in range(_GROUP_SIZE):
                d = _PRIORITY[priority, k]
                group[k] = left[d] if d >= 0 else 1
            _allocate(group, capacity, taken)
            for k in range(_GROUP_SIZE):
                d = _PRIORITY[priority, k]
                if d >= 0:
                    spatial[mesh, d] = taken[k]
                    left[d] = -(-left[d] // taken[k])
                    capacity //= taken[k]
    if rows_in_time:
        left[Q] = sizes[Q]


@kernel()
def _allocate(group: NDArray[np.int64], capacity: int, taken: NDArray[np.int64]) -> None:
    """The allocation of highest utilisation of up to three dimensions at a mesh of `capacity`."""
    taken[:] = 1
    total = group[0] * group[1] * group[2]
    if capacity == 1 or total == 1:
        return
    if total <= capacity:  # everything fits: no other allocation reaches this utilisation
        taken[:] = group
        return
    divisors = np.empty((_GROUP_SIZE, _MOST_DIVISORS), np.int64)
    stride = np.zeros((_GROUP_SIZE, _MOST_PRIMES), np.int64)
    primes = np.zeros((_GROUP_SIZE, _MOST_PRIMES), np.int64)
    count = np.empty(_GROUP_SIZE, np.int64)
    for k in range(_GROUP_SIZE):
        count[k] = _divisors(group[k], divisors[k], stride[k], primes[k])
    move = np.empty((count[0], count[1], count[2]), np.int64)
    _best_moves(group, capacity, divisors, stride, primes, count, move)
    at = np.zeros(_GROUP_SIZE, np.int64)
    while True:
        step = move[at[0], at[1], at[2]]
        if step < 0:
            break
        k, way = step // (_MOST_PRIMES + 1), step % (_MOST_PRIMES + 1)
        if way == _IMPERFECT:
            room = capacity // (divisors[0, at[0]] * divisors[1, at[1]] * divisors[2, at[2]])
            rest = group[k] // divisors[k, at[k]]
            parts = -(-rest // room)
            taken[k] *= -(-rest // parts)
            break
        taken[k] *= primes[k, way]
        at[k] += stride[k, way]


@kernel()
def _divisors(v: int, divisors: NDArray[np.int64], stride: NDArray[np.int64], primes: NDArray[np.int64]) -> int:
    """All divisors of v, indexed in mixed radix by the exponents of its primes, ascending; returns their number.

    A divisor times ``primes[i]`` stands `stride[i]` further on, if it divides v.
    """
    divisors[0] = 1
    count, found, p = 1, 0, 2
    while v > 1:
        if p * p > v:
            p = v
        if v % p == 0:
            primes[found], stride[found] = p, count
            found += 1
            step = count
            while v % p == 0:
                v //= p
                for j in range(step):
                    divisors[count + j] = divisors[count - step + j] * p
                count += step
        p += 1
    return count


@kernel()
def _best_moves(group: NDArray[np.int64], capacity: int, divisors: NDArray[np.int64], stride: NDArray[np.int64],
                primes: NDArray[np.int64], count: NDArray[np.int64], move: NDArray[np.int64]) -> None:  # fmt: skip
    """For every state (what is already taken of each dimension) the first best move; -1 where none gains.

    A state's successors have larger indices, so one descending sweep values them all.
    """
    value = np.empty(move.shape)
    at = np.empty(_GROUP_SIZE, np.int64)
    for i in range(count[0] - 1, -1, -1):
        for j in range(count[1] - 1, -1, -1):
            for l in range(count[2] - 1, -1, -1):  # noqa: E741
                used = divisors[0, i] * divisors[1, j] * divisors[2, l]
                if used > capacity:
                    continue
                room = capacity // used
                best, chosen = 1.0, -1
                at[0], at[1], at[2] = i, j, l
                for k in range(_GROUP_SIZE):
                    rest = group[k] // divisors[k, at[k]]
                    if rest > room:
                        parts = -(-rest // room)
                        a = -(-rest // parts)
                        utilisation = (a * (parts - 1) + rest % a) / parts
                        if utilisation > best:
                            best, chosen = utilisation, k * (_MOST_PRIMES + 1) + _IMPERFECT
                    for way in range(_MOST_PRIMES):
                        p = primes[k, way]
                        if p == 0 or p > room or rest % p != 0:
                            continue
                        step = stride[k, way]
                        after = value[i + (k == 0) * step, j + (k == 1) * step, l + (k == 2) * step] * p
                        if after > best:
                            best, chosen = after, k * (_MOST_PRIMES + 1) + way
                value[i, j, l], move[i, j, l] = best, chosen
