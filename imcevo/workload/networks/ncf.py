"""Neural collaborative filtering (NeuMF): He et al., "Neural collaborative filtering", WWW 2017, arXiv 1708.05031,
in the size of MLPerf Training v0.5 on MovieLens 20M (64 matrix factors, perceptron 256-256-128-64)."""

from __future__ import annotations

from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import RELU, SCALE, SIGMOID, activation, elementwise, linear, lookup

_USERS, _ITEMS = 138_493, 26_744
_FACTORS, _PERCEPTRON = 64, (256, 256, 128, 64)

_PUBLISHED = PublishedTotals(
    macs=256 * 256 + 256 * 128 + 128 * 64 + 128,
    parameters=31_832_577,
    source="github.com/mlcommons/training, recommendation (NCF) at --factors 64 --layers 256 256 128 64, MovieLens 20M",
    macs_source="derived, no total is published: the weights of the perceptron and the last layer, each used once",
)


def ncf() -> Network:
    """The score of one item for one user."""
    wide, half = _PERCEPTRON[0], _PERCEPTRON[0] // 2
    layers = [
        lookup("user.factors", _USERS, _FACTORS, 1, from_dram=True),
        lookup("item.factors", _ITEMS, _FACTORS, 1, held=_FACTORS),
        elementwise("product", _FACTORS, SCALE, tensors=2),
        lookup("user.features", _USERS, half, 1, held=_FACTORS),
        lookup("item.features", _ITEMS, half, 1, held=_FACTORS + half),
    ]
    inputs = wide
    for index, outputs in enumerate(_PERCEPTRON[1:], start=1):
        statistics = "signed" if index == 1 else "relu"
        layers += [
            linear(f"mlp{index}", inputs, outputs, held=_FACTORS, statistics=statistics),
            activation(f"mlp{index}.relu", outputs, RELU, held=_FACTORS),
        ]
        inputs = outputs
    layers += [
        linear("output", _FACTORS + inputs, 1, statistics="signed", to_dram=True),
        activation("output.sigmoid", 1, SIGMOID),
    ]
    description = "NeuMF collaborative filtering, MovieLens 20M, one user and item"
    return Network("ncf", "recommendation", description, tuple(layers), _PUBLISHED)
