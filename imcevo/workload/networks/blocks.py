"""Building blocks that the shipped networks share, and the conventions they are counted by.

Operations of element-wise layers: one per addition, multiplication or comparison and one per value looked up
in a function table (exp, sigmoid, tanh, reciprocal). Batch normalisation folds into the weights and biases of
its convolution and a bias starts the accumulation, so neither adds operations; their values count as
`parameters`. Work per row (the square root and the reciprocal of a norm or a softmax) is left out beside work per
element.
"""

from __future__ import annotations

from imcevo.workload.layers import Layer

ADD = 1
SCALE = 1
RELU = 1  # compare with 0
HARD_SIGMOID = 4  # + 3, clip below, clip above, / 6
HARD_SWISH = HARD_SIGMOID + 1  # x times hard-sigmoid(x)
SCALE_SHIFT = 2  # an element-wise linear map that follows an addition and so cannot be folded
SOFTMAX = 5  # largest, subtract, exp, sum, times the reciprocal of the sum
LAYER_NORM = 7  # sum, subtract, square, sum, times the reciprocal deviation, scale, shift
RMS_NORM = 4  # square, sum, times the reciprocal root, scale
GELU = 5  # x / sqrt 2, erf, + 1, times x, / 2
SIGMOID = 1
TANH = 1
SILU = 2  # x times sigmoid(x)
ROTARY = 3  # two products and their sum


def convolution(
    name: str, inputs: int, outputs: int, kernel: int | tuple[int, int], height: int, width: int, *,
    stride: int = 1, groups: int = 1, pad: tuple[int, int] | None = None, out: tuple[int, int] | None = None,
    vectors: int = 2, held: int = 0, statistics: str = "relu", from_dram: bool = False,
) -> Layer:  # fmt: skip
    """A convolution with folded batch normalisation, "same" padding (kernel // 2 on every side) unless told.

    Args:
        inputs, outputs: channels over all groups.
        kernel: side of a square one, or rows and columns.
        height, width: of the input.
        pad: rows above and columns left.
        out: output rows and columns, where the other sides are padded differently.
        vectors: stored values per output beside the weights: 2 of a batch normalisation, 1 of a bias, 3 of both.
    """
    rows, cols = (kernel, kernel) if isinstance(kernel, int) else kernel
    pad_h, pad_w = pad or (rows // 2, cols // 2)
    out_height, out_width = out or (
        (height + 2 * pad_h - rows) // stride + 1,
        (width + 2 * pad_w - cols) // stride + 1,
    )
    weights = inputs // groups * outputs * rows * cols
    return Layer(
        name, C=inputs // groups, M=outputs // groups, G=groups, P=out_height, Q=out_width, R=rows,
        S=cols, stride_h=stride, stride_w=stride, pad_h=pad_h, pad_w=pad_w, H=height, W=width,
        parameters=weights + vectors * outputs, held_elements=held, statistics=statistics, from_dram=from_dram,
    )  # fmt: skip


def linear(
    name: str, inputs: int, outputs: int, *, vectors: int = 1, bias: bool = True, extra_parameters: int = 0,
    sequential: bool = False, held: int = 0, statistics: str = "relu", from_dram: bool = False,
    to_dram: bool = False,
) -> Layer:  # fmt: skip
    """A fully connected layer on `vectors` tokens or time steps."""
    return Layer(
        name, C=inputs, M=outputs, P=vectors, H=vectors, sequential=sequential,
        parameters=(inputs + bias) * outputs + extra_parameters, held_elements=held, statistics=statistics,
        from_dram=from_dram, to_dram=to_dram,
    )  # fmt: skip


def elementwise(
    name: str, channels: int, ops_per_element: int, *, height: int = 1, width: int = 1, tensors: int = 1,
    results: int = 1, parameters: int = 0, held: int = 0, to_dram: bool = False,
) -> Layer:  # fmt: skip
    """Work on `tensors` equal tensors that gives `results` of the same size."""
    return Layer(
        name, "elementwise", C=tensors * channels, M=results * channels, P=height, Q=width, H=height, W=width,
        parameters=parameters, ops=ops_per_element * channels * height * width, held_elements=held,
        to_dram=to_dram,
    )  # fmt: skip


def activation(
    name: str, channels: int, ops_per_element: int, *, height: int = 1, width: int = 1, held: int = 0
) -> Layer:
    """A function of single values, applied to a matrix layer's outputs before they are stored."""
    return Layer(
        name, "elementwise", C=channels, M=channels, P=height, Q=width, H=height, W=width,
        ops=ops_per_element * channels * height * width, fused=True, held_elements=held,
    )  # fmt: skip


def max_pool(
    name: str, channels: int, size: int, out: int, window: int, *, held: int = 0
) -> Layer:
    """Largest of window x window values: a comparison less than values."""
    ops = (window * window - 1) * channels * out * out
    return Layer(
        name, "elementwise", C=channels, M=channels, P=out, Q=out, H=size, W=size, ops=ops, held_elements=held
    )


def global_average_pool(name: str, channels: int, height: int, width: int, *, held: int = 0) -> Layer:
    """Mean over the image of every channel: height x width - 1 additions and one multiplication."""
    return Layer(
        name, "elementwise", C=channels, M=channels, H=height, W=width, ops=channels * height * width,
        held_elements=held,
    )  # fmt: skip


def lookup(
    name: str, rows: int, width: int, looked_up: int, *, held: int = 0, from_dram: bool = False, stored_as: str = ""
) -> Layer:
    """`looked_up` rows read from a table of `rows` rows of `width` values."""
    return Layer(
        name, "lookup", M=width, P=looked_up, H=looked_up, parameters=rows * width, held_elements=held,
        from_dram=from_dram, stored_as=stored_as,
    )  # fmt: skip


def imagenet_stem(names: tuple[str, str, str], channels: int) -> list[Layer]:
    """7 x 7 convolution of stride 2, its activation, 3 x 3 pool: 224 x 224 pixels become 56 x 56 of `channels`."""
    conv, relu, pool = names
    return [
        convolution(conv, 3, channels, 7, 224, 224, stride=2, statistics="signed", from_dram=True),
        activation(relu, channels, RELU, height=112, width=112),
        max_pool(pool, channels, 112, 56, 3),
    ]


def imagenet_classifier(name: str, channels: int, size: int) -> list[Layer]:
    """Mean over the image and a linear layer to the 1000 classes."""
    return [global_average_pool("avgpool", channels, size, size), linear(name, channels, 1000, to_dram=True)]
