from __future__ import annotations

import json

import moocore
import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.optimise import (
    OPTIMISERS,
    Optimiser,
    OptimiserState,
    ParetoArchive,
    optimiser_entry,
    optimiser_options,
)  # fmt: skip
from imcevo.problem import Evaluation
from tests.optimise.synthetic import Blocks, Synthetic, brute_force_front


def build(name: str, problem: Synthetic | Blocks, *, population: int = 40, seed: int = 1) -> Optimiser:
    options = optimiser_options(name, {"population": population})
    return optimiser_entry(name).build(problem, options, seed=seed)


def search(optimiser: Optimiser, problem: Synthetic | Blocks, budget: int) -> ParetoArchive:
    archive = ParetoArchive(len(problem.upper), problem.n_obj)
    while archive.n_evaluated < budget and len(X := optimiser.ask(budget - archive.n_evaluated)):
        evaluation = problem.evaluate(X)
        optimiser.tell(evaluation)
        archive.add(*evaluation)
    return archive


@pytest.mark.parametrize("name", OPTIMISERS)
def test_no_design_is_evaluated_twice_and_the_whole_space_is_found(name: str) -> None:
    problem = Synthetic((2, 3, 2, 2, 1, 2))
    archive = search(build(name, problem), problem, budget=10**6)
    rows = np.concatenate(problem.evaluated)
    assert len(np.unique(rows, axis=0)) == len(rows) == archive.n_evaluated == len(problem.everything())
    assert np.array_equal(problem.canonical(rows), rows)
    E = problem.evaluate(rows)
    assert set(archive.front().number.tolist()) == brute_force_front(E.F, E.G)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_budget_is_met_exactly(name: str) -> None:
    problem = Synthetic()
    assert search(build(name, problem, population=64), problem, budget=333).n_evaluated == 333


def hypervolume(F: np.ndarray) -> float:
    return float(moocore.hypervolume(F, ref=[4.0, 4.0, 4.0])) if len(F) else 0.0


