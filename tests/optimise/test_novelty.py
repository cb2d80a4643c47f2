from __future__ import annotations

import numpy as np
import pytest

from imcevo.optimise import novelty as novelty_module
from imcevo.optimise.novelty import KeySet, NoveltyFilter
from tests.optimise.synthetic import Synthetic


def test_key_set_knows_exactly_what_was_added() -> None:
    rng = np.random.default_rng(0)
    keys = rng.permutation(np.arange(20_000, dtype=np.uint64) * np.uint64(2**40 + 3))
    known, added = KeySet(), 0
    while added < 15_000:
        n = int(rng.integers(1, 400))
        known.add(keys[added : added + n])
        added += n
        assert len(known) == added
    assert known.contains(keys[:added]).all()
    assert not known.contains(keys[added:]).any()
    assert not KeySet().contains(keys[:3]).any()


def test_key_set_takes_every_key_and_colliding_ones() -> None:
    # Multiples of the inverse of the multiplier all start at slot 0; 2^64 - 1 marks empty slots inside.
    inverse = pow(int(novelty_module._SPREAD), -1, 2**64)
    keys = np.array([2**64 - 1, *(inverse * i % 2**64 for i in range(60))], dtype=np.uint64)
    known = KeySet()
    assert len(np.unique(known._first_slots(keys[1:]))) == 1
    known.add(keys[:30])
    assert known.contains(keys).tolist() == [True] * 30 + [False] * 31
    known.add(keys[30:])
    assert known.contains(keys).all()
    assert len(known) == 61


@pytest.mark.parametrize("upper", [(2, 5, 4, 4, 3, 3), (1,) * 64, (7,) * 200])
def test_distinct_rows_have_distinct_keys(upper: tuple[int, ...]) -> None:
    space = Synthetic(upper)
    X = np.unique(space.sample(50_000, np.random.default_rng(1)), axis=0)
    novelty = NoveltyFilter(space)
    assert len(np.unique(novelty.keys(X))) == len(X)


def test_collect_gives_new_distinct_canonical_rows_until_the_space_is_exhausted() -> None:
    space = Synthetic((2, 3, 1, 1, 1, 3))
    novelty = NoveltyFilter(space)
    rng = np.random.default_rng(2)
    stuck = space.sample(1, rng)  # an optimiser that proposes one design only
    seen: list[np.ndarray] = []
    while len(X := novelty.collect(lambda n: np.repeat(stuck, n, axis=0), 17, rng)):
        assert len(X) <= 17
        novelty.register(X)
        seen.append(X)
    rows = np.concatenate(seen)
    assert np.array_equal(np.unique(rows, axis=0), space.everything())
    assert len(rows) == len(space.everything())


def test_enumeration_resumes_where_it_stopped() -> None:
    space = Synthetic((2, 3, 1, 1, 1, 3))
    rng = np.random.default_rng(2)
    novelty = NoveltyFilter(space)
    first = novelty._scan(np.empty((0, 6), dtype=np.int64), 10)
    novelty.register(first)
    again = NoveltyFilter(space)
    again.register(first)
    again.scanned = novelty.scanned

    def propose(n: int) -> np.ndarray:
        return first[:1]

    mine, theirs = (
        n.collect(propose, 5, np.random.default_rng(3)) for n in (novelty, again)
    )
    assert np.array_equal(mine, theirs)
    assert 0 < novelty.scanned < 3 * 4 * 2 * 2 * 2 * 4
    assert len(novelty.collect(lambda n: space.sample(n, rng), 2000, rng)) == len(space.everything()) - 10
