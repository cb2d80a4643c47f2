"""The evolved mapping policy (compiled): explicit choices per layer shape, decoded to the nearest factors that fit."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.factors import ON_ARRAYS, ON_DIGITAL_UNIT, Mapping
from imcevo.mapping.greedy import duplicate_resident, follow, place_resident, tiles_of
from imcevo.mapping.kernel_records import STREAMED, Records, plain_factors
from imcevo.mapping.space import COPIES, NEUTRAL_COPIES, SHARES, decode, mesh_shares
from imcevo.portable.elementary import exp2
from imcevo.workload.table import MATRIX

_SHAPE = ("N", "C", "M", "P", "Q", "R", "S", "G", "stride_h", "stride_w", "pad_h", "pad_w", "H", "W", "dynamic",
          "sequential")  # fmt: skip


def shapes_of(layers: Records) -> NDArray[np.int64]:
    """Which unique shape, numbered from 0, each layer has; -1 if it is no matrix ``[n_layers]``."""
    matrix = layers["kind"] == MATRIX
    sizes = np.stack([layers[name][matrix] for name in _SHAPE], axis=1)
    shapes = np.full(len(layers), -1, dtype=np.int64)
    shapes[matrix] = np.unique(sizes, axis=0, return_inverse=True)[1].ravel()
    return shapes


def map_as_told(
    layers: Records, geometry: Records, n_networks: int, shapes: NDArray[np.int64], choices: NDArray[np.int64]
) -> Mapping:
    """The mappings that rows of `CHOICES` mean.

    Args:
        layers, geometry: ``[n_layers]``, ``[n_designs]``.
        n_networks: networks in `layers`.
        shapes: by `shapes_of`.
        choices: ``[n_designs, n_shapes, len(CHOICES)]``.
    """
    factors = plain_factors(len(geometry), len(layers))
    tiles_needed = np.zeros((len(geometry), n_networks), dtype=np.int64)
    _decode_designs(layers, geometry, shapes, choices.astype(np.uint8), factors, tiles_needed)
    return Mapping(factors, tiles_needed)


@kernel(parallel=True)
def _decode_designs(
    layers: Records, geometry: Records, shapes: NDArray[np.int64], choices: NDArray[np.uint8], factors: Records,
    tiles_needed: NDArray[np.int64],
) -> None:  # fmt: skip
    for d in numba.prange(len(geometry)):
        chip = geometry[d]
        shares, bias = np.empty((3, SHARES + 1), np.int64), np.ones(len(layers))
        mesh_shares(chip, shares)
        for i in range(len(layers)):
            layer, f = layers[i], factors[d, i]
            if layer.kind != MATRIX or (layer.dynamic and not chip.dynamic_on_arrays):
                f.unit = ON_DIGITAL_UNIT
                continue
            f.unit = ON_ARRAYS
            choice = choices[d, shapes[i]]
            stays = chip.deployment != STREAMED and not layer.dynamic
            decode(layer, chip, shares, choice, stays, f)
            if stays:
                place_resident(layer, f)
                if layer.behind:
                    follow(layer, chip, factors[d, i - layer.behind], f)
                tiles_needed[d, layer.network] += layer.stored * tiles_of(f)
                bias[i] = exp2(0.5 * (choice[COPIES] - NEUTRAL_COPIES))
        if chip.deployment != STREAMED:
            duplicate_resident(layers, chip, factors[d], tiles_needed[d], bias)
