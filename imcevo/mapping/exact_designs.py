"""The exact mapping policy: all layers of a suite on many designs, at each design's own prices."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.exact import map_streamed
from imcevo.mapping.exact_resident import MOST_OPTIONS, list_options, share_out
from imcevo.mapping.factors import ON_DIGITAL_UNIT, Mapping
from imcevo.mapping.greedy import follow
from imcevo.mapping.kernel_records import FACTOR_DTYPE, RESIDENT, STREAMED, Record, Records, plain_factors
from imcevo.mapping.mesh_splits import WALK_DTYPE
from imcevo.mapping.price import Prices, movement_rates, unbounded_buffers
from imcevo.mapping.space import SHARES, mesh_shares
from imcevo.mapping.traffic import fits_buffer
from imcevo.workload.table import MATRIX


def map_exactly(layers: Records, geometry: Records, prices: Prices, weights: NDArray[np.float64]) -> Mapping:
    """Of all mappings of the closed space, those of least weighted energy and latency.

    Exact for every layer where weights are streamed. Where they stay on chip, the tiles are shared out by one
    multiplier, see `exact_resident`.

    Args:
        layers: ``[n_layers]`` of `LAYER_DTYPE`, network by network.
        geometry: ``[n_designs]`` of `GEOMETRY_DTYPE`.
        prices: of the designs.
        weights: of energy (1/J) and latency (1/s) in a network's cost ``[n_designs, n_networks, 2]``.
    """
    n, n_networks = len(geometry), weights.shape[1]
    factors, trial = plain_factors(n, len(layers)), plain_factors(n, 1)[:, 0]
    tiles_needed = np.zeros((n, n_networks), dtype=np.int64)
    ends = np.searchsorted(layers["network"], np.arange(n_networks), side="right").astype(np.int64)
    rates = prices.rates()
    _map_designs(
        layers, geometry, unbounded_buffers(geometry), rates, movement_rates(rates), prices.records(),
        np.ascontiguousarray(weights), np.zeros(n, dtype=WALK_DTYPE), trial, ends, _twins(layers), factors,
        tiles_needed,
    )  # fmt: skip
    return Mapping(factors, tiles_needed)


def _twins(layers: Records) -> NDArray[np.int64]:
    """The earlier layer that differs from each in nothing but what else is alive meanwhile, or -1 ``[n_layers]``.

    Layers that share their weights with layers of other sizes have none.
    """
    alike = layers.copy()
    alike["held_bits"] = 0.0
    alone = np.append(layers["behind"][1:], 0) == 0
    alone &= layers["behind"] == 0
    first: dict[bytes, int] = {}
    found = [first.setdefault(layer.tobytes(), i) if alone[i] else i for i, layer in enumerate(alike)]
    return np.where(found == np.arange(len(layers)), -1, found)


@kernel(parallel=True)
def _map_designs(
    layers: Records, geometry: Records, ideal: Records, rates: Records, movement: Records, prices: Records,
    weights: NDArray[np.float64], walks: Records, trial: Records,
    ends: NDArray[np.int64], twins: NDArray[np.int64], factors: Records, tiles_needed: NDArray[np.int64],
) -> None:  # fmt: skip
    for d in numba.prange(len(geometry)):
        _map_design(
            layers, geometry[d], ideal[d], rates[d], movement[d], prices[d], weights[d], walks[d], trial[d],
            trial[d : d + 1], ends, twins, factors[d], tiles_needed[d],
        )  # fmt: skip


@kernel(inline=False)
def _map_design(
    layers: Records, chip: Record, ideal: Record, rate: Record, movement: Record, price: Record,
    weights: NDArray[np.float64], walk: Record, f: Record, trial: Records,
    ends: NDArray[np.int64], twins: NDArray[np.int64], factors: Records, tiles_needed: NDArray[np.int64],
) -> None:  # fmt: skip
    """One design; arguments as of `_map_designs`, of this design alone."""
    shares = np.empty((3, SHARES + 1), np.int64)
    mesh_shares(chip, shares)
    n_rows = len(layers) if chip.deployment != STREAMED else 0
    found, chosen = np.zeros(n_rows, np.int64), np.zeros(n_rows, np.int64)
    cost, tiles = np.empty((n_rows, MOST_OPTIONS)), np.empty((n_rows, MOST_OPTIONS), np.int64)
    options = np.empty((n_rows, MOST_OPTIONS), FACTOR_DTYPE)
    most_tiles = chip.tiles_per_group * chip.router_groups
    for i in range(len(layers)):
        layer = layers[i]
        price.energy_weight, price.time_weight = weights[layer.network, 0], weights[layer.network, 1]
        if layer.kind != MATRIX or (layer.dynamic and not chip.dynamic_on_arrays):
            factors[i].unit = ON_DIGITAL_UNIT
        elif twins[i] >= 0 and fits_buffer(layer, chip) and fits_buffer(layers[twins[i]], chip):
            twin = twins[i]
            factors[i] = factors[twin]
            if n_rows:
                found[i] = found[twin]
                for k in range(found[i]):
                    cost[i, k], tiles[i, k], options[i, k] = cost[twin, k], tiles[twin, k], options[twin, k]
        elif chip.deployment == STREAMED or layer.dynamic:
            map_streamed(
                layer, chip, ideal, rate, price, shares, walk, f, trial, factors[i : i + 1]
            )
        elif layer.behind == 0:
            end = i + 1
            while end < len(layers) and layers[end].behind > 0:
                end += 1
            found[i] = list_options(
                layers[i:end], chip, ideal, rate, movement, price, shares, walk, f, factors[i:end], trial, options[i],
                cost[i], tiles[i], most_tiles,
            )  # fmt: skip
    first = 0
    for network in range(len(ends) if n_rows else 0):
        if chip.deployment == RESIDENT:
            if network == 0:
                share_out(most_tiles, found, cost, tiles, 0, len(layers), chosen)
        else:
            share_out(most_tiles, found, cost, tiles, first, ends[network], chosen)
        for i in range(first, ends[network]):
            if found[i] > 0:
                factors[i] = options[i, chosen[i]]
                tiles_needed[network] += tiles[i, chosen[i]]
            elif layers[i].behind > 0 and not layers[i].dynamic:
                follow(layers[i], chip, factors[i - layers[i].behind], factors[i])
                factors[i].order, factors[i].slabs = 0, 1
        first = ends[network]
