"""Statistics over seeds: intervals, paired tests, corrections, risk. All random numbers are from a fixed seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

RESAMPLES = 4000
LEVEL = 0.95
_SEED = 20260


class Interval(NamedTuple):
    """A median and its confidence interval."""

    median: float
    low: float
    high: float


def median_interval(values: ArrayLike) -> Interval:
    """Median and its percentile bootstrap interval at `LEVEL` (B. Efron, Ann. Statist. 7, 1979) of `values` ``[n]``.

    NaN throughout if there is no value; low = high = the value if there is one.
    """
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    if len(x) == 0:
        return Interval(math.nan, math.nan, math.nan)
    drawn = np.random.default_rng(_SEED).integers(0, len(x), size=(RESAMPLES, len(x)))
    medians = np.median(x[drawn], axis=1)
    low, high = np.quantile(medians, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Interval(float(np.median(x)), float(low), float(high))


def paired_p(
    these: ArrayLike, those: ArrayLike, *, alternative: Literal["two-sided", "greater", "less"] = "two-sided"
) -> float:
    """p of Wilcoxon's signed-rank test on log(these / those), none below 0, pair by pair ``[n]``.

    A value on one side that is infinite or 0 is beyond any other and ranks as the largest difference; pairs infinite or
    0 on both sides, or missing, are left out. 1 where no pair differs. Exact for n < 50 without ties, else normal
    (F. Wilcoxon, Biometrics Bulletin 1(6), 1945).
    """
    a, b = np.asarray(these, dtype=np.float64), np.asarray(those, dtype=np.float64)
    known = ~(np.isnan(a) | np.isnan(b) | (np.isinf(a) & np.isinf(b)) | ((a == 0) & (b == 0)))
    a, b = a[known], b[known]
    with np.errstate(divide="ignore"):
        difference = np.log(a) - np.log(b)
    finite = np.abs(difference[np.isfinite(difference)])
    difference = np.where(np.isinf(difference), np.sign(difference) * (finite.max(initial=0.0) + 1.0), difference)
    if len(difference) == 0 or not difference.any():
        return 1.0
    difference = difference[difference != 0]
    ties = len(np.unique(np.abs(difference))) < len(difference)
    method = "approx" if ties or len(difference) >= 50 else "exact"
    return float(stats.wilcoxon(difference, alternative=alternative, method=method).pvalue)


def smallest_p(pairs: int, *, sides: int = 2) -> float:
    """The smallest p that the exact signed-rank test can reach with so many pairs."""
    return min(1.0, sides * 0.5**pairs)


def holm(p: Sequence[float]) -> list[float]:
    """p values adjusted for testing all of them (S. Holm, Scand. J. Statist. 6(2), 1979); NaN stays NaN."""
    values = np.asarray(p, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    adjusted, largest = values.copy(), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * values[place]))
        adjusted[place] = largest
    return [float(value) for value in adjusted]


def conditional_value_at_risk(
    values: NDArray[np.float64], probabilities: NDArray[np.float64], worst_share: float
) -> float:
    """Mean of `values` ``[n]`` over the `worst_share` of the probability with the largest of them.

    R. T. Rockafellar, S. Uryasev, "Optimization of conditional value-at-risk", J. Risk 2(3), 2000, for discrete
    distributions: of the value at the edge, only the part that is needed.
    """
    order = np.argsort(-values, kind="stable")
    p = probabilities[order] / probabilities.sum()
    before = np.concatenate([[0.0], np.cumsum(p)[:-1]])
    taken = np.clip(worst_share - before, 0.0, p)
    return float((taken * values[order]).sum() / taken.sum())


def correlation_needed(ratio: float, factors: Sequence[float]) -> float:
    """How correlated the model's errors on two designs must be for it to tell them apart.

    The logarithm of a prediction's error is taken as normal: 68 % of the predictions of a quantity fall within a
    factor f of the chip if its standard deviation is log f. Errors of the quantities of a product are independent of
    each other, so their variances add to sigma^2. The ratio of two designs then has the standard deviation
    sigma sqrt(2 (1 - rho)), and is decided at 95 % where |log ratio| exceeds 1.96 of these.

    Args:
        ratio: of the predictions, above 0.
        factors: within which 68 % of the predictions fall, for every quantity in the product; 1 or more.

    Returns:
        The smallest correlation rho, 0 where the designs are told apart even with independent errors, 1 where never.
    """
    sigma = math.sqrt(sum(math.log(factor) ** 2 for factor in factors))
    if sigma == 0:
        return 0.0 if ratio != 1 else 1.0
    if not math.isfinite(ratio) or ratio <= 0:
        return math.nan
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    return float(np.clip(1.0 - (math.log(ratio) / (z * sigma)) ** 2 / 2.0, 0.0, 1.0))
