"""From networks to the arrays that mapping and kernels see: layers of one shape merged into one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.workload.layers import KINDS, Layer
from imcevo.workload.network import Network
from imcevo.workload.precision import Precision
from imcevo.workload.statistics import MOST_SLICE_BITS, WEIGHT_STATISTICS, input_statistics
from imcevo.workload.table import LayerTable

_SIZES = ("N", "C", "M", "P", "Q", "R", "S", "G", "stride_h", "stride_w", "pad_h", "pad_w", "H", "W")
_costs_of = attrgetter(
    *(f.name for f in fields(Layer) if f.name not in ("name", "parameters", "from_dram", "to_dram", "stored_as"))
)
_VOLUMES = ("ops", "input_elements", "output_elements", "held_elements")


def layer_table(networks: Sequence[Network], precision: Precision) -> LayerTable:
    """The layers of a suite, same-shape layers of one network merged.

    Bits are the layer's own where it has some (see `with_precision`), else those of `precision`.
    Lookup layers stay rows of their own kind. Where layers that touch the network's ends are merged with
    others, their `from_dram` and `to_dram` become shares: count times share is the number of such layers.

    Layers share weights where they name the same tensor, see it in the same way (G, C, R, S and M) and keep it in as
    many bits; another view of a tensor is stored apart, as its cells have another order. Tensors that are used alike
    are merged like layers. Rows that share tensors stand together, the one with most work for duplicates first.

    Returns:
        int64 and float64 arrays ``[n_layers]``, C-contiguous.

    Raises:
        UserError: a layer names an unknown value distribution.
    """
    rows = [(index, row) for index, network in enumerate(networks) for row in _rows(network)]
    groups = [row.layers for _, row in rows]
    layers = [group[0] for group in groups]
    mean_input, mean_weight = _mean_levels(layers, precision)
    integers = {name: [getattr(layer, name) for layer in layers] for name in _SIZES} | {
        "network": [index for index, _ in rows],
        "count": [len(group) for group in groups],
        "stored": [0 if row.behind else row.tensors for _, row in rows],
        "behind": [row.behind for _, row in rows],
        "loads": [row.loads for _, row in rows],
        "kind": [KINDS.index(layer.kind) for layer in layers],
        "dynamic": [layer.dynamic for layer in layers],
        "sequential": [layer.sequential for layer in layers],
        "input_bits": [layer.input_bits or precision.input_bits for layer in layers],
        "weight_bits": [layer.weight_bits or precision.weight_bits for layer in layers],
        "output_bits": [layer.output_bits or precision.output_bits for layer in layers],
    }
    reals = {name: [getattr(layer, name) for layer in layers] for name in _VOLUMES} | {
        "uses": [len(row.layers) / row.tensors for _, row in rows],
        "from_dram": [sum(layer.from_dram for layer in group) / len(group) for group in groups],
        "to_dram": [sum(layer.to_dram for layer in group) / len(group) for group in groups],
        "row_taps": [_taps(layer.P, layer.R, layer.stride_h, layer.pad_h, layer.H) for layer in layers],
        "col_taps": [_taps(layer.Q, layer.S, layer.stride_w, layer.pad_w, layer.W) for layer in layers],
    }
    columns: dict[str, NDArray[Any]] = {"mean_input": mean_input, "mean_weight": mean_weight}
    columns |= {name: np.array(values, dtype=np.int64) for name, values in integers.items()}
    columns |= {name: np.array(values, dtype=np.float64) for name, values in reals.items()}
    return LayerTable(**columns)


def layer_names(networks: Sequence[Network]) -> list[tuple[str, list[str]]]:
    """Network name and names of the merged layers of every row of `layer_table`, in its order."""
    return [
        (network.name, [layer.name for layer in row.layers]) for network in networks for row in _rows(network)
    ]


class _Row(NamedTuple):
    """Layers that cost the same, the tensors that hold their weights, and `behind` and `loads` as of `LayerTable`."""

    layers: list[Layer]
    tensors: int
    behind: int
    loads: int


def _rows(network: Network) -> list[_Row]:
    """Layers that cost the same, in the order of their first; names, biases and the ends may differ."""
    costs, tensors = [_costs_of(layer) for layer in network.layers], [_tensor(layer) for layer in network.layers]
    used: dict[Hashable, Counter[tuple[object, ...]]] = {}
    for cost, tensor in zip(costs, tensors, strict=True):
        used.setdefault(tensor, Counter())[cost] += 1
    sharing = {tensor: frozenset(how.items()) for tensor, how in used.items()}
    alike = Counter(sharing.values())
    groups: dict[frozenset[Any], dict[tuple[object, ...], list[Layer]]] = {}
    loads, before = Counter[tuple[object, object]](), None
    for layer, cost, tensor in zip(network.layers, costs, tensors, strict=True):
        groups.setdefault(sharing[tensor], {}).setdefault(cost, []).append(layer)
        if layer.kind == "matrix":
            loads[sharing[tensor], cost] += (tensor, cost) != before
            before = (tensor, cost)
    return [
        _Row(layers, alike[how], behind, loads[how, cost])
        for how, by_cost in groups.items()
        for behind, (cost, layers) in enumerate(sorted(by_cost.items(), key=lambda row: -_most_copies(row[1][0])))
    ]


def _tensor(layer: Layer) -> Hashable:
    """What holds the layer's weights: equal for layers that share them, else the layer's own name."""
    if layer.kind != "matrix" or not layer.stored_as:
        return layer.name
    return (layer.stored_as, layer.G, layer.C, layer.R, layer.S, layer.M, layer.weight_bits)


def _most_copies(layer: Layer) -> int:
    """Duplicates of the weights that find work."""
    return layer.N * layer.Q * (1 if layer.sequential else layer.P)


def _taps(outputs: int, kernel: int, stride: int, pad: int, inputs: int) -> int:
    """Pairs of output position p and kernel position r with 0 <= p stride + r - pad < inputs."""
    shift = np.arange(kernel) - pad
    first = np.maximum(0, -(shift // stride))
    last = np.minimum(outputs - 1, (inputs - 1 - shift) // stride)
    return int(np.maximum(0, last - first + 1).sum())


def _mean_levels(
    layers: Sequence[Layer], precision: Precision
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean levels of inputs and of the second operand ``[n_layers, 8]``.

    The second operand of an attention product is an activation of `input_bits`; keys and values follow the
    same zero-mean distribution as weights.
    """

    @cache
    def inputs(name: str, bits: int) -> NDArray[np.float64]:
        return input_statistics(name).mean_levels(bits)

    @cache
    def weights(bits: int) -> NDArray[np.float64]:
        return WEIGHT_STATISTICS.mean_levels(bits)

    shape = (len(layers), MOST_SLICE_BITS)
    input_bits = [layer.input_bits or precision.input_bits for layer in layers]
    second_bits = [
        bits if layer.dynamic else layer.weight_bits or precision.weight_bits
        for layer, bits in zip(layers, input_bits, strict=True)
    ]
    return (
        np.array(
            [inputs(layer.statistics, bits) for layer, bits in zip(layers, input_bits, strict=True)]
        ).reshape(shape),
        np.array([weights(bits) for bits in second_bits]).reshape(shape),
    )
