"""The closed form: cap, order, agreement with Monte Carlo, and its parts against brute force."""

import numpy as np
import pytest

from imcevo.accuracy.closed_form import LAYER_CAP_dB, layer_snr_dB, network_snr_dB
from imcevo.accuracy.column import third_cumulant
from imcevo.accuracy.distortion import (
    beyond,
    beyond_whole,
    coarse_discrete,
    coarse_gaussian,
    noise_moments,
    rounded_gain,
    rounded_noise,
)
from imcevo.accuracy.monte_carlo import multiply, snr_dB
from imcevo.accuracy.readout import readout_table
from imcevo.accuracy.slicing import Slicing
from imcevo.accuracy.statistics import measured_statistics, stated_statistics
from imcevo.workload.statistics import WEIGHT_STATISTICS, input_statistics
from tests.accuracy.cases import SLICINGS, tensors
from tests.accuracy.test_monte_carlo import lossless_bits


def relu_layer(K=256, cut=None):
    return stated_statistics(
        input_statistics("relu").probabilities(8), WEIGHT_STATISTICS.probabilities(8), K, cut or Slicing(8, 8)
    )


@pytest.mark.parametrize("cut", [cut for cut in SLICINGS if cut.input_bits == 8], ids=str)
def test_lossless_readouts_reach_the_cap(cut):
    bits = lossless_bits(64, cut)
    statistics = relu_layer(128, cut)
    snr = layer_snr_dB(statistics, readout_table(rows_active=64, folds=2, adc_bits=[bits, bits + 3], calibrated=0))
    assert snr.tolist() == [LAYER_CAP_dB, LAYER_CAP_dB]


@pytest.mark.parametrize("cut", [Slicing(8, 8), Slicing(8, 8, 2, 2, "differential")], ids=str)
@pytest.mark.parametrize("calibrated", [0, 1])
def test_worse_hardware_is_never_better(cut, calibrated):
    base = {"rows_active": 128, "folds": 2, "adc_bits": 12, "calibrated": calibrated, "cell_variation": 0.02}
    worse = {
        "cell_variation": [0.02, 0.05, 0.1, 0.2], "thermal_noise": [0.0, 0.5, 1.0, 3.0],
        "adc_bits": [12, 8, 6, 4, 3], "on_off_ratio": [1e6, 100.0, 10.0, 3.0], "wire_ratio": [0.0, 1e-6, 1e-5, 1e-4],
    }  # fmt: skip
    statistics = relu_layer(cut=cut)
    for key, values in worse.items():
        snr = layer_snr_dB(statistics, readout_table(**{**base, key: values}))
        assert (np.diff(snr) <= 1e-9).all(), (key, snr)
        assert snr[0] > snr[-1]


