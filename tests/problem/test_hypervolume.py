"""Hypervolumes in the box of the problem file."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.problem.config import HypervolumeConfig
from imcevo.problem.hypervolume import HypervolumeBox


def box(scale="linear", ideal=(0.0, 0.0), reference=(2.0, 4.0)):
    config = HypervolumeConfig(scale=scale, ideal=list(ideal), reference=list(reference))
    return HypervolumeBox.from_config(config, 2)


def test_share_of_the_box():
    assert box().hypervolume(np.array([[1.0, 2.0]])) == pytest.approx(0.25)
    assert box().hypervolume(np.array([[0.0, 0.0]])) == pytest.approx(1)
    assert box().hypervolume(np.array([[1.0, 1.0], [0.0, 3.0], [1.5, 3.5]])) == pytest.approx(
        0.5 * 0.75 + 0.5 * 0.25
    )


def test_points_beyond_the_reference_count_nothing():
    assert box().hypervolume(np.array([[2.0, 0.0], [0.0, 5.0]])) == 0
    assert box().hypervolume(np.array([[1.0, 2.0], [0.1, 9.0]])) == pytest.approx(0.25)
    assert box().hypervolume(np.empty((0, 2))) == 0


def test_points_beyond_the_ideal_are_cut_there():
    assert box().hypervolume(np.array([[-5.0, -5.0]])) == pytest.approx(1)


def test_log_scale():
    log = box("log10", (1e-6, 1e-3), (1e-2, 1e1))
    np.testing.assert_allclose(log.normalised(np.array([[1e-4, 1e-1]])), [[0.5, 0.5]])
    assert log.hypervolume(np.array([[1e-4, 1e-1]])) == pytest.approx(0.25)


def test_maximised_objectives_have_logarithms_too():
    config = HypervolumeConfig(scale="log10", ideal=[-1e4, 1e-3], reference=[-1e0, 1e1])
    log = HypervolumeBox.from_config(config, 2, maximised=[True, False])
    F = np.array([[-1e2, 1e-1], [-1e5, 1e-1], [-0.5, 1e-3], [1.0, 1e-3]])
    np.testing.assert_allclose(log.normalised(F)[:3, 0], [0.5, -0.25, 1.07526], rtol=1e-5)
    assert log.normalised(F)[3, 0] == np.inf
    assert log.hypervolume(F[:1]) == pytest.approx(0.25)
    assert log.hypervolume(F[2:]) == 0
    for ideal, maximised in (([-1e4, 1e-3], [False, False]), ([1e-4, 1e-3], [True, False])):
        wrong = HypervolumeConfig(scale="log10", ideal=ideal, reference=[10.0, 10.0])
        with pytest.raises(UserError, match="no logarithm"):
            HypervolumeBox.from_config(wrong, 2, maximised=maximised)


def test_one_objective():
    single = HypervolumeBox(np.array([0.0]), np.array([4.0]), log10=False)
    assert single.hypervolume(np.array([[1.0], [3.0]])) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("scale", "ideal", "reference", "said"),
    [
        ("linear", (0.0,), (1.0, 1.0), "1 entries for 2"),
        ("linear", (0.0, 0.0), (1.0, 1.0, 1.0), "3 entries for 2"),
        ("linear", (0.0, 1.0), (1.0, 1.0), "not below"),
        ("log10", (0.0, 1.0), (1.0, 2.0), "no logarithm"),
        ("log10", (0.1, 1.0), (-1.0, 2.0), "no logarithm"),
    ],
)
def test_mistakes(scale, ideal, reference, said):
    with pytest.raises(UserError, match=said):
        box(scale, ideal, reference)
