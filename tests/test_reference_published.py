"""The committed study of the published design spaces still follows from the code: a sample of it, recomputed."""

from __future__ import annotations

from pathlib import Path

import moocore
import numpy as np
import pandas as pd
import pytest

from experiments.reproduce.published_searches import BUDGET, FRONT, Job, run
from experiments.reproduce.published_spaces import NODES_SPACE, SPACES, design_text
from imcevo import load_problem
from imcevo.hardware import PARAMETERS, table_of
from imcevo.optimise.optima import SCALARS
from imcevo.optimise.published_baselines import sequential

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "results" / "reference" / "published"
# The tables hold nine digits.
TOLERANCE = 1e-8


def problem_of(name):
    return load_problem(ROOT / "problems" / f"{name}.toml")


def simulated(problem, rows):
    """Metrics of the designs in the rows of a table, what a table leaves out at its first value."""
    first = {key: values[0] for key, values in problem.space.values.items()}
    designs = [{key: row.get(key, value) for key, value in first.items()} for row in rows.to_dict("records")]
    return problem.simulator.simulate(table_of([{k: PARAMETERS[k].checked(v) for k, v in d.items()} for d in designs]))


@pytest.fixture(scope="module")
def search():
    return pd.read_csv(REFERENCE / "search.csv")


@pytest.mark.parametrize("name", [*SPACES, NODES_SPACE])
def test_optima_are_those_of_their_designs_and_nothing_drawn_is_better(name):
    problem = problem_of(name)
    optima = pd.read_csv(REFERENCE / "optima.csv").set_index("space").loc[name]
    metrics = simulated(problem, optima)
    assert (problem.violations(metrics) <= 0).all()
    X = problem.sample(1500, np.random.default_rng(11))
    drawn = problem.simulator.simulate(problem.decode(X))
    feasible = (problem.violations(drawn) <= 0).all(axis=1)
    assert feasible.any()
    for row, objective in enumerate(optima["objective"]):
        value = optima["value"].iloc[row]
        assert SCALARS[objective].of(metrics)[row] == pytest.approx(value, rel=TOLERANCE)
        assert SCALARS[objective].of(drawn)[feasible].min() >= value * (1 - TOLERANCE)
    assert set(optima["designs"]) == {problem.space.size}


@pytest.mark.parametrize("name", [*SPACES, NODES_SPACE])
def test_fronts_are_those_of_their_designs_and_nothing_drawn_dominates_them(name):
    problem = problem_of(name)
    front = pd.read_csv(REFERENCE / "fronts" / f"{name}.csv")
    sample = front.iloc[:: max(1, len(front) // 50)]
    metrics = simulated(problem, sample)
    F = front[list(problem.objective_names)].to_numpy()
    np.testing.assert_allclose(problem.objective_values(metrics), F[sample.index], rtol=TOLERANCE)
    assert (problem.violations(metrics) <= 0).all()
    assert moocore.is_nondominated(F, keep_weakly=True).all()
    drawn = problem.evaluate(problem.sample(1500, np.random.default_rng(12)))
    for f in drawn.F[(drawn.G <= 0).all(axis=1)]:
        assert not (f * (1 + TOLERANCE) < F).all(axis=1).any()


def test_nsga2_is_as_good_as_required_and_no_search_beats_a_certified_optimum(search):
    assert (search["evaluations"] == BUDGET).all()
    assert (search["seeds"] == 20).all()
    scalar, front = search[search["objective"] != FRONT], search[search["objective"] == FRONT]
    assert (scalar["regret_min"] >= -1e-9).all()
    assert (scalar[scalar["optimiser"] == "nsga2"]["regret_median"] <= 0.01).all()
    hypervolume = front.pivot(index="space", columns="optimiser", values="hypervolume_median")
    assert (hypervolume["nsga2"] >= 0.98).all()
    assert (hypervolume["nsga2"] > hypervolume["random"]).all()
    assert (front["hypervolume_max"] <= 1 + 1e-9).all()
    assert set(search["space"]) == {*SPACES, NODES_SPACE}


@pytest.mark.parametrize(("optimiser", "objective"), [("nsga2", "ela"), ("random", FRONT)])
def test_a_search_done_again_lies_in_the_stored_range(search, optimiser, objective):
    name = "published_sram4"
    stored = search.set_index(["space", "optimiser", "objective"]).loc[(name, optimiser, objective)]
    found = run(Job(ROOT / "problems" / f"{name}.toml", optimiser, objective, 1))
    if objective == FRONT:
        problem = problem_of(name)
        front = pd.read_csv(REFERENCE / "fronts" / f"{name}.csv")[list(problem.objective_names)].to_numpy()
        value, kind = found.hypervolume / problem.box.hypervolume(front), "hypervolume"
    else:
        optima = pd.read_csv(REFERENCE / "optima.csv").set_index(["space", "objective"])
        value, kind = found.best / optima.loc[(name, objective), "value"] - 1, "regret"
    assert stored[f"{kind}_min"] - 1e-8 <= value <= stored[f"{kind}_max"] + 1e-8


@pytest.mark.parametrize("start", ["middle", "largest"])
def test_a_sequential_baseline_done_again_is_the_stored_one(start):
    problem = problem_of("published_sram4")
    claims = pd.read_csv(REFERENCE / "claims.csv").set_index(["space", "objective", "baseline", "compared_on"])
    stored = claims.loc[(problem.name, "ela", f"sequential from the {start}", "suite")]
    genome = sequential(problem, "ela", start)
    assert design_text(problem, genome) == stored["baseline_design"]
    value = SCALARS["ela"].of(problem.simulator.simulate(problem.decode(genome[None, :])))[0]
    assert stored["baseline_Jsm2"] == pytest.approx(value, rel=TOLERANCE)
    assert stored["reduction"] == pytest.approx(1 - stored["joint_Jsm2"] / value, abs=1e-8)


def test_claims_hold_no_baseline_better_than_the_joint_optimum():
    claims = pd.read_csv(REFERENCE / "claims.csv")
    suite = claims[(claims["compared_on"] == "suite") & claims["baseline_feasible"]]
    assert (suite["reduction"] >= -1e-9).all()


def test_the_model_prices_the_best_published_designs_as_published():
    table = pd.read_csv(REFERENCE / "published_best.csv")
    assert table["feasible"].all()
    assert table["error"].abs().max() < 0.015
    assert (table["above_optimum"].dropna() > 0).all()
    rram = table[table["space"] == "published_rram4"]
    metrics = simulated(problem_of("published_rram4"), rram)
    for row, (objective, value) in enumerate(zip(rram["objective"], rram["model_Jsm2"], strict=True)):
        assert SCALARS[objective].of(metrics)[row] == pytest.approx(value, rel=TOLERANCE)
