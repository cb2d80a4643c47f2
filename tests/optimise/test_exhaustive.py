"""The exhaustive search against brute force on small spaces."""

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.optimise.exhaustive import ExhaustiveSearch, proven_genes
from imcevo.optimise.optima import SCALARS, scalar
from imcevo.problem.constraints import Constraint
from imcevo.simulator.results import Metrics
from tests.optimise.published_problems import problem_of

OPTIMA = tuple(SCALARS)


def searched(problem, chunk=65536):
    search = ExhaustiveSearch(problem, OPTIMA, chunk=chunk)
    while not search.done:
        search.step()
    return search


def brute_force(problem):
    """All genomes, evaluated at once: feasible ones, and of these the non-dominated and the best, one by one."""
    X = np.array(list(np.ndindex(*(problem.upper + 1))))
    evaluation = problem.evaluate(X)
    metrics = problem.simulator.simulate(problem.decode(X))
    feasible = np.flatnonzero((evaluation.G <= 0).all(axis=1))
    F = evaluation.F[feasible]
    stays = [not (np.all(f >= F, axis=1) & np.any(f > F, axis=1)).any() for f in F]
    best = {name: SCALARS[name].of(metrics)[feasible].min() for name in OPTIMA}
    return X[feasible][stays], F[stays], len(feasible), best


@pytest.fixture(scope="module", params=["rram", "sram"])
def problem(request):
    return problem_of(request.param)


def test_genomes_that_repair_to_one_design_are_decided_once():
    """At 45 nm both supplies are .75 V after repair."""
    problem = problem_of("sram", ("energy_J", "latency_s", "cost"), node_nm=(7, 45), voltage_V=(0.45, 0.75))
    search = searched(problem)
    assert search.n_designs == problem.space.size == 4 * 128
    assert search.decided.evaluated == search.n_proven == (2 + 1) * 64
    assert search.n_repeated == 128
    X, _, _, best = brute_force(problem)
    assert {tuple(row) for row in search.genomes(search.decided.front)} == {tuple(row) for row in problem.canonical(X)}
    assert {name: found.value for name, found in search.decided.best.items()} == best


def test_front_optima_and_counts_are_those_of_brute_force(problem):
    search = searched(problem)
    X, F, n_feasible, best = brute_force(problem)
    assert search.proven_genes == ("cycle_s",)
    assert search.n_designs == problem.space.size == 2 * search.decided.evaluated
    assert search.n_proven == search.decided.evaluated
    assert search.n_feasible == n_feasible
    assert (search.genomes(search.decided.front) == X).all()
    assert (search.decided.front_F == F).all()
    assert {name: found.value for name, found in search.decided.best.items()} == best
    for found in search.decided.best.values():
        assert (problem.evaluate(search.genomes(np.array([found.design]))).G <= 0).all()


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_chunks_change_nothing(chunk):
    problem = problem_of("sram")
    whole, cut = searched(problem), searched(problem, chunk)
    for name, array in whole.arrays().items():
        assert (cut.arrays()[name] == array).all(), name


def test_a_search_goes_on_from_its_arrays():
    problem = problem_of("rram")
    whole = searched(problem)
    for steps in (0, 1, 5):
        first = ExhaustiveSearch(problem, OPTIMA, chunk=50)
        for _ in range(steps):
            first.step()
        second = ExhaustiveSearch(problem, OPTIMA, chunk=70)
        second.restore({name: array.copy() for name, array in first.arrays().items()})
        while not second.done:
            second.step()
        for name, array in whole.arrays().items():
            assert (second.arrays()[name] == array).all(), name


def test_a_state_of_another_search_is_refused():
    search = searched(problem_of("sram"))
    for spoiled in ({"best_names": np.array(["unknown"])}, {"front": np.array([-1])}, {"front_F": np.ones((1, 2))}):
        arrays = {**search.arrays(), **spoiled}
        with pytest.raises((KeyError, ValueError)):
            ExhaustiveSearch(search.problem, OPTIMA).restore(arrays)


def test_designs_with_equal_objectives_all_stay():
    """In RRAM the energy of two buffers differs, the latency does not: by latency alone many designs are best."""
    problem = problem_of("rram", metrics=("latency_s",))
    search = searched(problem)
    F = search.decided.front_F
    assert len(F) > 1
    assert np.ptp(F) == 0


def test_nothing_feasible_gives_an_empty_front():
    search = searched(problem_of("rram", constraints=(Constraint("energy_J", 1e-9, 1, (0, "resnet18")),)))
    assert len(search.decided.front) == search.decided.feasible == 0
    assert search.decided.best == {}
    assert search.done


@pytest.mark.parametrize(
    ("metrics", "constraints"),
    [
        (("power_W", "area_m2"), ()),
        (("energy_J", "area_m2"), (Constraint("power_W", 300.0),)),
        (("energy_J", "area_m2"), (Constraint("latency_s", 1e-6, -1, (0, "resnet18")),)),
        (("energy_J", "area_m2"), (Constraint("latency_s", 1e-5, 1, (0, "resnet18")),)),
    ],
)
def test_no_proof_where_a_slower_clock_may_help_or_decide(metrics, constraints):
    """Power falls with a slower clock; a bound on latency makes feasibility depend on it."""
    problem = problem_of("sram", metrics, constraints)
    assert proven_genes(problem) == ()
    search = searched(problem)
    X, F, n_feasible, _ = brute_force(problem)
    assert search.n_proven == 0
    assert search.n_feasible == n_feasible
    assert (search.genomes(search.decided.front) == X).all()
    assert (search.decided.front_F == F).all()


def test_scalars_by_hand():
    metrics = Metrics(np.array([[1.0, 3.0]]), np.array([[5.0, 2.0]]), np.array([10.0]), cost=np.array([2.0]))
    values = {name: entry.of(metrics)[0] for name, entry in SCALARS.items()}
    assert values == pytest.approx({"ela": 150, "ela_mean": 70, "ela_all": 300, "el": 15, "el_cost": 30, "el_mean": 7})


def test_cost_needs_a_profile_that_knows_it():
    metrics = Metrics(np.array([[1.0]]), np.array([[1.0]]), np.array([1.0]))
    with pytest.raises(UserError, match="'cost' is not known to this profile"):
        SCALARS["el_cost"].of(metrics)


def test_unknown_scalars_are_told():
    with pytest.raises(UserError, match="did you mean 'ela_mean'"):
        scalar("ela_maen")
