"""Splitting rules of whole numbers against enumeration."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.mapping.splitting_rules import balanced, ceil_div, floor_div, rows_touched, share_pixels


def test_balanced_needs_no_more_rounds_than_filling_the_capacity() -> None:
    for size in range(1, 60):
        for capacity in range(1, 60):
            part = balanced(size, capacity)
            assert 1 <= part <= min(size, capacity)
            assert ceil_div(size, part) == ceil_div(size, capacity)
            assert part == 1 or ceil_div(size, part) < ceil_div(size, part - 1)


@pytest.mark.parametrize("sequential", [0, 1])
def test_copies_never_exceed_what_is_offered_and_all_have_work(sequential: int) -> None:
    for N, P, Q in ((1, 7, 7), (2, 5, 1), (3, 1, 4)):
        for copies in range(1, 40):
            share = share_pixels(N, P, Q, sequential, copies)
            over = [ceil_div(size, part) for size, part in zip((N, P, Q), share[1:], strict=True)]
            assert np.prod(over) == share.copies <= copies
            # No copy has more than the largest of equal shares, after images rows, after rows columns.
            left, rows_left = copies // over[0], copies // over[0] // over[1]
            assert share.images == -(-N // copies)
            assert share.rows == (P if sequential else -(-P // left))
            assert share.cols == -(-Q // rows_left)


def test_whole_numbers_divide_exactly_up_to_the_limit_of_their_representation() -> None:
    rng = np.random.default_rng(5)
    for b in (1, 3, 7, 641, 65537, 2**31 - 1):
        for q in (1, 2, *(int(v) for v in rng.integers(1, 2**52 // b, 50))):
            assert int(ceil_div(q * b, b)) == int(floor_div(q * b, b)) == q
            if b > 1:
                assert int(ceil_div(q * b + 1, b)) == int(ceil_div(q * b - 1, b)) + 1 == q + 1
                assert int(floor_div(q * b + 1, b)) == int(floor_div(q * b - 1, b)) + 1 == q


def test_rows_touched_equals_enumeration() -> None:
    rng = np.random.default_rng(7)
    for _ in range(2000):
        R, stride = int(rng.integers(1, 8)), int(rng.integers(1, 4))
        pad = int(rng.integers(0, R)) if stride <= R else 0
        P = int(rng.integers(1, 30))
        below = int(rng.integers(0, pad + 1))
        H = max(1, (P - 1) * stride + R - pad - below)
        if pad >= H:  # windows wholly in the padding do not occur in networks
            continue
        per_copy = int(rng.integers(1, P + 1))
        per_slab = int(rng.integers(1, per_copy + 1))
        expected = 0
        for copy in range(0, P, per_copy):
            for slab in range(copy, min(copy + per_copy, P), per_slab):
                rows = range(slab, min(slab + per_slab, copy + per_copy, P))
                expected += len(
                    {h for p in rows for r in range(R) if 0 <= (h := p * stride + r - pad) < H}
                )
        assert rows_touched(P, per_copy, per_slab, stride, R, pad, H) == expected
