"""Designs counted side by side against the same designs counted alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from imcevo.costs.terms import N_ACTIONS, RATES
from imcevo.mapping.count import COUNT_DTYPE, N_TIMES, RATE_DTYPE, TIME_DTYPE, count_layers
from imcevo.mapping.factors import ELSEWHERE, ON_ARRAYS, ON_DIGITAL_UNIT
from imcevo.mapping.kernel_records import FACTOR_DTYPE, Records
from imcevo.mapping.vector_lanes import LANES
from tests.mapping.cases import factors_of, geometry_of, random_chip, random_factors, random_layer, records_of

SUM_BITS = 24


def counted(
    layers: Records, geometry: Records, factors: Records, rates: Records, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    counts = np.zeros((len(geometry), rows.max(initial=0) + 1, N_ACTIONS))
    times = np.zeros((len(geometry), rows.max(initial=0) + 1, N_TIMES))
    summed = np.zeros(len(geometry), dtype=np.int64)
    count_layers(
        layers, geometry, factors, rates, SUM_BITS, 0.5, rows, counts.view(COUNT_DTYPE)[:, :, 0],
        times.view(TIME_DTYPE)[:, :, 0], summed,
    )  # fmt: skip
    return counts, times, summed


@pytest.mark.parametrize("rows", [np.repeat([0, 1], 5), np.arange(10), np.array([3, 0, 1, 0, 2, 2, 0, 1, 3, 0])])
@pytest.mark.parametrize("n_designs", [1, LANES - 1, LANES, 2 * LANES + 1])
def test_a_design_counts_the_same_in_any_company(n_designs: int, rows: NDArray[np.int64]) -> None:
    """Layers of two networks, chips of all kinds, every layer somewhere else on every chip."""
    rng = np.random.default_rng([20267, n_designs])
    networks = [[replace(random_layer(rng), name=f"layer{i}") for i in range(5)] for _ in range(2)]
    layers = records_of(*networks)
    chips = [
        {**random_chip(rng), "deployment": int(rng.integers(3)), "pipelined": int(rng.integers(2))}
        for _ in range(n_designs)
    ]
    geometry = np.concatenate([geometry_of(chip) for chip in chips])
    shapes = [layer for network in networks for layer in network]
    factors = np.concatenate([
        np.concatenate([factors_of(random_factors(layer, chip, rng)) for layer in shapes], axis=1) for chip in chips
    ])  # fmt: skip
    factors["unit"] = rng.choice([ON_ARRAYS, ON_DIGITAL_UNIT, ELSEWHERE], size=factors.shape, p=[0.6, 0.2, 0.2])
    rates = 10.0 ** rng.uniform(7, 11, size=(n_designs, len(RATES)))
    rates[:, :2] = 10.0 ** rng.uniform(-10, -7, size=(n_designs, 2))
    rates = rates.view(RATE_DTYPE)[:, 0]
    together = counted(layers, geometry, factors, rates, rows)
    for d in range(n_designs):
        one = slice(d, d + 1)
        alone = counted(layers, geometry[one], factors[one], rates[one], rows)
        for of_all, of_one in zip(together, alone, strict=True):
            assert (of_all[one] == of_one).all()
    counts, times, _ = together
    moved = factors["unit"] == ELSEWHERE
    elsewhere = np.stack([moved[:, rows == row].all(axis=1) for row in range(rows.max() + 1)], axis=1)
    assert np.isfinite(counts).all()
    assert np.isfinite(times).all()
    assert (counts[elsewhere] == 0).all()
    assert (times[elsewhere] == 0).all()
    assert (times[np.array([chip["pipelined"] for chip in chips]) == 0][:, :, -5:] == 0).all()


def test_no_layers_count_nothing() -> None:
    rng = np.random.default_rng(3)
    geometry = geometry_of(random_chip(rng))
    layers = records_of([random_layer(rng)])[:0]
    factors, rates = np.ones((1, 0), dtype=FACTOR_DTYPE), np.ones((1, len(RATES))).view(RATE_DTYPE)[:, 0]
    counts, times, _ = counted(layers, geometry, factors, rates, np.zeros(0, dtype=np.int64))
    assert not counts.any()
    assert not times.any()
