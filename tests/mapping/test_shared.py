"""Layers that share stored weights: what a chip keeps, loads and duplicates, against executing and enumerating it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from imcevo.mapping.evolved import map_as_told, shapes_of
from imcevo.mapping.exact_designs import map_exactly
from imcevo.mapping.exact_resident import copies_step
from imcevo.mapping.factors import FACTORS, Mapping
from imcevo.mapping.greedy import map_greedily
from imcevo.mapping.kernel_records import FACTOR_DTYPE, RESIDENT, STREAMED, SWAPPED, Records
from imcevo.mapping.loops import loads_per_inference
from imcevo.mapping.memo import MappingMemo
from imcevo.mapping.placement import place_layers
from imcevo.mapping.space import CHOICES
from imcevo.workload.layers import Layer
from tests.mapping.cases import factors_of, geometry_of, random_chip, random_factors, random_layer, records_of
from tests.mapping.test_count import SUM_BITS, WALKED, count
from tests.mapping.test_exact import NAMES, TOPS, Case, all_choices, costs_of, random_case
from tests.mapping.test_greedy import chips
from tests.mapping.test_greedy import product as in_space
from tests.mapping.test_placement import N_DESIGNS, offers
from tests.mapping.walker import Walk

ARRANGED = ("rows_k", "cols_m", "pack_g", *(f"{mesh}_{d}" for mesh in ("macro", "tile", "group") for d in "kmg"))


def stored_layer(rng: np.random.Generator) -> Layer:
    while True:
        layer = random_layer(rng)
        if not layer.dynamic:
            return layer


def repeated(layer: Layer, n: int, tensor: str = "W") -> list[Layer]:
    return [replace(layer, name=f"{tensor}{i}", stored_as=tensor) for i in range(n)]


def tiles_of(f: Records) -> NDArray[np.int64]:
    return np.asarray(in_space(f, "tile") * in_space(f, "group"))


def mapped(layers: Records, geometry: Records, n_networks: int, policy: str, rng: np.random.Generator) -> Mapping:
    """By any policy; the evolved one with random genes, the exact one at random prices."""
    if policy == "greedy":
        return map_greedily(layers, geometry, n_networks)
    if policy == "evolved":
        shapes = shapes_of(layers)
        choices = rng.integers(0, TOPS + 1, size=(len(geometry), shapes.max() + 1, len(CHOICES)))
        return map_as_told(layers, geometry, n_networks, shapes, choices)
    prices = random_case(int(rng.integers(100)), RESIDENT).prices
    weights = np.ones((1, n_networks, 2))
    one = [map_exactly(layers, geometry[d : d + 1], prices, weights) for d in range(len(geometry))]
    return Mapping(*(np.concatenate(parts) for parts in zip(*one, strict=True)))


@pytest.mark.parametrize("seed", range(200))
def test_layers_in_a_row_on_one_tensor_load_what_the_walker_loads(seed: int) -> None:
    """Weights that are all there at once stay for the next layer; those of several rounds are loaded again."""
    rng = np.random.default_rng([71, seed])
    layer, chip, n = stored_layer(rng), {**random_chip(rng), "deployment": STREAMED}, 3
    if seed % 2:  # meshes that hold everything
        chip |= {"macros_per_tile": 64, "tiles_per_group": 64, "router_groups": 64}
    f = random_factors(layer, chip, rng)
    layers, geometry = records_of(repeated(layer, n)), geometry_of(chip)
    if seed % 2:
        f = {name: int(map_greedily(layers, geometry, 1).factors[name][0, 0]) for name in FACTORS}
    held, expected, rows_written = None, Counter[str](), 0
    for _ in range(n):
        walk = Walk(layer, chip, f, sum_bits=SUM_BITS, held=held)
        held, rows_written = walk.held, rows_written + walk.rows_written
        expected.update(walk.counts)
    counts, times = count(layers, geometry, factors_of(f), row_write_s=1e-3)
    for name in WALKED:
        assert counts[name] == pytest.approx(expected[name], rel=1e-9, abs=0), name
    assert times["weight_write"] == pytest.approx(rows_written * 1e-3)
    assert loads_per_inference(layers, geometry, factors_of(f), 1)[0, 0] <= n * loads_per_inference(
        records_of([layer]), geometry, factors_of(f), 1
    )[0, 0]


def test_half_of_the_random_cases_keep_their_weights() -> None:
    """The test above sees both: in one round a load per tensor, in several one per layer."""
    layer, wide = Layer("fc", C=8, M=4), Layer("wide", C=64, M=64)
    chip = {**random_chip(np.random.default_rng(1)), "deployment": STREAMED, "macros_per_tile": 1, "tiles_per_group": 1,
            "router_groups": 1, "rows": 8, "cols": 32, "bits_per_cell": 1}  # fmt: skip
    loads = []
    for one in (layer, wide):
        layers = records_of(repeated(one, 3))
        f = map_greedily(layers, geometry_of(chip), 1).factors
        loads.append(loads_per_inference(layers, geometry_of(chip), f, 1)[0, 0])
    assert loads == [1.0, 3 * 8 * 16]


@pytest.mark.parametrize("policy", ["greedy", "evolved", "exact"])
@pytest.mark.parametrize("deployment", [RESIDENT, SWAPPED])
def test_a_chip_stores_the_most_duplicates_that_any_layer_of_a_tensor_uses(deployment: int, policy: str) -> None:
    """Three tensors used alike by layers of three sizes, twice each by the first; other layers and networks beside."""
    rng = np.random.default_rng(deployment)
    base = Layer("base", C=20, M=12, R=3, S=3, P=6, Q=6, H=8, W=8)
    uses = []
    for tensor in "ABC":
        for name, P in (("small", 2), ("one", 1), ("again", 2), ("large", 6)):
            uses.append(replace(base, name=f"{tensor}.{name}", P=P, H=P + 2, stored_as=tensor))
    others = [replace(stored_layer(rng), name=f"own{i}") for i in range(2)]
    layers = records_of([others[0], *uses, others[1]], uses[:4])
    assert layers["stored"].tolist() == [1, 3, 0, 0, 1, 1, 0, 0]
    assert layers["behind"].tolist() == [0, 0, 1, 2, 0, 0, 1, 2]
    assert layers["count"].tolist() == [1, 3, 6, 3, 1, 1, 2, 1]
    assert layers["uses"].tolist() == [1, 1, 2, 1, 1, 1, 2, 1]
    fixed = {"tiles_per_group": 16, "router_groups": 30, "macros_per_tile": 4}
    geometry = chips(rng, deployment, **fixed)[: 8 if policy == "exact" else 60]
    mapping = mapped(layers, geometry, 2, policy, rng)
    f, chip = mapping.factors, geometry["tiles_per_group"] * geometry["router_groups"]
    for leader, end in ((1, 4), (5, 8)):
        for name in ARRANGED:
            assert (f[name][:, leader:end] == f[name][:, [leader]]).all(), name
        copies = in_space(f[:, leader:end], "macro") * tiles_of(f[:, leader:end])
        assert (copies[:, [0]] >= copies).all()
        assert (tiles_of(f)[:, [leader]] >= tiles_of(f)[:, leader:end]).all()
        by_hand = np.minimum(f["macro_v"][:, [leader]], layers["max_copies"][leader:end])
        assert (f["macro_v"][:, leader:end] == by_hand).all()
    tiles = tiles_of(f) * np.array([1, 3, 0, 0, 1, 1, 0, 0])
    by_network = np.stack([tiles[:, :5].sum(axis=1), tiles[:, 5:].sum(axis=1)], axis=1)
    assert (by_network == mapping.tiles_needed).all()
    taken = by_network.max(axis=1) if deployment == SWAPPED else by_network.sum(axis=1)
    fits = taken <= chip
    assert fits.sum() >= len(chip) // 2
    if policy != "evolved":
        assert (tiles_of(f)[:, 1] > tiles_of(f)[:, 3]).any()


@pytest.mark.parametrize("policy", ["greedy", "evolved", "exact"])
def test_sharing_never_takes_more_tiles_and_equal_layers_take_those_of_one(policy: str) -> None:
    rng = np.random.default_rng(9)
    geometry = chips(rng, RESIDENT, tiles_per_group=1, router_groups=1)[: 8 if policy == "exact" else 60]
    for _ in range(5):
        layer, other = stored_layer(rng), replace(stored_layer(rng), name="other")
        shared = repeated(layer, 4)
        # No tile is left over for duplicates, so these are the tiles of the weights themselves.
        needed = [
            mapped(records_of(layers), geometry, 1, policy, np.random.default_rng(3)).tiles_needed[:, 0]
            for layers in ([shared[0], other], [*shared, other], [*(replace(x, stored_as="") for x in shared), other])
        ]
        assert (needed[0] == needed[1]).all()
        assert (needed[1] < needed[2]).all()


@pytest.mark.parametrize("seed", range(60))
def test_streamed_mapping_of_shared_weights_equals_brute_force(seed: int) -> None:
    one = random_case(seed, STREAMED)
    if one.layer.dynamic:
        return
    case = one._replace(layers=records_of(repeated(one.layer, 3)))
    assert (case.layers["count"].tolist(), case.layers["load_share"].tolist()) == ([3], [1 / 3])
    choices, complete = all_choices(case, seed)
    told = map_as_told(
        case.layers, np.repeat(case.geometry, len(choices)), 1, shapes_of(case.layers), choices[:, None]
    ).factors[:, 0]
    brute = costs_of(case, told[:, None]).min()
    best = costs_of(case, map_exactly(case.layers, case.geometry, case.prices, case.weights).factors)[0]
    memo = MappingMemo(case.layers, SUM_BITS).map(case.geometry, case.prices, case.weights)
    assert best <= brute * (1 + 1e-9)
    assert not complete or best == pytest.approx(brute, rel=1e-9)
    assert costs_of(case, memo.factors)[0] == pytest.approx(best, rel=1e-9)


def pair_of(case: Case) -> Case:
    """The case's layer and one of the same tensor with fewer outputs, used twice."""
    layer = replace(case.layer, stored_as="W")
    fewer = replace(layer, name="fewer", N=1, P=max(1, layer.P // 3), Q=max(1, layer.Q // 2), held_elements=101)
    return case._replace(layers=records_of([layer, fewer, replace(fewer, name="again")]))


def follower_of(factors: Records, layer: Records, in_group: NDArray[np.int64]) -> Records:
    """The same places for the weights, and the duplicates among the leader's that find work."""
    f, most = factors.copy(), int(layer["max_copies"])
    f["macro_v"] = np.minimum(f["macro_v"], most)
    copies = np.minimum(factors["tile_v"] * factors["group_v"], -(-most // f["macro_v"]))
    f["tile_v"] = np.minimum(np.maximum(1, 8 // in_group), copies)
    f["group_v"] = copies // f["tile_v"]
    return f


@pytest.mark.parametrize("seed", range(60))
def test_resident_mapping_of_layers_of_one_tensor_equals_brute_force(seed: int) -> None:
    one = random_case(seed, RESIDENT, tiles_per_group=8, router_groups=64, dynamic_on_arrays=0)
    if one.layer.dynamic:
        return
    case = pair_of(one)
    n = len(case.layers)
    best = map_exactly(case.layers, case.geometry, case.prices, case.weights)
    found = _cost_together(case, best.factors)[0]
    choices, complete = all_choices(case._replace(layers=case.layers[:1]), seed)
    choices = choices[(choices[:, NAMES.index("group_k")] == 0) & (choices[:, NAMES.index("order")] == 0)]
    leader = case.layers[:1]
    factors = map_as_told(
        leader, np.repeat(case.geometry, len(choices)), 1, shapes_of(leader), choices[:, None]
    ).factors[:, 0].copy()
    factors["tile_v"] = factors["group_v"] = 1
    factors = np.unique(factors.view((np.int32, len(FACTORS))), axis=0).view(FACTOR_DTYPE)[:, 0]
    in_group = np.prod([factors[f"tile_{d}"].astype(np.int64) for d in "kmg"], axis=0)
    alone = in_group * np.prod([factors[f"group_{d}"].astype(np.int64) for d in "kmg"], axis=0)
    most = np.maximum(1, np.minimum(-(-leader["max_copies"][0] // factors["macro_v"]), 8 * 64 // alone))
    brute = np.inf
    for step in range(20):
        copies = np.minimum(copies_step(step), most)
        factors["tile_v"] = np.minimum(np.maximum(1, 8 // in_group), copies)
        factors["group_v"] = copies // factors["tile_v"]
        rows = [factors, *(follower_of(factors, case.layers[i], in_group) for i in range(1, n))]
        fits = tiles_of(factors) <= 8 * 64
        if fits.any():
            brute = min(brute, _cost_together(case, np.stack(rows, axis=1)[fits]).min())
    if np.isfinite(brute):
        assert best.tiles_needed[0, 0] == tiles_of(best.factors)[0, 0]
        assert found <= brute * (1 + 1e-9)
        assert not complete or found == pytest.approx(brute, rel=1e-9)


def _cost_together(case: Case, factors: Records) -> NDArray[np.float64]:
    """Cost of all rows of a case ``[n]``, each as the simulator counts it."""
    return np.sum(
        [
            costs_of(case._replace(layers=case.layers[i : i + 1]), np.ascontiguousarray(factors[:, i : i + 1]))
            for i in range(len(case.layers))
        ],
        axis=0,
    )


def test_duplicates_of_a_tensor_serve_all_its_layers() -> None:
    """Used by eight layers instead of one, a tensor is worth root 8 times the duplicates (see `docs/model.md`)."""
    layer, other = Layer("fc", C=64, M=8, P=512, H=512), Layer("other", C=64, M=8, P=512, H=512)
    sizes = {"rows": 64, "cols": 64, "bits_per_cell": 1, "macros_per_tile": 1, "tiles_per_group": 256,
             "router_groups": 1}  # fmt: skip
    chip = chips(np.random.default_rng(3), RESIDENT, **sizes, pipelined=0)[:1]
    f = map_greedily(records_of([*repeated(layer, 8), other]), chip, 1).factors
    shared, own = tiles_of(f)[0]
    assert shared / own == pytest.approx(8**0.5, rel=0.05)
    assert shared + own <= 256
    pipelined = chips(np.random.default_rng(3), RESIDENT, **sizes, pipelined=1)[:1]
    shared, own = tiles_of(map_greedily(records_of([*repeated(layer, 8), other]), pipelined, 1).factors)[0]
    assert shared / own == pytest.approx(8, rel=0.05)  # eight stages take turns at it


def test_layers_of_one_tensor_go_to_one_part_of_a_hybrid_chip() -> None:
    layers = records_of(
        [Layer(f"layer{i}", C=8, M=8, P=1 + i, H=1 + i, stored_as="W" * (i in (1, 3, 4))) for i in range(6)],
        [Layer(f"layer{i}", C=8, M=8, P=1 + i, H=1 + i) for i in range(6)],
    )  # fmt: skip
    together = np.flatnonzero((layers["behind"] > 0) | (np.append(layers["behind"][1:], 0) > 0))
    assert together.tolist() == [1, 2, 3]
    analog, digital = offers(np.random.default_rng(8), digital_stays=False)
    for offer in (analog, digital):
        offer.tiles[:, together[1:]] = 0
    on_digital = place_layers(layers, analog, digital, np.full(2, 0.2))
    assert (on_digital[:, together] == on_digital[:, together[:1]]).all()
    assert 0 < on_digital[:, together[0]].sum() < N_DESIGNS
    assert (np.where(on_digital, 0, analog.tiles).sum(axis=1) <= 20).all()

