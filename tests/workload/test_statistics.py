"""Mean levels of slices against enumeration of quantised values."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.workload import INPUT_STATISTICS, WEIGHT_STATISTICS, input_statistics

ALL = [*INPUT_STATISTICS.values(), WEIGHT_STATISTICS]

# A fine grid of the standard normal: midpoints in probability, so that plain means over it are expectations.
QUANTILES = (np.arange(400_000) + 0.5) / 400_000


def normal_grid() -> np.ndarray:
    grid = np.linspace(-6.0, 6.0, 200_001)
    return np.interp(QUANTILES, [0.5 * (1 + erf(x / sqrt(2))) for x in grid], grid)


NORMAL = normal_grid()


def codes_of(name: str, bits: int) -> np.ndarray:
    """Quantise values one by one, as a converter would."""
    if name == "relu":
        values = np.minimum(np.abs(0.3 * NORMAL), 1.0)
        codes = np.floor(values * (2**bits - 1) + 0.5).astype(int)
        return np.concatenate([codes, np.zeros_like(codes)])
    values = np.clip(0.25 * NORMAL, -1.0, 1.0)
    return np.minimum(np.floor((values + 1.0) / 2.0 * 2**bits), 2**bits - 1).astype(int)


@pytest.mark.parametrize("statistics", ALL, ids=lambda s: s.name)
@pytest.mark.parametrize("bits", [1, 3, 4, 8])
def test_means_equal_those_of_quantised_values(statistics, bits):
    codes = codes_of(statistics.name, bits)
    assert statistics.probabilities(bits) == pytest.approx(
        np.bincount(codes, minlength=2**bits) / len(codes), abs=1e-5
    )
    for d, level in enumerate(statistics.mean_levels(bits), start=1):
        slices = []
        for lowest in range(0, bits, d):
            places = range(lowest, min(lowest + d, bits))
            slices.append(sum(((codes // 2**b) % 2).mean() * 2 ** (b - lowest) for b in places) / (2**d - 1))
        assert level == pytest.approx(np.mean(slices), abs=1e-5)


@pytest.mark.parametrize("statistics", ALL, ids=lambda s: s.name)
@pytest.mark.parametrize("bits", range(1, 9))
def test_probabilities_and_levels_are_sane(statistics, bits):
    probability = statistics.probabilities(bits)
    assert probability.shape == (2**bits,)
    assert (probability >= 0).all()
    assert probability.sum() == pytest.approx(1.0, abs=1e-12)
    levels = statistics.mean_levels(bits)
    assert levels.shape == (8,)
    assert ((levels > 0) & (levels < 1)).all()


def test_offset_codes_are_symmetric():
    """Even slices of a symmetric distribution average half of full scale, the narrow last one 1.5 / 7."""
    levels = WEIGHT_STATISTICS.mean_levels(8)
    assert levels[[0, 1, 3, 7]] == pytest.approx([0.5] * 4)
    assert levels[2] == pytest.approx((1 + 1.5 / 7) / 3)


def test_shipped_distributions_are_marked_as_stated():
    assert not any(statistics.measured for statistics in ALL)


def test_unknown_distribution():
    assert input_statistics("relu").name == "relu"
    with pytest.raises(UserError, match="did you mean 'relu'"):
        input_statistics("relo")
