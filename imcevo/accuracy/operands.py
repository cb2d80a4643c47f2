"""What fewer bits of inputs and weights cost: noise of the operands' own quantisation, relative to 8 bits.

The other compute-SNR of this package compares with the exact product of the operands as they are. Where a search
chooses their bits that would make the fewest bits the best: here the 8-bit product is the yardstick.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from imcevo.portable.arrays import row_sums
from imcevo.workload import Layer
from imcevo.workload.statistics import WEIGHT_STATISTICS, ValueStatistics, input_statistics

REFERENCE_BITS = 8


@lru_cache(maxsize=4096)
def operand_error(inputs: str, input_bits: int, weight_bits: int) -> float:
    """Var(y_B - y_8)/Var(y_8) of a dot product of independent entries: 0 at 8 and 8 bits.

    With Q(.) the uniform quantiser of the stated full scale, Var(Q(x) Q(w) - x w)/Var(x w) over the 8-bit codes of both
    operands, summed exactly; the reduction length cancels. To first order it is
    (D_w^2 E[x^2] + D_x^2 E[w^2])/(12 Var(x w)), steps D: the SQNR_qiy of Gonugondla, Sakr, Dbouk and Shanbhag, arXiv
    2012.13645. A constant error is taken to be corrected digitally, as in `imcevo.accuracy.closed_form`.

    Args:
        inputs: name of the inputs' distribution.
        input_bits, weight_bits: 1 to 8.
    """
    x, p = _values(input_statistics(inputs), REFERENCE_BITS), input_statistics(inputs).probabilities(REFERENCE_BITS)
    w, q = _values(WEIGHT_STATISTICS, REFERENCE_BITS), WEIGHT_STATISTICS.probabilities(REFERENCE_BITS)
    coarse_x = requantised(input_statistics(inputs), input_bits)
    coarse_w = requantised(WEIGHT_STATISTICS, weight_bits)
    exact = np.outer(x, w)
    return _variance(np.outer(coarse_x, coarse_w) - exact, p, q) / _variance(exact, p, q)


def requantised(statistics: ValueStatistics, bits: int) -> NDArray[np.float64]:
    """The value nearest to every 8-bit code among those of `bits` bits, in units of full scale ``[256]``."""
    codes = np.arange(2**REFERENCE_BITS)
    if statistics.signed:  # a coarse cell is 2^(8-bits) fine ones
        return _values(statistics, bits)[codes >> (REFERENCE_BITS - bits)]
    return _values(statistics, bits)[np.rint(codes / codes[-1] * (2**bits - 1)).astype(np.int64)]


def network_operand_error(layers: Iterable[Layer], input_bits: int, weight_bits: int) -> tuple[float, str, float]:
    """Of a network: the sum over its matrix layers, the layer with the most, and its share.

    Errors of all layers add up, also of those that compute exactly. The second operand of an activation product has
    the bits of an input.

    Args:
        layers: those with bits of their own keep them.
        input_bits, weight_bits: of the others.
    """
    errors = [
        (
            operand_error(
                layer.statistics, layer.input_bits or input_bits,
                (layer.input_bits or input_bits) if layer.dynamic else (layer.weight_bits or weight_bits),
            ),
            layer.name,
        )
        for layer in layers if layer.kind == "matrix"
    ]  # fmt: skip
    if not errors:
        return 0.0, "", 0.0
    most, name = max(errors, key=lambda entry: entry[0])
    return sum(error for error, _ in errors), name, most


def _values(statistics: ValueStatistics, bits: int) -> NDArray[np.float64]:
    """What codes of `bits` bits stand for, in units of full scale ``[2^bits]``: the middle of a signed code's cell."""
    codes = np.arange(2**bits)
    if statistics.signed:
        return np.asarray((codes + 0.5) / 2 ** (bits - 1) - 1.0)
    return codes / (2**bits - 1)


def _variance(values: NDArray[np.float64], p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """Of values ``[n, m]`` of two independent codes with probabilities p ``[n]`` and q ``[m]``."""
    return float(_mean(values**2, p, q) - _mean(values, p, q) ** 2)


def _mean(values: NDArray[np.float64], p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    return float(row_sums(p * row_sums(values * q)))
