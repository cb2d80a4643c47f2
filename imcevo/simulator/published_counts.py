"""Action counts of the published profile: one kernel over chips, their supply points and the layers of a suite."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.costs import published_actions as act
from imcevo.hardware.parameters import GLB_WIDTH_BITS
from imcevo.kernels import kernel
from imcevo.mapping.published import (
    COLUMNS,
    GROUPS,
    MACROS,
    N_DIMENSIONS,
    N_MESHES,
    ROWS,
    TILES,
    C,
    G,
    M,
    N,
    P,
    Q,
    R,
    S,
    Y,
    map_layer,
)  # fmt: skip
from imcevo.mapping.published_loops import Reuse, cheapest_reuse, tile_bits
from imcevo.workload.published import WEIGHT_BITS, PublishedSuite

RESIDENT = Reuse(0.0, 1.0, 1.0, 1.0)


class Traffic(NamedTuple):
    """Counts of one layer that the placement of its loops in time scales.

    Attributes:
        dram_bits, cells: per fetch of all weights.
        refills: input buffer writes at full windows, without reuse.
        spills, routed: output buffer writes and router transfers of partial sums, without reuse.
    """

    dram_bits: float
    cells: float
    refills: float
    spills: float
    routed: float


class Chips(NamedTuple):
    """Distinct geometries, and the points (supply, buffer depth) at which each is wanted.

    Attributes:
        meshes: rows, columns, macros per tile, tiles per group, router groups ``[n_chips, 5]``.
        slices: weight slices ``[n_chips]``.
        first: points of chip i are ``first[i]`` to ``first[i + 1]`` - 1 ``[n_chips + 1]``.
        glb_depth: words of 2048 bits ``[n_points]``.
        prices_J: joules per action ``[n_points, N_ACTIONS]``.
    """

    meshes: NDArray[np.int64]
    slices: NDArray[np.int64]
    first: NDArray[np.int64]
    glb_depth: NDArray[np.int64]
    prices_J: NDArray[np.float64]


class Counts(NamedTuple):
    """Results of `count`.

    Attributes:
        actions: ``[n_points, n_networks, N_ACTIONS]``; cell reads are left at 0, they need no mapping.
        steps: clock cycles ``[n_chips, n_networks]``.
        tile_bits: largest tile of a layer that the global buffer must hold ``[n_chips, n_networks]``.
        weight_steps: largest number of steps in which a layer's weights would have to change, minus 1
            ``[n_chips, n_networks]``.
    """

    actions: NDArray[np.float64]
    steps: NDArray[np.float64]
    tile_bits: NDArray[np.float64]
    weight_steps: NDArray[np.float64]


def count(chips: Chips, suite: PublishedSuite, *, streamed: bool) -> Counts:
    """Count the actions of a suite on chips.

    Args:
        streamed: weights come from act.DRAM as they are needed; otherwise all are resident.
    """
    n_chips, n_networks, n_points = len(chips.meshes), suite.layers.shape[1], len(chips.glb_depth)
    per_chip = (n_chips, n_networks)
    counts = Counts(
        np.zeros((n_points, n_networks, act.N_ACTIONS)), np.zeros(per_chip), np.zeros(per_chip), np.zeros(per_chip)
    )
    _count_chips(chips, suite, streamed, counts)
    return counts


@kernel(parallel=True)
def _count_chips(chips: Chips, suite: PublishedSuite, streamed: bool, counts: Counts) -> None:
    for chip in numba.prange(len(chips.meshes)):
        sizes = np.empty(N_DIMENSIONS, np.int64)
        spatial = np.empty((N_MESHES, N_DIMENSIONS), np.int64)
        left, held = np.empty(N_DIMENSIONS, np.int64), np.empty(N_DIMENSIONS, np.int64)
        above = np.empty((N_MESHES, N_DIMENSIONS), np.int64)
        fixed, moving = np.zeros(act.N_ACTIONS), np.zeros(act.N_ACTIONS)
        for shape in range(len(suite.sizes)):
            sizes[:Y] = suite.sizes[shape]
            sizes[Y] = chips.slices[chip]
            map_layer(sizes, chips.meshes[chip], streamed, spatial, left)
            _iterations_above(sizes, spatial, above, held)
            _count_fixed(sizes, spatial, above, chips.meshes[chip], fixed)
            traffic = _traffic(sizes, above, left, held)
            reuse = RESIDENT
            _record(suite.layers[shape], left, tile_bits(sizes, held, streamed), counts, chip)
            for point in range(chips.first[chip], chips.first[chip + 1]):
                if streamed:
                    room = GLB_WIDTH_BITS * chips.glb_depth[point]
                    fetch, refill, spill = _prices(traffic, chips.meshes[chip, COLUMNS], chips.prices_J[point])
                    reuse = cheapest_reuse(sizes, left, held, room, fetch, refill, spill)
                _count_moving(traffic, reuse, chips.meshes[chip, COLUMNS], moving)
                for network in range(suite.layers.shape[1]):
                    layers = suite.layers[shape, network]
                    if layers > 0:
                        _add(fixed, moving, layers, suite.inputs[shape, network], counts.actions[point, network])


@kernel()
def _record(layers: NDArray[np.int64], left: NDArray[np.int64], tile: int, counts: Counts, chip: int) -> None:
    """Steps and requirements of a shape, for the networks that have it."""
    steps = 1.0
    for d in range(N_DIMENSIONS):
        steps *= left[d]
    weight_steps = left[C] * left[M] * left[R] * left[S] * left[Y] * left[G] - 1
    for network in range(len(layers)):
        if layers[network] > 0:
            counts.steps[chip, network] += layers[network] * steps
            counts.tile_bits[chip, network] = max(counts.tile_bits[chip, network], tile)
            counts.weight_steps[chip, network] = max(counts.weight_steps[chip, network], weight_steps)


@kernel()
def _add(fixed: NDArray[np.float64], moving: NDArray[np.float64], layers: int, inputs: float,
         total: NDArray[np.float64]) -> None:  # fmt: skip
    """Add the counts of a shape's layers; the data-dependent ones go with their summed input levels."""
    for action in range(act.N_ACTIONS):
        total[action] += (fixed[action] + moving[action]) * (inputs if action == act.ROW_DRIVE_X else layers)