def test_more_active_rows_cost_bits():
    # Twice the rows at full scale double the step: about 3 dB while the sums' spread grows with the root of n.
    rows = np.array([64, 128, 256])
    readouts = readout_table(rows_active=rows, folds=1024 // rows, adc_bits=5, calibrated=0)
    assert (np.diff(layer_snr_dB(relu_layer(1024), readouts)) < -1).all()


def test_rows_do_not_depend_on_what_is_computed_beside_them():
    readouts = readout_table(rows_active=64, folds=4, adc_bits=np.arange(3, 11), calibrated=1, cell_variation=0.05)
    statistics = relu_layer()
    together = layer_snr_dB(statistics, readouts)
    assert [layer_snr_dB(statistics, readouts[r : r + 1])[0] for r in range(8)] == together.tolist()


@pytest.mark.parametrize("coding", ["twos_complement", "offset", "differential"])
def test_against_monte_carlo(coding):
    x, w = tensors(160, columns=48, vectors=96, seed=5)
    errors = []
    for bits_per_cell in (1, 3):
        statistics = measured_statistics(x, w, Slicing(8, 8, 1, bits_per_cell, coding))
        readouts = readout_table(rows_active=80, folds=2, adc_bits=[4, 8, 5, 8], calibrated=[1, 0, 1, 1],
                                 cell_variation=[0.0, 0.0, 0.05, 0.1], thermal_noise=[0.0, 0.5, 0.0, 0.0])  # fmt: skip
        simulated = [snr_dB(x @ w, multiply(x, w, statistics, readouts[r : r + 1], seed=r)) for r in range(4)]
        errors.append(layer_snr_dB(statistics, readouts) - simulated)
    assert np.sqrt(np.mean(np.square(errors))) < 0.8
    assert np.abs(errors).max() < 2.5


def test_a_conducting_off_state_against_monte_carlo():
    x, w = tensors(128, columns=48, vectors=96, seed=6)
    statistics = measured_statistics(x, w, Slicing(8, 8))
    readouts = readout_table(rows_active=128, folds=1, adc_bits=6, calibrated=1, on_off_ratio=[50.0, 150.0, 500.0],
                             cell_variation=0.06)  # fmt: skip
    simulated = [snr_dB(x @ w, multiply(x, w, statistics, readouts[r : r + 1], seed=r)) for r in range(3)]
    np.testing.assert_allclose(layer_snr_dB(statistics, readouts), simulated, atol=2.5)


@pytest.mark.parametrize("adc_bits", [4, 5])
def test_sampling_noise_is_part_of_a_converter_step(adc_bits):
    x, w = tensors(96, columns=48, vectors=96, seed=7)
    statistics = measured_statistics(x, w, Slicing(8, 8))
    readouts = readout_table(rows_active=96, folds=1, adc_bits=adc_bits, calibrated=[0, 1], sampling_noise=12**-0.5)
    simulated = [snr_dB(x @ w, multiply(x, w, statistics, readouts[r : r + 1], seed=r)) for r in range(2)]
    closed = layer_snr_dB(statistics, readouts)
    np.testing.assert_allclose(closed, simulated, atol=1.5)
    without = layer_snr_dB(statistics, readout_table(rows_active=96, folds=1, adc_bits=adc_bits, calibrated=[0, 1]))
    assert (closed < without).all()


def test_wire_resistance_against_monte_carlo():
    x, w = tensors(128, columns=48, vectors=96, seed=7)
    statistics = measured_statistics(x, w, Slicing(8, 8))
    readouts = readout_table(rows_active=128, folds=1, adc_bits=12, calibrated=0, wire_ratio=[1e-4, 2e-5])
    simulated = [snr_dB(x @ w, multiply(x, w, statistics, readouts[r : r + 1], seed=r)) for r in range(2)]
    closed = layer_snr_dB(statistics, readouts)
    assert closed[0] == pytest.approx(simulated[0], abs=5)  # a term that is only side-checked
    assert closed[1] > closed[0]
    assert simulated[1] > simulated[0]


def test_rounded_noise_and_its_gain_against_samples():
    rng = np.random.default_rng(0)
    for sigma in (0.3, 0.5, 0.9):
        noise = rng.normal(0, sigma, 400_000)
        assert rounded_noise(sigma**2) == pytest.approx((np.round(noise) ** 2).mean(), rel=0.03)
        slope = (np.round(noise + 0.05) - np.round(noise - 0.05)).mean() / 0.1
        assert rounded_gain(sigma**2) == pytest.approx(slope, rel=0.05)


@pytest.mark.parametrize(("mu", "s2", "step"), [(20.0, 10.0, 6.0), (10.0, 10.0, 8.0), (15.0, 30.0, 7.0)])
def test_a_coarse_converter_of_small_sums_against_samples(mu, s2, step):
    rng = np.random.default_rng(1)
    if s2 < mu:
        sums = rng.binomial(round(mu / (1 - s2 / mu)), 1 - s2 / mu, 400_000)
    elif s2 == mu:
        sums = rng.poisson(mu, 400_000)
    else:
        sums = rng.negative_binomial(mu / (s2 / mu - 1), mu / s2, 400_000)
    codes = (step - 1) / 2 + step * np.minimum(sums // step, 7)
    alpha, d2, _ = coarse_discrete(mu, s2, 0.0, 0.0, 0.0, step, 8.0)
    expected = np.cov(sums, codes)[0, 1] / sums.var()
    assert alpha == pytest.approx(expected, rel=0.01)
    assert d2 == pytest.approx(codes.var() - expected**2 * sums.var(), rel=0.02)


def test_a_coarse_converter_of_a_normal_sum_against_samples():
    sums = np.round(np.random.default_rng(2).normal(100, 6, 400_000))
    codes = 9.5 + 20 * np.clip(sums // 20, 0, 15)
    alpha, d2, _ = coarse_gaussian(100.0, 36.0, (0.0, 0.0, 0.0), 0.0, 20.0, 16.0)
    assert alpha == pytest.approx(np.cov(sums, codes)[0, 1] / 36.0, rel=0.02)
    assert d2 == pytest.approx(codes.var() - alpha**2 * 36.0, rel=0.05)


def sum_of_products(statistics, inputs, weights, i, s):
    """Levels and exact probabilities of a column sum of independent entries, by Fourier transform."""
    cut, n = statistics.slicing, statistics.K
    xs, us = cut.slice_inputs(np.arange(256))[i], cut.slice_weights(np.arange(-128, 128))[s]
    one = np.zeros(n * cut.largest_input * cut.largest_cell + 1)
    np.add.at(one, np.outer(xs, us).ravel(), np.outer(inputs, weights).ravel())
    return np.arange(len(one)), np.maximum(np.fft.irfft(np.fft.rfft(one) ** n, len(one)), 0)


@pytest.mark.parametrize("kind", ["relu", "signed"])
@pytest.mark.parametrize(("cut", "i", "s"), [(Slicing(8, 8, 1, 1), 6, 7), (Slicing(8, 8, 2, 2), 3, 3)], ids=str)
def test_tails_of_column_sums_against_their_exact_distribution(kind, cut, i, s):
    inputs, weights = input_statistics(kind).probabilities(8), WEIGHT_STATISTICS.probabilities(8)
    statistics = stated_statistics(inputs, weights, 512, cut)
    levels, probability = sum_of_products(statistics, inputs, weights, i, s)
    mu = probability @ levels
    sigma = np.sqrt(probability @ (levels - mu) ** 2)
    k3 = third_cumulant(statistics.moments, readout_table(rows_active=512, folds=1, adc_bits=8, calibrated=1)[0], i, s)
    assert k3 == pytest.approx(probability @ (levels - mu) ** 3, rel=1e-4)
    for side in (1, -1):
        code = round(mu + side * 3.5 * sigma)
        over = np.maximum(side * (levels - code), 0)
        tail, squares = beyond(side * (code + side * 0.5 - mu) / sigma, side * k3 / sigma**3)
        assert tail == pytest.approx(probability @ (over > 0), rel=0.25)
        _, squares = beyond(side * (code - mu) / sigma, side * k3 / sigma**3)
        assert squares * sigma**2 == pytest.approx(probability @ over**2, rel=0.5)


def test_sums_of_few_ones_end():
    rng = np.random.default_rng(3)
    sums = rng.binomial(6, 0.4, 400_000)
    tails, squares = beyond_whole(2.4, 6 * 0.4 * 0.6, 1.0, 4.0)
    over = np.maximum(np.maximum(sums - 4, 1 - sums), 0)
    assert tails == pytest.approx((over > 0).mean(), rel=0.02)
    assert squares == pytest.approx((over**2).mean(), rel=0.02)
    assert beyond_whole(2.4, 6 * 0.4 * 0.6, 0.0, 6.0) == (0.0, 0.0)


def test_rare_large_sums_flip_codes():
    # Sums are 0 or 1 most of the time, and silent; the error is that of the rare sums of 3 and 4.
    sums = np.random.default_rng(4).binomial(4, 0.1, 2_000_000)
    noise = np.random.default_rng(5).normal(0, 1, len(sums)) * 0.15 * np.sqrt(sums)
    variance, rounded, _ = noise_moments(0.4, 4 * 0.1 * 0.9, 0.15**2, 0.0, 0.0, True)
    assert variance == pytest.approx(0.15**2 * 0.4)
    assert rounded == pytest.approx((np.round(noise) ** 2).mean(), rel=0.1)


@pytest.mark.parametrize("rows", [4, 8])
def test_few_rows_against_monte_carlo(rows):
    inputs, weights = input_statistics("signed").probabilities(8), WEIGHT_STATISTICS.probabilities(8)
    rng = np.random.default_rng(6)
    x, w = rng.choice(256, (96, 64), p=inputs), rng.choice(256, (64, 64), p=weights) - 128
    statistics = measured_statistics(x, w, Slicing(8, 8), input_zero=128)
    exact = (x - 128) @ w
    zero = 128 * w.sum(axis=0)
    readouts = readout_table(rows_active=rows, folds=64 // rows, adc_bits=[1, 2, 4], calibrated=1,
                             cell_variation=[0, 0, 0.15])  # fmt: skip
    simulated = [np.mean([snr_dB(exact, multiply(x, w, statistics, readouts[r : r + 1], seed=seed) - zero)
                          for seed in range(8 if r == 2 else 1)]) for r in range(3)]  # fmt: skip
    np.testing.assert_allclose(layer_snr_dB(statistics, readouts), simulated, atol=1.5)


def test_network_snr_adds_errors():
    assert network_snr_dB([20.0, 20.0]) == pytest.approx(20 - 10 * np.log10(2))
    assert network_snr_dB([[10.0, 60.0], [60.0, 60.0]]).shape == (2,)
