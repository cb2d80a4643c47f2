"""Graph convolutional network on Cora: Kipf and Welling, "Semi-supervised classification with graph convolutional
networks", ICLR 2017, arXiv 1609.02907: two layers, 16 hidden features, all 2,708 nodes at once.

Features times weights come first, Z = A (X W), X taken as dense; the sparse product with the normalised adjacency
gathers rows: the digital unit reads one row per edge (self loops included), multiplies and adds.
"""

from __future__ import annotations

from imcevo.workload.layers import Layer
from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import ADD, RELU, SCALE, SOFTMAX, activation, elementwise, linear

_NODES, _FEATURES, _HIDDEN, _CLASSES = 2708, 1433, 16, 7
_EDGES = 2 * 5278 + _NODES  # both directions of the edges that differ, and a self loop per node

_PUBLISHED = PublishedTotals(
    macs=_NODES * (_FEATURES * _HIDDEN + _HIDDEN * _CLASSES),
    parameters=23_063,
    source="derived from the paper's sizes: (1433 + 1) 16 + (16 + 1) 7",
    macs_source="derived: dense X W of both layers, 2,708 nodes; the sparse A (X W) is digital work",
    notes="Cora's features are 1.3 % dense; sparse accelerators skip the zeros (AWB-GCN, arXiv 1908.10834).",
)


def gcn_cora() -> Network:
    """Classes of all 2,708 papers of the Cora citation graph."""
    layers = [
        linear("conv1.features", _FEATURES, _HIDDEN, vectors=_NODES, from_dram=True),
        _aggregate("conv1.aggregate", _HIDDEN),
        activation("conv1.relu", _HIDDEN, RELU, height=_NODES),
        linear("conv2.features", _HIDDEN, _CLASSES, vectors=_NODES),
        _aggregate("conv2.aggregate", _CLASSES),
        elementwise("softmax", _CLASSES, SOFTMAX, height=_NODES, to_dram=True),
    ]
    description = "Graph convolutional network, Cora, all nodes"
    return Network("gcn_cora", "other", description, tuple(layers), _PUBLISHED)


def _aggregate(name: str, width: int) -> Layer:
    """Weighted sums of neighbours' rows: every edge reads a row and its own weight."""
    return Layer(
        name, "elementwise", C=width + 1, M=1, P=_NODES * width, H=_EDGES, parameters=0,
        ops=(SCALE + ADD) * _EDGES * width,
    )  # fmt: skip
