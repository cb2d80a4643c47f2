from __future__ import annotations

import numpy as np

from imcevo.analysis import ends, knee, nondominated
from tests.optimise.synthetic import brute_force_front


def test_nondominated_is_the_definition() -> None:
    rng = np.random.default_rng(0)
    for n_obj in (1, 2, 3, 4):
        F = rng.integers(1, 9, size=(200, n_obj)).astype(float)
        assert set(np.flatnonzero(nondominated(F)).tolist()) == brute_force_front(F, np.zeros((200, 0)))


def test_knee_of_two_objectives_is_farthest_from_the_line_between_the_ends() -> None:
    decades = np.linspace(0, 3, 31)
    F = np.stack([10**decades, 10.0 ** (3 * (1 - (decades / 3)) ** 3)], axis=1)
    z = np.log10(F) / 3
    line = (z[-1] - z[0]) / np.linalg.norm(z[-1] - z[0])
    away = z - z[0]
    distance = np.abs(away[:, 0] * line[1] - away[:, 1] * line[0])
    assert knee(F) == np.argmax(distance)
    assert 0 < knee(F) < 30


def test_knee_does_not_depend_on_units() -> None:
    rng = np.random.default_rng(1)
    F = rng.lognormal(size=(300, 3), sigma=2)
    F = F[nondominated(F)]
    assert knee(F) == knee(F * [1e-12, 1e3, 7.0])


def test_maximised_objectives_are_measured_in_decades_too() -> None:
    rng = np.random.default_rng(2)
    F = rng.lognormal(size=(300, 2), sigma=2)
    F = F[nondominated(F)]
    turned = np.stack([F[:, 0], -1 / F[:, 1]], axis=1)  # 1/x maximised is x minimised
    assert knee(turned) == knee(F)
    assert ends(turned).tolist() == ends(F).tolist()
    assert knee(np.array([[1.0, 3.0], [1.1, -2.0], [5.0, -2.5]])) == 1  # decibels of both signs


def test_knee_of_one_design_and_of_a_constant_objective() -> None:
    assert knee(np.array([[1.0, 2.0, 3.0]])) == 0
    assert knee(np.array([[1.0, 9.0, 5.0], [2.0, 2.0, 5.0], [9.0, 1.0, 5.0]])) == 1


def test_ends_are_the_lowest_of_each_objective() -> None:
    F = np.array([[3.0, 1.0, 5.0], [1.0, 7.0, 2.0], [1.0, 2.0, 3.0], [4.0, 4.0, 1.0]])
    assert ends(F).tolist() == [2, 0, 3]  # of the two lowest in the first objective, the better in the others
