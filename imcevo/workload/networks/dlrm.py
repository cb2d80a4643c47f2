"""DLRM: Naumov et al., "Deep learning recommendation model for personalization and recommendation systems", 2019, arXiv
1906.00091, in its Criteo Kaggle size (github.com/facebookresearch/dlrm, bench/dlrm_s_criteo_kaggle.sh)."""

from __future__ import annotations

from imcevo.workload.layers import Layer
from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import RELU, SIGMOID, activation, linear, lookup

_DENSE, _BOTTOM, _TOP, _WIDTH = 13, (512, 256, 64, 16), (512, 256), 16
# Rows of the 26 embedding tables.
_ROWS = (
    1460, 583, 10131227, 2202608, 305, 24, 12517, 633, 3, 93145, 5683, 8351593, 3194, 27, 14992, 5461306, 10, 5652,
    2173, 4, 7046547, 18, 15, 286181, 105, 142572,
)  # fmt: skip
_FEATURES = len(_ROWS) + 1
_PAIRS = _FEATURES * (_FEATURES - 1) // 2

_PUBLISHED = PublishedTotals(
    macs=474_368,
    parameters=33_762_577 * 16 + 475_985,
    source="derived, as the script sets it: 33,762,577 rows of Criteo Kaggle times 16, and the perceptrons with biases",
    macs_source="derived, no total is published: the weights of the multilayer perceptrons, each used once",
    attention_products_counted=False,
)


def dlrm_kaggle() -> Network:
    """One click prediction: one row of each of 26 tables, all pairwise products of features, two perceptrons."""
    layers: list[Layer] = []
    inputs = _DENSE
    for index, outputs in enumerate(_BOTTOM, start=1):
        first = index == 1
        layers += [
            linear(
                f"bottom{index}", inputs, outputs, from_dram=first, statistics="signed" if first else "relu"
            ),
            activation(f"bottom{index}.relu", outputs, RELU),
        ]
        inputs = outputs
    layers += [
        lookup(f"table{index}", rows, _WIDTH, 1, held=(index + 1) * _WIDTH) for index, rows in enumerate(_ROWS)
    ]
    layers += [
        # All products are computed, the pairs above the diagonal are used.
        Layer("interaction", C=_WIDTH, M=_FEATURES, P=_FEATURES, H=_FEATURES, dynamic=True, statistics="signed"),
        linear("top1", _PAIRS + _WIDTH, _TOP[0], statistics="signed"),
        activation("top1.relu", _TOP[0], RELU),
        linear("top2", *_TOP),
        activation("top2.relu", _TOP[1], RELU),
        linear("top3", _TOP[1], 1, to_dram=True),
        activation("top3.sigmoid", 1, SIGMOID),
    ]
    description = "DLRM, Criteo Kaggle click prediction, one sample"
    return Network("dlrm_kaggle", "recommendation", description, tuple(layers), _PUBLISHED)
