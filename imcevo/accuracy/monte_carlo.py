"""Bit-exact Monte Carlo of the bit-sliced, bit-serial multiplication: the yardstick of the closed form.

Every cell, input cycle, conversion and recombination is executed; cells are programmed once per call.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.accuracy.column import converters
from imcevo.accuracy.readout import READOUT_DTYPE
from imcevo.accuracy.slicing import Slicing
from imcevo.accuracy.statistics import LayerStatistics
from imcevo.errors import UserError
from imcevo.kernels import kernel


def multiply(
    inputs: NDArray[np.integer], weights: NDArray[np.integer], statistics: LayerStatistics, readout: NDArray[np.void],
    *, seed: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Products as the arrays compute them ``[n_vectors, M]``; exact ones are ``inputs @ weights``.

    Pieces of the reduction differ by one row at most. Errors of cells are drawn once (a chip), thermal noise per
    conversion.

    Args:
        inputs: unsigned codes ``[n_vectors, K]``.
        weights: signed codes ``[K, M]``.
        statistics: the converters' ranges are set by them, and the slicing.
        readout: one row of `imcevo.accuracy.readout.readout_table`.
        seed: of cells and noise.

    Raises:
        UserError: shapes that do not match, or codes out of range.
    """
    if inputs.ndim != 2 or inputs.shape[1] != statistics.K or weights.shape[:1] != (statistics.K,):
        shapes = (inputs.shape, weights.shape)
        raise UserError("do not match", key="inputs, weights", value=shapes, allowed=f"K = {statistics.K}")
    cut = statistics.slicing
    low, step, noise, loss = (part[0] for part in converters(statistics, readout[:1]))
    cut.check_inputs(inputs)
    x = np.ascontiguousarray(inputs, dtype=np.int64)
    generator = np.random.default_rng(seed)
    cells = _programmed(cut, weights, readout[0], generator)
    noise_seeds = generator.integers(0, 2**32, len(x), dtype=np.uint32)
    floor = _cell_floor(cut, readout[0])
    m, rows = statistics.moments, statistics.K / readout["folds"][0]
    lost = loss / 3.0 * (m.mean + floor * m.m[:, np.newaxis]) * rows
    # A reference column takes off the mean of what cells of value 0 conduct.
    low = low + (floor * m.m * rows)[:, np.newaxis]
    wire = float(readout["wire_ratio"][0]) / ((cut.largest_cell + floor) * cut.largest_input)
    result = np.zeros((len(x), weights.shape[1]))
    _multiply(
        x, cut.dac_bits, cells, cut.input_significance, cut.weight_significance, low, step, noise, loss, lost, floor,
        wire,
        np.ascontiguousarray(readout[:1], dtype=READOUT_DTYPE), noise_seeds, result,
    )  # fmt: skip
    if cut.weight_offset:
        result -= cut.weight_offset * inputs.sum(axis=1, dtype=np.float64)[:, np.newaxis]
    return result


def snr_dB(exact: NDArray[np.float64], computed: NDArray[np.float64]) -> float:
    """Var(exact)/Var(computed - exact) over all outputs, dB; infinite where every output is exact."""
    error = float((computed - exact).var())
    return float(10.0 * np.log10(exact.var() / error)) if error > 0 else float("inf")


def _cell_floor(cut: Slicing, readout: np.void) -> float:
    return 0.0 if math.isinf(readout["on_off_ratio"]) else cut.largest_cell / (float(readout["on_off_ratio"]) - 1.0)


def _programmed(
    cut: Slicing, weights: NDArray[np.integer], readout: np.void, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Cell values with their errors ``[K, n_weight_slices * M]``, levels."""
    cells = cut.slice_weights(weights) + _cell_floor(cut, readout)
    if readout["cell_variation"] > 0:
        cells *= 1.0 + readout["cell_variation"] * generator.standard_normal(cells.shape)
    return np.ascontiguousarray(np.moveaxis(cells, 0, 1)).reshape(len(weights), -1)


@kernel(parallel=True)
def _multiply(
    inputs: NDArray[np.int64], dac_bits: int, cells: NDArray[np.float64], a: NDArray[np.float64],
    b: NDArray[np.float64], low: NDArray[np.float64], step: NDArray[np.float64], noise: NDArray[np.float64],
    loss: NDArray[np.float64], lost: NDArray[np.float64], floor: float, wire: float, readouts: NDArray[np.void],
    noise_seeds: NDArray[np.uint32],
    result: NDArray[np.float64],
) -> None:  # fmt: skip
    """One vector per iteration; inputs ``[n_vectors, K]``, cells ``[K, n_weight_slices * M]``."""
    K, M = len(cells), result.shape[1]
    for v in numba.prange(len(inputs)):
        readout = readouts[0]
        np.random.seed(noise_seeds[v])  # noqa: NPY002 - numba's generator: one state per thread, set per vector
        x, sums, squares = np.empty(K), np.empty(cells.shape[1]), np.empty(cells.shape[1])
        folds = int(readout.folds)
        for i in range(len(a)):
            for k in range(K):
                x[k] = (inputs[v, k] >> (i * dac_bits)) & (2**dac_bits - 1)
            for f in range(folds):
                first, last = f * K // folds, (f + 1) * K // folds
                rows = x[first:last]
                _column_sums(rows, cells[first:last], wire, sums, squares)
                for s in range(len(b)):
                    part = sums[s * M : (s + 1) * M]
                    if wire > 0.0:
                        dropped = wire * squares[s * M : (s + 1) * M] + lost[i, s]
                        part[:] = (part - dropped) / (1.0 - 2.0 / 3.0 * loss[i, s])
                    if noise[i, s] > 0.0:
                        for c in range(M):
                            part[c] += noise[i, s] * np.random.normal()  # noqa: NPY002
                    _convert(part, readout.adc_bits, low[i, s], step[i, s], floor * rows.sum(), a[i] * b[s], result[v])


@kernel()
def _column_sums(
    x: NDArray[np.float64], cells: NDArray[np.float64], wire: float, sums: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> None:  # fmt: skip
    """Sums of x_k u_k per column, and what a column wire with its sense end before row 0 loses.

    The loss is its resistance times the sum over its pieces of (current through the piece)^2: the first order of
    Kirchhoff's laws.
    """
    sums[:] = 0.0
    squares[:] = 0.0
    for k in range(len(x) - 1, -1, -1):
        if x[k] != 0.0:
            for c in range(len(sums)):
                sums[c] += x[k] * cells[k, c]
        if wire > 0.0:
            for c in range(len(sums)):
                squares[c] += sums[c] * sums[c]


@kernel()
def _convert(
    sums: NDArray[np.float64], adc_bits: int, low: float, step: float, floor: float, weight: float,
    result: NDArray[np.float64],
) -> None:  # fmt: skip
    """Codes of the columns of one weight slice, recombined into `result`; cells of value 0 contribute `floor`.

    Sums are whole numbers: steps of one level are rounded to them once `floor` is off.
    """
    top, middle = 2.0**adc_bits - 1.0, low + 0.5 * (step - 1.0) - floor
    for c in range(len(sums)):
        value = middle + step * min(max(math.floor((sums[c] + 0.5 - low) / step), 0.0), top)
        result[c] += weight * (math.floor(value + 0.5) if step == 1.0 else value)
