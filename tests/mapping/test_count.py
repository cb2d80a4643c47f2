"""The counting kernels against a loop-nest walker that executes the mapping."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imcevo.costs.terms import ACTIONS, N_ACTIONS, RATES, RESOURCES
from imcevo.mapping.count import COUNT_DTYPE, N_RESOURCES, N_TIMES, RATE_DTYPE, TIME_DTYPE, count_layers
from imcevo.mapping.factors import FACTORS
from imcevo.mapping.greedy import map_greedily
from imcevo.mapping.kernel_records import Records
from tests.mapping.cases import factors_of, geometry_of, random_chip, random_factors, random_layer, records_of
from tests.mapping.walker import Walk

RNG_SEED = 20260
SUM_BITS = 24
# Compared with the walker; x-weighted actions are these times a mean, the digital ones do not occur on arrays.
WALKED = (
    "cell_read", "row_drive", "column_read", "accumulate", "input_buffer_read", "input_buffer_write",
    "output_buffer_read", "output_buffer_write", "trunk", "local_link", "glb_read", "glb_write", "dram",
    "cell_write", "row_write",
)  # fmt: skip


def as_records(values: NDArray[np.float64], kind: np.dtype[np.void]) -> Records:
    """The last axis as fields; a recarray, so that kernels also run as plain Python."""
    return values.view(kind)[..., 0].view(np.recarray)


def count(
    layers: Records, geometry: Records, factors: Records, **rates: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Counts and times of one layer on one design; rates not given are so fast that they never bind."""
    counts, times = np.zeros((1, 1, N_ACTIONS)), np.zeros((1, 1, N_TIMES))
    never_binds = {name: 1e-30 if name in ("input_cycle_s", "row_write_s") else 1e30 for name in RATES}
    speed = np.array([list({**never_binds, **rates}.values())])
    count_layers(
        layers, geometry, factors, as_records(speed, RATE_DTYPE), SUM_BITS, 0.0, np.zeros(1, dtype=np.int64),
        as_records(counts, COUNT_DTYPE), as_records(times, TIME_DTYPE), np.zeros(1, dtype=np.int64),
    )  # fmt: skip
    return dict(zip(ACTIONS, counts[0, 0], strict=True)), dict(zip(RESOURCES, times[0, 0, :N_RESOURCES], strict=True))


def assert_equals_walk(walk: Walk, counts: dict[str, float]) -> None:
    for name in WALKED:
        assert counts[name] == pytest.approx(walk.counts[name], rel=1e-9, abs=0), (name, walk.layer, walk.chip, walk.f)


@pytest.mark.parametrize("seed", range(400))
def test_random_mappings_count_what_the_walker_executes(seed: int) -> None:
    rng = np.random.default_rng([RNG_SEED, seed])
    layer, chip = random_layer(rng), random_chip(rng)
    f = random_factors(layer, chip, rng)
    walk = Walk(layer, chip, f, sum_bits=SUM_BITS)
    counts, times = count(
        records_of([layer]), geometry_of(chip), factors_of(f), input_cycle_s=1.0, row_write_s=1e-3
    )
    assert_equals_walk(walk, counts)
    level = records_of([layer])["mean_weight"][0, chip["bits_per_cell"] - 1]
    assert counts["cell_read_w"] == pytest.approx(walk.counts["cell_read_w"] * level)
    assert times["macros"] == pytest.approx(walk.steps * walk.cycles)
    assert times["weight_write"] == pytest.approx(walk.rows_written * 1e-3)


@pytest.mark.parametrize("seed", range(200))
def test_greedy_mappings_count_what_the_walker_executes(seed: int) -> None:
    rng = np.random.default_rng([RNG_SEED + 1, seed])
    layer, chip = random_layer(rng), random_chip(rng)
    layers, geometry = records_of([layer]), geometry_of(chip)
    mapping = map_greedily(layers, geometry, 1)
    f = {name: int(mapping.factors[name][0, 0]) for name in FACTORS}
    counts, _ = count(layers, geometry, mapping.factors)
    assert_equals_walk(Walk(layer, chip, f, sum_bits=SUM_BITS), counts)
