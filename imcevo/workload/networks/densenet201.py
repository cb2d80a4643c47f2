"""DenseNet-201: Huang et al., "Densely connected convolutional networks", CVPR 2017, arXiv 1608.06993.

A layer normalises everything that was concatenated before it with a scale and a shift of its own, so this batch
normalisation cannot fold into the convolutions that made the inputs: it is work of the digital unit. The one behind a
1 x 1 convolution folds.
"""

from __future__ import annotations

from imcevo.workload.layers import Layer
from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import (
    ADD,
    RELU,
    SCALE,
    SCALE_SHIFT,
    activation,
    convolution,
    elementwise,
    imagenet_classifier,
    imagenet_stem,
)  # fmt: skip

_DEPTHS = (6, 12, 48, 32)
_GROWTH, _BOTTLENECK, _STEM = 32, 4, 64

_PUBLISHED = PublishedTotals(
    macs=4_291_000_000,
    parameters=20_013_928,
    source="torchvision 0.15+, DenseNet201_Weights.IMAGENET1K_V1: num_params 20013928",
    macs_source="the same, GFLOPS 4.291 (a multiply-accumulate counts once), 224 x 224",
)


def densenet201() -> Network:
    """DenseNet-201 at 224 x 224, 1000 classes."""
    size, channels = 56, _STEM
    layers = imagenet_stem(("conv0", "relu0", "pool0"), channels)
    for block, depth in enumerate(_DEPTHS, start=1):
        for index in range(1, depth + 1):
            layers += _dense_layer(f"block{block}.layer{index}", channels, size)
            channels += _GROWTH
        if block < len(_DEPTHS):
            layers += _transition(f"transition{block}", channels, size)
            size, channels = size // 2, channels // 2
    layers += [
        _norm_relu("norm5", channels, size),
        *imagenet_classifier("classifier", channels, size),
    ]
    description = "DenseNet-201, ImageNet classification at 224 x 224"
    return Network("densenet201", "cnn", description, tuple(layers), _PUBLISHED)


def _norm_relu(name: str, channels: int, size: int) -> Layer:
    ops = SCALE_SHIFT + RELU
    return elementwise(name, channels, ops, height=size, width=size, parameters=2 * channels)


def _dense_layer(name: str, channels: int, size: int) -> list[Layer]:
    """The concatenated features wait until the next layer, or transition, has read them."""
    wide, held = _BOTTLENECK * _GROWTH, channels * size * size
    return [
        _norm_relu(f"{name}.norm1", channels, size),
        convolution(f"{name}.conv1", channels, wide, 1, size, size, held=held),
        activation(f"{name}.relu2", wide, RELU, height=size, width=size, held=held),
        convolution(f"{name}.conv2", wide, _GROWTH, 3, size, size, vectors=0, held=held),
    ]


def _transition(name: str, channels: int, size: int) -> list[Layer]:
    """1 x 1 convolution and mean over 2 x 2: three additions and a multiplication per output."""
    half, out = channels // 2, size // 2
    ops = (3 * ADD + SCALE) * half * out * out
    return [
        _norm_relu(f"{name}.norm", channels, size),
        convolution(f"{name}.conv", channels, half, 1, size, size, vectors=0),
        Layer(f"{name}.pool", "elementwise", C=half, M=half, P=out, Q=out, H=size, W=size, ops=ops),
    ]
