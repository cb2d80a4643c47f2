"""Policies and their genes."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.costs.terms import UnitCosts
from imcevo.errors import UserError
from imcevo.mapping.evolved import map_as_told, shapes_of
from imcevo.mapping.greedy import map_greedily
from imcevo.mapping.kernel_records import RESIDENT, STREAMED, SWAPPED, Records
from imcevo.mapping.optimality_gap import energy_latency, least_energy_latency
from imcevo.mapping.policies import mapping_policy
from imcevo.mapping.space import CHOICES
from tests.mapping.test_exact import random_case
from tests.mapping.test_greedy import chips, suite

MESHES = [f"{mesh}_{d}" for mesh in ("macro", "tile", "group") for d in "kmgv"]


def started(layers: Records, geometry: Records) -> np.ndarray:
    start = mapping_policy("evolved").genes(layers).start
    return np.tile(start, (len(geometry), 1)).reshape(len(geometry), -1, len(CHOICES))


@pytest.mark.parametrize("deployment", [RESIDENT, SWAPPED, STREAMED])
def test_start_genes_mean_the_greedy_filling(deployment: int) -> None:
    rng = np.random.default_rng(deployment)
    layers, geometry = suite(rng), chips(rng, deployment)
    greedy = map_greedily(layers, geometry, 3)
    mapping = map_as_told(layers, geometry, 3, shapes_of(layers), started(layers, geometry))
    for name in ("rows_k", "cols_m", "pack_g", "unit", *MESHES):
        assert (mapping.factors[name] == greedy.factors[name]).all(), name
    assert (mapping.tiles_needed == greedy.tiles_needed).all()


def test_resident_layers_of_any_genes_share_the_chip() -> None:
    rng = np.random.default_rng(1)
    layers, geometry = suite(rng), chips(rng, RESIDENT, tiles_per_group=64, router_groups=40)
    genes = mapping_policy("evolved").genes(layers)
    drawn = rng.integers(0, genes.upper + 1, size=(len(geometry), len(genes.upper)))
    mapping = map_as_told(layers, geometry, 3, shapes_of(layers), drawn.reshape(len(geometry), -1, len(CHOICES)))
    f = mapping.factors
    stored = (layers["dynamic"] == 0)[None, :] & (f["unit"] == 0)
    single = np.prod([f[f"{mesh}_{d}"].astype(np.int64) for mesh in ("tile", "group") for d in "kmg"], axis=0)
    least = np.where(stored, single * layers["count"], 0).sum(axis=1)
    needed = mapping.tiles_needed.sum(axis=1)
    assert (needed <= np.maximum(64 * 40, least)).all()
    assert (needed > least).any()
    for folds, name, size in (("rows_k", "k", "K"), ("cols_m", "m", "M"), ("pack_g", "g", "G")):
        in_space = f[f"macro_{name}"].astype(np.int64) * f[f"tile_{name}"] * f[f"group_{name}"] * f[folds]
        assert (in_space >= layers[size][None, :])[stored].all()


def test_equal_shapes_share_their_genes() -> None:
    layers = suite(np.random.default_rng(2))
    twice = np.concatenate([layers, layers])
    shapes = shapes_of(twice)
    assert (shapes[: len(layers)] == shapes[len(layers) :]).all()
    genes = mapping_policy("evolved").genes(twice)
    assert len(genes.names) == len(CHOICES) * (shapes.max() + 1)
    assert (np.bincount(genes.linkage) == len(CHOICES)).all()


def test_unknown_policy() -> None:
    with pytest.raises(UserError, match="exact"):
        mapping_policy("exakt")


def test_greedy_and_random_mappings_are_never_better_than_the_judge() -> None:
    rng = np.random.default_rng(7)
    layers, geometry = suite(rng), chips(rng, STREAMED)[:6]
    case = random_case(3, STREAMED)
    costs = UnitCosts(*(np.repeat(values, len(geometry), axis=0) for values in case.prices.costs))
    prices = case.prices._replace(costs=costs)
    on_arrays = layers[layers["kind"] == 0]
    least = least_energy_latency(on_arrays, geometry, prices)
    assert np.isfinite(least).all()
    shapes, genes = shapes_of(on_arrays), mapping_policy("evolved").genes(on_arrays)
    for draw in range(20):
        drawn = rng.integers(0, genes.upper + 1, size=(len(geometry), len(genes.upper)))
        mapping = map_as_told(on_arrays, geometry, 3, shapes, drawn.reshape(len(geometry), -1, len(CHOICES)))
        if draw == 0:
            mapping = map_greedily(on_arrays, geometry, 3)
        assert (energy_latency(on_arrays, geometry, prices, mapping) >= least * (1 - 1e-9)).all()
