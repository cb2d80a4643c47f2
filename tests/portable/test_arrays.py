"""Sums in a stated order, and results that depend on nothing but their own element."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from imcevo.portable import arrays

RNG = np.random.default_rng(3)


def in_order(values: np.ndarray) -> float:
    total = 0.0
    for value in values.tolist():
        total += value
    return total


@pytest.mark.parametrize("n_terms", [0, 1, 7, 8, 13, 300])
def test_row_sums_add_from_the_first_on_whatever_the_layout(n_terms: int) -> None:
    values = RNG.uniform(0, 1, (5, 4, n_terms)) * 10.0 ** RNG.integers(-8, 8, (5, 4, n_terms))
    expected = [[in_order(row) for row in block] for block in values]
    np.testing.assert_array_equal(arrays.row_sums(values), expected)
    np.testing.assert_array_equal(arrays.row_sums(np.asfortranarray(values)), expected)
    np.testing.assert_array_equal(arrays.row_sums(values[:1]), expected[:1])
    if n_terms == 300:
        assert (values.sum(axis=2) != expected).any()  # NumPy adds in another order


def test_sums_at_prices_and_products() -> None:
    counts, prices = RNG.random((6, 3, 24)), RNG.random((6, 24))
    expected = [[in_order(c * p) for c in block] for block, p in zip(counts, prices, strict=True)]
    np.testing.assert_array_equal(arrays.sums_at_prices(counts, prices), expected)
    np.testing.assert_array_equal(
        arrays.products(counts[0], prices.T), [[in_order(row * column) for column in prices] for row in counts[0]]
    )


def test_solved() -> None:
    A = RNG.random((4, 4))
    x = arrays.solved(A, [1.0, 2.0, 3.0, 4.0])
    assert x is not None
    for row, b in zip(A.tolist(), (1, 2, 3, 4), strict=True):
        assert float(sum(Fraction(a) * Fraction(v) for a, v in zip(row, x.tolist(), strict=True))) == pytest.approx(b)
    assert arrays.solved([[1.0, 2.0], [2.0, 4.0]], [1.0, 1.0]) is None
    assert arrays.solved([[0.0, 1.0], [1.0, 0.0]], [2.0, 3.0]) is not None


@pytest.mark.parametrize("name", ["exp", "log", "log2", "log10", "log1p", "exp2", "erfc"])
def test_neither_length_nor_layout_nor_place_matters(name: str) -> None:
    function, x = getattr(arrays, name), RNG.uniform(0.1, 9.0, (40, 7))
    expected = function(x)
    np.testing.assert_array_equal(function(np.asfortranarray(x)), expected)
    np.testing.assert_array_equal(function(x[::3, 1::2]), expected[::3, 1::2])
    assert function(float(x[3, 4])) == expected[3, 4]
    np.testing.assert_array_equal(arrays.power(x, 1.7)[5:6, ::2], arrays.power(x[5:6, ::2], 1.7))


def test_reading_data_loads_no_compiler() -> None:
    code = "import sys, imcevo.technology, imcevo.workload, imcevo.costs; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