@kernel()
def _iterations_above(sizes: NDArray[np.int64], spatial: NDArray[np.int64], above: NDArray[np.int64],
                      held: NDArray[np.int64]) -> None:  # fmt: skip
    """Exact iterations above each mesh ``[5, 9]``, ceil(size / allocated up to it), and all allocations ``[9]``."""
    for d in range(N_DIMENSIONS):
        held[d] = 1
        for mesh in range(N_MESHES):
            held[d] *= spatial[mesh, d]
            above[mesh, d] = -(-sizes[d] // held[d])


@kernel()
def _padding(d: int, mesh: int, sizes: NDArray[np.int64], spatial: NDArray[np.int64],
             above: NDArray[np.int64]) -> float:  # fmt: skip
    """How much larger a dimension becomes at a mesh that its allocation does not divide."""
    below = sizes[d] if mesh == ROWS else above[mesh - 1, d]
    return above[mesh, d] * spatial[mesh, d] / below


@kernel()
def _footprint(mesh: int, sizes: NDArray[np.int64], above: NDArray[np.int64]) -> float:
    """Input elements that arrive at a mesh once, halos of split windows included."""
    n = above[mesh]
    height = n[R] * sizes[P] + n[P] * sizes[R] - n[P] * n[R]
    width = n[S] * sizes[Q] + n[Q] * sizes[S] - n[S] * n[Q]
    return float(sizes[N] * sizes[C] * sizes[G]) * height * width


@kernel()
def _reductions(mesh: int, above: NDArray[np.int64]) -> float:
    """Partial sums per output above a mesh."""
    return float(above[mesh, C] * above[mesh, R] * above[mesh, S])


@kernel()
def _copies(mesh: int, above: NDArray[np.int64]) -> float:
    """Times an input is needed above a mesh: once per output channel and weight slice that is not side by side."""
    return float(above[mesh, M] * above[mesh, Y])


@kernel()
def _count_fixed(sizes: NDArray[np.int64], spatial: NDArray[np.int64], above: NDArray[np.int64],
                 meshes: NDArray[np.int64], counts: NDArray[np.float64]) -> None:  # fmt: skip
    """Counts of one layer that do not depend on the placement of its loops in time."""
    vectors = float(sizes[N] * sizes[P] * sizes[Q] * sizes[G])
    inputs = vectors * sizes[C] * sizes[R] * sizes[S]
    outputs = vectors * sizes[M]
    rows = inputs * _copies(COLUMNS, above)
    padded, tile_padding = rows, 1.0
    for d in (C, R, S):
        padded *= _padding(d, ROWS, sizes, spatial, above)
        if meshes[GROUPS] > 1:
            tile_padding *= _padding(d, TILES, sizes, spatial, above)
    counts[act.ROW_DRIVE], counts[act.ROW_DRIVE_X] = rows, padded
    counts[act.ADC_CONVERSION] = outputs * sizes[Y] * _reductions(ROWS, above)
    counts[act.INPUT_BUFFER_READ] = inputs * _copies(MACROS, above)
    sums = outputs * sizes[Y] * _reductions(MACROS, above)
    counts[act.OUTPUT_BUFFER_READ], counts[act.OUTPUT_BUFFER_WRITE] = sums, sums
    counts[act.ROUTER] = _footprint(MACROS, sizes, above) * _copies(TILES, above)
    counts[act.GLB_INPUT_READ] = _footprint(TILES, sizes, above) * _copies(GROUPS, above) * tile_padding
    finished = outputs * above[GROUPS, Y] * _reductions(GROUPS, above)
    counts[act.GLB_OUTPUT_READ], counts[act.GLB_OUTPUT_WRITE] = finished, finished


@kernel()
def _traffic(sizes: NDArray[np.int64], above: NDArray[np.int64], left: NDArray[np.int64],
             held: NDArray[np.int64]) -> Traffic:  # fmt: skip
    """What the placement of loops scales; padding of imperfect factors enters the fetched weights."""
    weights = float(sizes[C] * sizes[M] * sizes[R] * sizes[S] * sizes[G] * WEIGHT_BITS)
    fetched = weights
    for d in (C, M, R, S, G, P):
        fetched *= held[d] * left[d] / sizes[d]
    outputs = float(sizes[N] * sizes[M] * sizes[P] * sizes[Q] * sizes[G])
    return Traffic(
        fetched, weights * sizes[P] / left[P], _footprint(MACROS, sizes, above) * _copies(MACROS, above),
        outputs * above[MACROS, Y] * _reductions(MACROS, above), outputs * above[TILES, Y] * _reductions(TILES, above),
    )  # fmt: skip


@kernel()
def _prices(traffic: Traffic, columns: int, prices_J: NDArray[np.float64]) -> tuple[float, float, float]:
    """Energies that the placement weighs: one fetch of all weights, all refills, all spilled partial sums."""
    write = prices_J[act.CELL_WRITE] + prices_J[act.ROW_WRITE] / columns
    return (
        traffic.dram_bits * prices_J[act.DRAM] + traffic.cells * write,
        traffic.refills * prices_J[act.INPUT_BUFFER_WRITE],
        traffic.spills * prices_J[act.OUTPUT_BUFFER_WRITE] + traffic.routed * prices_J[act.ROUTER],
    )


@kernel()
def _count_moving(traffic: Traffic, reuse: Reuse, columns: int, counts: NDArray[np.float64]) -> None:
    """Counts that the placement decides."""
    counts[act.DRAM] = traffic.dram_bits * reuse.fetches
    counts[act.CELL_WRITE] = traffic.cells * reuse.fetches
    counts[act.ROW_WRITE] = counts[act.CELL_WRITE] / columns
    counts[act.INPUT_BUFFER_WRITE] = traffic.refills * reuse.slide / reuse.inputs
    counts[act.OUTPUT_BUFFER_WRITE] = traffic.spills / reuse.outputs
    counts[act.ROUTER] = traffic.routed / reuse.outputs
