"""Building blocks that the shipped networks share, and the conventions they are counted by.

Operations of element-wise layers: one per addition, multiplication or comparison and one per value looked up
in a function table (exp, sigmoid, tanh, reciprocal). Batch normalisation folds into the weights and biases of
its convolution and a bias starts the accumulation, so neither adds operations; their values count as
`parameters`.
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


def convolution(
    name: str, inputs: int, outputs: int, kernel: int, height: int, width: int, *, stride: int = 1,
    groups: int = 1, held: int = 0, statistics: str = "relu", from_dram: bool = False,
) -> Layer:  # fmt: skip
    """A square convolution with "same" padding (kernel // 2 on every side) and folded batch normalisation.

    Args:
        inputs, outputs: channels over all groups.
        height, width: of the input.
    """
    pad = kernel // 2
    out_height, out_width = ((size + 2 * pad - kernel) // stride + 1 for size in (height, width))
    weights = inputs // groups * outputs * kernel * kernel
    return Layer(
        name, C=inputs // groups, M=outputs // groups, G=groups, P=out_height, Q=out_width, R=kernel,
        S=kernel, stride_h=stride, stride_w=stride, pad_h=pad, pad_w=pad, H=height, W=width,
        parameters=weights + 2 * outputs, held_elements=held, statistics=statistics, from_dram=from_dram,
    )  # fmt: skip


def linear(
    name: str, inputs: int, outputs: int, *, vectors: int = 1, bias: bool = True, extra_parameters: int = 0,
    sequential: bool = False, held: int = 0, statistics: str = "relu", to_dram: bool = False,
) -> Layer:  # fmt: skip
    """A fully connected layer on `vectors` tokens or time steps."""
    return Layer(
        name, C=inputs, M=outputs, P=vectors, H=vectors, sequential=sequential,
        parameters=(inputs + bias) * outputs + extra_parameters, held_elements=held, statistics=statistics,
        to_dram=to_dram,
    )  # fmt: skip


def elementwise(
    name: str, channels: int, ops_per_element: int, *, height: int = 1, width: int = 1, tensors: int = 1,
    held: int = 0, to_dram: bool = False,
) -> Layer:  # fmt: skip
    """Point-wise work on `tensors` equal tensors that gives one of the same size."""
    return Layer(
        name, "elementwise", C=tensors * channels, M=channels, P=height, Q=width, H=height, W=width,
        ops=ops_per_element * channels * height * width, held_elements=held, to_dram=to_dram,
    )  # fmt: skip


def activation(
    name: str, channels: int, ops_per_element: int, *, height: int = 1, width: int = 1, held: int = 0
) -> Layer:
    """A function of single values, applied to a matrix layer's outputs before they are stored."""
    return Layer(
        name, "elementwise", C=channels, M=channels, P=height, Q=width, H=height, W=width,
        ops=ops_per_element * channels * height * width, fused=True, held_elements=held,
    )  # fmt: skip


def global_average_pool(name: str, channels: int, height: int, width: int, *, held: int = 0) -> Layer:
    """Mean over the image of every channel: height x width - 1 additions and one multiplication."""
    return Layer(
        name, "elementwise", C=channels, M=channels, H=height, W=width, ops=channels * height * width,
        held_elements=held,
    )  # fmt: skip


def lookup(
    name: str, rows: int, width: int, looked_up: int, *, held: int = 0, from_dram: bool = False
) -> Layer:
    """`looked_up` rows read from a table of `rows` rows of `width` values."""
    return Layer(
        name, "lookup", M=width, P=looked_up, H=looked_up, parameters=rows * width, held_elements=held,
        from_dram=from_dram,
    )  # fmt: skip
