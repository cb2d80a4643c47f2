"""The exact mapper against brute force over the whole closed space, and against every mapping seen elsewhere."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from imcevo.costs.terms import N_ACTIONS, RATES, UnitCosts
from imcevo.mapping.count import COUNT_DTYPE, N_RESOURCES, N_TIMES, TIME_DTYPE, count_layers
from imcevo.mapping.evolved import map_as_told, shapes_of
from imcevo.mapping.exact_designs import map_exactly
from imcevo.mapping.exact_resident import copies_step
from imcevo.mapping.factors import FACTORS, Mapping
from imcevo.mapping.greedy import map_greedily
from imcevo.mapping.kernel_records import FACTOR_DTYPE, RESIDENT, STREAMED, Records
from imcevo.mapping.price import Prices
from imcevo.mapping.space import CHOICES, NEUTRAL_COPIES
from imcevo.workload.layers import Layer
from tests.mapping.cases import geometry_of, random_chip, random_layer, records_of
from tests.mapping.test_count import assert_equals_walk, count
from tests.mapping.walker import Walk

RNG_SEED = 60061
SUM_BITS = 24
TOPS = np.array(list(CHOICES.values()))
NAMES = list(CHOICES)
MOST = 30_000


class Case(NamedTuple):
    """One random layer on one small random chip at random prices and weights."""

    layer: Layer
    layers: Records
    geometry: Records
    prices: Prices
    weights: NDArray[np.float64]


def random_case(seed: int, deployment: int, **chip: int) -> Case:
    rng = np.random.default_rng([RNG_SEED, seed])
    meshes = ((1, 2, 4), (1, 1, 3), (1, 1, 2)) if seed % 2 else ((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 4))
    small = dict(zip(("macros_per_tile", "tiles_per_group", "router_groups"), meshes, strict=True))
    drawn = {name: int(rng.choice(values)) for name, values in small.items()}
    layer = random_layer(rng)
    geometry = geometry_of({
        **random_chip(rng), **drawn, "deployment": deployment, "dynamic_on_arrays": 1, **chip
    })  # fmt: skip
    energy = 10.0 ** rng.uniform(-15, -11, size=(1, N_ACTIONS)) * (rng.random((1, N_ACTIONS)) < 0.7)
    rates = 10.0 ** rng.uniform(7, 11, size=(1, len(RATES)))
    rates[0, :2] = 10.0 ** rng.uniform(-10, -7, size=2)
    costs = UnitCosts(energy, np.zeros((1, 1)), 10.0 ** rng.uniform(-6, -1, size=1), rates)
    kind = rng.integers(3)
    weights = np.array([[[0.0 if kind == 1 else 1.0, 0.0 if kind == 0 else 10.0 ** rng.uniform(-4, 2)]]])
    return Case(layer, records_of([layer]), geometry, Prices(costs, SUM_BITS, 0.0), weights)


def costs_of(case: Case, factors: Records) -> NDArray[np.float64]:
    """Cost of many mappings of the case's layer ``[n, 1]``, through the simulator's counts."""
    n, prices = len(factors), case.prices
    counts, times = np.zeros((n, 1, N_ACTIONS)), np.zeros((n, 1, N_TIMES))
    count_layers(
        case.layers, np.repeat(case.geometry, n), factors, np.repeat(prices.rates(), n), SUM_BITS, 0.0,
        np.zeros(1, dtype=np.int64), counts.view(COUNT_DTYPE)[..., 0], times.view(TIME_DTYPE)[..., 0],
        np.zeros(n, dtype=np.int64),
    )  # fmt: skip
    latency = times[:, 0, :N_RESOURCES].sum(axis=1)
    energy = counts[:, 0] @ prices.costs.energy_J[0] + prices.costs.leakage_W[0] * latency
    return energy * case.weights[0, 0, 0] + latency * case.weights[0, 0, 1]


def told(case: Case, choices: NDArray[np.int64]) -> Mapping:
    return map_as_told(case.layers, np.repeat(case.geometry, len(choices)), 1, shapes_of(case.layers), choices[:, None])


def all_choices(case: Case, seed: int) -> tuple[NDArray[np.int64], bool]:
    """Every row of choices, those left out that a mesh or layer of this size cannot tell apart.

    Where these are more than MOST, so many drawn at random; the second value says whether all are there.
    """
    chip, layer = case.geometry[0], case.layers[0]
    mesh = {"macro": chip["macros_per_tile"], "tile": chip["tiles_per_group"], "group": chip["router_groups"]}

    def values(name: str) -> list[int]:
        level, _, dimension = name.partition("_")
        if name == "copies":
            return [NEUTRAL_COPIES]
        if (name == "pack" or dimension == "g") and layer["G"] == 1:
            return [0]
        if dimension == "m" and layer["M"] == 1:
            return [0]
        if level in mesh and (mesh[level] == 1 or (dimension == "v" and layer["max_copies"] == 1)):
            return [0]
        if level in mesh and mesh[level] < 4 and CHOICES[name] == 2:
            return [0, 2]
        return list(range(CHOICES[name] + 1))

    lists = [values(name) for name in NAMES]
    if prod(map(len, lists)) <= MOST:
        return np.array(list(product(*lists))), True
    rng = np.random.default_rng(seed)
    return np.stack([rng.choice(values, size=MOST) for values in lists], axis=1), False


@pytest.mark.parametrize("seed", range(300))
def test_streamed_mapping_equals_brute_force(seed: int) -> None:
    case = random_case(seed, STREAMED)
    best = map_exactly(case.layers, case.geometry, case.prices, case.weights)
    choices, complete = all_choices(case, seed)
    factors = np.unique(told(case, choices).factors[:, 0].view((np.int32, len(FACTORS))), axis=0)
    brute = costs_of(case, np.ascontiguousarray(factors).view(FACTOR_DTYPE)).min()
    assert costs_of(case, best.factors)[0] <= brute * (1 + 1e-9)
    if complete:
        assert costs_of(case, best.factors)[0] == pytest.approx(brute, rel=1e-9)
    assert costs_of(case, best.factors)[0] <= costs_of(case, map_greedily(case.layers, case.geometry, 1).factors)[0] * (
        1 + 1e-9
    )


@pytest.mark.parametrize("seed", range(100))
def test_exact_mappings_count_what_the_walker_executes(seed: int) -> None:
    case = random_case(seed, STREAMED)
    best = map_exactly(case.layers, case.geometry, case.prices, case.weights)
    f = {name: int(best.factors[name][0, 0]) for name in FACTORS}
    chip = {name: int(case.geometry[name][0]) for name in case.geometry.dtype.names or ()}
    counts, _ = count(case.layers, case.geometry, best.factors)
    assert_equals_walk(Walk(case.layer, chip, f, sum_bits=SUM_BITS), counts)


@pytest.mark.parametrize("seed", range(100))
def test_resident_mapping_of_one_layer_equals_brute_force(seed: int) -> None:
    case = random_case(seed, RESIDENT, tiles_per_group=8, router_groups=64, dynamic_on_arrays=0)
    if case.layers["dynamic"][0]:
        return
    best = map_exactly(case.layers, case.geometry, case.prices, case.weights)
    choices, complete = all_choices(case, seed)
    choices = choices[(choices[:, NAMES.index("group_k")] == 0) & (choices[:, NAMES.index("order")] == 0)]
    factors = told(case, choices).factors[:, 0].copy()
    factors["tile_v"] = factors["group_v"] = 1
    factors = np.unique(factors.view((np.int32, len(FACTORS))), axis=0).view(FACTOR_DTYPE)[:, 0]
    in_group = np.prod([factors[f"tile_{d}"].astype(np.int64) for d in "kmg"], axis=0)
    alone = in_group * np.prod([factors[f"group_{d}"].astype(np.int64) for d in "kmg"], axis=0)
    most = np.maximum(1, np.minimum(-(-case.layers["max_copies"][0] // factors["macro_v"]), 8 * 64 // alone))
    brute = np.inf
    for step in range(20):
        copies = np.minimum(copies_step(step), most)
        factors["tile_v"] = np.minimum(np.maximum(1, 8 // in_group), copies)
        factors["group_v"] = copies // factors["tile_v"]
        tiles = np.prod([factors[f"{mesh}_{d}"].astype(np.int64) for mesh in ("tile", "group") for d in "kmgv"], axis=0)
        fits = factors[tiles <= 8 * 64]
        if len(fits):
            brute = min(brute, costs_of(case, fits[:, None]).min())
    if np.isfinite(brute):
        found = costs_of(case, best.factors)[0]
        assert found <= brute * (1 + 1e-9)
        assert not complete or found == pytest.approx(brute, rel=1e-9)


def test_every_row_of_choices_fits_its_chip() -> None:
    rng = np.random.default_rng(5)
    for seed in range(200):
        case = random_case(seed, STREAMED)
        f = told(case, rng.integers(0, TOPS + 1, size=(50, len(TOPS)))).factors
        chip = case.geometry[0]
        for level, mesh in (("macro", "macros_per_tile"), ("tile", "tiles_per_group"), ("group", "router_groups")):
            assert (np.prod([f[f"{level}_{d}"] for d in "kmgv"], axis=0) <= chip[mesh]).all()
        assert (f["rows_k"] * f["pack_g"] <= chip["rows"]).all()
        assert (f["slabs"] <= case.layers["P"][0]).all()


def test_layers_alike_but_for_what_else_is_alive_are_mapped_as_each_alone() -> None:
    differing = 0
    for seed in range(40):
        case = random_case(seed, STREAMED, glb_bits=40_000)
        layers = case.layers.repeat(3)
        layers["held_bits"] = [0.0, 1000.0, 36_000.0]
        together = map_exactly(layers, case.geometry, case.prices, case.weights).factors[0]
        ones = [map_exactly(one, case.geometry, case.prices, case.weights) for one in layers[:, None]]
        alone = [one.factors[0, 0] for one in ones]
        assert together.tolist() == [f.tolist() for f in alone]
        differing += alone[0].tobytes() != alone[2].tobytes()
    assert differing > 0
