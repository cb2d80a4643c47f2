from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from imcevo.analysis.front_quality import attainment, front_quality, igd_plus, projected
from imcevo.problem import HypervolumeBox

BOX = HypervolumeBox(np.array([1.0, 1.0]), np.array([100.0, 100.0]), log10=True)


def test_igd_plus_counts_only_what_is_missed() -> None:
    reference = np.array([[1.0, 100.0], [100.0, 1.0]])
    assert igd_plus(reference, reference, BOX) == 0.0
    assert igd_plus(np.array([[1.0, 1.0]]), reference, BOX) == 0.0  # dominates all of it
    # Half the box behind the first point in one objective, at the second point.
    assert igd_plus(np.array([[10.0, 100.0], [100.0, 1.0]]), reference, BOX) == pytest.approx(0.25)
    assert igd_plus(np.empty((0, 2)), reference, BOX) == np.inf


def test_attainment_by_definition() -> None:
    rng = np.random.default_rng(2)
    fronts = [np.exp(rng.normal(size=(6, 2))) for _ in range(4)]
    surfaces = attainment(fronts)
    for point in np.exp(rng.normal(size=(300, 2))):
        attained = sum(bool((front <= point).all(axis=1).any()) for front in fronts)
        for percentile, needed in ((0, 1), (50, 2), (100, 4)):
            below = bool((surfaces[percentile] <= point).all(axis=1).any())
            assert below == (attained >= needed), percentile


def test_quality_of_every_front() -> None:
    fronts = pd.DataFrame({
        "design": ["a", "a", "b"], "seed": [1, 1, 1], "energy_J": [1.0, 10.0, 10.0], "area_m2": [10.0, 1.0, 10.0],
    })  # fmt: skip
    table = front_quality(fronts, ["energy_J", "area_m2"], BOX).set_index("design")
    assert table.loc["a", "hypervolume"] == pytest.approx(0.75)
    assert table.loc["b", "hypervolume"] == pytest.approx(0.25)
    assert table.loc["a", "igd_plus"] == 0.0
    assert table.loc["b", "igd_plus"] == pytest.approx(0.5)


def test_projections_drop_what_only_the_third_objective_keeps() -> None:
    F = np.array([[1.0, 5.0, 1.0], [2.0, 2.0, 9.0], [3.0, 3.0, 0.1]])
    assert projected({1: F}, (0, 1))[0].tolist() == [[1.0, 5.0], [2.0, 2.0]]
