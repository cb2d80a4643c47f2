"""What the closed form knows about a layer: moments of its slices, and how column sums vary together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.accuracy.slicing import Slicing
from imcevo.errors import UserError
from imcevo.kernels import kernel
from imcevo.portable.arrays import products, row_sums

Floats = NDArray[np.float64]
_SHORTEST_PIECE = 8
_MOST_HALVINGS = 6


class Moments(NamedTuple):
    """What the closed form knows of one layer, as kernels take it; a level is one cell LSB times one input LSB.

    Attributes:
        K: reduction length.
        largest_input, largest_cell: of one slice.
        a, b: significances of input slices ``[n_input_slices]`` and of weight slices ``[n_weight_slices]``.
        C: E[x_i x_j] ``[n_input_slices, n_input_slices]``.
        U: E[u_s u_t] ``[n_weight_slices, n_weight_slices]``.
        m: E[x_i] ``[n_input_slices]``.
        ubar: E[u_s] ``[n_weight_slices]``.
        cubed_inputs, cubed_cells: E[x_i^3] ``[n_input_slices]``, E[u_s^3] ``[n_weight_slices]``.
        mean: E[x_i u_s] over rows, vectors and columns ``[n_input_slices, n_weight_slices]``; m_i * ubar_s where rows
            are alike.
        excess: (Var(column sum of n rows) - n v_ind)/n^2 with v_ind = C_ii U_ss - (m_i ubar_s)^2, for n = K, K/2, K/4,
            ... ``[n_lengths, n_input_slices, n_weight_slices]``: what values of one column or one vector share.
        input_excess: the same of sums of inputs, with Var(x_i) for v_ind ``[n_lengths, n_input_slices]``.
        output_variance: Var(y), y the sum of weight times input (less its zero point) over K.
        dependence: variance of the sums of weight times input code over that of independent entries, at least 0.1.
    """

    K: float
    largest_input: float
    largest_cell: float
    a: Floats
    b: Floats
    C: Floats
    U: Floats
    m: Floats
    ubar: Floats
    cubed_inputs: Floats
    cubed_cells: Floats
    mean: Floats
    excess: Floats
    input_excess: Floats
    output_variance: float
    dependence: float


@dataclass(frozen=True)
class LayerStatistics:
    """Value statistics of one layer under one slicing.

    Attributes:
        K: reduction length.
        slicing: how the values are cut.
        moments: of the slices.
        measured: from tensors (True) or from a stated distribution (False: low confidence).
    """

    K: int
    slicing: Slicing
    moments: Moments
    measured: bool


def stated_statistics(
    input_probabilities: Floats, weight_probabilities: Floats, K: int, slicing: Slicing, *, input_zero: int = 0
) -> LayerStatistics:
    """Statistics of independent entries with stated distributions.

    Args:
        input_probabilities: of the unsigned input codes ``[2^input_bits]``.
        weight_probabilities: of weight + 2^(weight_bits-1) ``[2^weight_bits]``; under differential coding the most
            negative weight is stored as the next one.
        K: reduction length.
        input_zero: the code that stands for zero; its part is subtracted digitally.

    Raises:
        UserError: distributions of another length, or outputs that do not vary.
    """
    for key, given, bits in (
        ("input_probabilities", input_probabilities, slicing.input_bits),
        ("weight_probabilities", weight_probabilities, slicing.weight_bits),
    ):
        if given.shape != (2**bits,):
            raise UserError("is not one probability per code", key=key, value=given.shape, allowed=f"{2**bits} values")
    alone = _slice_moments(input_probabilities, weight_probabilities, slicing)
    inputs, weights = np.arange(2**slicing.input_bits) - input_zero, _weight_values(slicing)
    variance = K * _product_variance(input_probabilities, inputs, weight_probabilities, weights)
    _check_varies(variance)
    mean = np.outer(alone.m, alone.ubar)
    moments = Moments(
        float(K), float(slicing.largest_input), float(slicing.largest_cell), slicing.input_significance,
        slicing.weight_significance, *alone, mean, np.zeros((1, *mean.shape)), np.zeros((1, len(mean))), variance, 1.0,
    )  # fmt: skip
    return LayerStatistics(K, slicing, moments, measured=False)


def measured_statistics(
    inputs: NDArray[np.integer], weights: NDArray[np.integer], slicing: Slicing, *, input_zero: int = 0
) -> LayerStatistics:
    """Statistics of tensors.

    Args:
        inputs: unsigned codes ``[n_vectors, K]``; a few hundred vectors do.
        weights: signed codes ``[K, M]``.
        input_zero: the code that stands for zero; its part is subtracted digitally.

    Raises:
        UserError: shapes that do not match, codes out of range, or outputs that do not vary.
    """
    if inputs.ndim != 2 or weights.ndim != 2 or inputs.shape[1] != weights.shape[0]:
        shapes = (inputs.shape, weights.shape)
        raise UserError("do not match", key="inputs, weights", value=shapes, allowed="[n_vectors, K] and [K, M]")
    x, u = slicing.slice_inputs(inputs).astype(np.float64), slicing.slice_weights(weights).astype(np.float64)
    half, K = 2 ** (slicing.weight_bits - 1), inputs.shape[1]
    input_share = np.bincount(inputs.astype(np.int64).ravel(), minlength=2**slicing.input_bits) / inputs.size
    weight_share = np.bincount(weights.astype(np.int64).ravel() + half, minlength=2 * half) / weights.size
    slices = _slice_moments(input_share, weight_share, slicing)
    C, U, m, ubar = slices[:4]
    codes, values = inputs.astype(np.float64), weights.astype(np.float64)
    variance = _variance((codes - input_zero) @ values)  # whole numbers: exact in any order
    _check_varies(variance)
    alone = K * _product_variance(input_share, np.arange(len(input_share)), weight_share, _weight_values(slicing))
    v_ind = np.outer(C.diagonal(), U.diagonal()) - np.outer(m, ubar) ** 2
    excess, input_excess = _excess(x, u, v_ind, C.diagonal() - m**2)
    mean = products(x.mean(axis=1), u.mean(axis=2).T) / K
    moments = Moments(
        float(K), float(slicing.largest_input), float(slicing.largest_cell), slicing.input_significance,
        slicing.weight_significance, *slices, mean, excess, input_excess, variance,
        max(0.1, _variance(codes @ values) / alone),
    )  # fmt: skip
    return LayerStatistics(K, slicing, moments, measured=True)


class _SliceMoments(NamedTuple):
    C: Floats
    U: Floats
    m: Floats
    ubar: Floats
    cubed_inputs: Floats
    cubed_cells: Floats


def _slice_moments(input_share: Floats, weight_share: Floats, slicing: Slicing) -> _SliceMoments:
    """Those of `Moments` that depend on the distribution of the codes alone."""
    x = slicing.slice_inputs(np.arange(2**slicing.input_bits)).astype(np.float64)
    u = slicing.slice_weights(_weight_values(slicing)).astype(np.float64)
    return _SliceMoments(
        products(x * input_share, x.T), products(u * weight_share, u.T), row_sums(x * input_share),
        row_sums(u * weight_share), row_sums(x * x * x * input_share), row_sums(u * u * u * weight_share),
    )  # fmt: skip


def _weight_values(slicing: Slicing) -> NDArray[np.int64]:
    half = 2 ** (slicing.weight_bits - 1)
    values = np.arange(-half, half)
    return np.maximum(values, 1 - half) if slicing.coding == "differential" else values


def _product_variance(
    p: Floats, x: NDArray[np.integer], q: Floats, w: NDArray[np.integer]
) -> float:
    """Variance of the product of two independent values."""
    mean_x, square_x, mean_w, square_w = row_sums([p * x, p * x**2]).tolist() + row_sums([q * w, q * w**2]).tolist()
    return float(square_x * square_w - (mean_x * mean_w) ** 2)


def _variance(values: Floats) -> float:
    flat = values.reshape(1, -1)
    return float(row_sums((flat - row_sums(flat) / flat.size) ** 2)[0] / flat.size)


def _check_varies(variance: float) -> None:
    if not variance > 0:
        raise UserError("outputs do not vary", key="statistics", allowed="inputs and weights that are not constant")


def _excess(x: Floats, u: Floats, v_ind: Floats, v_input: Floats) -> tuple[Floats, Floats]:
    """Excess variances of column sums, and of sums of inputs, over pieces of K/2^j rows.

    Args:
        x: input slices ``[n_input_slices, n_vectors, K]``.
        u: weight slices ``[n_weight_slices, K, M]``.
        v_ind: variance of a product of independent entries ``[n_input_slices, n_weight_slices]``.
        v_input: variance of an input ``[n_input_slices]``.
    """
    K = x.shape[2]
    halvings = max(0, min(_MOST_HALVINGS, max(1, K // _SHORTEST_PIECE).bit_length() - 1))
    lengths = np.ldexp(float(K), -np.arange(halvings + 1))[:, np.newaxis, np.newaxis]
    columns, inputs = (np.empty((halvings + 1, len(x), n)) for n in (len(u), 1))
    _variances(x, u, columns)
    _variances(x, np.ones((1, K, 1)), inputs)
    excess = np.maximum(0.0, columns - lengths * v_ind) / lengths**2
    input_excess = np.maximum(0.0, inputs - lengths * v_input[:, np.newaxis]) / lengths**2
    return excess, input_excess[:, :, 0]


@kernel(parallel=True)
def _variances(x: Floats, u: Floats, variances: Floats) -> None:
    """Variances of sums of x u over pieces of K/2^j rows, pooled over pieces, vectors and columns, into
    ``[n_lengths, n_input_slices, n_weight_slices]``."""
    n_weights, M = len(u), u.shape[2]
    for pair in numba.prange(len(x) * n_weights):
        i, s = pair // n_weights, pair % n_weights
        pieces = 2 ** (len(variances) - 1)
        sums = np.empty((pieces, M))
        total, squares = 0.0, np.zeros(len(variances))
        for v in range(x.shape[1]):
            _piece_sums(x[i, v], u[s], sums)
            for j in range(len(variances) - 1, -1, -1):
                for f in range(2**j):
                    for c in range(M):
                        squares[j] += sums[f, c] ** 2
                        if j == 0:
                            total += sums[f, c]
                for f in range(2**j // 2):
                    for c in range(M):
                        sums[f, c] = sums[2 * f, c] + sums[2 * f + 1, c]
        for j in range(len(variances)):
            n = x.shape[1] * M * 2**j
            variances[j, i, s] = squares[j] / n - (total / n) ** 2


@kernel()
def _piece_sums(x: Floats, u: Floats, sums: Floats) -> None:
    """Sums of x_k u_k over ``len(sums)`` pieces that differ by one row at most, per column."""
    K, M = u.shape
    sums[:] = 0.0
    for f in range(len(sums)):
        for k in range(f * K // len(sums), (f + 1) * K // len(sums)):
            if x[k] != 0.0:
                for c in range(M):
                    sums[f, c] += x[k] * u[k, c]
