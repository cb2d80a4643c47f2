"""The four networks of MLPerf Tiny: Banbury et al., "MLPerf Tiny benchmark", NeurIPS 2021 datasets and benchmarks,
arXiv 2106.07597, as the reference models of github.com/mlcommons/tiny define them. In these Keras models "same" padding
puts the odd row and column below and right, and convolutions keep a bias before their batch normalisation."""

from __future__ import annotations

from imcevo.workload.layers import Layer
from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import (
    ADD,
    RELU,
    SOFTMAX,
    activation,
    convolution,
    elementwise,
    global_average_pool,
    linear,
)

_REPOSITORY = "reference model of github.com/mlcommons/tiny"
_DERIVED = "derived from that definition, layer by layer; MLCommons publishes no total"
_BIAS_AND_NORM = 3  # stored values per output; running means and variances are not counted, as they fold

# Outputs and stride of the pointwise halves; width 0.25.
_VWW_BLOCKS = (
    (16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *((128, 1),) * 5, (256, 2), (256, 1),
)  # fmt: skip


def _activated(
    name: str, inputs: int, outputs: int, kernel: int | tuple[int, int], size: tuple[int, int], out: tuple[int, int], *,
    stride: int = 1, groups: int = 1, pad: tuple[int, int] | None = None, relu: str = "", relu_held: int = 0,
    statistics: str = "relu", from_dram: bool = False,
) -> list[Layer]:  # fmt: skip
    """A convolution from `size` to `out` pixels with bias and normalisation, and its ReLU."""
    return [
        convolution(
            name, inputs, outputs, kernel, *size, stride=stride, groups=groups, pad=pad, out=out,
            vectors=_BIAS_AND_NORM, statistics=statistics, from_dram=from_dram,
        ),
        activation(relu or f"{name}.relu", outputs, RELU, height=out[0], width=out[1], held=relu_held),
    ]  # fmt: skip


def _separable(
    name: str, inputs: int, outputs: int, size: tuple[int, int], out: tuple[int, int], *, stride: int = 1
) -> list[Layer]:
    """A 3 x 3 depthwise and a 1 x 1 convolution."""
    depthwise = _activated(
        f"{name}.depthwise", inputs, inputs, 3, size, out, stride=stride, groups=inputs, pad=_same(stride)
    )
    return [*depthwise, *_activated(f"{name}.pointwise", inputs, outputs, 1, out, out)]


def _same(stride: int) -> tuple[int, int]:
    """Rows above and columns left of "same" padding for a 3 x 3 kernel: strided, all of it lies below and right."""
    return (1, 1) if stride == 1 else (0, 0)


def _classifier(channels: int, size: tuple[int, int], classes: int) -> list[Layer]:
    """Mean over the image, a linear layer and a softmax."""
    return [
        global_average_pool("avgpool", channels, *size),
        linear("fc", channels, classes),
        elementwise("softmax", classes, SOFTMAX, to_dram=True),
    ]


def ds_cnn_kws() -> Network:
    """Depthwise-separable keyword spotting on 49 x 10 cepstral coefficients, 12 classes."""
    rows, cols, channels = 25, 5, 64
    layers = _activated(
        "conv1", 1, channels, (10, 4), (49, 10), (rows, cols), stride=2, pad=(4, 1), statistics="signed", from_dram=True
    )
    for index in range(1, 5):
        layers += _separable(f"block{index}", channels, channels, (rows, cols), (rows, cols))
    layers += _classifier(channels, (rows, cols), 12)
    published = PublishedTotals(
        2_656_768, 23_756, f"{_REPOSITORY}, keyword_spotting: 23,756 trainable parameters", _DERIVED,
        notes="Zhang et al. (arXiv 1711.07128): 5.4 MOps, 1.6 % more, for their DS-CNN S, rounded.",
    )  # fmt: skip
    return Network("ds_cnn_kws", "cnn", "DS-CNN keyword spotting (MLPerf Tiny)", tuple(layers), published)


def mobilenet_v1_vww() -> Network:
    """MobileNetV1 0.25 for visual wake words at 96 x 96, 2 classes."""
    size, channels = 48, 8
    layers = _activated(
        "conv1", 3, channels, 3, (96, 96), (size, size), stride=2, pad=(0, 0), statistics="signed", from_dram=True
    )
    for index, (outputs, stride) in enumerate(_VWW_BLOCKS, start=1):
        out = size // stride
        layers += _separable(f"block{index}", channels, outputs, (size, size), (out, out), stride=stride)
        size, channels = out, outputs
    layers += _classifier(channels, (size, size), 2)
    published = PublishedTotals(
        7_489_664, 216_322, f"{_REPOSITORY}, visual_wake_words/vww_model.py: trainable parameters", _DERIVED,
        notes="221,794 parameters with running means and variances.",
    )
    description = "MobileNetV1 0.25, visual wake words at 96 x 96 (MLPerf Tiny)"
    return Network("mobilenet_v1_vww", "cnn", description, tuple(layers), published)


def resnet8() -> Network:
    """ResNet-8 on CIFAR-10: three stacks of one block, 16 to 64 channels."""
    size, channels = 32, 16
    layers = _activated(
        "conv1", 3, channels, 3, (size, size), (size, size), relu="relu1", statistics="signed", from_dram=True
    )
    for index, (outputs, stride) in enumerate(((16, 1), (32, 2), (64, 2)), start=1):
        layers += _basic_block(f"stack{index}", channels, outputs, size, stride)
        size, channels = size // stride, outputs
    layers += _classifier(channels, (size, size), 10)
    published = PublishedTotals(
        12_501_632, 78_186, f"{_REPOSITORY}, image_classification/keras_model.py with 16 filters: trainable", _DERIVED,
        notes="78,666 parameters with running means and variances.",
    )
    return Network("resnet8", "cnn", "ResNet-8, CIFAR-10 (MLPerf Tiny)", tuple(layers), published)


def _basic_block(name: str, inputs: int, outputs: int, size: int, stride: int) -> list[Layer]:
    """Two convolutions and a residual; the 1 x 1 convolution of a strided block has a bias and no normalisation."""
    out = size // stride
    shortcut, result = inputs * size * size, outputs * out * out
    layers = _activated(
        f"{name}.conv1", inputs, outputs, 3, (size, size), (out, out), stride=stride, pad=_same(stride),
        relu=f"{name}.relu1", relu_held=shortcut,
    )  # fmt: skip
    layers.append(
        convolution(f"{name}.conv2", outputs, outputs, 3, out, out, vectors=_BIAS_AND_NORM, held=shortcut)
    )
    if stride > 1:
        downsample = f"{name}.downsample"
        layers.append(
            convolution(downsample, inputs, outputs, 1, size, size, stride=stride, vectors=1, held=result)
        )
    layers.append(elementwise(f"{name}.add_relu2", outputs, ADD + RELU, height=out, width=out, tensors=2))
    return layers


def autoencoder_ad() -> Network:
    """Dense autoencoder for anomaly detection in machine sounds: 640 features through a bottleneck of 8."""
    features, widths = 640, (128, 128, 128, 128, 8, 128, 128, 128, 128)
    layers: list[Layer] = []
    inputs = features
    for index, outputs in enumerate(widths, start=1):
        first = index == 1
        layers += [
            linear(
                f"dense{index}", inputs, outputs, extra_parameters=2 * outputs, from_dram=first,
                statistics="signed" if first else "relu",
            ),
            activation(f"dense{index}.relu", outputs, RELU),
        ]  # fmt: skip
        inputs = outputs
    layers.append(linear("dense10", inputs, features, to_dram=True))
    published = PublishedTotals(
        264_192, 267_928, f"{_REPOSITORY}, anomaly_detection/keras_model.py: trainable parameters", _DERIVED,
        notes="269,992 parameters with running means and variances; the benchmark paper gives 270 KB at 8 bit.",
    )  # fmt: skip
    description = "Dense autoencoder, anomaly detection in sound (MLPerf Tiny)"
    return Network("autoencoder_ad", "other", description, tuple(layers), published)
