"""Laws the counts obey whatever the numbers: additivity, reuse, buffers, batches of designs."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from imcevo.costs.terms import ACTIONS, RATES
from imcevo.mapping.count import count_layers
from imcevo.mapping.greedy import map_greedily
from tests.mapping.cases import factors_of, geometry_of, random_chip, random_factors, random_layer, records_of
from tests.mapping.test_count import count

PER_VECTOR = (
    "cell_read", "cell_read_x", "cell_read_w", "cell_read_xw", "row_drive", "row_drive_x", "column_read",
    "adc_conversion", "adder_tree_sum", "shift_add", "accumulate", "input_buffer_read", "output_buffer_read",
    "output_buffer_write",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_twice_the_vectors_in_time_double_per_vector_terms_and_no_weight_traffic(seed: int) -> None:
    rng = np.random.default_rng([1, seed])
    layer = replace(random_layer(rng), N=1)
    chip = {**random_chip(rng), "deployment": 2, "glb_bits": 10**12}
    f = {**random_factors(layer, chip, rng), "macro_v": 1, "tile_v": 1, "group_v": 1, "order": 4}  # weights outermost
    one, _ = count(records_of([layer]), geometry_of(chip), factors_of(f))
    two, _ = count(records_of([replace(layer, N=2)]), geometry_of(chip), factors_of(f))
    for name in PER_VECTOR:
        assert two[name] == pytest.approx(2 * one[name], rel=1e-12, abs=0)
    for name in ("cell_write", "row_write"):
        assert two[name] == one[name] > 0


@pytest.mark.parametrize("seed", range(60))
def test_a_larger_buffer_never_adds_traffic(seed: int) -> None:
    rng = np.random.default_rng([2, seed])
    layer, chip = random_layer(rng), random_chip(rng)
    factors = factors_of(random_factors(layer, chip, rng))
    for buffer, traffic in (
        ("glb_bits", "dram"), ("input_buffer_bits", "input_buffer_write"), ("output_buffer_bits", "trunk")
    ):  # fmt: skip
        amounts = [
            count(records_of([layer]), geometry_of({**chip, buffer: int(size)}), factors)[0][traffic]
            for size in np.geomspace(64, 1e8, 15)
        ]
        assert all(later <= earlier * (1 + 1e-12) for earlier, later in pairwise(amounts))


def test_designs_do_not_see_one_another() -> None:
    rng = np.random.default_rng(3)
    layers = records_of([random_layer(rng)])
    geometry = np.concatenate([geometry_of(random_chip(rng)) for _ in range(40)])
    together = map_greedily(layers, geometry, 1).factors
    for d in (0, 7, 39):
        assert (map_greedily(layers, geometry[d : d + 1], 1).factors[0] == together[d]).all()


def test_each_rate_binds_when_it_is_slow() -> None:
    rng = np.random.default_rng(4)
    chip = {**random_chip(rng), "deployment": 2, "glb_bits": 2048}
    layer = replace(random_layer(rng), kind="matrix", dynamic=False, from_dram=True)
    f = factors_of(random_factors(layer, chip, rng))
    binds = {
        "input_cycle_s": "macros", "row_write_s": "weight_write", "input_buffer_bps": "input_buffer",
        "output_buffer_bps": "output_buffer", "router_bps": "routers", "glb_bps": "global_buffer", "dram_bps": "dram",
    }  # fmt: skip
    assert set(binds) == set(RATES) - {"digital_ops_per_s"}
    for rate, resource in binds.items():
        slow = 1e3 if rate.endswith("_s") else 1e-3
        _, times = count(records_of([layer]), geometry_of(chip), f, **{rate: slow})
        assert max(times, key=times.__getitem__) == resource


def test_one_compiled_signature_per_entry() -> None:
    rng = np.random.default_rng(5)
    layer, chip = random_layer(rng), random_chip(rng)
    count(records_of([layer]), geometry_of(chip), factors_of(random_factors(layer, chip, rng)))
    assert len(count_layers.signatures) == 1


def test_compiled_kernels_equal_plain_python() -> None:
    """The same counts with numba switched off (in a process of its own: the switch is read at import)."""
    script = """
import numpy as np
from imcevo.mapping.greedy import _map_designs
from tests.mapping.cases import *
from tests.mapping.test_count import count
rng = np.random.default_rng(6)
for _ in range(8):
    layer, chip = random_layer(rng), random_chip(rng)
    layers, geometry = records_of([layer]).view(np.recarray), geometry_of(chip).view(np.recarray)
    drawn, greedy = (factors_of(random_factors(layer, chip, rng)).view(np.recarray) for _ in range(2))
    for name in FACTORS:
        greedy[name] = 1
    _map_designs(layers, geometry, greedy, np.zeros((1, 1), dtype=np.int64))
    for factors in (drawn, greedy):
        counts, times = count(layers, geometry, factors, input_cycle_s=1.0, dram_bps=1e6)
        print([float(x) for x in (*counts.values(), *times.values())])
"""
    results = [
        subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True, timeout=300
        ).stdout
        for env in ({**os.environ, "NUMBA_DISABLE_JIT": off} for off in ("0", "1"))
    ]
    assert results[0] == results[1]
    assert results[0].count("\n") == 16


def test_every_action_is_counted_by_some_layer() -> None:
    rng = np.random.default_rng(8)
    total = dict.fromkeys(ACTIONS, 0.0)
    for _ in range(60):
        layer, chip = random_layer(rng), {**random_chip(rng), "deployment": 2}
        f = {**random_factors(layer, chip, rng), "unit": int(rng.random() < 0.3)}
        counts, _ = count(records_of([layer]), geometry_of(chip), factors_of(f))
        total = {name: total[name] + counts[name] for name in ACTIONS}
    assert [name for name in ACTIONS if total[name] == 0] == ["digital_op"]  # element-wise layers only
