"""Integer splitting rules against enumeration."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.mapping.split import balanced, ceil_div, pixel_copies, rows_touched


def test_balanced_needs_no_more_rounds_than_filling_the_capacity() -> None:
    for size in range(1, 60):
        for capacity in range(1, 60):
            part = balanced(size, capacity)
            assert 1 <= part <= min(size, capacity)
            assert ceil_div(size, part) == ceil_div(size, capacity)
            assert part == 1 or ceil_div(size, part) < ceil_div(size, part - 1)


@pytest.mark.parametrize("sequential", [0, 1])
def test_pixel_copies_never_exceed_what_is_offered_and_all_have_work(sequential: int) -> None:
    for N, P, Q in ((1, 7, 7), (2, 5, 1), (3, 1, 4)):
        for copies in range(1, 40):
            parts = pixel_copies(N, P, Q, sequential, copies)
            assert np.prod(parts) <= copies
            for size, part in zip((N, P, Q), parts, strict=True):
                assert ceil_div(size, ceil_div(size, part)) == part  # the last copy is not empty
            assert not sequential or parts[1] == 1


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