def test_nsga2_finds_the_exact_front_of_a_small_space_where_random_search_does_not() -> None:
    exact = Synthetic()
    E = exact.evaluate(exact.everything())
    best = hypervolume(E.F[sorted(brute_force_front(E.F, E.G))])
    reached = {name: [] for name in ("nsga2", "random")}
    for name, values in reached.items():
        for seed in range(5):
            problem = Synthetic()
            front = search(build(name, problem, seed=seed), problem, budget=len(E.F) // 4).front()
            values.append(hypervolume(front.F) / best)
    assert min(reached["nsga2"]) > 0.999
    assert min(reached["nsga2"]) > max(reached["random"])


@pytest.mark.parametrize("name", [name for name in OPTIMISERS if name not in ("nsga2", "random")])
def test_other_survivals_find_most_of_the_front_too(name: str) -> None:
    exact = Synthetic()
    E = exact.evaluate(exact.everything())
    best = hypervolume(E.F[sorted(brute_force_front(E.F, E.G))])
    for seed in range(3):
        problem = Synthetic()
        front = search(build(name, problem, seed=seed), problem, budget=len(E.F) // 4).front()
        assert hypervolume(front.F) > 0.99 * best


class Flat(Synthetic):
    """Where objectives coincide: one distinct vector per value of the first gene."""

    def __init__(self, n_obj: int) -> None:
        super().__init__()
        self.n_obj = n_obj

    def evaluate(self, X: np.ndarray) -> Evaluation:
        evaluation = super().evaluate(X)
        return evaluation._replace(F=np.repeat(1.0 + evaluation.X[:, :1], self.n_obj, axis=1))


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("n_obj", [1, 2, 3])
def test_coinciding_objectives_and_any_number_of_them(name: str, n_obj: int) -> None:
    problem = Flat(n_obj)
    archive = search(build(name, problem, population=12), problem, budget=120)
    assert archive.n_evaluated == 120
    assert len(np.unique(archive.front().F, axis=0)) == 1


def test_every_optimiser_is_another_search() -> None:
    asked = set()
    for name in OPTIMISERS:
        problem = Synthetic()
        search(build(name, problem), problem, budget=400)
        asked.add(np.concatenate(problem.evaluated).tobytes())
    assert len(asked) == len(OPTIMISERS)


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("stop", [0, 1, 4])
def test_a_restored_optimiser_continues_identically(name: str, stop: int) -> None:
    problem = Synthetic()
    straight, first = build(name, problem), build(name, problem)
    for _ in range(stop):
        for optimiser in (straight, first):
            optimiser.tell(problem.evaluate(optimiser.ask()))
    state = first.state()
    stored = OptimiserState(state.arrays, json.loads(json.dumps(state.values)))
    second = build(name, Synthetic(), seed=999)
    seen = [X.astype(np.uint8) for X in problem.evaluated[1::2]]
    second.restore(stored, seen)
    for _ in range(3):
        X, Y = straight.ask(), second.ask()
        assert np.array_equal(X, Y)
        for optimiser in (straight, second):
            optimiser.tell(problem.evaluate(X))


@pytest.mark.parametrize("name", OPTIMISERS)
def test_calls_out_of_order_are_refused(name: str) -> None:
    problem = Synthetic()
    optimiser = build(name, problem)
    with pytest.raises(RuntimeError, match="before ask"):
        optimiser.tell(Evaluation(np.empty((0, 6), np.int64), np.empty((0, 3)), np.empty((0, 2))))
    evaluation = problem.evaluate(optimiser.ask())
    with pytest.raises(RuntimeError, match="twice"):
        optimiser.ask()
    with pytest.raises(RuntimeError, match="between"):
        optimiser.state()
    with pytest.raises(ValueError, match="F has shape"):
        optimiser.tell(evaluation._replace(F=evaluation.F[:, :2]))
    with pytest.raises(ValueError, match="unchanged"):
        optimiser.tell(Evaluation(evaluation.X[::-1], evaluation.F, evaluation.G))
    optimiser.tell(evaluation)


def test_a_foreign_state_is_refused() -> None:
    optimiser = build("nsga2", Synthetic())
    state = optimiser.state()
    foreign = {**state.arrays, "X": np.full((1, 6), 99), "F": np.ones((1, 3)), "G": np.ones((1, 2))}
    with pytest.raises(ValueError, match="expected"):
        optimiser.restore(state._replace(arrays={**state.arrays, "F": np.ones((2, 9))}), [])
    sizes = {"rank": np.zeros(1, np.int64), "crowding": np.zeros(1)}
    with pytest.raises(ValueError, match="leaves the search space"):
        optimiser.restore(state._replace(arrays={**foreign, **sizes}), [])


def test_names_and_options_are_checked() -> None:
    with pytest.raises(UserError, match="did you mean 'nsga2'"):
        optimiser_entry("nsga-2")
    with pytest.raises(UserError, match=r"optimiser\.populatoin: unknown key; did you mean 'population'"):
        optimiser_options("nsga2", {"populatoin": 10})
    with pytest.raises(UserError, match=r"optimiser\.crossover_probability"):
        optimiser_options("nsga2", {"crossover_probability": 1.5})


def test_every_block_of_linked_genes_finds_its_best_values() -> None:
    problem = Blocks()
    optimiser = build("nsga2", problem)
    assert search(optimiser, problem, budget=2400).front().F.min() < 1.001  # 7 to 8 by selection of whole designs alone


def test_blocks_without_costs_of_their_own_are_still_evolved() -> None:
    class Shared(Blocks):
        def block_costs(self, candidates: np.ndarray) -> np.ndarray:
            return 0.0 * super().block_costs(candidates)

        def evaluate(self, X: np.ndarray) -> Evaluation:
            return Evaluation(X, super().block_costs(X).sum(axis=1), np.empty((len(X), 0)))

    problem = Shared(4)
    first, later = (search(build("nsga2", problem), problem, budget).front().F.min() for budget in (40, 2000))
    assert later < first / 2


def test_resumed_search_tries_the_same_blocks() -> None:
    problem = Blocks(6)
    straight = build("nsga2", problem)
    told = []
    for _ in range(3):
        told.append(straight.ask())
        straight.tell(problem.evaluate(told[-1]))
    again = build("nsga2", problem, seed=2)
    again.restore(straight.state(), told)
    for _ in range(3):
        X = straight.ask()
        assert np.array_equal(X, again.ask())
        for optimiser in (straight, again):
            optimiser.tell(problem.evaluate(X))
