"""VGG-16: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015,
arXiv 1409.1556, configuration D."""

from __future__ import annotations

from imcevo.workload.layers import Layer
from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import RELU, activation, convolution, linear, max_pool

# Channels and number of convolutions of the five stages.
_STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))

_PUBLISHED = PublishedTotals(
    macs=15_470_000_000,
    parameters=138_357_544,
    source="torchvision 0.15+, VGG16_Weights.IMAGENET1K_V1: num_params 138357544",
    macs_source="the same, GFLOPS 15.47 (a multiply-accumulate counts once), 224 x 224",
)


def vgg16() -> Network:
    """VGG-16 without batch normalisation at 224 x 224, 1000 classes."""
    layers: list[Layer] = []
    size, channels = 224, 3
    for stage, (outputs, depth) in enumerate(_STAGES, start=1):
        for index in range(1, depth + 1):
            name, first = f"conv{stage}_{index}", not layers
            layers += [
                convolution(
                    name, channels, outputs, 3, size, size, vectors=1, from_dram=first,
                    statistics="signed" if first else "relu",
                ),
                activation(f"{name}.relu", outputs, RELU, height=size, width=size),
            ]  # fmt: skip
            channels = outputs
        layers.append(max_pool(f"pool{stage}", channels, size, size // 2, 2))
        size //= 2
    layers += [
        linear("fc6", channels * size * size, 4096),
        activation("fc6.relu", 4096, RELU),
        linear("fc7", 4096, 4096),
        activation("fc7.relu", 4096, RELU),
        linear("fc8", 4096, 1000, to_dram=True),
    ]
    return Network("vgg16", "cnn", "VGG-16, ImageNet classification at 224 x 224", tuple(layers), _PUBLISHED)
