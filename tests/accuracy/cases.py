"""Tensors and readouts that the accuracy tests share."""

import itertools

import numpy as np

from imcevo.accuracy.slicing import CODINGS, Slicing


def tensors(K, columns=24, vectors=64, input_bits=8, weight_bits=8, seed=0):
    """Half-normal input codes and normal weights."""
    rng = np.random.default_rng(seed)
    top, half = 2**input_bits - 1, 2 ** (weight_bits - 1) - 1
    x = np.minimum(np.round(np.abs(rng.normal(0, 0.33, (vectors, K))) * top), top).astype(np.int64)
    w = np.clip(np.round(rng.normal(0, 0.25, (K, columns)) * half), -half, half).astype(np.int64)
    return x, w


SLICINGS = [
    Slicing(input_bits, weight_bits, dac_bits, bits_per_cell, coding)
    for coding, (input_bits, weight_bits, dac_bits, bits_per_cell) in itertools.product(
        CODINGS, ((8, 8, 1, 1), (8, 8, 2, 3), (4, 5, 3, 2), (3, 2, 1, 4))
    )
]
