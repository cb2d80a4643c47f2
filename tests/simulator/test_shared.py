"""Networks whose layers share weights: capacity, programming, streaming, pipelines, hybrid chips."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from imcevo.hardware import table_of
from imcevo.mapping.policies import mapping_policy
from imcevo.simulator import Deployment
from imcevo.simulator.hybrid import HybridSimulator
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.simulator.pipelined_layers import initiation_interval_s
from imcevo.workload import Layer, Network, Precision
from tests.simulator.test_hybrid import HYBRID
from tests.simulator.test_physical import DESIGN
from tests.simulator.test_pipelined_layers import Line

FOUR_BITS = Precision(input_bits=4, weight_bits=4, output_bits=4)
# One array of 32 x 32 cells of four bits, and nothing else.
SMALL = {**DESIGN, "bits_per_cell": 4, "rows": 32, "rows_active": 32, "cols": 32, "cols_per_adc": 1,
         "macros_per_tile": 1, "tiles_per_group": 1, "router_groups": 1}  # fmt: skip


def network(*layers: Layer) -> Network:
    return Network("net", "other", "", layers)


def on_one_tensor(n: int, **sizes: Any) -> Network:
    return network(*(Layer(f"layer{i}", **{"C": 32, "M": 32, **sizes}, stored_as="W") for i in range(n)))


def blocks(n: int, *, shared: bool) -> Network:
    """ALBERT-like: four projections, up and down, on 16 tokens."""
    shapes = {**dict.fromkeys(("query", "key", "value", "out"), (64, 64)), "up": (64, 256), "down": (256, 64)}
    return network(*(
        Layer(f"{block}.{name}", C=C, M=M, P=16, H=16, stored_as=name if shared else "")
        for block in range(n) for name, (C, M) in shapes.items()
    ))  # fmt: skip


def unrolled(steps: int) -> Network:
    """A recurrent layer step by step: projections of input and state on two tensors, gates between."""
    return network(*(
        layer for step in range(steps)
        for layer in (
            Layer(f"{step}.input", C=32, M=128, stored_as="W"), Layer(f"{step}.state", C=32, M=128, stored_as="U"),
            Layer(f"{step}.gates", "elementwise", C=256, M=32, ops=400),
        )
    ))  # fmt: skip


def simulator(net: Network, mode: Any = "resident", policy: str = "greedy", **stated: Any) -> PhysicalSimulator:
    return PhysicalSimulator([net], FOUR_BITS, Deployment(mode, **stated), mapping_policy(policy))


def lacking(net: Network, policy: str = "greedy", **changed: Any) -> float:
    sim = simulator(net, policy=policy)
    table = sim.repair(table_of([{**SMALL, "mapping_latency_weight": 1.0, **changed}]))
    for key, value in changed.items():
        assert table[key][0] == value
    return float(sim.simulate(table).shortfalls["capacity_bits"][0])


@pytest.mark.parametrize("policy", ["greedy", "exact", "evolved"])
def test_two_layers_on_one_tensor_hold_1024_cells(policy: str) -> None:
    """They fit a chip of exactly that many, and no smaller one; with a tensor each they need twice as many."""
    tied = on_one_tensor(2)
    assert tied.array_weights == 1024
    assert lacking(tied, policy) == 0
    assert lacking(tied, policy, rows=31) > 0
    assert lacking(tied, policy, cols=31) > 0
    apart = network(*(replace(layer, stored_as="") for layer in tied.layers))
    assert lacking(apart, policy) == 1024 * 4
    assert lacking(apart, policy, tiles_per_group=2) == 0
    sizes = network(Layer("decode", C=32, M=32, stored_as="W"), Layer("prefill", C=32, M=32, P=9, H=9, stored_as="W"))
    assert lacking(sizes, policy) == 0
    views = network(Layer("one", C=32, M=32, stored_as="W"), Layer("turned", C=16, M=64, stored_as="W"))
    assert lacking(views, policy) > 0


@pytest.mark.parametrize("policy", ["greedy", "exact", "evolved"])
def test_networks_do_not_share(policy: str) -> None:
    one = on_one_tensor(1)
    sim = PhysicalSimulator([one, replace(one, name="two")], FOUR_BITS, Deployment("resident"), mapping_policy(policy))
    table = sim.repair(table_of([{**SMALL, "mapping_latency_weight": 1.0}]))
    assert sim.simulate(table).shortfalls["capacity_bits"][0] == 1024 * 4


@pytest.mark.parametrize("net", [(1, 12), (1, 35)])
def test_blocks_and_steps_need_what_one_needs(net: tuple[int, int]) -> None:
    make = unrolled if net[1] == 35 else lambda n: blocks(n, shared=True)
    one, many = (simulator(make(n)) for n in net)
    table = one.repair(table_of([{**SMALL, "macros_per_tile": 2}]))
    assert one.mapped(table).tiles_needed.tolist() == many.mapped(table).tiles_needed.tolist()
    assert one.mapped(table).tiles_needed.sum() > 1
    assert many.simulate(table).shortfalls == one.simulate(table).shortfalls
    assert many.simulate(table).energy_J > 5 * one.simulate(table).energy_J  # all of them still compute


def test_weights_of_twelve_blocks_are_programmed_once() -> None:
    big = {**SMALL, "tiles_per_group": 64, "router_groups": 16, "macros_per_tile": 4}
    made = [
        simulator(net, inferences_per_programming=1000.0)
        for net in (blocks(1, shared=True), blocks(12, shared=True), blocks(12, shared=False))
    ]
    table = made[0].repair(table_of([{**big, "tiles_per_group": 1, "router_groups": 1}]))  # no room for duplicates
    one, tied, apart = (sim.weight_loading(table.design(0))["net"] for sim in made)
    assert one.energy_J is not None
    assert tied.energy_J == pytest.approx(one.energy_J)
    assert tied.time_s == pytest.approx(one.time_s)
    assert apart.energy_J == pytest.approx(12 * one.energy_J)
    table = made[0].repair(table_of([big]))
    duplicates = made[1].mapped(table).factors
    assert (duplicates["tile_v"] * duplicates["group_v"]).max() > 1


def test_streamed_weights_stay_for_the_next_layer_only_if_it_uses_them() -> None:
    big = {**SMALL, "cell": "sram_analog_8t", "bits_per_cell": 1, "tiles_per_group": 8}
    written = []
    for net in (on_one_tensor(1), on_one_tensor(5), unrolled(1), unrolled(5)):
        sim = simulator(net, "streamed")
        parts = sim.breakdown(sim.repair(table_of([big])))
        written.append(parts.energy_J[0, 0, parts.energy_components.index("weight_write")])
    assert written[1] == pytest.approx(written[0])
    assert written[3] == pytest.approx(5 * written[2])
    sim = simulator(on_one_tensor(5), "streamed", inferences_per_lifetime=1.0)
    tight = sim.repair(table_of([big]))
    loading = sim.weight_loading(tight.design(0))["net"]
    assert loading.lifetime_inferences == sim.technology.cell("sram_analog_8t").write_endurance


def test_layers_of_one_tensor_take_turns_in_a_pipeline() -> None:
    """As the discrete-event line of `test_pipeline` does with arrays that two stages need."""
    stages = []
    for net in (
        on_one_tensor(1, P=8, H=8), on_one_tensor(4, P=8, H=8),
        network(*(replace(layer, stored_as="") for layer in on_one_tensor(4, P=8, H=8).layers)),
        network(Layer("a", C=32, M=32, P=8, H=8, stored_as="W"), Layer("b", C=32, M=32, P=4, H=4, stored_as="W")),
    ):  # fmt: skip
        sim = simulator(net, execution="pipelined")
        table = sim.repair(table_of([{**SMALL, "dac_bits": 1, "glb_depth": 65536}]))
        geometry, (part,) = sim.stages.geometry(table), sim.parts(table)
        stages.append(float(sim.stages.count(geometry, part.tiles.costs.rates, part.mapping).stages[0, 0, 0]))
    one, four, apart, two = stages
    assert four == pytest.approx(4 * one)
    assert apart == pytest.approx(one)
    assert two == pytest.approx(1.5 * one, rel=0.05)
    line = Line(np.zeros(4), np.full((4, 1), one))
    done = line.finishes(120)
    assert (done[89] - done[39]) / 50 == pytest.approx(initiation_interval_s(np.array([four])), rel=0.01)


def test_hybrid_chips_store_a_tensor_on_one_part() -> None:
    net = blocks(6, shared=True)
    sim = HybridSimulator([net], Precision(), Deployment("resident")).aiming_at([20.0])
    rng = np.random.default_rng(4)
    table = sim.repair(table_of([
        {**HYBRID, "router_groups": 8, "tiles_per_group": int(rng.choice([1, 2, 4])), "digital_groups": int(groups),
         "rows": int(rng.choice([32, 64, 128])), "cols": 64, "macros_per_tile": 4} for groups in range(1, 8)
    ]))  # fmt: skip
    analog, digital = sim.parts(table)
    for part in (analog, digital):
        f, layers = part.mapping.factors, sim.layers
        tiles = np.where(f["unit"] == 0, layers["stored"], 0)
        for mesh in ("tile", "group"):
            for d in "kmgv":
                tiles = tiles * f[f"{mesh}_{d}"]
        assert (tiles.sum(axis=1) == part.mapping.tiles_needed.sum(axis=1)).all()
    apart = HybridSimulator([blocks(6, shared=False)], Precision(), Deployment("resident")).aiming_at([20.0])
    with_sharing, without = (s.simulate(table).shortfalls["capacity_bits"] for s in (sim, apart))
    assert (with_sharing <= without).all()
    assert (with_sharing < without).any()
