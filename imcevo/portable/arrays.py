"""The functions of `imcevo.portable.elementary` on numbers and arrays, and sums in a stated order.

An element's result depends on nothing but the element: not on the array's length, its layout or its place in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imcevo.kernels import kernel
from imcevo.portable import elementary

Array = NDArray[np.float64]

_EXP, _EXP2, _LOG, _LOG2, _LOG10, _LOG1P = range(6)


def exp(x: ArrayLike) -> Any:
    """e^x."""
    return _each(_EXP, x)


def exp2(x: ArrayLike) -> Any:
    """2^x; whole powers are exact."""
    return _each(_EXP2, x)


def log(x: ArrayLike) -> Any:
    """ln x; -inf at 0, nan below, without a warning."""
    return _each(_LOG, x)


def log2(x: ArrayLike) -> Any:
    """log2 x; powers of two are exact."""
    return _each(_LOG2, x)


def log10(x: ArrayLike) -> Any:
    """log10 x; powers of ten are exact."""
    return _each(_LOG10, x)


def log1p(x: ArrayLike) -> Any:
    """ln(1 + x)."""
    return _each(_LOG1P, x)


def power(x: ArrayLike, y: ArrayLike) -> Any:
    """x^y, broadcast."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.shape != y.shape:
        x, y = np.broadcast_arrays(x, y)
    result = np.empty(x.shape)
    _fill_powers(np.array(x.ravel()), np.array(y.ravel()), result.reshape(-1))
    return result[()]


def row_sums(values: ArrayLike) -> Array:
    """Sums over the last axis, added from the first on."""
    values = np.asarray(values, dtype=np.float64)
    sums = np.empty(values.shape[:-1])
    _fill_row_sums(np.array(values.reshape(sums.size, values.shape[-1])), sums.reshape(-1))
    return sums


def priced(counts: Array, prices: Array) -> Array:
    """sum_a counts[d, n, a] prices[d, a] ``[n_d, n_n]``, added from the first a on."""
    sums = np.empty(counts.shape[:2])
    _fill_priced(np.ascontiguousarray(counts), np.ascontiguousarray(prices), sums)
    return sums


def products(a: ArrayLike, b: ArrayLike) -> Array:
    """Matrix product ``[n, m]`` of ``[n, k]`` and ``[k, m]``, every entry added from the first k on."""
    left, right = np.array(a, dtype=np.float64), np.array(b, dtype=np.float64)
    result = np.zeros((len(left), right.shape[1]))
    _fill_products(left, right, result)
    return result


def _each(function: int, x: ArrayLike) -> Any:
    x = np.asarray(x, dtype=np.float64)
    result = np.empty(x.shape)
    _fill(function, np.array(x.ravel()), result.reshape(-1))
    return result[()]


@kernel(entry=True)
def _fill(function: int, x: Array, result: Array) -> None:
    """One kernel for all functions of one number, so that a process loads or compiles one."""
    for i in range(len(x)):
        if function == _LOG:
            result[i] = elementary.log(x[i])
        elif function == _LOG10:
            result[i] = elementary.log10(x[i])
        elif function == _LOG2:
            result[i] = elementary.log2(x[i])
        elif function == _LOG1P:
            result[i] = elementary.log1p(x[i])
        elif function == _EXP2:
            result[i] = elementary.exp2(x[i])
        else:
            result[i] = elementary.exp(x[i])


@kernel(entry=True)
def _fill_powers(x: Array, y: Array, result: Array) -> None:
    for i in range(len(x)):
        result[i] = elementary.power(x[i], y[i])


@kernel(entry=True)
def _fill_row_sums(values: Array, sums: Array) -> None:
    for i in range(len(values)):
        total = 0.0
        for j in range(values.shape[1]):
            total += values[i, j]
        sums[i] = total


@kernel(entry=True)
def _fill_priced(counts: Array, prices: Array, sums: Array) -> None:
    for d in range(counts.shape[0]):
        for n in range(counts.shape[1]):
            total = 0.0
            for a in range(counts.shape[2]):
                total += counts[d, n, a] * prices[d, a]
            sums[d, n] = total


@kernel(entry=True)
def _fill_products(a: Array, b: Array, result: Array) -> None:
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                result[i, j] += a[i, k] * b[k, j]
