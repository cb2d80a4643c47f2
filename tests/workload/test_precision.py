"""Bits per network and class of layers: the most specific wins."""

from __future__ import annotations

import pytest

from imcevo.config import validated
from imcevo.errors import UserError
from imcevo.workload import (
    Layer,
    Network,
    Precision,
    layer_classes,
    layer_table,
    load_network,
    with_precision,
)

MINE = Network(
    "mine",
    "other",
    "",
    (
        Layer("stem", C=3, M=8, P=4, Q=4, R=3, S=3, pad_h=1, pad_w=1, H=4, W=4),
        Layer("depthwise", G=8, P=4, Q=4, R=3, S=3, pad_h=1, pad_w=1, H=4, W=4),
        Layer("pointwise", C=8, M=8, P=4, Q=4, H=4, W=4, weight_bits=6),
        Layer("add", "elementwise", C=16, M=8, P=4, Q=4, H=4, W=4, ops=128),
        Layer("scores", G=2, C=4, M=4, P=4, H=4, dynamic=True),
        Layer("recurrent", C=8, M=8, P=4, H=4, sequential=True),
        Layer("fc", C=8, M=2),
    ),
)


def precision(**changes) -> Precision:
    return validated(changes, Precision, key="precision")


def test_classes():
    assert layer_classes(MINE) == [
        ("convolution", "first"), ("depthwise",), ("convolution",), ("elementwise",), ("attention",), ("recurrent",),
        ("linear", "last"),
    ]  # fmt: skip
    assert layer_classes(load_network("resnet18"))[0] == ("convolution", "first")


def test_the_most_specific_wins():
    bits = precision(
        weight_bits=7, input_bits=5,
        layers={"convolution": {"weight_bits": 2, "input_bits": 3}, "linear": {"weight_bits": 1}},
        networks={
            "mine": {"weight_bits": 4, "layers": {"first": {"weight_bits": 8}, "depthwise": {"output_bits": 16}}},
        },
    )  # fmt: skip
    mine, other = with_precision([MINE, load_network("resnet18")], bits)
    assert [layer.weight_bits for layer in mine.layers] == [8, 4, 6, 4, 4, 4, 4]
    assert [layer.input_bits for layer in mine.layers] == [3, 0, 3, 0, 0, 0, 0]
    assert [layer.output_bits for layer in mine.layers] == [0, 16, 0, 0, 0, 0, 0]
    table = layer_table([mine], bits)
    assert table.weight_bits.tolist() == [8, 4, 6, 4, 4, 4, 4]
    assert table.input_bits.tolist() == [3, 5, 3, 5, 5, 5, 5]
    assert {layer.weight_bits for layer in other.layers if layer.R > 1 and layer.kind == "matrix"} == {2}
    assert other.layers[-1].weight_bits == 1


def test_mean_levels_follow_the_layer():
    for bits in (1, 4, 8):
        (network,) = with_precision([MINE], precision(networks={"mine": {"weight_bits": bits, "input_bits": bits}}))
        expected = layer_table([MINE], precision(weight_bits=bits, input_bits=bits))
        table = layer_table([network], precision())
        rows = [0, 1, 3, 4, 5, 6]  # the pointwise layer keeps its own six bits
        assert (table.mean_weight[rows] == expected.mean_weight[rows]).all()
        assert (table.mean_input == expected.mean_input).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"networks": {"mien": {"weight_bits": 4}}}, "precision.networks.mien: 'mien' is not .*did you mean 'mine'"),
        ({"networks": {"mine": {"weight_bits": 9}}}, "precision.networks.mine.weight_bits: got 9"),
        ({"networks": {"mine": {"weights": 4}}}, "precision.networks.mine.weights: unknown key"),
        ({"layers": {"deptwise": {"weight_bits": 4}}}, "precision.layers.deptwise"),
    ],
)
def test_mistakes(changes, said):
    with pytest.raises(UserError, match=said):
        with_precision([MINE], precision(**changes))


def test_a_class_without_layers_is_a_mistake():
    network = Network("fc", "other", "", (Layer("fc", C=2, M=2),))
    for changes in (
        {"layers": {"depthwise": {"weight_bits": 4}}},
        {"networks": {"fc": {"layers": {"depthwise": {"weight_bits": 4}}}}},
    ):
        with pytest.raises(UserError, match=r"'depthwise' is a class that no layer belongs to .*first, last, linear"):
            with_precision([network], precision(**changes))


def test_bits_of_a_layer_are_checked():
    with pytest.raises(UserError, match=r"fc: weight_bits: 9 is out of range .*1 to 8, or 0"):
        Layer("fc", weight_bits=9)
