"""The physical profile end to end: real networks, real technology."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imcevo.costs.die import die_costs
from imcevo.errors import UserError
from imcevo.hardware import DesignTable, table_of
from imcevo.mapping.policies import mapping_policy
from imcevo.simulator import Deployment
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.workload import Network, Precision, load_network
from imcevo.workload.layers import Layer

DESIGN: dict[str, Any] = {
    "cell": "rram_1t1r", "node_nm": 28, "voltage_V": 0.9, "bits_per_cell": 2, "rows": 128, "rows_active": 128,
    "cols": 128,
    "adc_type": "sar", "adc_bits": 6, "adc_range": "full_scale", "cols_per_adc": 8, "dac_bits": 1,
    "macros_per_tile": 16, "tiles_per_group": 64,
    "router_groups": 36, "input_buffer_B": 8192, "output_buffer_B": 8192, "glb_depth": 8192, "dram": "lpddr4",
    "digital_lanes": 256,
}  # fmt: skip
CELLS = ("rram_1t1r", "sram_analog_8t", "sram_digital")


@pytest.fixture(scope="module")
def suite() -> list[Network]:
    return [load_network(name) for name in ("resnet18", "mobilenet_v3_large", "mobilebert", "lstm_lm")]


def simulator(
    networks: list[Network], mode: Any = "by_volatility", per_switch: float | None = None
) -> PhysicalSimulator:
    return PhysicalSimulator(networks, Precision(), Deployment(mode, per_switch))


def designs(rng: np.random.Generator, n: int) -> DesignTable:
    choices = {
        "cell": CELLS, "node_nm": (22, 28, 65), "voltage_V": (0.8, 0.9), "bits_per_cell": (1, 2, 4),
        "rows": (64, 128, 512), "rows_active": (32, 512), "cols": (64, 256), "adc_type": ("sar", "flash"),
        "adc_bits": (4, 6, 8), "adc_range": ("full_scale", "calibrated"),
        "cols_per_adc": (4, 8, 128), "dac_bits": (1, 2), "macros_per_tile": (4, 16), "tiles_per_group": (8, 32),
        "router_groups": (4, 16), "input_buffer_B": (2048, 8192), "output_buffer_B": (2048, 8192),
        "glb_depth": (256, 4096), "dram": ("lpddr4", "hbm2"), "digital_lanes": (64, 512),
    }  # fmt: skip
    return table_of([{key: rng.choice(values).item() for key, values in choices.items()} for _ in range(n)])


@pytest.mark.parametrize("mode", ["resident", "swapped", "streamed", "by_volatility"])
def test_breakdowns_add_up_to_the_totals(suite: list[Network], mode: str) -> None:
    sim = simulator(suite, mode, 1000.0 if mode == "swapped" else None)
    table = sim.repair(designs(np.random.default_rng(1), 64))
    metrics, parts = sim.simulate(table), sim.breakdown(table)
    np.testing.assert_allclose(parts.energy_J.sum(axis=2), metrics.energy_J, rtol=1e-9)
    np.testing.assert_allclose(parts.latency_s.sum(axis=2), metrics.latency_s, rtol=1e-9)
    np.testing.assert_allclose(parts.area_m2.sum(axis=1), metrics.area_m2, rtol=1e-9)
    assert (parts.energy_J >= 0).all()
    assert (parts.area_m2 >= 0).all()
    assert (metrics.energy_J > 0).all()
    assert (metrics.latency_s > 0).all()


def test_digital_cells_report_no_adc_and_analog_ones_no_adder_tree(suite: list[Network]) -> None:
    sim = simulator(suite)
    parts = sim.breakdown(sim.repair(table_of([{**DESIGN, "cell": cell} for cell in CELLS])))
    for index, cell in enumerate(CELLS):
        absent = "adc" if cell == "sram_digital" else "adder_tree"
        present = "adder_tree" if cell == "sram_digital" else "adc"
        assert parts.energy_J[index, :, parts.energy_components.index(absent)].max() == 0
        assert parts.area_m2[index, parts.area_components.index(absent)] == 0
        assert parts.energy_J[index, :, parts.energy_components.index(present)].min() > 0


def test_a_design_does_not_see_the_others_of_its_batch(suite: list[Network]) -> None:
    sim = simulator(suite)
    table = sim.repair(designs(np.random.default_rng(2), 700))  # more than one piece
    together = sim.simulate(table)
    for index in (0, 300, 511, 512, 699):
        alone = sim.simulate(table.take(np.array([index])))
        assert (alone.energy_J[0] == together.energy_J[index]).all()
        assert (alone.latency_s[0] == together.latency_s[index]).all()
        assert alone.area_m2[0] == together.area_m2[index]
        assert all(alone.shortfalls[name][0] == together.shortfalls[name][index] for name in alone.shortfalls)


def test_repair_is_visible_and_idempotent(suite: list[Network]) -> None:
    sim = simulator(suite)
    given = {**DESIGN, "cell": "sram_digital", "bits_per_cell": 4, "dac_bits": 2, "cols_per_adc": 256, "voltage_V": 1.3,
             "rows_active": 16}
    changed = {repair.key: (repair.given, repair.used) for repair in sim.repairs(given)}
    assert changed["bits_per_cell"] == (4, 1)
    assert changed["dac_bits"] == (2, 1)
    assert changed["rows_active"] == (16, 128)
    assert sim.repairs({**DESIGN, "rows_active": 256})[0].used == 128
    assert changed["adc_bits"] == (6, 0)
    assert changed["adc_type"] == ("sar", "none")
    assert changed["cols_per_adc"] == (256, 128)
    assert changed["voltage_V"][1] < 1.3
    assert all(repair.reason for repair in sim.repairs(given))
    once = sim.repair(designs(np.random.default_rng(3), 200))
    twice = sim.repair(once)
    assert all((once[key] == twice[key]).all() for key in once)
    assert not sim.repairs(once.design(5))


def test_a_network_that_does_not_fit_is_named_with_the_shortfall_in_bits(suite: list[Network]) -> None:
    sim = simulator(suite)
    small = {**DESIGN, "router_groups": 8}
    table = sim.repair(table_of([small, DESIGN]))
    missing = sim.simulate(table).shortfalls["capacity_bits"]
    assert missing[0] > 0 >= missing[1]
    note = sim.shortfall_notes(table.design(0))["capacity_bits"]
    assert "lstm_lm lacks" in note
    assert "bits" in note
    assert "resnet18" not in note  # it fits: networks are placed in the order of the suite
    assert "capacity_bits" not in sim.shortfall_notes(table.design(1))
    needed_by_hand = sum(network.array_weights for network in suite) * 8
    chip_bits = 8 * 64 * 16 * 128 * 128 * 2
    assert missing[0] >= needed_by_hand - chip_bits  # whole tiles: never less than the weights themselves


def test_resident_chips_need_no_weight_traffic_and_streamed_ones_no_capacity(suite: list[Network]) -> None:
    for mode, writes in (("resident", False), ("streamed", True)):
        sim = simulator([suite[0]], mode)
        table = sim.repair(table_of([DESIGN]))
        parts = sim.breakdown(table)
        assert (parts.energy_J[0, 0, parts.energy_components.index("weight_write")] > 0) == writes
    assert sim.simulate(table).shortfalls["capacity_bits"][0] == 0


def test_switching_is_spread_over_the_inferences_between_switches(suite: list[Network]) -> None:
    one, many = (simulator(suite, "swapped", n) for n in (1.0, 1e6))
    table = one.repair(table_of([DESIGN]))
    stay = simulator(suite[:1], "resident")
    often, seldom, never = one.breakdown(table), many.breakdown(table), stay.breakdown(table)
    at = often.energy_components.index("weight_write")
    assert often.energy_J[0, 0, at] == pytest.approx(1e6 * seldom.energy_J[0, 0, at], rel=1e-9, abs=0)
    assert often.latency_s.sum() > seldom.latency_s.sum()
    assert never.energy_J[0, 0, at] == 0


def test_loading_says_what_a_switch_costs_and_what_the_cells_endure(suite: list[Network]) -> None:
    swapped, resident, streamed = simulator(suite, "swapped", 100.0), simulator(suite, "resident"), simulator(suite)
    design = swapped.repair(table_of([DESIGN])).design(0)
    at_switch, at_start = swapped.weight_loading(design), resident.weight_loading(design)
    assert {loading.how for loading in at_switch.values()} == {"per_switch"}
    assert at_switch["resnet18"].lifetime_inferences == swapped.technology.cell("rram_1t1r").write_endurance * 100
    assert at_start["resnet18"].lifetime_inferences is None
    # 11.2 M weights of 4 slices, at least the energy of their programming pulses
    price = swapped.explain(design)
    pulse = next(term.value for term in price if "programming" in term.name and term.unit == "J")
    assert at_switch["resnet18"].energy_J is not None
    assert at_switch["resnet18"].energy_J > suite[0].array_weights * 4 * pulse
    # spread over the inferences between switches, it is what the swapped deployment adds to the resident one
    table = swapped.repair(table_of([DESIGN]))
    at = swapped.breakdown(table).energy_components.index("weight_write")
    written = swapped.breakdown(table).energy_J[0, 0, at]
    assert 0 < written * 100 < at_switch["resnet18"].energy_J  # the rest is DRAM and links

    volatile = {**DESIGN, "cell": "sram_digital"}
    per_inference = streamed.weight_loading(streamed.repair(table_of([volatile])).design(0))
    endured = per_inference["resnet18"].lifetime_inferences
    assert endured is not None
    n_layers = sum(layer.kind == "matrix" for layer in suite[0].layers)
    assert endured <= streamed.technology.cell("sram_digital").write_endurance / n_layers


def test_swapped_networks_take_turns(suite: list[Network]) -> None:
    """What holds the largest network holds each of them; together they need more."""
    table = simulator(suite).repair(table_of([{**DESIGN, "router_groups": 18}]))
    assert simulator(suite, "swapped", 1.0).simulate(table).shortfalls["capacity_bits"][0] <= 0
    assert simulator(suite, "resident").simulate(table).shortfalls["capacity_bits"][0] > 0


def test_programming_of_resident_weights_is_spread_over_what_is_stated(suite: list[Network]) -> None:
    def resident(**stated: float) -> PhysicalSimulator:
        return PhysicalSimulator(suite, Precision(), Deployment("resident", **stated))

    plain, spread = resident(), resident(inferences_per_lifetime=1e6)
    often = resident(inferences_per_programming=1e3, inferences_per_lifetime=1e6)
    table = plain.repair(table_of([DESIGN]))
    loading = plain.weight_loading(table.design(0))
    once = np.array([loading[name].energy_J for name in plain.networks])
    base = plain.simulate(table).energy_J[0]
    # Beside the price of programming: leakage while DRAM delivers the weights' share.
    np.testing.assert_allclose(spread.simulate(table).energy_J[0] - base, once / 1e6, rtol=1e-3)
    np.testing.assert_allclose(often.simulate(table).energy_J[0] - base, once / 1e3, rtol=1e-3)
    assert spread.weight_loading(table.design(0))["resnet18"].how == "once"
    assert often.weight_loading(table.design(0))["resnet18"].how == "per_programming"

    # Written once, 1e3 times and 1e6 times by cells that endure 1e4 writes.
    assert "endurance" not in plain.simulate(table).shortfalls
    assert spread.simulate(table).shortfalls["endurance"] == pytest.approx(1e-4 - 1)
    assert often.simulate(table).shortfalls["endurance"] == pytest.approx(0.1 - 1)
    worn = resident(inferences_per_programming=1.0, inferences_per_lifetime=1e6)
    assert worn.simulate(table).shortfalls["endurance"] == pytest.approx(100 - 1)
    assert "endures 1e+04" in worn.shortfall_notes(table.design(0))["endurance"]
    assert "endurance" in worn.required
    assert "endurance" not in plain.required


def test_endurance_of_streamed_cells_follows_their_most_demanding_network(suite: list[Network]) -> None:
    lifetime = 1e10
    sim = PhysicalSimulator(suite, Precision(), Deployment("by_volatility", inferences_per_lifetime=lifetime))
    table = sim.repair(table_of([{**DESIGN, "cell": cell} for cell in CELLS]))
    missed = sim.simulate(table).shortfalls["endurance"]
    for index, cell in enumerate(CELLS):
        endured = [loading.lifetime_inferences for loading in sim.weight_loading(table.design(index)).values()]
        assert missed[index] == pytest.approx(max(lifetime / n for n in endured if n) - 1), cell


def test_cost_is_that_of_the_die(suite: list[Network]) -> None:
    sim = simulator(suite)
    table = sim.repair(designs(np.random.default_rng(3), 600))
    metrics = sim.simulate(table)
    assert metrics.cost is not None
    np.testing.assert_array_equal(metrics.cost, die_costs(metrics.area_m2, table, sim.technology))
    terms = {term.name: term.value for term in sim.explain(table.design(0))}
    assert terms["cost of a good die"] == metrics.cost[0]


def test_attention_runs_on_the_digital_unit_of_a_non_volatile_chip(suite: list[Network]) -> None:
    attention = Network("attention", "transformer", "", (Layer("qk", C=64, M=64, P=64, H=64, G=4, dynamic=True),))
    sim = simulator([attention])
    parts = sim.breakdown(sim.repair(table_of([{**DESIGN, "cell": cell} for cell in CELLS])))
    digital, cells = (parts.energy_components.index(name) for name in ("digital_unit", "weight_write"))
    assert parts.energy_J[0, 0, digital] > 0 == parts.energy_J[0, 0, cells]
    assert parts.energy_J[1, 0, cells] > 0 == parts.energy_J[1, 0, digital]


def test_adc_shortfall_is_the_distance_to_a_lossless_conversion() -> None:
    layer = Network("one", "other", "", (Layer("fc", C=100, M=8),))
    sim = simulator([layer])
    table = sim.repair(table_of([{**DESIGN, "bits_per_cell": 2, "dac_bits": 2, "adc_bits": bits} for bits in (6, 10)]))
    # 100 rows of up to 3 x 3 levels: 901 codes, 10 bits
    assert sim.simulate(table).shortfalls["adc_bits"].tolist() == [4.0, 0.0]


@pytest.mark.parametrize(
    ("mode", "per_switch"), [("swapped", None), ("swapped", 0.0), ("resident", 5.0), ("nowhere", None)]
)
def test_contradictory_deployments_are_refused(mode: Any, per_switch: float | None) -> None:
    with pytest.raises(UserError):
        Deployment(mode, per_switch)


@pytest.mark.parametrize(
    ("mode", "stated", "said"),
    [
        ("streamed", {"inferences_per_programming": 5.0}, "has no meaning for the deployment 'streamed'"),
        ("resident", {"inferences_per_programming": 0.0}, "inferences_per_programming: 0.0 is not positive"),
        ("resident", {"inferences_per_lifetime": -1.0}, "inferences_per_lifetime: -1.0 is not positive"),
        (
            "resident", {"inferences_per_programming": 2e6, "inferences_per_lifetime": 1e6},
            "inferences_per_programming: 2000000.0 is more than the chip's lifetime",
        ),
    ],
)  # fmt: skip
def test_contradictory_lifetimes_are_refused(mode: Any, stated: dict[str, float], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Deployment(mode, **stated)


def test_more_adc_bits_are_never_cheaper_and_lower_supply_is_slower(suite: list[Network]) -> None:
    sim = simulator(suite)
    for adc_type in ("sar", "flash"):
        rows = [{**DESIGN, "adc_type": adc_type, "adc_bits": bits} for bits in range(3, 11)]
        metrics = sim.simulate(sim.repair(table_of(rows)))
        assert (np.diff(metrics.energy_J, axis=0) > 0).all()
        assert (np.diff(metrics.area_m2) > 0).all()
    rows = [{**DESIGN, "voltage_V": volts} for volts in (0.7, 0.8, 0.9)]
    metrics = sim.simulate(sim.repair(table_of(rows)))
    assert (np.diff(metrics.latency_s, axis=0) < 0).all()


@pytest.mark.parametrize("policy", ["greedy", "exact", "evolved"])
def test_equal_designs_are_mapped_once_where_asked_for(
    suite: list[Network], policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(sim: PhysicalSimulator) -> list[Any]:
        answers = []
        for part in (chips.take(slice(0, 4)), chips.take(slice(4, 8))):
            metrics, breakdown = sim.simulate(part), sim.breakdown(part)
            answers += [metrics.energy_J, metrics.latency_s, breakdown.energy_J, sim.mapped(part).factors]
        return answers

    sim = PhysicalSimulator(suite, Precision(), Deployment("streamed"), mapping_policy(policy))
    drawn = sim.repair(designs(np.random.default_rng(3), 8))
    chips = drawn.replace(**dict.fromkeys(sim.stages.policy.keys, np.ones(8)))
    plain = asked(sim)
    calls: list[int] = []
    choose = type(sim.stages.policy).map
    monkeypatch.setattr(type(sim.stages.policy), "map", lambda *told: calls.append(1) or choose(*told))
    with sim.keeping_mappings():
        remembered = asked(sim)
    assert len(calls) == 2
    asked(sim)
    assert len(calls) == 8
    for one, other in zip(plain, remembered, strict=True):
        np.testing.assert_array_equal(one, other)
