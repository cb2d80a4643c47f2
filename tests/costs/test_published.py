"""Unit costs of the published profile: tables on their grid, linear prices, additive areas."""

import numpy as np
import pytest

from imcevo.costs.published import NODES, PublishedCosts
from imcevo.costs.published_actions import ACTIONS
from imcevo.costs.published_tables import Table
from imcevo.errors import UserError
from imcevo.hardware import table_of

DESIGN = {
    "bits_per_cell": 1, "rows": 128, "cols": 64, "macros_per_tile": 8, "tiles_per_group": 4, "router_groups": 2,
    "glb_depth": 8192, "node_nm": 32, "voltage_V": 0.7, "cycle_s": 1e-9,
}  # fmt: skip


def designs(**changes):
    return table_of([{**DESIGN, **changes}])


def price(costs, action, **changes):
    return costs.prices(designs(**changes))[0, ACTIONS.index(action)]


def test_sram_prices_are_the_simulated_ones():
    costs = PublishedCosts("sram")
    assert price(costs, "dram") == 8e-12
    # 2048 bits wide, 8192 deep: 1023.57 pJ per read of 256 elements (global_buffer_32nm.csv).
    assert price(costs, "glb_input_read") == pytest.approx(1023.57e-12 / 256)
    # 8 macros, 64 bits wide, 128 deep: .895202 pJ per read of 8 elements (tile_buffers_32nm.csv).
    assert price(costs, "input_buffer_read") == pytest.approx(0.895202e-12 / 8)


def test_rram_row_drive_follows_the_square_of_the_voltage():
    costs = PublishedCosts("rram")
    low, high = (price(costs, "row_drive_x", voltage_V=v) for v in (0.5, 1.0))
    assert high == pytest.approx(4 * low)
    assert price(costs, "dram") == 0


def test_prices_are_linear_in_the_unit_costs():
    shipped = PublishedCosts("rram")
    doubled = PublishedCosts("rram", constants={name: 2 * value for name, value in shipped.constants.items()})
    assert doubled.prices(designs()) == pytest.approx(2 * shipped.prices(designs()))


@pytest.mark.parametrize("memory", ["rram", "sram"])
def test_area_adds_up_by_its_parts(memory):
    costs = PublishedCosts(memory)
    one, two = costs.areas(designs()), costs.areas(designs(router_groups=4))
    assert two[0, 1:] == pytest.approx(2 * one[0, 1:])
    assert two[0, 0] == one[0, 0]


def test_nodes_scale_the_area():
    areas = [PublishedCosts("sram", node).areas(designs(voltage_V=0.75)).sum() for node in NODES]
    assert sorted(areas) == areas


@pytest.mark.parametrize(
    ("key", "value"), [("rows", 48), ("glb_depth", 1000), ("voltage_V", 0.52), ("macros_per_tile", 3)]
)
def test_values_off_the_grid_are_refused(key, value):
    costs = PublishedCosts("sram")
    with pytest.raises(UserError, match=f"{key}.*no published data"):
        costs.prices(designs(**{key: value}))
    assert not np.isclose(costs.known(key), value).any()
    assert PublishedCosts("rram").known("voltage_V") is None


def test_every_node_has_its_own_supply():
    supplies = {node: PublishedCosts("sram", node).known("voltage_V") for node in NODES}
    assert supplies[7] == pytest.approx(0.45 + 0.05 * np.arange(8))
    assert supplies[32] == pytest.approx(0.5 + 0.05 * np.arange(11))
    assert [values[-1] for values in supplies.values()] == pytest.approx([0.8, 0.85, 0.9, 1.0, 1.0, 1.1])
    for node, values in supplies.items():
        prices = [PublishedCosts("sram", node).prices(designs(voltage_V=value)) for value in values]
        assert np.isfinite(prices).all()


def test_a_square_centimetre_costs_100_at_32_nm_and_more_at_newer_nodes():
    costs = [float(PublishedCosts("sram", node).chip_costs(np.array([1e-4]))[0]) for node in NODES]
    assert costs[NODES.index(32)] == pytest.approx(100)
    assert sorted(costs, reverse=True) == costs


def test_unknown_nodes_are_refused():
    with pytest.raises(UserError, match="node_nm: 28"):
        PublishedCosts("sram", 28)
    with pytest.raises(UserError, match="allowed: 32"):
        PublishedCosts("rram", 7)


def test_every_unit_cost_has_a_source():
    for memory, node in (("rram", 32), *(("sram", node) for node in NODES)):
        costs = PublishedCosts(memory, node)
        for name in costs.price_terms(designs(voltage_V=0.75)):
            assert len(costs.source(name)) > 10
            assert costs.constants[name] >= 0


def test_a_table_needs_its_whole_grid_once():
    rows = [{"a": str(a), "b": str(b), "x": str(10 * a + b)} for a in (1, 2) for b in (3, 4)]
    table = Table("t", rows[::-1], ("a", "b"))
    assert table["x"][table.at({"a": np.array([2, 1]), "b": np.array([3, 4])})].tolist() == [23, 14]
    for bad in (rows[:-1], [*rows[:-1], rows[0]]):
        with pytest.raises(ValueError, match="does not fill"):
            Table("t", bad, ("a", "b"))
