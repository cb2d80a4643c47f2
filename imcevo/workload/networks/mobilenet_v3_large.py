"""MobileNetV3-Large on ImageNet: Howard et al., "Searching for MobileNetV3", ICCV 2019, arXiv 1905.02244."""

from __future__ import annotations

from typing import NamedTuple

from imcevo.workload.layers import Layer
from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import (
    ADD,
    HARD_SIGMOID,
    HARD_SWISH,
    RELU,
    SCALE,
    activation,
    convolution,
    elementwise,
    global_average_pool,
    linear,
)


class _Block(NamedTuple):
    kernel: int
    expanded: int
    outputs: int
    squeezed: int  # channels inside squeeze-and-excite: a quarter in multiples of 8, or 0 for none
    activation: int  # operations per element
    stride: int


# Table 1 of the paper.
_BLOCKS = (
    _Block(3, 16, 16, 0, RELU, 1),
    _Block(3, 64, 24, 0, RELU, 2),
    _Block(3, 72, 24, 0, RELU, 1),
    _Block(5, 72, 40, 24, RELU, 2),
    _Block(5, 120, 40, 32, RELU, 1),
    _Block(5, 120, 40, 32, RELU, 1),
    _Block(3, 240, 80, 0, HARD_SWISH, 2),
    _Block(3, 200, 80, 0, HARD_SWISH, 1),
    _Block(3, 184, 80, 0, HARD_SWISH, 1),
    _Block(3, 184, 80, 0, HARD_SWISH, 1),
    _Block(3, 480, 112, 120, HARD_SWISH, 1),
    _Block(3, 672, 112, 168, HARD_SWISH, 1),
    _Block(5, 672, 160, 168, HARD_SWISH, 2),
    _Block(5, 960, 160, 240, HARD_SWISH, 1),
    _Block(5, 960, 160, 240, HARD_SWISH, 1),
)

_PUBLISHED = PublishedTotals(
    macs=217_000_000,
    parameters=5_483_032,
    source="torchvision 0.15+, MobileNet_V3_Large_Weights.IMAGENET1K_V1: num_params 5483032",
    macs_source="authors' checkpoint as listed in tf.keras.applications.MobileNetV3Large: 217 M MACs",
    notes="The paper's table 3 says 219 M MACs (1.1 % more) and 5.4 M parameters.",
)


def mobilenet_v3_large() -> Network:
    """MobileNetV3-Large, width 1.0, at 224 x 224, 1000 classes.

    Hard-swish outputs (at least -3/8, half of them near 0) count as the `relu` distribution; the outputs of
    linear bottlenecks as `signed`.
    """
    size, channels = 112, 16
    layers = [
        convolution("conv_first", 3, channels, 3, 224, 224, stride=2, statistics="signed", from_dram=True),
        activation("conv_first.act", channels, HARD_SWISH, height=size, width=size),
    ]
    for index, block in enumerate(_BLOCKS):
        layers += _inverted_residual(f"block{index}", block, channels, size)
        size, channels = size // block.stride, block.outputs
    last = 6 * channels
    layers += [
        convolution("conv_last", channels, last, 1, size, size, statistics="signed"),
        activation("conv_last.act", last, HARD_SWISH, height=size, width=size),
        global_average_pool("avgpool", last, size, size),
        linear("classifier.0", last, 1280),
        activation("classifier.act", 1280, HARD_SWISH),
        linear("classifier.1", 1280, 1000, to_dram=True),
    ]
    description = "MobileNetV3-Large 1.0, ImageNet classification at 224 x 224"
    return Network("mobilenet_v3_large", "cnn", description, tuple(layers), _PUBLISHED)


def _inverted_residual(name: str, block: _Block, inputs: int, size: int) -> list[Layer]:
    residual = block.stride == 1 and inputs == block.outputs
    held = inputs * size * size if residual else 0
    wide, out = block.expanded, size // block.stride
    expands = wide != inputs
    layers = []
    if expands:
        layers += [
            convolution(f"{name}.expand", inputs, wide, 1, size, size, statistics="signed"),
            activation(f"{name}.expand.act", wide, block.activation, height=size, width=size, held=held),
        ]
    # A block that does not expand feeds its own input to the depthwise convolution: nothing else to hold.
    layers += [
        convolution(
            f"{name}.depthwise", wide, wide, block.kernel, size, size, stride=block.stride, groups=wide,
            held=held if expands else 0,
        ),
        activation(f"{name}.depthwise.act", wide, block.activation, height=out, width=out, held=held),
    ]  # fmt: skip
    if block.squeezed:
        layers += _squeeze_excite(f"{name}.se", wide, block.squeezed, out, held)
    layers.append(convolution(f"{name}.project", wide, block.outputs, 1, out, out, held=held))
    if residual:
        layers.append(elementwise(f"{name}.add", block.outputs, ADD, height=out, width=out, tensors=2))
    return layers


def _squeeze_excite(name: str, channels: int, squeezed: int, size: int, held: int) -> list[Layer]:
    """Channel gates from the pooled tensor, which waits for them; `scale` leaves out the gates' traffic."""
    waiting = held + channels * size * size
    return [
        global_average_pool(f"{name}.pool", channels, size, size, held=held),
        linear(f"{name}.squeeze", channels, squeezed, held=waiting),
        activation(f"{name}.relu", squeezed, RELU, held=waiting),
        linear(f"{name}.excite", squeezed, channels, held=waiting),
        activation(f"{name}.gate", channels, HARD_SIGMOID, held=waiting),
        elementwise(f"{name}.scale", channels, SCALE, height=size, width=size, held=held),
    ]
