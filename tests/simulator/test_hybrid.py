"""Hybrid chips: equal to chips of one kind at either end, exact sums, layers placed by the stated rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imcevo.costs import unit_costs
from imcevo.costs.hybrid import hybrid_costs
from imcevo.costs.terms import ACTIONS
from imcevo.errors import UserError
from imcevo.hardware import DesignTable, table_of
from imcevo.mapping.factors import ELSEWHERE, ON_ARRAYS
from imcevo.mapping.policies import mapping_policy
from imcevo.simulator import Deployment, Metrics
from imcevo.simulator.hybrid import HybridSimulator
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.workload import Network, Precision, load_network
from tests.simulator.test_physical import DESIGN, designs

HYBRID = {**DESIGN, "rows_active": 16, "adc_bits": 7, "digital_cell": "sram_digital", "digital_groups": 12}
MODES = ("resident", "streamed", "by_volatility")


@pytest.fixture(scope="module")
def suite() -> list[Network]:
    return [load_network(name) for name in ("resnet18", "mobilebert")]


def simulators(suite: list[Network], mode: Any, **stated: float) -> tuple[HybridSimulator, PhysicalSimulator]:
    made = [kind(suite, Precision(), Deployment(mode, **stated)) for kind in (HybridSimulator, PhysicalSimulator)]
    return made[0], made[1]  # type: ignore[return-value]


def hybrids(n: int, seed: int = 1) -> DesignTable:
    rng = np.random.default_rng(seed)
    table = designs(rng, n)
    rows = [table.design(i) | {"digital_cell": "sram_digital"} for i in range(n)]
    return table_of([row | {"digital_groups": int(rng.choice([0, 1, 3, 8, 99]))} for row in rows])


def same(one: Metrics, other: Metrics) -> bool:
    pairs = [(getattr(one, name), getattr(other, name)) for name in ("energy_J", "latency_s", "area_m2", "cost",
             "snr_dB", "interval_s")]  # fmt: skip
    pairs += [(one.shortfalls[name], other.shortfalls[name]) for name in one.shortfalls]
    return all((a == b).all() for a, b in pairs)


@pytest.mark.parametrize("mode", MODES)
def test_at_either_end_it_is_the_chip_of_one_kind_bit_for_bit(suite: list[Network], mode: str) -> None:
    hybrid, plain = simulators(suite, mode, **({} if mode == "streamed" else {"inferences_per_lifetime": 1e9}))
    for groups, cell in ((0, "rram_1t1r"), (0, "sram_analog_8t"), (36, "sram_digital"), (99, "sram_digital")):
        given = {**HYBRID, "digital_groups": groups, "cell": cell if groups == 0 else "rram_1t1r"}
        design = {**DESIGN, "rows_active": 16, "adc_bits": 7, "cell": cell}
        both = hybrid.repair(table_of([given, HYBRID]))
        assert same(hybrid.simulate(both.take(np.array([0]))), plain.simulate(plain.repair(table_of([design]))))
        together, alone = hybrid.simulate(both), hybrid.simulate(both.take(np.array([0])))
        assert (together.energy_J[0] == alone.energy_J[0]).all()
        parts, whole = hybrid.breakdown(both), plain.breakdown(plain.repair(table_of([design])))
        for name in ("energy_J", "latency_s", "area_m2"):
            assert (getattr(parts, name)[0] == getattr(whole, name)[0]).all()
        ours, theirs = both.design(0), plain.repair(table_of([design])).design(0)
        assert hybrid.network_snr(ours) == plain.network_snr(theirs)
        assert hybrid.weight_loading(ours) == plain.weight_loading(theirs)
        assert hybrid.shortfall_notes(ours) == plain.shortfall_notes(theirs)
        assert hybrid.explain(ours) == plain.explain(theirs)


@pytest.mark.parametrize("mode", MODES)
def test_breakdowns_add_up_and_batches_do_not_matter(suite: list[Network], mode: str) -> None:
    hybrid = simulators(suite, mode)[0].aiming_at([20.0, 20.0])
    table = hybrid.repair(hybrids(150))
    metrics, parts = hybrid.simulate(table), hybrid.breakdown(table)
    np.testing.assert_allclose(parts.energy_J.sum(axis=2), metrics.energy_J, rtol=1e-9)
    np.testing.assert_allclose(parts.latency_s.sum(axis=2), metrics.latency_s, rtol=1e-9)
    np.testing.assert_allclose(parts.area_m2.sum(axis=1), metrics.area_m2, rtol=1e-9)
    mixed = (table["digital_groups"] > 0) & (table["digital_groups"] < table["router_groups"])
    assert 40 < mixed.sum() < 110
    for index in (*np.flatnonzero(mixed)[:40], *np.flatnonzero(~mixed)[:2]):
        assert same(hybrid.simulate(table.take(np.array([index]))), _row(metrics, index))


def _row(metrics: Metrics, index: int) -> Metrics:
    return Metrics(
        metrics.energy_J[[index]], metrics.latency_s[[index]], metrics.area_m2[[index]],
        {name: values[[index]] for name, values in metrics.shortfalls.items()}, metrics.known_cost()[[index]],
        metrics.known_snr_dB()[[index]], metrics.interval_s[[index]],
    )  # fmt: skip


def test_area_and_leakage_are_those_of_the_groups_and_what_is_shared_once(suite: list[Network]) -> None:
    hybrid = simulators(suite, "streamed")[0]
    table = hybrid.repair(table_of([{**HYBRID, "router_groups": 9, "digital_groups": n} for n in (0, 3, 6, 9)]))
    breakdown = hybrid.breakdown(table)
    area = dict(zip(breakdown.area_components, breakdown.area_m2.T, strict=True))
    for shared in ("global_buffer", "digital_unit", "dram_interface", "interconnect"):
        np.testing.assert_allclose(area[shared], area[shared][0], rtol=1e-12)
    for whole in (breakdown.area_m2.sum(axis=1), hybrid.simulate(table).area_m2):
        np.testing.assert_allclose(np.diff(whole, n=2), 0.0, atol=1e-9 * whole[0])  # linear in the number of groups
    assert area["adc"][1] == pytest.approx(area["adc"][0] * 2 / 3)
    assert area["adder_tree"][2] == pytest.approx(area["adder_tree"][3] * 2 / 3)


def test_what_both_parts_share_has_one_price(suite: list[Network]) -> None:
    """Layers of the digital unit may be booked on either part."""
    hybrid = simulators(suite, "streamed")[0]
    table = hybrid.repair(table_of([HYBRID, {**HYBRID, "glb_depth": 256, "digital_groups": 35}]))
    analog, digital = hybrid.parts(table)
    for action in ("glb_read", "glb_write", "dram", "digital_mac", "digital_op", "trunk", "local_link"):
        column = ACTIONS.index(action)
        assert (analog.tiles.costs.energy_J[:, column] == digital.tiles.costs.energy_J[:, column]).all()
    assert (analog.tiles.costs.rates[:, -2:] == digital.tiles.costs.rates[:, -2:]).all()
    alone = hybrid_costs([analog.tiles.designs], [np.ones(2)], hybrid.technology)[0]
    for ours, theirs in zip(alone, unit_costs(analog.tiles.designs, hybrid.technology), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_every_layer_runs_on_exactly_one_part(suite: list[Network]) -> None:
    hybrid = simulators(suite, "by_volatility")[0]
    table = hybrid.repair(table_of([HYBRID, {**HYBRID, "digital_groups": 30}]))
    analog, digital = (part.mapping.factors["unit"] for part in hybrid.parts(table))
    assert ((analog == ELSEWHERE) ^ (digital == ELSEWHERE)).all()
    assert (analog == ON_ARRAYS).any()
    assert (digital == ON_ARRAYS).any()
    assert (hybrid.mapped(table).factors["unit"] == np.where(analog == ELSEWHERE, ELSEWHERE, analog)).all()


def test_noisy_layers_go_digital_until_the_networks_reach_their_snr(suite: list[Network]) -> None:
    hybrid = simulators(suite, "streamed")[0]
    coarse = {**HYBRID, "cell": "sram_analog_8t", "rows_active": 128, "adc_bits": 5, "adc_range": "full_scale"}
    table = hybrid.repair(table_of([coarse]))
    before, moved = -1, []
    for target in (-np.inf, 10.0, 20.0, 30.0):
        aimed = hybrid.aiming_at([target, -np.inf])
        snr = aimed.simulate(table).known_snr_dB()[0]
        assert snr[0] >= target
        unit = aimed.parts(table)[0].mapping.factors["unit"][0]
        moved.append(((unit == ELSEWHERE) & (hybrid.layers["network"] == 0)).sum())
        others = ((unit == ELSEWHERE) & (hybrid.layers["network"] == 1)).sum()
        assert others in (before, others if before < 0 else before)  # nothing is asked of the other network
        before = others
    assert moved == sorted(moved)
    assert moved[-1] > moved[0]


def test_layers_that_find_no_tiles_go_digital(suite: list[Network]) -> None:
    hybrid = simulators(suite, "by_volatility")[0]
    small = {**HYBRID, "tiles_per_group": 8, "macros_per_tile": 8, "router_groups": 16, "digital_groups": 4}
    table = hybrid.repair(table_of([small, {**small, "digital_groups": 0}]))
    assert (hybrid.simulate(table).shortfalls["capacity_bits"] > 0).tolist() == [False, True]
    analog, digital = hybrid.parts(table.take(np.array([0])))
    needed = analog.mapping.tiles_needed.sum()
    assert 0 < needed <= 12 * 8
    assert digital.mapping.tiles_needed.sum() == 0  # streamed
    resident = simulators(suite, "resident")[0]
    assert resident.simulate(table).shortfalls["capacity_bits"].min() > 0
    assert "part has" in resident.shortfall_notes(table.design(0))["capacity_bits"]


def test_repair_is_idempotent_and_told(suite: list[Network]) -> None:
    hybrid = simulators(suite, "streamed")[0]
    once = hybrid.repair(hybrids(100, seed=3))
    twice = hybrid.repair(once)
    assert all((once[key] == twice[key]).all() for key in once)
    assert (once["digital_groups"] <= once["router_groups"]).all()
    pure = once["digital_groups"] == once["router_groups"]
    assert (once.named("cell")[pure] == "sram_digital").all()
    told = {repair.key: repair for repair in hybrid.repairs({**HYBRID, "digital_groups": 99})}
    assert (told["digital_groups"].given, told["digital_groups"].used) == (99, 36)
    assert told["cell"].used == "sram_digital"
    assert told["adc_type"].used == "none"
    assert not hybrid.repairs(once.design(5))


def test_limits_are_told(suite: list[Network]) -> None:
    for deployment in (Deployment("swapped", 10.0), Deployment("resident", execution="pipelined")):
        with pytest.raises(UserError, match="hybrid chips"):
            HybridSimulator(suite, Precision(), deployment)
    with pytest.raises(UserError, match="greedy, exact"):
        HybridSimulator(suite, Precision(), Deployment("streamed"), mapping_policy("evolved"))
    hybrid = simulators(suite, "streamed")[0]
    with pytest.raises(UserError, match="analog cell"):
        hybrid.check("digital_cell", "rram_1t1r")
    hybrid.check("digital_cell", "sram_digital")


def test_equations_snr_and_samples_of_one_design(suite: list[Network]) -> None:
    hybrid = simulators(suite, "by_volatility")[0].aiming_at([20.0, 20.0])
    design = hybrid.repair(table_of([HYBRID])).design(0)
    snr = hybrid.simulate(table_of([design])).known_snr_dB()[0]
    told = hybrid.network_snr(design)
    assert [told[name].snr_dB for name in hybrid.networks] == snr.tolist()
    terms = [term.name for term in hybrid.explain(design)]
    assert terms.count("leakage") == 2  # of either kind as a whole chip
    assert terms[-1] == "cost of a good die"
    assert hybrid.weight_loading(design) == {}
