"""The nine networks of arXiv 2603.03880 exactly as that framework uses them, kept apart from the correct ones.

They exist to reproduce published figures, not to design chips with. In all of them strides do not enter (inputs are
counted with the halos of stride 1), and element-wise work, pooling and biases are left out; see also `DIFFERENCES`.
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

LARGEST_BITS_PER_CELL = 8
WEIGHT_BITS = 8

# Order of the dimension axis of every array of the published profile; Y are the weight slices.
DIMENSIONS = ("C", "M", "P", "Q", "R", "S", "N", "G", "Y")

# What is not as in the network of that name; nothing where every matrix layer is.
DIFFERENCES: Mapping[str, str] = {
    "alexnet": "",
    "densenet201": "",
    "gpt2_medium": "attention products are static weights with one query per head; 256 tokens",
    "mobilebert": "attention products are static weights with one query per head; 139 tokens",
    "mobilenet_v3": "",
    "resnet18": "",
    "resnet50": "a searched variant of other widths, depth and stem: 7.5 instead of 4.1 billion MACs",
    "vgg16": "",
    "vision_transformer": "attention products are static weights with one query per head",
}
PUBLISHED_NETWORKS = tuple(DIFFERENCES)
_TRANSFORMERS = ("gpt2_medium", "mobilebert", "vision_transformer")
PUBLISHED_FAMILIES = {name: "transformer" if name in _TRANSFORMERS else "cnn" for name in PUBLISHED_NETWORKS}


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
