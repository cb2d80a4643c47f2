"""The compiled loops behind `imcevo.portable.arrays`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.portable import elementary

Array = NDArray[np.float64]

EXP, EXP2, LOG, LOG2, LOG10, LOG1P, ERFC = range(7)


@kernel(entry=True)
def fill(function: int, x: Array, result: Array) -> None:
    """One kernel for all functions of one number, so that a process loads or compiles one."""
    for i in range(len(x)):
        if function == LOG:
            result[i] = elementary.log(x[i])
        elif function == LOG10:
            result[i] = elementary.log10(x[i])
        elif function == LOG2:
            result[i] = elementary.log2(x[i])
        elif function == LOG1P:
            result[i] = elementary.log1p(x[i])
        elif function == EXP2:
            result[i] = elementary.exp2(x[i])
        elif function == ERFC:
            result[i] = elementary.erfc(x[i])
        else:
            result[i] = elementary.exp(x[i])


@kernel(entry=True)
def fill_powers(x: Array, y: Array, result: Array) -> None:
    for i in range(len(x)):
        result[i] = elementary.power(x[i], y[i])


@kernel(entry=True)
def fill_row_sums(values: Array, sums: Array) -> None:
    for i in range(len(values)):
        total = 0.0
        for j in range(values.shape[1]):
            total += values[i, j]
        sums[i] = total


@kernel(entry=True)
def fill_sums_at_prices(counts: Array, prices: Array, sums: Array) -> None:
    for d in range(counts.shape[0]):
        for n in range(counts.shape[1]):
            total = 0.0
            for a in range(counts.shape[2]):
                total += counts[d, n, a] * prices[d, a]
            sums[d, n] = total


@kernel(entry=True)
def fill_products(a: Array, b: Array, result: Array) -> None:
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                result[i, j] += a[i, k] * b[k, j]
