"""One column before and at its converter: mean and variance of the sum, analog noise, range and step (compiled)."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.accuracy.readout import READOUT_DTYPE
from imcevo.accuracy.statistics import LayerStatistics, Moments
from imcevo.kernels import kernel
from imcevo.portable.elementary import exp2, log2

Record = Any  # one element of a structured array; numba knows its fields
_CALIBRATED_SIGMAS = 4.0


@kernel()
def at_length(excess: NDArray[np.float64], folds: float) -> float:
    """Excess variance ``[n_lengths]`` at K / folds rows, linear in log2(folds) between lengths K/2^j."""
    place = min(max(log2(folds), 0.0), len(excess) - 1.0)
    low = min(int(place), max(len(excess) - 2, 0))
    high = min(low + 1, len(excess) - 1)
    return excess[low] + (place - low) * (excess[high] - excess[low])


@kernel()
def cell_floor(m: Moments, readout: Record) -> float:
    """What a cell of value 0 contributes, in levels: umax/(r - 1)."""
    return m.largest_cell / (readout.on_off_ratio - 1.0)


@kernel()
def shift_variance(m: Moments, readout: Record, i: int) -> float:
    """Variance of the part that cells of value 0 add to all columns alike, once its mean is off."""
    return cell_floor(m, readout) ** 2 * m.K / readout.folds * (m.C[i, i] - m.m[i] ** 2)


@kernel()
def column_sum(m: Moments, readout: Record, i: int, s: int) -> tuple[float, float]:
    """Mean and variance of one conversion's column sum: n E[x u] and n v_ind + n^2 VC.

    A cell floor f adds f * (sum of inputs) to the sum. A reference column takes its mean n f m_i off again; second
    moments follow from u -> u + f, the excess from that of the inputs, which enters with (ubar + f)^2, not ubar^2.
    """
    n, f = m.K / readout.folds, cell_floor(m, readout)
    u, uu = m.ubar[s], m.U[s, s]
    v_ind = m.C[i, i] * (uu + 2.0 * f * u + f * f) - (m.m[i] * (u + f)) ** 2
    excess = at_length(m.excess[:, i, s], readout.folds)
    if f > 0.0:
        excess += (2.0 * u * f + f * f) * at_length(m.input_excess[:, i], readout.folds)
    return n * m.mean[i, s], n * v_ind + n * n * excess


@kernel()
def third_cumulant(m: Moments, readout: Record, i: int, s: int) -> float:
    """E[(P - E P)^3] of one conversion's column sum, levels^3: n k3 + 3 v e/mu + 2 e^2/mu.

    k3 is that of one product of independent entries, v = n v_ind. The excess e = n^2 VC is taken for a gain that the
    entries of one vector or column share, gamma distributed (of whole numbers: the negative binomial distribution).
    """
    n, f = m.K / readout.folds, cell_floor(m, readout)
    u, uu = m.ubar[s] + f, m.U[s, s] + 2.0 * f * m.ubar[s] + f * f
    uuu = m.cubed_cells[s] + 3.0 * f * m.U[s, s] + 3.0 * f * f * m.ubar[s] + f**3
    mean, square = m.m[i] * u, m.C[i, i] * uu
    alone = n * (m.cubed_inputs[i] * uuu - 3.0 * mean * square + 2.0 * mean**3)
    _, variance = column_sum(m, readout, i, s)
    spread = n * (square - mean * mean)
    excess = max(variance - spread, 0.0)
    return alone + (3.0 * spread + 2.0 * excess) * excess / max(n * mean, 1e-30)


@kernel()
def wire_loss(m: Moments, readout: Record, i: int, s: int) -> float:
    """g = p rho n^2, p the mean product over its largest: a column of n cells loses g/3 of its mean sum, and
    2 g/3 of what its sum is more."""
    f = cell_floor(m, readout)
    p = (m.mean[i, s] + f * m.m[i]) / ((m.largest_cell + f) * m.largest_input)
    return p * readout.wire_ratio * (m.K / readout.folds) ** 2


@kernel()
def conversion_noise(readout: Record, lsb: float) -> float:
    """Variance of what does not depend on the cells: thermal noise, and that of sampling on a range of 2^B `lsb`."""
    return readout.thermal_noise**2 + (readout.sampling_noise * lsb) ** 2


@kernel()
def noise_terms(m: Moments, readout: Record, i: int, s: int, s2: float, lsb: float) -> tuple[float, float]:
    """(slope, constant) of the noise variance over the sum P: sigma_g^2 kappa P + sigma_th^2, levels^2.

    kappa = C_ii U_ss/(m_i ubar_s). What IR drop leaves of sums of variance s2 once mean and slope are corrected adds
    (.3 g)^2 s2 to the constant: rows far from the sense end lose more; the integral of (1/3 - u^2)^2 is .3^2.
    """
    f = cell_floor(m, readout)
    u = m.ubar[s] + f
    uu = m.U[s, s] + 2.0 * f * m.ubar[s] + f * f
    slope = readout.cell_variation**2 * m.C[i, i] * uu / max(m.m[i] * u, 1e-30)
    of_floor = slope * f * m.m[i] * m.K / readout.folds
    return slope, of_floor + conversion_noise(readout, lsb) + (0.3 * wire_loss(m, readout, i, s)) ** 2 * s2


@kernel()
def converter(m: Moments, readout: Record, i: int, s: int) -> tuple[float, float, float, float]:
    """(lowest level, step, full scale, range/2^B): codes are lowest + (step - 1)/2 + step k, k = 0..2^B - 1.

    Full scale: 0 to rows_active * largest cell * largest input. Calibrated: mean +- 4 standard deviations, cut at 0
    (less 4 of the shift by cells of value 0) and at the largest sum of n rows, at least one level wide.
    """
    largest = m.largest_cell * m.largest_input
    full_scale = readout.rows_active * largest
    low, high = 0.0, full_scale
    if readout.calibrated == 1:
        mu, variance = column_sum(m, readout, i, s)
        reach = _CALIBRATED_SIGMAS * math.sqrt(variance)
        # Less the mean of what cells of value 0 conduct, a sum can be negative.
        low = math.floor(max(-_CALIBRATED_SIGMAS * math.sqrt(shift_variance(m, readout, i)), mu - reach))
        high = max(low + 1.0, math.ceil(min(m.K / readout.folds * largest, mu + reach)))
    lsb = (high - low) / exp2(float(readout.adc_bits))
    return low, max(1.0, math.ceil(lsb)), full_scale, lsb


@kernel(parallel=True)
def _converters(
    m: Moments, readouts: NDArray[np.void], low: NDArray[np.float64], step: NDArray[np.float64],
    noise: NDArray[np.float64], loss: NDArray[np.float64],
) -> None:  # fmt: skip
    for r in numba.prange(len(readouts)):
        for i in range(len(m.a)):
            for s in range(len(m.b)):
                low[r, i, s], step[r, i, s], _, lsb = converter(m, readouts[r], i, s)
                noise[r, i, s] = math.sqrt(conversion_noise(readouts[r], lsb))
                loss[r, i, s] = wire_loss(m, readouts[r], i, s)


def converters(
    statistics: LayerStatistics, readouts: NDArray[np.void]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """What a design fixes per column: lowest level and step of the converter, standard deviation of one conversion,
    levels, and the `wire_loss` that it corrects; each ``[n_readouts, n_input_slices, n_weight_slices]``."""
    m = statistics.moments
    low, step, noise, loss = np.empty((4, len(readouts), len(m.a), len(m.b)))
    _converters(m, np.ascontiguousarray(readouts, dtype=READOUT_DTYPE), low, step, noise, loss)
    return low, step, noise, loss
