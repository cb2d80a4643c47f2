"""ResNet-50: He et al., "Deep residual learning for image recognition", CVPR 2016, arXiv 1512.03385, with the stride in
the 3 x 3 convolution ("v1.5"), as torchvision and MLPerf have it."""

from __future__ import annotations

from imcevo.workload.layers import Layer
from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import (
    ADD,
    RELU,
    activation,
    convolution,
    elementwise,
    imagenet_classifier,
    imagenet_stem,
)  # fmt: skip

# Width inside the bottleneck, blocks and first stride of the four stages.
_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
_EXPANSION = 4

_PUBLISHED = PublishedTotals(
    macs=4_089_000_000,
    parameters=25_557_032,
    source="torchvision 0.15+, ResNet50_Weights.IMAGENET1K_V1: num_params 25557032",
    macs_source="the same, GFLOPS 4.089 (a multiply-accumulate counts once), 224 x 224",
)


def resnet50() -> Network:
    """ResNet-50 at 224 x 224, 1000 classes."""
    size, channels = 56, 64
    layers = imagenet_stem(("conv1", "relu1", "maxpool"), channels)
    for stage, (width, depth, first_stride) in enumerate(_STAGES, start=1):
        for block in range(depth):
            stride = 1 if block else first_stride
            layers += _bottleneck(f"layer{stage}.{block}", channels, width, size, stride)
            size, channels = size // stride, width * _EXPANSION
    layers += imagenet_classifier("fc", channels, size)
    description = "ResNet-50 v1.5, ImageNet classification at 224 x 224"
    return Network("resnet50", "cnn", description, tuple(layers), _PUBLISHED)


def _bottleneck(name: str, inputs: int, width: int, size: int, stride: int) -> list[Layer]:
    out, outputs = size // stride, width * _EXPANSION
    shortcut, result = inputs * size * size, outputs * out * out
    layers = [
        convolution(f"{name}.conv1", inputs, width, 1, size, size),
        activation(f"{name}.relu1", width, RELU, height=size, width=size, held=shortcut),
        convolution(f"{name}.conv2", width, width, 3, size, size, stride=stride, held=shortcut),
        activation(f"{name}.relu2", width, RELU, height=out, width=out, held=shortcut),
        convolution(f"{name}.conv3", width, outputs, 1, out, out, held=shortcut),
    ]
    if inputs != outputs:
        downsample = f"{name}.downsample"
        layers.append(convolution(downsample, inputs, outputs, 1, size, size, stride=stride, held=result))
    layers.append(elementwise(f"{name}.add_relu3", outputs, ADD + RELU, height=out, width=out, tensors=2))
    return layers
