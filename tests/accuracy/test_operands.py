"""Quantisation noise of operands: exact sums against executed dot products and the published first-order form."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.accuracy.operands import network_operand_error, operand_error, requantised
from imcevo.workload import Layer
from imcevo.workload.statistics import WEIGHT_STATISTICS, input_statistics


@pytest.mark.parametrize("inputs", ["relu", "signed"])
def test_nothing_is_lost_at_eight_bits_and_more_with_every_bit_less(inputs: str) -> None:
    assert operand_error(inputs, 8, 8) == 0.0
    for fixed in (4, 8):
        of_inputs = [operand_error(inputs, bits, fixed) for bits in range(8, 0, -1)]
        of_weights = [operand_error(inputs, fixed, bits) for bits in range(8, 0, -1)]
        assert (np.diff(of_inputs) > 0).all()
        assert (np.diff(of_weights) > 0).all()


@pytest.mark.parametrize(("inputs", "bits"), [("relu", (6, 6)), ("relu", (3, 8)), ("signed", (5, 4)), ("relu", (2, 2))])
def test_executed_dot_products_lose_as_much(inputs: str, bits: tuple[int, int]) -> None:
    rng = np.random.default_rng(7)
    K, n = 64, 20000
    statistics = input_statistics(inputs)
    x = rng.choice(256, (n, K), p=statistics.probabilities(8))
    w = rng.choice(256, (n, K), p=WEIGHT_STATISTICS.probabilities(8))
    (exact_x, exact_w), (coarse_x, coarse_w) = (
        (requantised(statistics, a), requantised(WEIGHT_STATISTICS, b)) for a, b in ((8, 8), bits)
    )
    y = (exact_x[x] * exact_w[w]).sum(axis=1)
    error = (coarse_x[x] * coarse_w[w]).sum(axis=1) - y
    assert error.var() / y.var() == pytest.approx(operand_error(inputs, *bits), rel=0.06)


@pytest.mark.parametrize("bits", [4, 5, 6])
def test_the_published_first_order_form(bits: int) -> None:
    """SQNR_qiy of arXiv 2012.13645: (D_w^2 E[x^2] + D_x^2 E[w^2]) / (12 Var(x w)), steps relative to the 8-bit ones."""
    x, p = requantised(input_statistics("signed"), 8), input_statistics("signed").probabilities(8)
    second = float(p @ x**2)  # inputs and weights are of one distribution, of mean 0
    steps2 = (2.0 / 2**bits) ** 2 - (2.0 / 2**8) ** 2
    expected = 2 * steps2 * second / 12 / second**2
    # Second order: both operands rounded at once.
    assert operand_error("signed", bits, bits) == pytest.approx(expected, rel=0.05 + expected)


def test_layers_with_bits_of_their_own_keep_them_and_all_errors_add_up() -> None:
    layers = [
        Layer("first", C=9, M=4, input_bits=8, weight_bits=8, statistics="signed"), Layer("relu", "elementwise", ops=4),
        Layer("middle", C=8, M=4), Layer("attention", C=8, M=4, dynamic=True, statistics="signed"),
    ]  # fmt: skip
    total, worst, most = network_operand_error(layers, 5, 7)
    parts = operand_error("relu", 5, 7), operand_error("signed", 5, 5)
    assert total == pytest.approx(sum(parts), rel=1e-12)
    assert (worst, most) == ("attention", parts[1])
    assert network_operand_error(layers[:2], 3, 3)[0] == 0.0
