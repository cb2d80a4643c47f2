from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pymoo.operators.survival.rank_and_crowding.metrics import get_crowding_function

from imcevo.optimise.operators import best_blocks, binary_tournament, mutate, mutate_blocks, uniform_crossover
from imcevo.optimise.ranking import Survivors, crowded, crowding_distance, survivors, violation
from tests.optimise.synthetic import Synthetic


def test_tournament_prefers_rank_then_crowding() -> None:
    rng = np.random.default_rng(0)
    rank, crowding = np.array([0, 0, 1]), np.array([1.0, np.inf, 5.0])
    chosen = np.bincount(binary_tournament(rank, crowding, 9000, rng), minlength=3) / 9000
    # A pair is drawn with replacement: the best wins 5 of 9 pairs, the second 3, the third only against
    # itself.
    assert np.allclose(chosen, [3 / 9, 5 / 9, 1 / 9], atol=0.02)


def test_crossover_exchanges_genes_within_pairs() -> None:
    rng = np.random.default_rng(1)
    parents = np.stack([np.full((400, 20), 3), np.full((400, 20), 8)])
    children = uniform_crossover(parents, 0.75, np.arange(20), rng).reshape(2, 400, 20)
    assert (children.sum(axis=0) == 11).all()
    recombined = (children[0] != 3).any(axis=1)
    assert 0.65 < recombined.mean() < 0.85
    assert 0.45 < (children[0][recombined] == 8).mean() < 0.55


def test_mutation_stays_in_range_and_always_changes_the_chosen_genes() -> None:
    rng = np.random.default_rng(2)
    upper = np.array([1, 2, 9, 30])
    X = np.tile([0, 2, 4, 30], (4000, 1))
    every = mutate(X, upper, per_child=4.0, step_share=0.5, linkage=np.arange(len(upper)), rng=rng)
    assert ((every >= 0) & (every <= upper)).all()
    assert (every != X).all()
    few = mutate(X, upper, per_child=1.0, step_share=0.5, linkage=np.arange(len(upper)), rng=rng)
    assert 0.9 < (few != X).sum(axis=1).mean() < 1.1
    steps = mutate(X, upper, per_child=4.0, step_share=1.0, linkage=np.arange(len(upper)), rng=rng)
    assert (np.abs(steps - X) == 1).all()
    draws = mutate(X, upper, per_child=4.0, step_share=0.0, linkage=np.arange(len(upper)), rng=rng)
    assert set(draws[:, 2].tolist()) == set(range(10)) - {4}


def by_crowding() -> tuple[np.random.Generator, Callable[[np.ndarray, int], Survivors]]:
    rng = np.random.default_rng(0)
    return rng, lambda F, n: crowded(F, n, rng)


def test_ranks_follow_constraint_domination() -> None:
    F = np.array([[1.0, 4.0], [2.0, 2.0], [4.0, 1.0], [3.0, 3.0], [0.0, 0.0], [0.0, 0.0], [9.0, 9.0]])
    violated = violation(np.array([[-1], [-1], [0], [-1], [2], [1], [1]], dtype=float))
    chosen, rank, crowding = survivors(F, violated, 6, 0.0, *by_crowding())
    assert sorted(chosen[:2]) == [0, 2]
    assert chosen[2:4].tolist() == [1, 3]
    assert sorted(chosen[4:]) == [5, 6]  # the smaller violation, whatever their objectives
    assert rank.tolist() == [0, 0, 0, 1, 2, 2]
    assert np.isinf(crowding[:2]).all()
    assert np.isfinite(crowding[2])


def test_a_share_of_the_places_is_kept_for_promising_infeasible_designs() -> None:
    F = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [0.5, 0.5], [0.6, 0.6], [0.7, 0.7], [9.0, 9.0]])
    violated = np.array([0.0, 0.0, 0.0, 3.0, 1.0, 2.0, 4.0])
    chosen, rank, _ = survivors(F, violated, 4, 0.5, *by_crowding())
    assert chosen[:2].tolist() == [0, 1]
    # 4 and 3 trade objectives for violation; 5 is worse than 4 in both, 6 than all
    assert sorted(chosen[2:]) == [3, 4]
    assert rank.tolist() == [0, 1, 0, 0]
    assert sorted(survivors(F, violated, 7, 0.2, *by_crowding()).chosen) == list(range(7))


