"""Statistics against the tensors and distributions they describe."""

import numpy as np
import pytest

from imcevo.accuracy.slicing import Slicing
from imcevo.accuracy.statistics import measured_statistics, stated_statistics
from imcevo.errors import UserError
from imcevo.workload.statistics import WEIGHT_STATISTICS, input_statistics
from tests.accuracy.cases import SLICINGS, tensors


@pytest.mark.parametrize("cut", SLICINGS, ids=str)
def test_moments_are_those_of_the_slices(cut):
    x, w = tensors(40, input_bits=cut.input_bits, weight_bits=cut.weight_bits)
    statistics = measured_statistics(x, w, cut)
    xs, us = cut.slice_inputs(x).astype(float), cut.slice_weights(w).astype(float)
    np.testing.assert_allclose(statistics.moments.C, np.einsum("ivk,jvk->ij", xs, xs) / x.size)
    np.testing.assert_allclose(statistics.moments.U, np.einsum("skm,tkm->st", us, us) / w.size)
    np.testing.assert_allclose(statistics.moments.m, xs.mean(axis=(1, 2)))
    np.testing.assert_allclose(statistics.moments.ubar, us.mean(axis=(1, 2)))
    np.testing.assert_allclose(statistics.moments.cubed_inputs, (xs**3).mean(axis=(1, 2)))
    np.testing.assert_allclose(statistics.moments.cubed_cells, (us**3).mean(axis=(1, 2)))
    assert statistics.moments.output_variance == pytest.approx((x @ w).var())


def test_the_excess_restores_the_variance_of_column_sums_of_every_length():
    x, w = tensors(64, seed=1)
    x = np.minimum(x * np.linspace(0, 2, len(x))[:, np.newaxis], 255).astype(np.int64)  # bright and dark vectors
    cut = Slicing(8, 8, 2, 2)
    statistics = measured_statistics(x, w, cut)
    m = statistics.moments
    v_ind = np.outer(m.C.diagonal(), m.U.diagonal()) - np.outer(m.m, m.ubar) ** 2
    xs, us = cut.slice_inputs(x).astype(float), cut.slice_weights(w).astype(float)
    assert len(statistics.moments.excess) == 4
    for j, excess in enumerate(statistics.moments.excess):
        n = 64 // 2**j
        sums = np.einsum("ivfk,sfkm->isvfm", xs.reshape(*xs.shape[:2], -1, n), us.reshape(len(us), -1, n, us.shape[2]))
        variance = sums.var(axis=(2, 3, 4))
        np.testing.assert_allclose(n * v_ind + n**2 * excess, np.maximum(variance, n * v_ind))
        assert (excess > 0).any()


def test_stated_and_measured_statistics_agree_on_independent_entries():
    cut = Slicing(8, 8, 2, 3, "differential")
    inputs, weights = input_statistics("relu").probabilities(8), WEIGHT_STATISTICS.probabilities(8)
    stated = stated_statistics(inputs, weights, 32, cut, input_zero=3)
    rng = np.random.default_rng(2)
    x = rng.choice(256, (4000, 32), p=inputs)
    w = np.maximum(rng.choice(256, (32, 400), p=weights) - 128, -127)
    measured = measured_statistics(x, w, cut, input_zero=3)
    np.testing.assert_allclose(stated.moments.C, measured.moments.C, rtol=0.05)
    np.testing.assert_allclose(stated.moments.mean, measured.moments.mean, rtol=0.05, atol=0.02)
    assert stated.moments.output_variance == pytest.approx(measured.moments.output_variance, rel=0.05)
    assert (stated.measured, measured.measured) == (False, True)
    assert not stated.moments.excess.any()


def test_what_cannot_be_described_is_refused():
    x, w = tensors(16)
    with pytest.raises(UserError, match="do not match"):
        measured_statistics(x, w[1:], Slicing(8, 8))
    with pytest.raises(UserError, match="do not vary"):
        measured_statistics(x * 0, w, Slicing(8, 8))
    with pytest.raises(UserError, match="one probability per code"):
        stated_statistics(np.ones(4) / 4, np.ones(256) / 256, 16, Slicing(8, 8))
