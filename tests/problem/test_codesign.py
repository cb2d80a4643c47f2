"""Genomes, canonical rows, evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.hardware import table_of
from imcevo.problem.quantities import of_networks


def rows(problem, n=400, seed=1):
    return problem.sample(n, np.random.default_rng(seed))


def test_layout_follows_the_simulator_and_orders_numbers(problem):
    assert problem.variable_names == (
        "cell", "node_nm", "voltage_V", "bits_per_cell", "rows", "cols", "adc_bits", "cols_per_adc",
        "macros_per_tile",
    )  # fmt: skip
    assert problem.space.values["bits_per_cell"] == (1, 2, 4)
    assert problem.upper.tolist() == [1, 1, 2, 2, 2, 1, 2, 1, 2]
    assert problem.upper.dtype == np.int64
    assert problem.objective_names == ("energy_J_mean", "latency_s_max", "area_m2")
    assert problem.constraint_names == ("area_m2", "adc_bits", "capacity_bits")


def test_canonical_is_idempotent_and_keeps_the_design(problem):
    X = rows(problem)
    canonical = problem.canonical(X)
    assert (canonical != X).any()
    assert (canonical >= 0).all()
    assert (canonical <= problem.upper).all()
    assert np.array_equal(problem.canonical(canonical), canonical)
    before, after = problem.decode(X), problem.decode(canonical)
    assert [before.design(i) for i in range(len(X))] == [after.design(i) for i in range(len(X))]


def test_equal_designs_are_equal_rows(problem):
    canonical = problem.canonical(rows(problem, 3000))
    designs = problem.decode(canonical)
    by_design = {}
    for index, row in enumerate(canonical):
        by_design.setdefault(tuple(designs.design(index).items()), set()).add(tuple(row))
    assert all(len(same) == 1 for same in by_design.values())
    assert len(by_design) == len(np.unique(canonical, axis=0))


def test_a_value_that_repairs_to_one_the_space_lacks_is_not_turned_into_another(problem):
    # .9 and 1.0 V both become .75 V at 14 nm, .7 V does not: index 1 stands for both, 0 is another design.
    gene = list(problem.variable_names)
    X = np.zeros((3, problem.n_var), dtype=np.int64)
    X[:, gene.index("voltage_V")] = [0, 1, 2]
    X[:, gene.index("node_nm")] = 0  # ascending: 14 nm
    assert problem.canonical(X)[:, gene.index("voltage_V")].tolist() == [0, 1, 1]


def test_evaluation_does_not_depend_on_the_batch(problem):
    X = rows(problem)
    together = problem.evaluate(X)
    for part in (slice(0, 1), slice(7, 8), slice(3, 90), slice(None, None, -1)):
        alone = problem.evaluate(X[part])
        for a, b in zip(together, alone, strict=True):
            assert np.array_equal(a[part], b)


def test_each_distinct_design_is_simulated_once(problem):
    X = rows(problem, 50)
    expected = len(np.unique(problem.canonical(X), axis=0))
    problem.evaluate(np.concatenate([X, X]))
    assert problem.simulator.batches[-1] == expected


def test_objectives_and_constraints_are_those_of_the_metrics(problem):
    X = rows(problem, 30)
    result = problem.evaluate(X)
    metrics = problem.simulator.simulate(problem.decode(X))
    np.testing.assert_allclose(result.F[:, 0], metrics.energy_J.mean(axis=1))
    np.testing.assert_array_equal(result.F[:, 1], metrics.latency_s.max(axis=1))
    np.testing.assert_array_equal(result.F[:, 2], metrics.area_m2)
    np.testing.assert_allclose(result.G[:, 0], metrics.area_m2 / 1e-4 - 1)
    np.testing.assert_allclose(result.G[:, 1], (metrics.shortfalls["adc_bits"] - 3) / 3)
    assert np.array_equal(result.G[:, 2] <= 0, metrics.shortfalls["capacity_bits"] <= 0)
    assert (result.G[:, 2] > 0).any()
    assert (result.G <= 0).all(axis=1).any()


def test_empty_batch(problem):
    result = problem.evaluate(np.empty((0, problem.n_var), dtype=np.int64))
    assert result.F.shape == (0, 3)
    assert result.G.shape == (0, 3)
    assert list(problem.frame(result.X).columns) == list(problem.frame(rows(problem, 2)).columns)
    assert len(problem.frame(result.X)) == 0


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.zeros((2, 3), dtype=int), "shape"),
        (np.zeros(9, dtype=int), "shape"),
        (np.zeros((2, 9)), "whole numbers"),
        (np.full((1, 9), -1), "'cell' is -1"),
        (np.full((1, 9), 2), "'cell' is 2, expected 0 to 1"),
    ],
)
def test_wrong_genomes_are_refused(problem, X, said):
    with pytest.raises(ValueError, match=said):
        problem.evaluate(X)


def test_inputs_are_left_alone(problem):
    X = rows(problem)
    copy = X.copy()
    problem.evaluate(X)
    assert np.array_equal(X, copy)


def test_frame_tells_values_as_simulated(problem):
    X = rows(problem, 40)
    frame = problem.frame(X)
    result = problem.evaluate(X)
    assert list(frame.columns) == [
        *problem.variable_names, "energy_J_mean", "latency_s_max", "area_m2", "energy_J.resnet18",
        "energy_J.mobilebert",
        "latency_s.resnet18", "latency_s.mobilebert",
        *(f"{quantity.name}.{network}" for quantity in of_networks() for network in ("resnet18", "mobilebert")),
        "feasible", "violations",
    ]  # fmt: skip
    assert set(frame["cell"]) == {"rram_1t1r", "sram_digital"}
    assert (frame.loc[frame["cell"] == "sram_digital", "adc_bits"] == 0).all()
    assert np.array_equal(frame["feasible"], (result.G <= 0).all(axis=1))
    assert ((frame["violations"] == "") == frame["feasible"]).all()
    np.testing.assert_array_equal(frame[list(problem.objective_names)].to_numpy(), result.F)


def test_space_encodes_what_it_decodes(problem):
    # The designs of a front can be given back as they are printed, except for inert genes.
    X = problem.canonical(rows(problem, 50))
    raw = problem.space.decode(X)
    assert all(np.array_equal(problem.space.encode(raw.design(i)), X[i]) for i in range(len(X)))


def test_results_that_are_not_finite_are_a_defect(problem, monkeypatch):
    simulate = problem.simulator.simulate

    def broken(designs, *, snr):
        metrics = simulate(designs)
        metrics.area_m2[0] = np.nan
        return metrics

    monkeypatch.setattr(problem.simulator, "simulate", broken)
    with pytest.raises(FloatingPointError, match="not finite"):
        problem.evaluate(rows(problem, 3))


def test_table_of_one_design_repairs_like_the_genome(problem):
    designs = problem.decode(rows(problem, 20))
    for index in range(20):
        alone = problem.simulator.repair(table_of([designs.design(index)]))
        assert alone.design(0) == designs.design(index)
