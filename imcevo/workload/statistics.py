"""How large inputs and weights are: value distributions and the mean level of their bit slices.

Means are exact sums over the probabilities of the quantised codes, no samples. The distributions shipped here
are *stated*, not measured (`ValueStatistics.measured` is False): what depends on them is of low confidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import unknown_name
from imcevo.portable.arrays import erfc, row_sums

MOST_SLICE_BITS = 8

# Synthetic tensors used to run NeuroSim V1.3 (github.com/neurosim/DNN_NeuroSim_V1.3): activations
# |N(0, 0.3)|, half of them zero; weights N(0, 0.25) clipped to [-1, 1].
_RELU_SIGMA = 0.3
_NORMAL_SIGMA = 0.25


@dataclass(frozen=True)
class ValueStatistics:
    """The distribution of one kind of value, seen as unsigned codes.

    Attributes:
        name: what layers call it.
        meaning: the distribution in words.
        measured: True if taken from a network's tensors, False if stated.
        probabilities: bits -> probability of every code ``[2**bits]``.
        signed: offset binary: the middle code stands for zero, else code 0.
    """

    name: str
    meaning: str
    measured: bool
    probabilities: Callable[[int], NDArray[np.float64]]
    signed: bool

    def zero_code(self, bits: int) -> int:
        """The code of `bits` bits that stands for zero."""
        return 2 ** (bits - 1) if self.signed else 0

    def mean_levels(self, bits: int) -> NDArray[np.float64]:
        """Mean level of a slice of 1 to 8 bits, averaged over the slices of a code ``[8]``.

        Codes of `bits` bits are cut into slices of d bits from the least significant bit on; column d - 1
        holds the mean of slice / (2^d - 1) over codes and slices. The last slice may be narrower (8 bits in
        slices of 3: 3, 3, 2); the same DAC drives it, or the same cell stores it, so its level is relative to
        2^d - 1 too.
        """
        probability = self.probabilities(bits)
        codes = np.arange(len(probability))
        levels = np.zeros(MOST_SLICE_BITS)
        for d in range(1, MOST_SLICE_BITS + 1):
            largest = 2**d - 1
            slices = [(codes >> shift) & largest for shift in range(0, bits, d)]
            mean = row_sums([probability * values for values in slices])
            levels[d - 1] = row_sums(mean) / len(slices) / largest
        return levels


def _normal_cdf(x: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    return np.asarray(0.5 * erfc(-x / (sigma * sqrt(2.0))))


def _from_edges(cdf_at_edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of the codes between inner edges; what lies beyond the outer ones is clipped."""
    return np.diff(cdf_at_edges, prepend=0.0, append=1.0)


def _relu(bits: int) -> NDArray[np.float64]:
    """|x|, x ~ N(0, 0.3), clipped to 1, rounded to code / (2^bits - 1); every second value is 0 instead."""
    largest = 2**bits - 1
    edges = (np.arange(largest) + 0.5) / largest
    probability = 0.5 * _from_edges(2.0 * _normal_cdf(edges, _RELU_SIGMA) - 1.0)
    probability[0] += 0.5
    return probability


def _normal(bits: int) -> NDArray[np.float64]:
    """x ~ N(0, 0.25) clipped to [-1, 1], which 2^bits codes share evenly; code 0 is the most negative."""
    edges = np.arange(1, 2**bits) / 2 ** (bits - 1) - 1.0
    return _from_edges(_normal_cdf(edges, _NORMAL_SIGMA))


INPUT_STATISTICS: dict[str, ValueStatistics] = {
    statistics.name: statistics
    for statistics in (
        ValueStatistics("relu", "|N(0, 0.3)| clipped to 1, half of the values zero; unsigned", False, _relu, False),
        ValueStatistics("signed", "N(0, 0.25) clipped to +-1 of full scale; offset binary", False, _normal, True),
    )
}
WEIGHT_STATISTICS = ValueStatistics("weights", "N(0, 0.25) clipped to +-1; offset binary", False, _normal, True)


def input_statistics(name: str) -> ValueStatistics:
    """The input distribution of that name.

    Raises:
        UserError: unknown name.
    """
    if name not in INPUT_STATISTICS:
        raise unknown_name("value distribution", name, INPUT_STATISTICS, key="statistics")
    return INPUT_STATISTICS[name]
