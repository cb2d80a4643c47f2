"""The simulated arrays against exact products, an independent slow execution, and physics."""

import numpy as np
import pytest

from imcevo.accuracy.column import converters
from imcevo.accuracy.monte_carlo import multiply, snr_dB
from imcevo.accuracy.readout import capacitive_noise, readout_table
from imcevo.accuracy.slicing import Slicing
from imcevo.accuracy.statistics import measured_statistics
from imcevo.errors import UserError
from tests.accuracy.cases import SLICINGS, tensors


def lossless_bits(rows, cut):
    return int(np.ceil(np.log2(rows * cut.largest_cell * cut.largest_input + 1)))


@pytest.mark.parametrize("cut", SLICINGS, ids=str)
def test_enough_bits_at_full_scale_are_exact(cut):
    x, w = tensors(50, input_bits=cut.input_bits, weight_bits=cut.weight_bits)
    x[0], w[:, 0] = 2**cut.input_bits - 1, 2 ** (cut.weight_bits - 1) - 1  # the largest sums there are
    statistics = measured_statistics(x, w, cut)
    bits = lossless_bits(25, cut)
    enough = readout_table(rows_active=25, folds=2, adc_bits=bits, calibrated=0)
    assert (multiply(x, w, statistics, enough, seed=0) == x @ w).all()


def test_one_bit_less_is_not_exact():
    x, w = tensors(31)
    x[0], w[:, 0] = 255, 127
    statistics = measured_statistics(x, w, Slicing(8, 8))
    readout = readout_table(rows_active=31, folds=1, adc_bits=[4, 5], calibrated=0)
    assert (multiply(x, w, statistics, readout[:1], seed=0) != x @ w).any()
    assert (multiply(x, w, statistics, readout[1:], seed=0) == x @ w).all()


@pytest.mark.parametrize("calibrated", [0, 1])
def test_every_conversion_is_executed_as_stated(calibrated):
    cut = Slicing(4, 4, 2, 1, "twos_complement")
    x, w = tensors(21, columns=5, vectors=7, input_bits=4, weight_bits=4)
    statistics = measured_statistics(x, w, cut)
    readout = readout_table(rows_active=11, folds=2, adc_bits=3, calibrated=calibrated)
    low, step, _, _ = (part[0] for part in converters(statistics, readout))
    xs, us = cut.slice_inputs(x).astype(int), cut.slice_weights(w).astype(int)
    result = np.zeros((7, 5))
    for i, a in enumerate(cut.input_significance):
        for s, b in enumerate(cut.weight_significance):
            for rows in (slice(0, 10), slice(10, 21)):
                sums = xs[i][:, rows] @ us[s][rows]
                codes = np.clip((sums - low[i, s]) // step[i, s], 0, 7)
                result += a * b * (low[i, s] + (step[i, s] - 1) / 2 + step[i, s] * codes)
    np.testing.assert_allclose(multiply(x, w, statistics, readout, seed=0), result)


def test_the_seed_decides_alone():
    x, w = tensors(32)
    statistics = measured_statistics(x, w, Slicing(8, 8))
    readout = readout_table(rows_active=32, folds=1, adc_bits=6, calibrated=1, cell_variation=0.1, thermal_noise=1.0)
    first, again, other = (multiply(x, w, statistics, readout, seed=seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_a_conducting_off_state_is_subtracted():
    x, w = tensors(64)
    statistics = measured_statistics(x, w, Slicing(8, 8))
    readout = readout_table(rows_active=64, folds=1, adc_bits=16, calibrated=0, on_off_ratio=[3.0, 1000.0])
    leaky, tight = (snr_dB(x @ w, multiply(x, w, statistics, readout[r : r + 1], seed=0)) for r in (0, 1))
    assert 0 < leaky < 20 < 40 < tight


def test_kt_over_c_noise_in_levels():
    # 128 capacitors of 1 fF at 0.8 V: sqrt(kT/(128 C)) = 179.9 uV over 0.8 V / 128 = 6.25 mV per level.
    assert capacitive_noise(128, 1e-15, 0.8) == pytest.approx(0.02878, rel=1e-3)


def test_bad_readouts_and_shapes_are_refused():
    with pytest.raises(UserError, match="adc_bits"):
        readout_table(rows_active=8, folds=1, adc_bits=[4, 0], calibrated=0)
    with pytest.raises(UserError, match="on_off_ratio"):
        readout_table(rows_active=8, folds=1, adc_bits=4, calibrated=0, on_off_ratio=1.0)
    x, w = tensors(16)
    statistics = measured_statistics(x, w, Slicing(8, 8))
    with pytest.raises(UserError, match="do not match"):
        multiply(x[:, 1:], w[1:], statistics, readout_table(rows_active=8, folds=2, adc_bits=4, calibrated=0), seed=0)
