"""The study of the published spaces, on small spaces."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from experiments.reproduce import published_refits, published_searches, published_study
from experiments.reproduce.published_claims import claims_table, published_best_table
from experiments.reproduce.published_refits import refits_table
from experiments.reproduce.published_searches import FRONT, Job, run
from experiments.reproduce.published_spaces import FOUR_ON_NINE, SPACES, decide, front_table, optima_table
from imcevo.costs.published import PublishedCosts
from imcevo.optimise.optima import SCALARS
from imcevo.problem.constraints import Constraint
from imcevo.simulator.published import PublishedSimulator
from tests.optimise.published_problems import problem_of
from tests.runs.test_certify import PROBLEM


@pytest.fixture(scope="module")
def spaces():
    memories = {name: "rram" if "rram" in name else "sram" for name in (*SPACES, FOUR_ON_NINE)}
    return {name: decide(name, problem_of(memory)) for name, memory in memories.items()}


def everything(space):
    X = np.array(list(np.ndindex(*(space.problem.upper + 1))))
    metrics = space.metrics(X)
    return X, metrics, (space.problem.violations(metrics) <= 0).all(axis=1)


def test_tables_of_optima_and_fronts_hold_what_was_decided(spaces):
    table = optima_table(list(spaces.values())).set_index(["space", "objective"])
    for name, space in spaces.items():
        X, metrics, feasible = everything(space)
        assert table.loc[(name, "el"), "value"] == SCALARS["el"].of(metrics)[feasible].min()
        front = front_table(space)
        assert 0 < len(front) <= len(space.search.decided.front)
        assert "cycle_s" not in front
        assert front[space.problem.objective_names[0]].is_monotonic_increasing
        assert set(front["rows"]) <= set(space.problem.decode(X)["rows"])


@pytest.mark.parametrize("name", ["published_rram4", "published_sram4"])
def test_near_optimal_designs_are_all_of_them(spaces, name):
    space = spaces[name]
    X, metrics, feasible = everything(space)
    near = feasible & (SCALARS["ela"].of(metrics) <= 1.5 * space.optimum("ela"))
    fast = X[:, -1] == 0  # slower clocks are decided by proof
    assert {tuple(row) for row in space.near_optimal(["ela"], 1.5)} == {tuple(row) for row in X[near & fast]}
    assert len(space.near_optimal(["ela"], np.inf)) == (feasible & fast).sum()


def test_no_design_beyond_the_reach_of_the_factors_becomes_the_optimum(spaces, monkeypatch):
    monkeypatch.setattr(published_refits, "TABLE_ERROR", 0.2)
    space = spaces["published_sram4"]
    near = {tuple(row) for row in space.near_optimal(["ela_mean"], published_refits._reach())}
    X, metrics, feasible = everything(space)
    assert len(near) < feasible.sum()
    for costs in published_refits._scaled(8):
        simulator = PublishedSimulator(space.problem.networks, "sram", {32: costs})
        values = SCALARS["ela_mean"].of(simulator.simulate(space.problem.decode(X)))
        moved = values / SCALARS["ela_mean"].of(metrics)
        assert np.exp(-0.6) <= moved.min() <= moved.max() <= np.exp(0.6)
        assert tuple(X[np.where(feasible, values, np.inf).argmin()]) in near


def test_refits_move_the_optimum_and_tell_by_how_much(spaces):
    table = refits_table(spaces, 3)
    assert len(table) == 3 * len(published_refits.OBJECTIVES)
    assert ((table["same_design"] >= 0) & (table["same_design"] <= 1)).all()
    assert (table["value_p05"] < table["value_p95"]).all()
    assert (table["regret_median"] >= 0).all()
    assert ((table["same_design"] == 1) == (table["regret_max"] == 0)).all()
    assert PublishedCosts("rram").constants != next(published_refits._bootstrapped(1)).constants


def test_no_baseline_that_runs_the_suite_beats_the_joint_optimum(spaces):
    table = claims_table(spaces)
    suite = table[(table["compared_on"] == "suite") & table["baseline_feasible"]]
    assert (suite["reduction"] >= -1e-12).all()
    assert {"sequential from the middle", "alexnet alone"} <= set(suite["baseline"])
    # On its own network a specialised design is at least as good as the joint one.
    own = table[table["baseline"] == table["compared_on"] + " alone"]
    assert len(own) == 2 * 2 * len(SPACES)
    assert (own["reduction"] <= 1e-12).all()


def test_published_best_designs_are_priced_as_published(spaces):
    """On two of the four networks, so that the values are below the published ones."""
    table = published_best_table(spaces)
    assert len(table) == 15
    assert (table["model_Jsm2"] <= 1.01 * table["published_Jsm2"]).all()
    assert table["above_optimum"].isna().any()  # the small spaces do not hold all of them


@pytest.mark.parametrize(("optimiser", "objective"), [("nsga2", "ela"), ("nsga2", FRONT), ("random", FRONT)])
def test_searches_spend_the_budget_and_find_a_small_space(tmp_path, monkeypatch, optimiser, objective):
    file = tmp_path / "problem.toml"
    file.write_text(PROBLEM)
    monkeypatch.setattr(published_searches, "BUDGET", 400)
    found = run(Job(file, optimiser, objective, 1))
    space = decide("small", published_searches._problem(file))
    exact = space.problem.box.hypervolume(space.search.decided.front_F)
    if objective == FRONT:
        assert 0.9 * exact < found.hypervolume <= exact * (1 + 1e-12)
    else:
        assert found.best == pytest.approx(space.optimum("ela"), rel=1e-12)
    assert found.chosen_feasible


def test_a_search_without_feasible_design_finds_nothing(tmp_path, monkeypatch):
    file = tmp_path / "problem.toml"
    file.write_text(PROBLEM.replace("area_m2 = 8e-4", "area_m2 = 1e-9"))
    monkeypatch.setattr(published_searches, "BUDGET", 150)
    found = run(Job(file, "random", "ela", 1))
    assert (found.best, found.chosen_feasible) == (np.inf, False)


def test_a_space_where_nothing_is_feasible_has_no_optimum():
    problem = problem_of("sram")
    none = replace(problem, constraints=(*problem.constraints, Constraint("energy_J", 1e-12, 1, (0, "resnet18"))))
    assert decide("none", none).optima == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--problems", "nowhere"], "no such file"), (["--seeds", "0"], "--seeds: 0 is out of range")],
)
def test_mistakes_are_told_in_one_line(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.setattr(sys, "argv", ["study", "--out", str(tmp_path / "out"), *arguments])
    assert published_study.main() == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
