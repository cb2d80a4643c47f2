"""Remembered mappings against the exact mapper at given prices, and against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.costs.terms import N_ACTIONS, RATES, UnitCosts
from imcevo.mapping.exact_designs import map_exactly
from imcevo.mapping.factors import FACTORS, ON_DIGITAL_UNIT
from imcevo.mapping.kernel_records import FACTOR_DTYPE, RESIDENT, STREAMED
from imcevo.mapping.memo import MappingMemo
from imcevo.mapping.nondominated import N_WORK
from imcevo.mapping.price import Prices
from tests.mapping.test_exact import SUM_BITS, Case, all_choices, costs_of, random_case, told


def repriced(case: Case, rng: np.random.Generator) -> Case:
    """The same layer and chip at other prices and weights."""
    energy = 10.0 ** rng.uniform(-15, -11, size=(1, N_ACTIONS)) * (rng.random((1, N_ACTIONS)) < 0.7)
    rates = 10.0 ** rng.uniform(7, 11, size=(1, len(RATES)))
    rates[0, :2] = 10.0 ** rng.uniform(-10, -7, size=2)
    costs = UnitCosts(energy, np.zeros((1, 1)), 10.0 ** rng.uniform(-6, -1, size=1), rates)
    return case._replace(prices=Prices(costs, SUM_BITS, 0.0), weights=10.0 ** rng.uniform(-3, 3, size=(1, 1, 2)))


@pytest.mark.parametrize("seed", range(100))
def test_remembered_mappings_are_exact_at_any_prices(seed: int) -> None:
    case = random_case(seed, STREAMED)
    memo, rng = MappingMemo(case.layers, SUM_BITS), np.random.default_rng(seed)
    for _ in range(5):
        case = repriced(case, rng)
        found = memo.map(case.geometry, case.prices, case.weights)
        exact = map_exactly(case.layers, case.geometry, case.prices, case.weights)
        assert costs_of(case, found.factors)[0] == pytest.approx(costs_of(case, exact.factors)[0], rel=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_prices_of_remembered_mappings_are_the_simulators(seed: int) -> None:
    case = random_case(seed, STREAMED)
    memo = MappingMemo(case.layers, SUM_BITS)
    energies, latencies = memo.priced(case.geometry, case.prices)
    of_energy, of_latency = case.weights[0, 0]
    factors = memo.mappings(case.geometry).factors[:, None]
    assert of_energy * energies[0] + of_latency * latencies[0] == pytest.approx(costs_of(case, factors), rel=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_no_mapping_of_the_space_beats_the_remembered_ones(seed: int) -> None:
    case = random_case(seed, STREAMED)
    rng = np.random.default_rng(seed)
    memo = MappingMemo(case.layers, SUM_BITS)
    factors = np.unique(told(case, all_choices(case, seed)[0]).factors[:, 0].view((np.int32, len(FACTORS))), axis=0)
    for _ in range(3):
        case = repriced(case, rng)
        brute = costs_of(case, np.ascontiguousarray(factors).view(FACTOR_DTYPE)).min()
        assert costs_of(case, memo.map(case.geometry, case.prices, case.weights).factors)[0] <= brute * (1 + 1e-9)


def test_no_remembered_mapping_dominates_another() -> None:
    for seed in range(40):
        case = random_case(seed, STREAMED)
        known = MappingMemo(case.layers, SUM_BITS).mappings(case.geometry)
        n = len(known.factors)
        amounts = np.concatenate([known.amounts.reshape(-1, n), known.work.reshape(N_WORK, n)]).T
        nowhere_above = (amounts[:, None] <= amounts).all(axis=2)
        assert (nowhere_above == np.eye(len(amounts), dtype=bool)).all()


def test_memory_is_bounded_and_lanes_do_not_matter() -> None:
    case = random_case(2, STREAMED)
    memo = MappingMemo(case.layers, SUM_BITS, most_bytes=1)
    first = memo.mappings(case.geometry)
    more_lanes, more_rows = case.geometry.copy(), case.geometry.copy()
    more_lanes["digital_lanes"] += 1
    assert memo.mappings(more_lanes) is first
    more_rows["rows"] *= 2
    second = memo.mappings(more_rows)
    assert memo.bytes_kept == sum(values.nbytes for values in second)
    assert memo.mappings(case.geometry) is not first


def test_layers_of_the_digital_unit_and_resident_weights() -> None:
    case = next(c for c in (random_case(seed, STREAMED) for seed in range(100)) if c.layers["dynamic"][0])
    digital = case.geometry.copy()
    digital["dynamic_on_arrays"] = 0
    mapping = MappingMemo(case.layers, SUM_BITS).map(digital, case.prices, case.weights)
    assert mapping.factors["unit"][0, 0] == ON_DIGITAL_UNIT
    with pytest.raises(ValueError, match="streamed"):
        MappingMemo(case.layers, SUM_BITS).mappings(random_case(2, RESIDENT).geometry)
