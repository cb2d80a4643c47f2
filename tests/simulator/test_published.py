"""The published profile as a simulator."""

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.simulator.published import PublishedSimulator
from imcevo.simulator.results import Repair
from tests.simulator.published_cases import FOUR, SPACES, one_design, random_designs

MEMORIES = ("rram", "sram")


@pytest.fixture(scope="module", params=MEMORIES)
def simulator(request):
    return PublishedSimulator(FOUR, request.param)


def metrics_of(simulator, designs):
    metrics = simulator.simulate(designs)
    return np.column_stack([metrics.energy_J, metrics.latency_s, metrics.area_m2, *metrics.shortfalls.values()])


def test_results_do_not_depend_on_the_batch(simulator):
    designs = random_designs(simulator.memory, 40)
    together = metrics_of(simulator, designs)
    for index in range(0, 40, 7):
        assert (metrics_of(simulator, designs.take(np.array([index])))[0] == together[index]).all()
    order = np.random.default_rng(0).permutation(40)
    assert (metrics_of(simulator, designs.take(order)) == together[order]).all()


def test_results_do_not_depend_on_the_other_networks(simulator):
    designs = random_designs(simulator.memory, 20)
    alone = PublishedSimulator(["mobilenet_v3"], simulator.memory).simulate(designs)
    suite = simulator.simulate(designs)
    assert alone.energy_J[:, 0] == pytest.approx(suite.energy_J[:, 3], rel=1e-12)
    assert (alone.latency_s[:, 0] == suite.latency_s[:, 3]).all()


def test_breakdown_adds_up(simulator):
    designs = random_designs(simulator.memory, 30)
    metrics, parts = simulator.simulate(designs), simulator.breakdown(designs)
    assert parts.energy_J.sum(axis=2) == pytest.approx(metrics.energy_J, rel=1e-9)
    assert parts.latency_s.sum(axis=2) == pytest.approx(metrics.latency_s, rel=1e-9)
    assert parts.area_m2.sum(axis=1) == pytest.approx(metrics.area_m2, rel=1e-9)
    assert (parts.energy_J >= 0).all()
    spent = dict(zip(parts.energy_components, parts.energy_J.sum(axis=(0, 1)) > 0, strict=True))
    streamed = simulator.memory == "sram"
    assert spent["dram"] == spent["weight_write"] == streamed
    assert spent["cells"] != streamed


def test_the_clock_changes_latency_alone(simulator):
    """What `proven_lowest` claims, and an exhaustive run relies on."""
    assert simulator.proven_lowest == ("cycle_s",)
    designs = random_designs(simulator.memory, 60)
    fast, slow = (simulator.simulate(designs.replace(cycle_s=np.full(60, cycle))) for cycle in (1e-9, 6e-9))
    assert (fast.energy_J == slow.energy_J).all()
    assert (fast.area_m2 == slow.area_m2).all()
    assert (fast.latency_s < slow.latency_s).all()
    for name, missed in fast.shortfalls.items():
        assert (missed == slow.shortfalls[name]).all()


def test_larger_global_buffers_never_fetch_more_weights():
    simulator = PublishedSimulator(FOUR, "sram")
    designs = random_designs("sram", 60)
    small, large = (
        simulator.breakdown(designs.replace(glb_depth=np.full(60, depth))) for depth in (8192, 65536)
    )
    dram = small.energy_components.index("dram")
    assert (large.energy_J[:, :, dram] <= small.energy_J[:, :, dram] * (1 + 1e-12)).all()


def test_rram_energy_rises_with_the_voltage_and_reads_do_not_care():
    simulator = PublishedSimulator(FOUR, "rram")
    designs = random_designs("rram", 40)
    low, high = (simulator.breakdown(designs.replace(voltage_V=np.full(40, v))) for v in (0.5, 0.8))
    cells, drivers = (low.energy_components.index(name) for name in ("cells", "drivers"))
    assert (low.energy_J[:, :, cells] == high.energy_J[:, :, cells]).all()
    assert (low.energy_J[:, :, drivers] < high.energy_J[:, :, drivers]).all()


# arXiv 2603.03880, best designs: genes, area in mm2, energies in mJ and latencies in us of the four networks.
PUBLISHED_BEST = {
    "rram": (
        (0.6, 8, 512, 32, 8, 64, 32, 4096), 481.60, (1.925, 15.996, 0.744, 0.362), (0.022, 0.118, 0.009, 0.158),
    ),
    "sram": (
        (0.55, 1, 256, 128, 1, 32, 8, 4096), 34.92, (1.441, 13.087, 4.243, 0.618), (3.046, 25.374, 1.051, 7.335),
    ),
}  # fmt: skip