def test_violation_adds_up_what_is_missed() -> None:
    assert violation(np.array([[1.0, -5.0, 2.0], [0.0, -1.0, -2.0]])).tolist() == [3.0, 0.0]
    assert violation(np.empty((2, 0))).tolist() == [0.0, 0.0]


def test_synthetic_problem_has_a_front_worth_searching() -> None:
    problem = Synthetic()
    E = problem.evaluate(problem.everything())
    feasible = (E.G <= 0).all(axis=1)
    assert 0.1 < feasible.mean() < 0.9


LINKAGE = np.array([0, 1, 2, 2, 2, 3, 3, 3, 3])  # two genes alone, blocks of three and four
UPPER = np.array([3, 1, 2, 5, 1, 4, 4, 9, 1])


def test_mutation_changes_one_block_of_linked_genes() -> None:
    rng = np.random.default_rng(3)
    X = rng.integers(0, UPPER + 1, size=(4000, len(UPPER)))
    mutated = mutate(X, UPPER, per_child=1.5, step_share=0.5, linkage=LINKAGE, rng=rng)
    changed = mutated != X
    assert ((mutated >= 0) & (mutated <= UPPER)).all()
    assert not (changed[:, 2:5].any(axis=1) & changed[:, 5:].any(axis=1)).any()
    assert 1.4 < changed[:, :2].sum(axis=1).mean() < 1.6
    assert 1.4 < changed[:, 2:].sum(axis=1).mean() < 1.6


def test_trials_take_blocks_of_donors_or_change_a_gene_or_two() -> None:
    rng = np.random.default_rng(4)
    X, donors = np.zeros((4000, len(UPPER)), dtype=np.int64), np.tile(UPPER, (4000, 1))
    trial = mutate_blocks(X, donors, UPPER, 0.5, LINKAGE, rng)
    assert ((trial >= 0) & (trial <= UPPER)).all()
    assert (trial[:, :2] == 0).all()
    for block in (slice(2, 5), slice(5, 9)):
        n_changed = (trial[:, block] != 0).sum(axis=1)
        given = (trial[:, block] == UPPER[block]).all(axis=1)
        assert 0.48 < given.mean() < 0.54
        assert n_changed[~given].max() <= 2
        assert 0.9 < (n_changed > 0).mean() < 1.0  # a second change may undo the first


def test_of_every_block_the_candidate_that_costs_least_is_taken() -> None:
    rng = np.random.default_rng(5)
    candidates = np.stack([np.full((500, 9), value) for value in range(3)])
    costs = np.zeros((3, 500, 5, 2))  # the last block is the rest, without genes
    costs[:, :, 2:] = 1.0
    costs[2, :, 2, 0] = 0.9  # better in one
    costs[1, :, 3] = (0.5, 1.1)  # so much better in one that it may be worse in the other
    child = best_blocks(candidates, costs, LINKAGE, rng)
    assert (child[:, :2] == 0).all()
    assert (child[:, 2:5] == 2).all()
    taken = child[:, 5:]
    assert (taken == taken[:, :1]).all()
    # 0.5 > w 0.1 wherever log2 w, uniform from -3 to 3, is below 2.32
    assert 0.85 < (taken[:, 0] == 1).mean() < 0.93
    assert set(taken[:, 0].tolist()) == {0, 1}
    assert (best_blocks(candidates, np.zeros_like(costs), LINKAGE, rng) == 0).all()


def test_crowding_distance_is_that_of_pymoo_to_the_bit() -> None:
    rng, reference = np.random.default_rng(7), get_crowding_function("cd")
    for case in range(300):
        F = rng.random((int(rng.integers(0, 40)), int(rng.integers(1, 8))))  # NumPy adds eight otherwise
        if case % 3 == 0:
            F = np.round(F * 4) / 4  # ties
        if case % 5 == 0:
            F[:, 0] = 1e6  # a value that all share
        if case % 7 == 0:
            F[: len(F) // 2, -1] = np.inf
        with np.errstate(divide="ignore", invalid="ignore"):
            assert crowding_distance(F).tobytes() == reference.do(F).tobytes()
