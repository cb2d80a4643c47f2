"""AGE-MOEA-II: pymoo's scores up to rounding, but portable and with drawn ties."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from imcevo.optimise.age import age_survivors


@pytest.mark.parametrize(
    ("n_designs", "n_obj", "curvature", "n"),
    [(120, 2, 2.0, 60), (150, 3, 2.0, 70), (150, 3, 0.6, 70), (80, 4, 1.0, 60), (40, 3, 2.0, 39)],
)
def test_scores_of_the_first_front_are_pymoos(n_designs: int, n_obj: int, curvature: float, n: int) -> None:
    from pymoo.algorithms.moo.age2 import AGEMOEA2Survival
    from pymoo.core.population import Population
    from pymoo.core.problem import Problem

    rng = np.random.default_rng(n_designs)
    F = rng.random((n_designs, n_obj)) ** 2 + 1e-3
    F /= (F**curvature).sum(axis=1, keepdims=True) ** (1 / curvature)  # one front, on a sphere of that norm
    found = age_survivors(F, n, rng)
    population = Population.new(F=F.copy())
    population.set("place", np.arange(n_designs))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        kept = AGEMOEA2Survival().do(Problem(n_var=1, n_obj=n_obj), population, n_survive=n, random_state=rng)
    assert set(found.chosen.tolist()) == set(kept.get("place").tolist())
    pymoos = dict(zip(kept.get("place").tolist(), kept.get("crowding").tolist(), strict=True))
    expected = [pymoos[place] for place in found.chosen.tolist()]
    np.testing.assert_allclose(found.crowding, expected, rtol=1e-6)  # rounding to 12 digits, times what p makes of it


def test_ranks_come_first_and_later_fronts_by_their_distance_from_the_ideal() -> None:
    rng = np.random.default_rng(5)
    angle = np.linspace(0.05, 1.5, 12)
    fronts = [radius * np.column_stack([np.cos(angle), np.sin(angle)]) for radius in (1.0, 2.0, 3.0)]
    survivors = age_survivors(np.concatenate(fronts), 30, rng)
    assert survivors.rank.tolist() == [0] * 12 + [1] * 12 + [2] * 6
    second = survivors.crowding[12:24]
    assert (second > 0).all()
    assert (np.diff(second) <= 0).all()
    assert np.isinf(survivors.crowding[:2]).all()


def test_fewer_points_than_objectives() -> None:
    survivors = age_survivors(np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]), 2, np.random.default_rng(0))
    assert sorted(survivors.chosen.tolist()) == [0, 1]
