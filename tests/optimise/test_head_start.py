"""Searches that begin with what a search under the greedy mapping found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.optimise import Optimiser, ParetoArchive, optimiser_entry, optimiser_options
from imcevo.problem import Evaluation, load_problem
from tests.optimise.synthetic import Synthetic

PROBLEMS = Path(__file__).parents[2] / "problems"


class Quick(Synthetic):
    """Remembers what is evaluated."""

    def __init__(self) -> None:
        super().__init__()
        self.archive, self.seen = ParetoArchive(len(self.upper), self.n_obj), list[NDArray[np.int64]]()

    def evaluate(self, X: NDArray[np.int64], *, canonical: bool = False) -> Evaluation:
        evaluation = super().evaluate(X)
        self.archive.add(*evaluation)
        self.seen.extend(X)
        return evaluation


class Slow(Synthetic):
    def __init__(self) -> None:
        super().__init__()
        self.quick = Quick()

    def mapped_greedily(self) -> Quick:
        return self.quick


def build(problem: Synthetic, head_start: int, name: str = "nsga2") -> Optimiser:
    options = optimiser_options(name, {"population": 40, "head_start": head_start})
    return optimiser_entry(name).build(problem, options, seed=5)


def test_the_first_generation_begins_with_the_front_of_the_head_start() -> None:
    problem = Slow()
    X = build(problem, 210).ask()
    assert len(problem.quick.seen) == 210
    best = problem.quick.archive.front().thinned(10)
    assert len(best) >= 5
    assert {row.tobytes() for row in best} <= {row.tobytes() for row in X}
    assert len(X) == 40


def test_the_same_seed_has_the_same_head_start() -> None:
    np.testing.assert_array_equal(build(Slow(), 100).ask(), build(Slow(), 100).ask())


def test_without_one_nothing_else_is_evaluated() -> None:
    problem = Slow()
    build(problem, 0).ask()
    assert problem.quick.seen == []


def test_it_needs_a_problem_that_maps_exactly() -> None:
    with pytest.raises(UserError, match=r"optimiser.head_start: 100 needs exact mappings") as caught:
        build(load_problem(PROBLEMS / "sram_streamed4.toml", policy="greedy"), 100)
    assert 'policy = "exact"' in str(caught.value)


@pytest.mark.parametrize("name", ["sram_streamed4", "precision4", "hybrid9"])
def test_the_quick_problem_is_the_one_under_the_greedy_policy(name: str) -> None:
    exact, greedy = (load_problem(PROBLEMS / f"{name}.toml", policy=policy) for policy in ("exact", "greedy"))
    quick = exact.mapped_greedily()
    assert quick is not None
    X = exact.canonical(exact.sample(4, np.random.default_rng(1)))
    for ours, theirs in zip(quick.evaluate(X), greedy.evaluate(X), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert greedy.mapped_greedily() is None
