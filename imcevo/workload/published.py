"""The nine networks of arXiv 2603.03880 exactly as that framework uses them, kept apart from the correct ones.

They differ from the networks of `imcevo.workload` on purpose (see `DIFFERENCES`): they exist to reproduce published
figures, not to design chips with.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError, unknown_name
from imcevo.workload.layers import Layer
from imcevo.workload.network import Family, Network

LARGEST_BITS_PER_CELL = 8
WEIGHT_BITS = 8

# Order of the dimension axis of every array of the published profile; Y are the weight slices.
DIMENSIONS = ("C", "M", "P", "Q", "R", "S", "N", "G", "Y")

DIFFERENCES: Mapping[str, str] = {
    "all": "strides do not enter (the simulator ignores their keys): inputs are counted with halos of stride 1; "
    "element-wise work, pooling and biases are left out",
    "alexnet": "the first fully connected layer sees 9216 inputs; pooling between layers is not modelled",
    "densenet201": "no difference in the matrix layers",
    "gpt2_medium": "attention products are static weights, one of 16 heads' positions as P; sequence of 256",
    "mobilebert": "attention products are static weights; sequence of 139",
    "mobilenet_v3": "no difference in the matrix layers",
    "resnet18": "no difference in the matrix layers",
    "resnet50": "not the standard network: a searched variant of other widths and depth (first layer 3x3, 32 channels)",
    "vgg16": "no difference in the matrix layers",
    "vision_transformer": "attention products are static weights",
}
_TRANSFORMERS = ("gpt2_medium", "mobilebert", "vision_transformer")
PUBLISHED_NETWORKS = tuple(sorted(set(DIFFERENCES) - {"all"}))


class PublishedSuite(NamedTuple):
    """Unique layer shapes of a suite, and what each network has of them.

    Attributes:
        sizes: loop sizes ``[n_shapes, 8]`` in the order of `DIMENSIONS` without Y.
        layers: number of layers of that shape ``[n_shapes, n_networks]``.
        inputs: their mean input levels, summed ``[n_shapes, n_networks]``.
        products: (mean input level x mean cell level), summed, at b bits per cell in position b - 1
            ``[n_shapes, n_networks, 8]``.
    """

    sizes: NDArray[np.int64]
    layers: NDArray[np.int64]
    inputs: NDArray[np.float64]
    products: NDArray[np.float64]


def published_suite(names: Sequence[str]) -> PublishedSuite:
    """The suite of the networks `names`, shapes in order of first appearance.

    Raises:
        UserError: no name at all, or an unknown one.
    """
    if not names:
        raise UserError("the suite is empty", allowed="at least one network")
    position: dict[tuple[int, ...], int] = {}
    layers = [layer for name in names for layer in _layers(name)]
    for sizes, _, _ in layers:
        position.setdefault(sizes, len(position))
    shape = (len(position), len(names))
    count, inputs = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    products = np.zeros((*shape, LARGEST_BITS_PER_CELL))
    for network, name in enumerate(names):
        for sizes, mean_input, mean_cell in _layers(name):
            cell = (position[sizes], network)
            count[cell] += 1
            inputs[cell] += mean_input
            products[cell] += mean_input * np.array(mean_cell)
    return PublishedSuite(np.array(list(position), dtype=np.int64), count, inputs, products)


@cache
def _layers(name: str) -> tuple[tuple[tuple[int, ...], float, tuple[float, ...]], ...]:
    """Loop sizes, mean input level and mean cell levels of every layer of a network."""
    if name not in PUBLISHED_NETWORKS:
        raise unknown_name("published network", name, PUBLISHED_NETWORKS)
    text = (resources.files("imcevo") / "workload" / "data" / "published" / f"{name}.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    levels = [f"mean_weight_{bits}b" for bits in range(1, LARGEST_BITS_PER_CELL + 1)]
    return tuple(
        (tuple(int(row[d]) for d in DIMENSIONS[:-1]), float(row["mean_input"]), tuple(float(row[k]) for k in levels))
        for row in rows
    )


def published_network(name: str) -> Network:
    """A published network as layers, for tables and totals; its value statistics stay in `published_suite`.

    Raises:
        UserError: unknown name.
    """
    layers = tuple(
        Layer(name=f"{index:03d}", **dict(zip(DIMENSIONS, sizes, strict=False)))
        for index, (sizes, _, _) in enumerate(_layers(name))
    )
    family: Family = "transformer" if name in _TRANSFORMERS else "cnn"
    return Network(name, family, f"as used by arXiv 2603.03880: {DIFFERENCES[name]}", layers)
