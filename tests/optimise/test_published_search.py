"""The published optimiser and its baselines, judged by exhaustive search."""

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.optimise import published_search as published_search_module
from imcevo.optimise.exhaustive import ExhaustiveSearch
from imcevo.optimise.optima import SCALARS
from imcevo.optimise.published_baselines import sequential, specialised
from imcevo.optimise.published_search import most_spread, published_search
from imcevo.problem.constraints import Constraint
from tests.optimise.published_problems import problem_of


def optimum(problem, objective):
    search = ExhaustiveSearch(problem, [objective])
    while not search.done:
        search.step()
    return search.decided.best[objective].value


def value(problem, genome, objective):
    metrics = problem.simulator.simulate(problem.decode(genome[None, :]))
    return SCALARS[objective].of(metrics)[0], bool((problem.violations(metrics) <= 0).all())


def test_spread_sampling_takes_the_farthest_each_time():
    X = np.array([[0, 0, 0], [0, 0, 1], [1, 1, 1], [0, 1, 1], [2, 0, 2]])
    assert most_spread(X, 3).tolist() == [[0, 0, 0], [1, 1, 1], [2, 0, 2]]
    assert len(most_spread(X, 9)) == len(X)


@pytest.mark.parametrize("memory", ["rram", "sram"])
def test_search_spends_its_budget_and_never_beats_the_certified_optimum(memory):
    problem = problem_of(memory)
    search = published_search(problem, "ela", seed=1)
    assert len(search.X) <= 3300
    assert search.best == pytest.approx(optimum(problem, "ela"), rel=1e-12)  # the space is small
    assert search.feasible[search.chosen]


def test_search_depends_on_its_seed_alone(monkeypatch):
    monkeypatch.setattr(published_search_module, "GENERATIONS", 2)
    problem = problem_of("sram")
    first, second, other = (published_search(problem, "ela", seed=seed).X for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_scoring_failures_as_zero_makes_the_search_choose_one():
    problem = problem_of("sram", networks=("vgg16",))
    search = published_search(problem, "ela", seed=1, failures_win=True)
    assert not search.feasible[search.chosen]
    assert search.values[search.chosen] > 0  # its true value is not the 0 it is scored with


@pytest.mark.parametrize("objective", ["ela", "el"])
def test_a_specialised_design_is_best_for_its_network_and_no_better_for_the_suite(objective):
    problem = problem_of("sram")
    joint = optimum(problem, objective)
    for name in problem.networks:
        genome = specialised(problem, name, objective)
        found, feasible = value(problem, genome, objective)
        assert not feasible or found >= joint


def test_sequential_design_is_the_best_of_its_last_stage_and_no_better_than_the_joint_one():
    problem = problem_of("sram")
    joint = optimum(problem, "ela")
    for start in ("middle", "largest"):
        genome = sequential(problem, "ela", start)
        found, feasible = value(problem, genome, "ela")
        assert feasible
        assert found >= joint
    # One stage with all genes is the joint search.
    together = sequential(problem, "ela", "middle", stages=[problem.space.genes])
    assert value(problem, together, "ela")[0] == joint


def test_what_has_no_answer_is_told():
    tight = problem_of("sram", constraints=(Constraint("energy_J", 1e-12, 1, (0, "resnet18")),))
    with pytest.raises(UserError, match="no feasible design for resnet18"):
        specialised(tight, "resnet18", "ela")
