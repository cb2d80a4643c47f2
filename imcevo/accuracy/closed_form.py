"""Compute-SNR of a layer, and of a network, in closed form.

The multiplication is cut into input slices i and weight slices s; every column sum P_is is converted by an ADC and the
codes are recombined with significances a_i and b_s. SNR = Var(y)/Var(error). Equations in `docs/reference/accuracy.md`.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from imcevo.accuracy.column import (
    Record,
    cell_floor,
    column_sum,
    converter,
    noise_terms,
    shift_variance,
    third_cumulant,
)
from imcevo.accuracy.distortion import conversion
from imcevo.accuracy.readout import READOUT_DTYPE
from imcevo.accuracy.statistics import LayerStatistics, Moments
from imcevo.kernels import kernel
from imcevo.portable import arrays, elementary, exact

LAYER_CAP_dB = 60.0
LEAST_ERROR = exact.power(10.0, -LAYER_CAP_dB / 10.0)
# Distortions of slices of one column may cancel; what is left is at least this share of their sum.
_LEAST_SHARE = 0.02
_ALPHA, _D2, _GAIN, _STEP = range(4)


def layer_snr_dB(statistics: LayerStatistics, readouts: NDArray[np.void]) -> NDArray[np.float64]:
    """Compute-SNR of one layer under many readouts ``[n_readouts]``, dB, at most `LAYER_CAP_dB`.

    Args:
        statistics: of the layer.
        readouts: `imcevo.accuracy.readout.readout_table`.
    """
    return np.asarray(-10.0 * arrays.log10(layer_error(statistics, readouts)), dtype=np.float64)


def layer_error(statistics: LayerStatistics, readouts: NDArray[np.void]) -> NDArray[np.float64]:
    """Var(error)/Var(y) of one layer under many readouts ``[n_readouts]``, at least `LEAST_ERROR`."""
    m = statistics.moments
    error = np.empty(len(readouts))
    _error_variances(m, np.ascontiguousarray(readouts, dtype=READOUT_DTYPE), error)
    return np.maximum(error / m.output_variance, LEAST_ERROR)


def network_snr_dB(layer_snr: ArrayLike) -> NDArray[np.float64]:
    """SNR_tot = -10 log10(sum over layers of 10^(-SNR/10)), over the last axis, dB."""
    return np.asarray(-10.0 * arrays.log10(arrays.row_sums(arrays.power(10.0, -np.asarray(layer_snr) / 10.0))))


@kernel(parallel=True)
def _error_variances(m: Moments, readouts: NDArray[np.void], error: NDArray[np.float64]) -> None:
    for r in numba.prange(len(readouts)):
        parts = np.empty((len(m.a), len(m.b), 4))
        _convert_all(m, readouts[r], parts)
        distorted = _distortion(m, readouts[r], parts)
        programmed = _programming(m, readouts[r], parts)
        error[r] = readouts[r].folds * (distorted + programmed + _lost_gain(m, readouts[r], parts))


@kernel()
def _convert_all(m: Moments, readout: Record, parts: NDArray[np.float64]) -> None:
    """Gain, distortion, programming gain and step of every pair of slices."""
    n_codes = elementary.exp2(float(readout.adc_bits))
    for i in range(len(m.a)):
        shift2 = shift_variance(m, readout, i)
        for s in range(len(m.b)):
            mu, s2 = column_sum(m, readout, i, s)
            low, step, full_scale, lsb = converter(m, readout, i, s)
            slope, constant = noise_terms(m, readout, i, s, s2, lsb)
            k3 = third_cumulant(m, readout, i, s) + 3.0 * slope * s2  # noise grows with the sum
            alpha, d2, gain = conversion(mu, s2, k3, slope, constant, shift2, low, step, n_codes, full_scale)
            parts[i, s, _ALPHA], parts[i, s, _D2], parts[i, s, _GAIN], parts[i, s, _STEP] = alpha, d2, gain, step


@kernel()
def _distortion(m: Moments, readout: Record, parts: NDArray[np.float64]) -> float:
    """sum (a_i b_s)^2 d_is^2 + 2 sum_i sum_{s<t} a_i^2 b_s b_t d_is d_it rho_st.

    rho_st = sum_{k<=4} k^-2 exp(-2 pi^2 k^2 Var(P_s-P_t)/D^2) cos(2 pi k (mu_s-mu_t)/D) / sum_{k<=4} k^-2: the error of
    a uniform quantiser is a sawtooth of the sum, written as its Fourier series; only for equal steps above 1.
    """
    n, series = m.K / readout.folds, 1.0 + 1.0 / 4.0 + 1.0 / 9.0 + 1.0 / 16.0
    alone = together = 0.0
    for i in range(len(m.a)):
        for s in range(len(m.b)):
            step = parts[i, s, _STEP]
            alone += (m.a[i] * m.b[s]) ** 2 * parts[i, s, _D2]
            for t in range(s + 1, len(m.b)):
                weight = 2.0 * m.a[i] ** 2 * m.b[s] * m.b[t]
                product = parts[i, s, _D2] * parts[i, t, _D2]
                if step == 1.0 or step != parts[i, t, _STEP] or product <= 0.0:
                    continue
                apart = m.ubar[s] - m.ubar[t]
                spread = n * (m.C[i, i] * (m.U[s, s] + m.U[t, t] - 2.0 * m.U[s, t]) - (m.m[i] * apart) ** 2)
                turns, decay = n * m.m[i] * apart / step, 2.0 * (math.pi / step) ** 2 * spread
                rho = 0.0
                for k in range(1, 5):
                    rho += elementary.exp(-k * k * decay) * elementary.cos_turns(k * turns) / (k * k)
                together += weight * math.sqrt(product) * rho / series
    return max(alone + together, _LEAST_SHARE * alone)


@kernel()
def _programming(m: Moments, readout: Record, parts: NDArray[np.float64]) -> float:
    """sum_s b_s^2 sum_{i != j} a_i a_j g_i g_j C_ij sigma_g^2 n U_ss: one cell errs alike in every input cycle."""
    if readout.cell_variation == 0.0:
        return 0.0
    n, f = m.K / readout.folds, cell_floor(m, readout)
    total = 0.0
    for s in range(len(m.b)):
        cell = m.U[s, s] + 2.0 * f * m.ubar[s] + f * f
        for i in range(len(m.a)):
            for j in range(i):
                gains = parts[i, s, _GAIN] * parts[j, s, _GAIN]
                total += 2.0 * m.b[s] ** 2 * m.a[i] * m.a[j] * gains * m.C[i, j] * cell
    return total * readout.cell_variation**2 * n


@kernel()
def _lost_gain(m: Moments, readout: Record, parts: NDArray[np.float64]) -> float:
    """F * Var(sum a_i b_s (1 - alpha_is) P_is) of independent entries: what codes do not follow of the sums."""
    total = 0.0
    for s in range(len(m.b)):
        for t in range(len(m.b)):
            for i in range(len(m.a)):
                lost = m.a[i] * m.b[s] * (1.0 - parts[i, s, _ALPHA])
                if lost == 0.0:
                    continue
                for j in range(len(m.a)):
                    other = m.a[j] * m.b[t] * (1.0 - parts[j, t, _ALPHA])
                    covariance = m.C[i, j] * m.U[s, t] - m.m[i] * m.m[j] * m.ubar[s] * m.ubar[t]
                    total += lost * other * covariance
    return m.dependence * m.K / readout.folds * max(total, 0.0)
