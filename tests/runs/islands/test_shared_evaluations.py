"""What workers are told of the designs known in a run."""

from __future__ import annotations

import numpy as np

from imcevo.runs.islands.shared_evaluations import SharedEvaluations, _Memory


def drawn(seed: int, n: int = 50) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, size=n, dtype=np.uint64)


def told_of(n_epochs: int, token: str = "run") -> SharedEvaluations:
    told = SharedEvaluations(token)
    for epoch in range(n_epochs):
        told.add(drawn(2 * epoch))
        told.add(drawn(2 * epoch + 1))
        told.news()
    return told


def knows(memory: _Memory, told: SharedEvaluations) -> bool:
    known = memory.learn(told.news())
    if known is None:
        return False
    assert len(known) == len(told.keys)
    return True


def test_a_worker_that_is_told_every_epoch_knows_all() -> None:
    told, memory = SharedEvaluations("run"), _Memory()
    assert knows(memory, told)
    for epoch in range(6):
        told.add(drawn(epoch))
        assert knows(memory, told)
        assert knows(memory, told)  # of another island of the same epoch
        assert memory.learn(told.news()).contains(drawn(epoch)).all()


def test_news_stay_short() -> None:
    assert [len(told_of(n).news().added) for n in range(5)] == [0, 1, 2, 2, 2]


def test_a_worker_left_out_once_catches_up_and_one_left_out_longer_must_be_told_everything() -> None:
    told, one, two = told_of(3), _Memory(), _Memory()
    for memory in (one, two):
        assert memory.learn(told.everything()) is not None
    told.add(drawn(90))
    told.news()
    told.add(drawn(91))
    assert knows(one, told)
    told.add(drawn(92))
    assert not knows(two, told)
    assert len(two.learn(told.everything())) == len(told.keys)
    assert knows(two, told)


def test_a_new_worker_must_be_told_everything() -> None:
    assert not knows(_Memory(), told_of(3))


def test_another_run_of_the_same_name_is_not_taken_for_the_first() -> None:
    memory = _Memory()
    assert memory.learn(told_of(3).everything()) is not None
    other = SharedEvaluations("run")
    for epoch in range(3):
        other.add(drawn(100 + epoch, n=100))
        other.news()
    assert not knows(memory, other)
    assert len(memory.learn(other.everything())) == 300
    assert not knows(memory, told_of(3))
    assert not knows(memory, told_of(3, token="elsewhere"))