@pytest.mark.parametrize("memory", MEMORIES)
def test_best_published_designs(memory):
    genes, area, energies, latencies = PUBLISHED_BEST[memory]
    voltage, bits, rows, cols, groups, tiles, macros, depth = genes
    design = one_design(
        voltage_V=voltage, bits_per_cell=bits, rows=rows, cols=cols, router_groups=groups, tiles_per_group=tiles,
        macros_per_tile=macros, glb_depth=depth, cycle_s=1e-9,
    )  # fmt: skip
    metrics = PublishedSimulator(FOUR, memory).simulate(design)
    assert metrics.energy_J[0] * 1e3 == pytest.approx(energies, rel=0.03)
    assert (metrics.latency_s[0] * 1e6).round(3) == pytest.approx(latencies)
    assert metrics.area_m2[0] * 1e6 == pytest.approx(area, rel=1e-3)
    assert max(missed.max() for missed in metrics.shortfalls.values()) <= 0


def test_missed_requirements_are_explained_by_network():
    design = one_design(
        voltage_V=0.5, bits_per_cell=1, rows=32, cols=32, router_groups=1, tiles_per_group=4, macros_per_tile=4,
        glb_depth=2048, cycle_s=1e-9,
    )  # fmt: skip
    simulator = PublishedSimulator(FOUR, "rram")
    missed = simulator.simulate(design).shortfalls
    notes = simulator.shortfall_notes(design.design(0))
    assert {name for name, amount in missed.items() if amount[0] > 0} == set(notes)
    # vgg16 has 138.3 M weights in 8 slices.
    assert missed["capacity_cells"][0] == pytest.approx(8 * 138.3e6 - 32 * 32 * 16, rel=0.01)
    assert notes["capacity_cells"].startswith("vgg16 needs")
    assert set(missed) == set(simulator.required)


def test_sram_cells_are_repaired_to_one_bit():
    simulator = PublishedSimulator(FOUR, "sram")
    designs = random_designs("sram", 5).replace(bits_per_cell=np.array([1, 2, 8, 1, 4]))
    repaired = simulator.repair(designs)
    assert repaired["bits_per_cell"].tolist() == [1] * 5
    assert simulator.repair(repaired) is repaired
    assert simulator.repairs(designs.design(2))[0].used == 1
    assert not simulator.repairs(designs.design(0))


def test_a_supply_that_the_node_does_not_have_is_repaired_to_the_nearest_one():
    simulator = PublishedSimulator(FOUR, "sram")
    nodes, supplies = np.array([7, 7, 45, 45, 32]), np.array([0.45, 1.1, 0.45, 1.1, 0.75])
    designs = random_designs("sram", 5).replace(node_nm=nodes, voltage_V=supplies)
    repaired = simulator.repair(designs)
    assert repaired["voltage_V"].tolist() == [0.45, 0.8, 0.75, 1.1, 0.75]
    assert simulator.repair(repaired) is repaired
    assert simulator.repairs(designs.design(1)) == [Repair("voltage_V", 1.1, 0.8, "not published at 7 nm")]
    for key, value in (("node_nm", 28), ("voltage_V", 0.4), ("voltage_V", 0.52), ("rows", 48)):
        with pytest.raises(UserError, match=f"{key}.*no published data"):
            simulator.check(key, value)
    simulator.check("voltage_V", 1.1)


def test_nodes_in_one_batch_are_each_priced_by_their_own_costs():
    simulator = PublishedSimulator(FOUR, "sram")
    nodes = np.tile(list(simulator.costs), 4)
    designs = random_designs("sram", 24).replace(node_nm=nodes, voltage_V=np.full(24, 0.75))
    together = simulator.simulate(designs)
    for node, costs in simulator.costs.items():
        rows = np.flatnonzero(designs["node_nm"] == node)
        alone = PublishedSimulator(FOUR, "sram", {node: costs}).simulate(designs.take(rows))
        assert (together.energy_J[rows] == alone.energy_J).all()
        assert (together.area_m2[rows] == alone.area_m2).all()
        assert (together.cost[rows] == costs.chip_costs(alone.area_m2)).all()


def test_explanation_names_the_price_of_every_action_spent(simulator):
    designs = random_designs(simulator.memory, 1)
    terms = simulator.explain(designs.design(0))
    assert all(term.source for term in terms)
    areas = [term.value for term in terms if term.unit == "m2"]
    assert sum(areas) == pytest.approx(simulator.simulate(designs).area_m2[0])


def test_spaces_hold_both_feasible_and_infeasible_designs():
    """Otherwise the tests above would look at one side only."""
    metrics = PublishedSimulator(FOUR, "rram").simulate(random_designs("rram", 200))
    feasible = np.max(list(metrics.shortfalls.values()), axis=0) <= 0
    assert 0 < feasible.mean() < 1
    assert set(SPACES) == set(MEMORIES)
