"""The greedy policy: legal, complete, and worth its duplicates."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.mapping.factors import ORDERS
from imcevo.mapping.greedy import map_greedily
from imcevo.mapping.kernel_records import GEOMETRY_DTYPE, RESIDENT, STREAMED, SWAPPED, Records
from imcevo.workload.layers import Layer
from tests.mapping.cases import random_chip, random_layer, records_of

N_DESIGNS = 60


def suite(rng: np.random.Generator) -> Records:
    return records_of(*([random_layer(rng, f"layer{i}") for i in range(6)] for _ in range(3)))


def chips(rng: np.random.Generator, deployment: int, **fixed: int) -> Records:
    rows = []
    for _ in range(N_DESIGNS):
        chip = {**random_chip(rng), "deployment": deployment, "dynamic_on_arrays": int(deployment == STREAMED), **fixed}
        rows.append(tuple(chip[name] for name in GEOMETRY_DTYPE.names or ()))
    return np.array(rows, dtype=GEOMETRY_DTYPE)


def product(factors: Records, level: str) -> np.ndarray:
    return np.prod([factors[f"{level}_{name}"].astype(np.int64) for name in "kmgv"], axis=0)


@pytest.mark.parametrize("deployment", [RESIDENT, SWAPPED, STREAMED])
def test_factors_fit_arrays_and_meshes(deployment: int) -> None:
    rng = np.random.default_rng(deployment)
    layers, geometry = suite(rng), chips(rng, deployment)
    f = map_greedily(layers, geometry, 3).factors
    on_arrays = f["unit"] == 0
    slices = -(-layers["second_bits"][None, :] // geometry["bits_per_cell"][:, None])
    K, M = layers["K"][None, :], layers["M"][None, :]
    assert (f["rows_k"] * f["pack_g"] <= geometry["rows"][:, None])[on_arrays].all()
    assert ((f["cols_m"] * f["pack_g"] * slices <= geometry["cols"][:, None]) | (f["cols_m"] == 1))[on_arrays].all()
    assert ((f["pack_g"] == 1) | ((f["rows_k"] >= K) & (f["cols_m"] >= M)))[on_arrays].all()
    assert (product(f, "macro") <= geometry["macros_per_tile"][:, None])[on_arrays].all()
    if deployment == STREAMED:
        assert (product(f, "tile") <= geometry["tiles_per_group"][:, None])[on_arrays].all()
        assert (product(f, "group") <= geometry["router_groups"][:, None])[on_arrays].all()


@pytest.mark.parametrize("deployment", [RESIDENT, SWAPPED])
def test_resident_layers_leave_nothing_to_time_and_duplicates_stay_on_the_chip(deployment: int) -> None:
    rng = np.random.default_rng(10 + deployment)
    layers, geometry = suite(rng), chips(rng, deployment, tiles_per_group=64, router_groups=40)
    mapping = map_greedily(layers, geometry, 3)
    f, chip = mapping.factors, geometry["tiles_per_group"] * geometry["router_groups"]
    stored = (layers["dynamic"] == 0)[None, :] & (f["unit"] == 0)
    for folds, name in (("rows_k", "k"), ("cols_m", "m"), ("pack_g", "g")):
        size = layers[{"k": "K", "m": "M", "g": "G"}[name]][None, :]
        in_space = f[f"macro_{name}"].astype(np.int64) * f[f"tile_{name}"] * f[f"group_{name}"] * f[folds]
        assert (in_space >= size)[stored].all()
    tiles = np.where(stored, product(f, "tile") * product(f, "group") * layers["count"][None, :], 0)
    by_network = np.stack([tiles[:, layers["network"] == n].sum(axis=1) for n in range(3)], axis=1)
    assert (by_network == mapping.tiles_needed).all()
    taken = by_network.max(axis=1) if deployment == SWAPPED else by_network.sum(axis=1)
    assert (taken <= chip).all()
    assert ((f["tile_v"] * f["group_v"])[stored] > 1).any()


def test_duplicates_go_where_the_vectors_are() -> None:
    """A layer with many vectors and few weights gets more duplicates than one with few vectors and many weights."""
    early = Layer("early", C=8, M=8, P=64, Q=64, H=64, W=64)
    late = Layer("late", C=64, M=64, P=4, Q=4, H=4, W=4)
    layers = records_of([early, late])
    rng = np.random.default_rng(3)
    sizes = {"rows": 64, "cols": 64, "bits_per_cell": 1, "macros_per_tile": 1, "tiles_per_group": 64}
    geometry = chips(rng, RESIDENT, **sizes, router_groups=4)
    f = map_greedily(layers, geometry[:1], 1).factors[0]
    duplicates = product(f, "tile") * product(f, "group") // (f["tile_m"] * f["group_m"])
    assert duplicates[0] > 4 * duplicates[1] >= 4


def test_recurrent_steps_are_not_duplicated() -> None:
    layer = Layer("steps", C=16, M=16, P=35, H=35, sequential=True)
    layers = records_of([layer])
    for deployment in (RESIDENT, STREAMED):
        f = map_greedily(layers, chips(np.random.default_rng(4), deployment), 1).factors
        assert (f["macro_v"] == 1).all()
        assert (f["tile_v"] * f["group_v"] == 1).all()


def test_recurrent_weights_that_do_not_fit_are_loaded_again_at_every_step() -> None:
    layer = Layer("steps", C=64, M=64, P=35, H=35, sequential=True)
    sizes = {"rows": 64, "cols": 64, "bits_per_cell": 1, "tiles_per_group": 1, "router_groups": 1, "glb_bits": 10**6}
    rng = np.random.default_rng(6)
    # 64 x 64 weights of 8 bits need 8 arrays
    small = map_greedily(records_of([layer]), chips(rng, STREAMED, **sizes, macros_per_tile=4)[:1], 1).factors[0, 0]
    large = map_greedily(records_of([layer]), chips(rng, STREAMED, **sizes, macros_per_tile=8), 1).factors[0, 0]
    assert (small["slabs"], ORDERS[small["order"]][0]) == (35, "V")
    assert large["slabs"] == 1


def test_attention_needs_volatile_arrays() -> None:
    layer = Layer("qk", C=16, M=8, P=8, H=8, G=2, dynamic=True)
    layers = records_of([layer])
    rng = np.random.default_rng(5)
    assert (map_greedily(layers, chips(rng, RESIDENT), 1).factors["unit"] == 1).all()
    assert (map_greedily(layers, chips(rng, STREAMED), 1).factors["unit"] == 0).all()
