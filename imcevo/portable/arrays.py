"""The functions of `imcevo.portable.elementary` on numbers and arrays, and sums in a stated order.

An element's result depends on nothing but the element: not on the array's length, its layout or its place in it.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def exp(x: ArrayLike) -> Any:
    """e^x."""
    return _each("EXP", x)


def exp2(x: ArrayLike) -> Any:
    """2^x; whole powers are exact."""
    return _each("EXP2", x)


def log(x: ArrayLike) -> Any:
    """ln x; -inf at 0, nan below, without a warning."""
    return _each("LOG", x)


def log2(x: ArrayLike) -> Any:
    """log2 x; powers of two are exact."""
    return _each("LOG2", x)


def log10(x: ArrayLike) -> Any:
    """log10 x; powers of ten are exact."""
    return _each("LOG10", x)


def log1p(x: ArrayLike) -> Any:
    """ln(1 + x)."""
    return _each("LOG1P", x)


def erfc(x: ArrayLike) -> Any:
    """1 - erf(x)."""
    return _each("ERFC", x)


def power(x: ArrayLike, y: ArrayLike) -> Any:
    """x^y, broadcast."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.shape != y.shape:
        x, y = np.broadcast_arrays(x, y)
    result = np.empty(x.shape)
    _loops().fill_powers(np.array(x.ravel()), np.array(y.ravel()), result.reshape(-1))
    return result[()]


def row_sums(values: ArrayLike) -> Array:
    """Sums over the last axis, added from the first on."""
    values = np.asarray(values, dtype=np.float64)
    sums = np.empty(values.shape[:-1])
    _loops().fill_row_sums(np.array(values.reshape(sums.size, values.shape[-1])), sums.reshape(-1))
    return sums


def sums_at_prices(counts: Array, prices: Array) -> Array:
    """sum_a counts[d, n, a] prices[d, a] ``[n_d, n_n]``, added from the first a on."""
    sums = np.empty(counts.shape[:2])
    _loops().fill_sums_at_prices(np.ascontiguousarray(counts), np.ascontiguousarray(prices), sums)
    return sums


def products(a: ArrayLike, b: ArrayLike) -> Array:
    """Matrix product ``[n, m]`` of ``[n, k]`` and ``[k, m]``, every entry added from the first k on."""
    left, right = np.array(a, dtype=np.float64), np.array(b, dtype=np.float64)
    result = np.zeros((len(left), right.shape[1]))
    _loops().fill_products(left, right, result)
    return result


def solved(A: ArrayLike, b: ArrayLike) -> Array | None:
    """x of A x = b ``[n]``, few unknowns, by elimination with row pivots; None where a pivot is 0."""
    rows = np.column_stack([np.asarray(A, dtype=np.float64), np.asarray(b, dtype=np.float64)])
    n = len(rows)
    for k in range(n):
        pivot = k + int(np.abs(rows[k:, k]).argmax())
        if not abs(rows[pivot, k]) > 0.0:
            return None
        rows[[k, pivot]] = rows[[pivot, k]]
        for below in range(k + 1, n):
            rows[below] -= rows[below, k] / rows[k, k] * rows[k]
    x = np.zeros(n)
    for k in range(n - 1, -1, -1):
        rest = rows[k, n]
        for j in range(k + 1, n):
            rest -= rows[k, j] * x[j]
        x[k] = rest / rows[k, k]
    return x


@cache
def _loops() -> ModuleType:
    """Loaded when first called: whoever only reads data needs no compiler."""
    from imcevo.portable import fill

    return fill


def _each(function: str, x: ArrayLike) -> Any:
    x = np.asarray(x, dtype=np.float64)
    result = np.empty(x.shape)
    _loops().fill(getattr(_loops(), function), np.array(x.ravel()), result.reshape(-1))
    return result[()]
