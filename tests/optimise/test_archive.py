from __future__ import annotations

import numpy as np
import pytest

from imcevo.optimise import ParetoArchive
from imcevo.optimise import archive as archives
from tests.optimise.synthetic import brute_force_front


@pytest.mark.parametrize("seed", range(6))
def test_archive_equals_the_brute_force_front(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_SMALLEST_MERGE", 40)
    rng = np.random.default_rng(seed)
    n_obj = 1 + seed % 4
    X = rng.integers(0, 9, size=(700, 3)).astype(np.uint8)
    F = rng.integers(0, 12, size=(700, n_obj)) / 4.0  # coarse: many equal rows
    G = rng.normal(size=(700, 2)) - 1.0
    archive = ParetoArchive(3, n_obj)
    for part in np.split(np.arange(700), np.sort(rng.integers(0, 700, size=20))):
        archive.add(X[part], F[part], G[part])
    front = archive.front()
    assert set(front.number.tolist()) == brute_force_front(F, G)
    assert (np.diff(front.number) > 0).all()
    assert np.array_equal(front.F, F[front.number])
    assert np.array_equal(front.X, X[front.number])
    assert (archive.n_evaluated, archive.n_feasible) == (700, (G <= 0).all(axis=1).sum())


def test_front_does_not_depend_on_when_it_was_asked_for() -> None:
    rng = np.random.default_rng(7)
    X, F, G = rng.integers(0, 9, size=(500, 3)), rng.random((500, 3)), rng.normal(size=(500, 1))
    often, once = ParetoArchive(3, 3), ParetoArchive(3, 3)
    for start in range(0, 500, 50):
        often.add(X[start : start + 50], F[start : start + 50], G[start : start + 50])
        often.front()
    once.add(X, F, G)
    for mine, theirs in zip(often.front(), once.front(), strict=True):
        assert np.array_equal(mine, theirs)


def test_nothing_feasible_is_an_empty_front() -> None:
    archive = ParetoArchive(2, 3)
    archive.add(np.zeros((4, 2), dtype=np.int64), np.ones((4, 3)), np.ones((4, 1)))
    assert [part.shape for part in archive.front()] == [(0,), (0, 2), (0, 3)]
