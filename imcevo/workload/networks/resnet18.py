"""ResNet-18: He et al., "Deep residual learning for image recognition", CVPR 2016, arXiv 1512.03385."""

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

# Channels and stride of the four stages of two blocks each.
_STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))

_PUBLISHED = PublishedTotals(
    macs=1_814_000_000,
    parameters=11_689_512,
    source="torchvision 0.15+, ResNet18_Weights.IMAGENET1K_V1: num_params 11689512",
    macs_source="the same, GFLOPS 1.814 (a multiply-accumulate counts once), 224 x 224",
    notes="He et al. (2016), table 1, round to 1.8e9 multiply-adds.",
)


def resnet18() -> Network:
    """ResNet-18 at 224 x 224, 1000 classes."""
    size, channels = 56, 64
    layers = imagenet_stem(("conv1", "relu1", "maxpool"), channels)
    for stage, (outputs, first_stride) in enumerate(_STAGES, start=1):
        for block, stride in enumerate((first_stride, 1)):
            layers += _basic_block(f"layer{stage}.{block}", channels, outputs, size, stride)
            size, channels = size // stride, outputs
    layers += imagenet_classifier("fc", channels, size)
    description = "ResNet-18, ImageNet classification at 224 x 224"
    return Network("resnet18", "cnn", description, tuple(layers), _PUBLISHED)


def _basic_block(name: str, inputs: int, outputs: int, size: int, stride: int) -> list[Layer]:
    out = size // stride
    shortcut, result = inputs * size * size, outputs * out * out
    layers = [
        convolution(f"{name}.conv1", inputs, outputs, 3, size, size, stride=stride),
        activation(f"{name}.relu1", outputs, RELU, height=out, width=out, held=shortcut),
        convolution(f"{name}.conv2", outputs, outputs, 3, out, out, held=shortcut),
    ]
    if stride > 1:
        downsample = f"{name}.downsample"
        layers.append(convolution(downsample, inputs, outputs, 1, size, size, stride=stride, held=result))
    layers.append(elementwise(f"{name}.add_relu2", outputs, ADD + RELU, height=out, width=out, tensors=2))
    return layers
