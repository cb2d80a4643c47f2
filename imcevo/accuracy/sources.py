"""Where a layer's value statistics come from: a stated distribution, or a sample of its tensors."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from imcevo.accuracy.slicing import Slicing
from imcevo.accuracy.statistics import LayerStatistics, measured_statistics, stated_statistics
from imcevo.workload.statistics import WEIGHT_STATISTICS, input_statistics

_SYNTHETIC_SEED = 20210


class Tensors(NamedTuple):
    """Values of one layer: unsigned input codes ``[n_vectors, K]`` and signed weights ``[K, M]``."""

    inputs: NDArray[np.integer]
    weights: NDArray[np.integer]


class StatisticsSource(Protocol):
    """Statistics of a layer under any slicing.

    Attributes:
        measured: from tensors; False: from a stated distribution (low confidence).
        digest: SHA-256 (hex) of the content: equal digests, equal statistics.
        input_bits, weight_bits: of the codes.
        input_zero: the input code that stands for zero.
    """

    @property
    def measured(self) -> bool: ...
    @property
    def input_bits(self) -> int: ...
    @property
    def weight_bits(self) -> int: ...
    @property
    def input_zero(self) -> int: ...
    @property
    def digest(self) -> str: ...

    def reduced(self, K: NDArray[np.int64], pieces: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of all (reduction length, pieces) with the same SNR, one."""

    def statistics(self, slicing: Slicing, K: int) -> LayerStatistics:
        """Of a layer of reduction length K."""

    def tensors(self, K: int, vectors: int, columns: int) -> Tensors:
        """Values to run: at most that many vectors and columns of a sample, or drawn from the distribution."""


@dataclass(frozen=True)
class StatedValues:
    """Independent values of a stated distribution (`imcevo.workload.statistics`).

    Attributes:
        inputs: name of the distribution of the inputs.
    """

    inputs: str
    input_bits: int
    weight_bits: int
    measured: bool = field(default=False, init=False)

    @property
    def input_zero(self) -> int:
        return input_statistics(self.inputs).zero_code(self.input_bits)

    @property
    def _probabilities(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return _of_inputs(self.inputs, self.input_bits), _of_weights(self.weight_bits)

    @cached_property
    def digest(self) -> str:
        content = hashlib.sha256(f"stated {self.input_zero}".encode())
        for probabilities in self._probabilities:
            content.update(probabilities.tobytes())
        return content.hexdigest()

    def reduced(self, K: NDArray[np.int64], pieces: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Independent entries: variance and error of `pieces` grow alike with K at the same K/pieces."""
        common = np.gcd(K, pieces)
        return K // common, pieces // common

    def statistics(self, slicing: Slicing, K: int) -> LayerStatistics:
        return _stated(self, slicing, K)

    def tensors(self, K: int, vectors: int, columns: int) -> Tensors:
        rng = np.random.default_rng([_SYNTHETIC_SEED, K])
        of_inputs, of_weights = self._probabilities
        half = 2 ** (self.weight_bits - 1)
        return Tensors(
            rng.choice(len(of_inputs), (vectors, K), p=of_inputs),
            rng.choice(len(of_weights), (K, columns), p=of_weights) - half,
        )


# Hundreds of layers share a handful of distributions.
@lru_cache(maxsize=256)
def _of_inputs(name: str, bits: int) -> NDArray[np.float64]:
    return input_statistics(name).probabilities(bits)


@lru_cache(maxsize=64)
def _of_weights(bits: int) -> NDArray[np.float64]:
    return WEIGHT_STATISTICS.probabilities(bits)


@lru_cache(maxsize=4096)
def _stated(source: StatedValues, slicing: Slicing, K: int) -> LayerStatistics:
    inputs, weights = source._probabilities
    return stated_statistics(inputs, weights, K, slicing, input_zero=source.input_zero)


@dataclass(frozen=True, eq=False)
class MeasuredValues:
    """A sample of one layer's tensors.

    Attributes:
        sample: input vectors and columns of weights.
    """

    sample: Tensors
    input_bits: int
    weight_bits: int
    input_zero: int
    measured: bool = field(default=True, init=False)
    _known: dict[Slicing, LayerStatistics] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def digest(self) -> str:
        content = hashlib.sha256(f"measured {self.input_bits} {self.weight_bits} {self.input_zero}".encode())
        for values in self.sample:
            content.update(f"{values.shape}".encode())
            content.update(np.ascontiguousarray(values, dtype=np.int16).tobytes())
        return content.hexdigest()

    def reduced(self, K: NDArray[np.int64], pieces: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Neighbouring rows share more than distant ones: K and the pieces both matter."""
        return K, pieces

    def statistics(self, slicing: Slicing, K: int) -> LayerStatistics:
        if self.sample.weights.shape[0] != K:
            raise ValueError(f"measured at K = {self.sample.weights.shape[0]}, asked for {K}")
        if slicing not in self._known:
            self._known[slicing] = measured_statistics(*self.sample, slicing, input_zero=self.input_zero)
        return self._known[slicing]

    def tensors(self, K: int, vectors: int, columns: int) -> Tensors:
        return Tensors(self.sample.inputs[:vectors], self.sample.weights[:, :columns])
