"""AlexNet in one column: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014,
arXiv 1404.5997; the version of torchvision."""

from __future__ import annotations

from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import RELU, activation, convolution, linear, max_pool

_PUBLISHED = PublishedTotals(
    macs=714_000_000,
    parameters=61_100_840,
    source="torchvision 0.15+, AlexNet_Weights.IMAGENET1K_V1: num_params 61100840",
    macs_source="the same, GFLOPS 0.714 (a multiply-accumulate counts once), 224 x 224",
)

# Outputs, kernel, stride, padding, and whether a 3 x 3 pool of stride 2 follows.
_CONVOLUTIONS = (
    (64, 11, 4, 2, True), (192, 5, 1, 2, True), (384, 3, 1, 1, False), (256, 3, 1, 1, False), (256, 3, 1, 1, True),
)  # fmt: skip


def alexnet() -> Network:
    """AlexNet at 224 x 224, 1000 classes. The average pool behind the features is an identity at this size."""
    layers, size, channels = [], 224, 3
    for index, (outputs, kernel, stride, pad, pooled) in enumerate(_CONVOLUTIONS, start=1):
        first = index == 1
        layer = convolution(
            f"conv{index}", channels, outputs, kernel, size, size, stride=stride, pad=(pad, pad), vectors=1,
            statistics="signed" if first else "relu", from_dram=first,
        )  # fmt: skip
        channels, size = outputs, layer.P
        layers += [layer, activation(f"relu{index}", channels, RELU, height=size, width=size)]
        if pooled:
            out = (size - 3) // 2 + 1
            layers.append(max_pool(f"pool{index}", channels, size, out, 3))
            size = out
    layers += [
        linear("fc6", channels * size * size, 4096),
        activation("relu6", 4096, RELU),
        linear("fc7", 4096, 4096),
        activation("relu7", 4096, RELU),
        linear("fc8", 4096, 1000, to_dram=True),
    ]
    return Network("alexnet", "cnn", "AlexNet, ImageNet classification at 224 x 224", tuple(layers), _PUBLISHED)
