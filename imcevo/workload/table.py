"""Layers as arrays: all that mapping and kernels see of a workload."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MATRIX, ELEMENTWISE, LOOKUP = 0, 1, 2


class LayerTable(NamedTuple):
    """Unique layers of a suite, network by network ``[n_layers]``; same-shape layers of one network are merged.

    Attributes:
        network: index of the network, ascending.
        count: how many layers of the network share this row (all sums are multiplied by it).
        kind: MATRIX, ELEMENTWISE or LOOKUP.
        N..W: loop sizes and geometry as in `Layer`.
        dynamic, sequential: 0 or 1.
        input_bits, weight_bits, output_bits: precision.
        ops: element-wise operations of one layer.
        input_elements, output_elements, held_elements: of one layer.
        from_dram, to_dram: 0..1, share of the merged layers that read the network's input or write its output.
        row_taps, col_taps: number of (output row, kernel row) pairs that do not fall on padding, and for columns.
        stored: how many tensors hold the weights of the row's layers: `count` where every layer has its own, less where
            layers share one; 0 where an earlier row counts them (layers of other sizes of the same tensors).
        behind: how many rows after that earlier row, its leader, this one stands; 0 where it leads or shares with none.
        uses: layers of this row per tensor; 1 where every layer has its own.
        loads: how many of the layers meet arrays that hold other weights; the others use what the layer before used.
        mean_input: ``[n_layers, 8]`` mean level (0..1 of full scale) of an input slice of d bits, column d - 1.
        mean_weight: ``[n_layers, 8]`` mean cell level (0..1 of the largest) at b bits per cell, column b - 1.
    """

    network: NDArray[np.int64]
    count: NDArray[np.int64]  # type: ignore[assignment]  # shadows tuple.count
    kind: NDArray[np.int64]
    N: NDArray[np.int64]
    C: NDArray[np.int64]
    M: NDArray[np.int64]
    P: NDArray[np.int64]
    Q: NDArray[np.int64]
    R: NDArray[np.int64]
    S: NDArray[np.int64]
    G: NDArray[np.int64]
    stride_h: NDArray[np.int64]
    stride_w: NDArray[np.int64]
    pad_h: NDArray[np.int64]
    pad_w: NDArray[np.int64]
    H: NDArray[np.int64]
    W: NDArray[np.int64]
    dynamic: NDArray[np.int64]
    sequential: NDArray[np.int64]
    input_bits: NDArray[np.int64]
    weight_bits: NDArray[np.int64]
    output_bits: NDArray[np.int64]
    stored: NDArray[np.int64]
    behind: NDArray[np.int64]
    loads: NDArray[np.int64]
    uses: NDArray[np.float64]
    ops: NDArray[np.float64]
    input_elements: NDArray[np.float64]
    output_elements: NDArray[np.float64]
    held_elements: NDArray[np.float64]
    from_dram: NDArray[np.float64]
    to_dram: NDArray[np.float64]
    row_taps: NDArray[np.float64]
    col_taps: NDArray[np.float64]
    mean_input: NDArray[np.float64]
    mean_weight: NDArray[np.float64]
