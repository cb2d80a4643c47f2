"""Convolutions and transposed convolutions, of one to three spatial dimensions, as matrix items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from imcevo.workload.onnx_import import axes as ax
from imcevo.workload.onnx_import.elementwise import add_operand
from imcevo.workload.onnx_import.graph import Node
from imcevo.workload.onnx_import.items import Item, Lowering
from imcevo.workload.onnx_import.layout import codes_from_zero

# Positions of data, weight, bias and zero point of the result.
_PLACES: dict[str, tuple[int, int, int | None, int | None]] = {
    "Conv": (0, 1, 2, None), "ConvTranspose": (0, 1, 2, None), "QLinearConv": (0, 3, 8, 7),
    "ConvInteger": (0, 1, None, None),
}  # fmt: skip
_MOST_DIMENSIONS = 3


@dataclass(frozen=True)
class _Axis:
    """One spatial axis: results, taps of the window, step, zeros in front, rows of the input that windows reach."""

    outputs: int
    window: int
    step: int
    pad: int
    inputs: int


def unsupported(state: Lowering, node: Node, weight: str) -> str:
    """What of a layer with weights is not supported, for all operators alike; empty if it is."""
    if not state.is_constant(weight):
        return f"by computed weights {weight!r}"
    return ""


def convolution(state: Lowering, node: Node) -> None:
    """Conv and its quantised forms, grouped and depthwise; ConvTranspose."""
    data, weight, bias, zero_point = (node.input(i) if i is not None else "" for i in _PLACES[node.op])
    kernel = state.graph.shape(weight, node)
    spatial = len(kernel) - 2
    form = unsupported(state, node, weight)
    if not 1 <= spatial <= _MOST_DIMENSIONS:
        form = f"of {spatial} spatial dimensions"
    if form:
        state.pass_over(node, form)
        return
    x = state.tensor(data, node)
    item = Item(node.name, "matrix", {}, x.reads, last="Conv", positive=x.positive, weight=(weight, None))
    item.parameters = state.count_parameters(weight, node, always=True)
    if bias and state.is_constant(bias):
        item.parameters += state.count_parameters(bias, node, always=True)
    (_transposed if node.op == "ConvTranspose" else _direct)(state, node, item, x.shape, kernel)
    item.sizes |= {"input_bits": x.bits, "weight_bits": state.bits(weight)}
    if node.op != "ConvTranspose":
        out = state.graph.shape(node.outputs[0], node)
        from_zero = codes_from_zero(state, node, zero_point, node.outputs[0]) if zero_point else False
        state.write(
            state.add(item), node, axes=ax.along(out, 1), accumulated=node.op == "ConvInteger", positive=from_zero
        )
    if bias and not state.is_constant(bias):
        add_operand(state, node, bias)


def _direct(state: Lowering, node: Node, item: Item, shape: tuple[int, ...], kernel: tuple[int, ...]) -> None:
    out = state.graph.shape(node.outputs[0], node)
    x = state.tensor(node.inputs[0], node)
    spatial = len(kernel) - 2
    groups = node.attribute("group", 1)
    if shape[1] != kernel[1] * groups or kernel[0] % groups:
        raise node.refused(f"has weights {list(kernel)} in {groups} groups for an input {list(shape)}")
    strides = tuple(node.attribute("strides") or (1,) * spatial)
    before = _padding(node, shape[2:], out[2:], kernel[2:], strides)
    size = shape[2:]
    if x.pad:
        before = [pad + more for pad, more in zip(before, x.pad.before, strict=True)]
        size = x.pad.inner
    axes = []
    for outputs, window, step, pad, inputs in zip(out[2:], kernel[2:], strides, before, size, strict=True):
        # A dilated window spans more than its taps: the input is taken as far as undilated windows reach. Negative
        # padding cuts rows off.
        inputs, pad = inputs + min(0, pad), max(0, min(pad, window - 1))
        reached = min(inputs, (outputs - 1) * step + window - pad + step - 1)
        axes.append(_Axis(outputs, window, step, pad, max(1, reached)))
    more_images, more_channels = 1, 1
    if len(axes) > 2:
        axes, more_images, more_channels = _two_axes(axes)
    axes += [_Axis(1, 1, 1, 0, 1)] * (2 - len(axes))
    rows, cols = axes
    item.sizes |= {
        "N": out[0] * more_images, "C": kernel[1] * more_channels, "M": kernel[0] // groups, "G": groups,
        "P": rows.outputs, "Q": cols.outputs, "R": rows.window, "S": cols.window, "stride_h": rows.step,
        "stride_w": cols.step, "pad_h": rows.pad, "pad_w": cols.pad, "H": rows.inputs, "W": cols.inputs,
    }  # fmt: skip


def _two_axes(axes: list[_Axis]) -> tuple[list[_Axis], int, int]:
    """Three spatial axes as two, and factors of images and channels.

    An axis whose windows do not overlap is a matter of more images and channels. Else two axes become one whose window
    has the taps of both: products and weights stay exact, and so do elements wherever the input is as long as results
    times steps (as with "same" padding), else within the window.
    """
    for place, axis in enumerate(axes):
        if not axis.pad and axis.window <= axis.step:
            rest = axes[:place] + axes[place + 1 :]
            return rest, axis.outputs, axis.window
    merged = [(_merged(axes[i], axes[j]), axes[k]) for i, j, k in ((0, 1, 2), (1, 2, 0), (0, 2, 1))]
    wanted = prod(axis.inputs for axis in axes)
    both = min(merged, key=lambda pair: abs(pair[0].inputs * pair[1].inputs - wanted))
    return list(both), 1, 1


def _merged(first: _Axis, second: _Axis) -> _Axis:
    outputs, window, step = first.outputs * second.outputs, first.window * second.window, first.step * second.step
    # Every window touches the input, and none that fits is left out; a wider step reaches more of it.
    wider = -(-(first.inputs * second.inputs - window + 1) // outputs)
    if wider > step and (outputs - 1) * wider - window + 1 < first.inputs * second.inputs:
        step = wider
    inputs = max(1, min(first.inputs * second.inputs, outputs * step + window - 1))
    inputs = max(inputs, (outputs - 1) * step - window + 2)
    least, most = max(0, (outputs - 1) * step - inputs + 1), min(window - 1, outputs * step - 1 + window - inputs)
    wanted = first.pad * second.window + second.pad
    return _Axis(outputs, window, step, min(max(wanted, least), most), inputs)


def _transposed(state: Lowering, node: Node, item: Item, shape: tuple[int, ...], kernel: tuple[int, ...]) -> None:
    """Every input pixel times all kernels, then overlapping windows added up."""
    groups, out = node.attribute("group", 1), state.graph.size(node.outputs[0], node)
    outputs, pixels = prod(kernel[1:]), shape[2:]
    if shape[1] != kernel[0]:
        raise node.refused(f"has weights {list(kernel)} for an input {list(shape)}")
    rows, cols = (prod(pixels[:-1]), pixels[-1]) if len(pixels) > 1 else (pixels[0], 1)
    item.sizes |= {
        "N": shape[0], "C": kernel[0] // groups, "M": outputs, "G": groups, "P": rows, "Q": cols, "H": rows, "W": cols,
    }  # fmt: skip
    partial = shape[0] * groups * outputs * rows * cols
    base = state.base(state.add(item), partial)
    item.writes.append(base)
    result = state.graph.shape(node.outputs[0], node)
    overlap = Item(f"{node.name}.overlap", "elementwise", reads=Counter({base: partial}), ops=max(0, partial - out))
    overlap.shape, overlap.last = result, "Conv"
    state.write(state.add(overlap), node, axes=ax.along(result, 1))


def _padding(
    node: Node, inputs: Sequence[int], outputs: Sequence[int], window: Sequence[int], strides: Sequence[int]
) -> list[int]:
    """Zero rows before the input, per axis."""
    automatic = node.text("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        dilations = node.attribute("dilations") or (1,) * len(window)
        total = [
            max(0, (o - 1) * s + d * (k - 1) + 1 - i)
            for o, s, d, k, i in zip(outputs, strides, dilations, window, inputs, strict=True)
        ]
        return [t // 2 if automatic == "SAME_UPPER" else t - t // 2 for t in total]
    if automatic == "VALID":
        return [0] * len(window)
    return list(node.attribute("pads") or (0,) * 2 * len(window))[: len(window)]
