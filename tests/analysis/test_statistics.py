from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from imcevo.analysis.statistics import (
    conditional_value_at_risk,
    correlation_needed,
    holm,
    median_interval,
    paired_p,
    smallest_p,
)


def test_the_interval_covers_the_median_of_the_population() -> None:
    rng = np.random.default_rng(3)
    drawn = [median_interval(rng.lognormal(size=15)) for _ in range(200)]
    covered = np.mean([found.low <= 1.0 <= found.high for found in drawn])
    assert 0.88 <= covered <= 1.0
    assert median_interval([2.0]) == (2.0, 2.0, 2.0)
    assert median_interval([1.0, math.nan, 3.0]).median == 2.0
    assert all(math.isnan(value) for value in median_interval([]))


def test_the_paired_test_is_wilcoxons_on_ratios() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.lognormal(size=12), rng.lognormal(0.4, size=12)
    for alternative in ("two-sided", "greater", "less"):
        expected = stats.wilcoxon(np.log(a / b), alternative=alternative).pvalue
        assert paired_p(a, b, alternative=alternative) == pytest.approx(expected, rel=1e-12)
    assert paired_p(a, a) == 1.0
    every = np.arange(1.0, 9.0)
    assert paired_p(every, 2 * every**1.1) == smallest_p(8) == 2 / 2**8


def test_infinite_is_worse_than_anything_finite() -> None:
    finite = np.arange(1.0, 7.0)
    unable = np.full(6, np.inf)
    assert paired_p(finite, unable, alternative="less") < 0.05
    assert paired_p(finite, unable, alternative="greater") > 0.9
    assert paired_p(unable, unable) == 1.0
    none = np.zeros(6)
    assert paired_p(finite, none, alternative="greater") < 0.05
    assert paired_p(none, none) == 1.0


def test_holm_is_step_down() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    adjusted = holm([0.02, math.nan, 0.001])
    assert adjusted[0] == pytest.approx(0.02)
    assert adjusted[2] == pytest.approx(0.002)
    assert math.isnan(adjusted[1])


def test_value_at_risk_takes_only_the_part_it_needs() -> None:
    values, p = np.array([1.0, 5.0, 3.0]), np.array([0.5, 0.2, 0.3])
    assert conditional_value_at_risk(values, p, 0.2) == pytest.approx(5.0)
    assert conditional_value_at_risk(values, p, 0.4) == pytest.approx((0.2 * 5 + 0.2 * 3) / 0.4)
    assert conditional_value_at_risk(values, 2 * p, 1.0) == pytest.approx(0.5 * 1 + 0.2 * 5 + 0.3 * 3)


def test_correlation_needed_is_where_the_interval_of_a_ratio_reaches_one() -> None:
    rng = np.random.default_rng(7)
    ratio, factors = 1.5, (1.6, 1.2)
    rho = correlation_needed(ratio, factors)
    assert 0 < rho < 1
    # By simulation: errors of two designs with that correlation, each within these factors in 68 % of cases.
    total = math.hypot(*map(math.log, factors))
    common, own = math.sqrt(rho), math.sqrt(1 - rho)
    shared, these, those = rng.standard_normal((3, 400_000))
    difference = total * ((common * shared + own * these) - (common * shared + own * those))
    assert np.mean(np.abs(difference) > math.log(ratio)) == pytest.approx(0.05, abs=0.002)
    assert correlation_needed(100.0, (1.1,)) == 0.0
    assert correlation_needed(1.0, (1.1,)) == 1.0
    assert correlation_needed(1.0 + 1e-9, (1.0,)) == 0.0
    assert math.isnan(correlation_needed(math.nan, (1.1,)))
