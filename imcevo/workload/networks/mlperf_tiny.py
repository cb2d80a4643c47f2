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


def ds_cnn_kws() -> Network:
    """Depthwise-separable keyword spotting on 49 x 10 cepstral coefficients, 12 classes."""
    rows, cols, channels = 25, 5, 64
    layers = [
        convolution(
            "conv1", 1, channels, (10, 4), 49, 10, stride=2, pad=(4, 1), out=(rows, cols), vectors=_BIAS_AND_NORM,
            statistics="signed", from_dram=True,
        ),
        activation("conv1.relu", channels, RELU, height=rows, width=cols),
    ]  # fmt: skip
    for index in range(1, 5):
        for part, kernel, groups in (("depthwise", 3, channels), ("pointwise", 1, 1)):
            name = f"block{index}.{part}"
            layers += [
                convolution(
                    name, channels, channels, kernel, rows, cols, groups=groups, vectors=_BIAS_AND_NORM
                ),
                activation(f"{name}.relu", channels, RELU, height=rows, width=cols),
            ]
    layers += [
        global_average_pool("avgpool", channels, rows, cols),
        linear("fc", channels, 12),
        elementwise("softmax", 12, SOFTMAX, to_dram=True),
    ]
    published = PublishedTotals(
        2_656_768, 23_756, f"{_REPOSITORY}, keyword_spotting: 23,756 trainable parameters", _DERIVED,
        notes="Zhang et al. (arXiv 1711.07128): 5.4 MOps, 1.6 % more, for their DS-CNN S, rounded.",
    )  # fmt: skip
    return Network("ds_cnn_kws", "cnn", "DS-CNN keyword spotting (MLPerf Tiny)", tuple(layers), published)


def mobilenet_v1_vww() -> Network:
    """MobileNetV1 0.25 for visual wake words at 96 x 96, 2 classes."""
    size, channels = 48, 8
    layers = [
        convolution(
            "conv1", 3, channels, 3, 96, 96, stride=2, pad=(0, 0), out=(size, size), vectors=_BIAS_AND_NORM,
            statistics="signed", from_dram=True,
        ),
        activation("conv1.relu", channels, RELU, height=size, width=size),
    ]  # fmt: skip
    for index, (outputs, stride) in enumerate(_VWW_BLOCKS, start=1):
        out, pad = size // stride, (1, 1) if stride == 1 else (0, 0)
        layers += [
            convolution(
                f"block{index}.depthwise", channels, channels, 3, size, size, stride=stride, groups=channels,
                pad=pad, out=(out, out), vectors=_BIAS_AND_NORM,
            ),
            activation(f"block{index}.depthwise.relu", channels, RELU, height=out, width=out),
            convolution(f"block{index}.pointwise", channels, outputs, 1, out, out, vectors=_BIAS_AND_NORM),
            activation(f"block{index}.pointwise.relu", outputs, RELU, height=out, width=out),
        ]  # fmt: skip
        size, channels = out, outputs
    layers += [
        global_average_pool("avgpool", channels, size, size),
        linear("fc", channels, 2),
        elementwise("softmax", 2, SOFTMAX, to_dram=True),
    ]
    published = PublishedTotals(
        7_489_664, 216_322, f"{_REPOSITORY}, visual_wake_words/vww_model.py: trainable parameters", _DERIVED,
        notes="221,794 parameters with running means and variances.",
    )
    description = "MobileNetV1 0.25, visual wake words at 96 x 96 (MLPerf Tiny)"
    return Network("mobilenet_v1_vww", "cnn", description, tuple(layers), published)


def resnet8() -> Network:
    """ResNet-8 on CIFAR-10: three stacks of one block, 16 to 64 channels."""
    size, channels = 32, 16
    layers = [
        convolution(
            "conv1", 3, channels, 3, size, size, vectors=_BIAS_AND_NORM, statistics="signed", from_dram=True
        ),
        activation("relu1", channels, RELU, height=size, width=size),
    ]
    for index, (outputs, stride) in enumerate(((16, 1), (32, 2), (64, 2)), start=1):
        layers += _basic_block(f"stack{index}", channels, outputs, size, stride)
        size, channels = size // stride, outputs
    layers += [
        global_average_pool("avgpool", channels, size, size),
        linear("fc", channels, 10),
        elementwise("softmax", 10, SOFTMAX, to_dram=True),
    ]
    published = PublishedTotals(
        12_501_632, 78_186, f"{_REPOSITORY}, image_classification/keras_model.py with 16 filters: trainable", _DERIVED,
        notes="78,666 parameters with running means and variances.",
    )
    return Network("resnet8", "cnn", "ResNet-8, CIFAR-10 (MLPerf Tiny)", tuple(layers), published)


def _basic_block(name: str, inputs: int, outputs: int, size: int, stride: int) -> list[Layer]:
    """Two convolutions and a residual; the 1 x 1 convolution of a strided block has a bias and no normalisation."""
    out = size // stride
    shortcut, result = inputs * size * size, outputs * out * out
    pad = (1, 1) if stride == 1 else (0, 0)
    layers = [
        convolution(
            f"{name}.conv1", inputs, outputs, 3, size, size, stride=stride, pad=pad, out=(out, out),
            vectors=_BIAS_AND_NORM,
        ),
        activation(f"{name}.relu1", outputs, RELU, height=out, width=out, held=shortcut),
        convolution(f"{name}.conv2", outputs, outputs, 3, out, out, vectors=_BIAS_AND_NORM, held=shortcut),
    ]  # fmt: skip
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
