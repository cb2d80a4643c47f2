"""Convolutions, products and recurrent layers as matrix items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from math import prod
from typing import Any

from imcevo.workload.layers import Layer
from imcevo.workload.networks.recurrent import gru, lstm
from imcevo.workload.onnx_import.graph import Node
from imcevo.workload.onnx_import.items import Item, Lowering, Tensor

# Positions of data, weight and bias of operators that carry scales and zero points too.
_QUANTISED = {"QLinearConv": (0, 3, 8), "ConvInteger": (0, 1, None), "QLinearMatMul": (0, 3, None)}


def convolution(state: Lowering, node: Node) -> None:
    """Conv and its quantised forms, one or two spatial dimensions, grouped and depthwise."""
    data, weight, bias = (node.inputs[i] if i is not None and i < len(node.inputs) else "" for i in _places(node))
    x, kernel = state.tensor(data, node), state.graph.shape(weight, node)
    out, spatial = state.graph.shape(node.outputs[0], node), len(kernel) - 2
    if spatial not in (1, 2):
        state.pass_over(node, f"of {spatial} spatial dimensions")
        return
    if not state.is_constant(weight):
        state.pass_over(node, "by computed weights")
        return
    groups = node.attribute("group", 1)
    strides = tuple(node.attribute("strides", (1,) * spatial))
    before = _padding(node, x.shape[2:], out[2:], kernel[2:], strides)
    size = x.shape[2:]
    if x.pad:
        before = [pad + more for pad, more in zip(before, x.pad[:spatial], strict=True)]
        size = x.pad[2 : 2 + spatial]
    axes = []
    for outputs, window, step, pad, inputs in zip(out[2:], kernel[2:], strides, before, size, strict=True):
        # A dilated window spans more than its taps: the input is taken as far as undilated windows reach.
        pad = min(pad, window - 1)
        axes.append((outputs, window, step, pad, max(1, min(inputs, (outputs - 1) * step + window - pad + step - 1))))
    axes += [(1, 1, 1, 0, 1)] * (2 - spatial)
    (P, R, sh, ph, H), (Q, S, sw, pw, W) = axes
    sizes = {
        "N": out[0], "C": kernel[1], "M": kernel[0] // groups, "G": groups, "P": P, "Q": Q, "R": R, "S": S,
        "stride_h": sh, "stride_w": sw, "pad_h": ph, "pad_w": pw, "H": H, "W": W,
    }  # fmt: skip
    item = Item(node.name, "matrix", sizes, _counter(x), last="Conv")
    item.parameters = _parameters(state, node, weight, bias)
    state.write(state.add(item), node)


def transposed_convolution(state: Lowering, node: Node) -> None:
    """ConvTranspose: every input pixel times all kernels, then overlapping windows added up."""
    x, kernel = state.tensor(node.inputs[0], node), state.graph.shape(node.inputs[1], node)
    groups, out = node.attribute("group", 1), state.graph.size(node.outputs[0], node)
    window = prod(kernel[2:])
    pixels = (*x.shape[2:], 1)[:2]
    outputs = kernel[1] * window
    sizes = {
        "N": x.shape[0], "C": kernel[0] // groups, "M": outputs, "G": groups, "P": pixels[0], "Q": pixels[1],
        "H": pixels[0], "W": pixels[1],
    }  # fmt: skip
    item = state.add(Item(node.name, "matrix", sizes, _counter(x), last="Conv"))
    item.parameters = _parameters(state, node, node.inputs[1], node.inputs[2] if len(node.inputs) > 2 else "")
    partial = x.shape[0] * groups * outputs * prod(pixels)
    base = state.base(item, partial)
    item.writes.append(base)
    overlap = Item(f"{node.name}.overlap", "elementwise", reads=Counter({base: partial}), ops=max(0, partial - out))
    overlap.shape, overlap.last = state.graph.shape(node.outputs[0], node), "Conv"
    state.write(state.add(overlap), node)


def product(state: Lowering, node: Node) -> None:
    """MatMul and Gemm, with weights or with two activations."""
    places = _places(node)
    a, b = node.inputs[places[0] or 0], node.inputs[places[1] or 1]
    bias = node.inputs[2] if node.op == "Gemm" and len(node.inputs) > 2 else ""
    first, second = list(state.graph.shape(a, node)), list(state.graph.shape(b, node))
    first = [1, *first] if len(first) == 1 else first
    second = [*second, 1] if len(second) == 1 else second
    if node.attribute("transA", 0):
        first = first[::-1]
    if node.attribute("transB", 0):
        second = second[::-1]
    if first[-1] != second[-2]:
        raise node.refused(f"multiplies {first} with {second}, which do not fit")
    if state.is_constant(a) and not state.is_constant(b):
        # W x is (x' W')': the stored operand is the weight.
        a, b = b, a
        first, second = [*second[:-2], second[-1], second[-2]], [*first[:-2], first[-1], first[-2]]
    contract(state, node, a, b, bias, batch=(first[:-2], second[:-2]), rows=first[-2], inner=first[-1], cols=second[-1])


def contract(
    state: Lowering, node: Node, a: str, b: str, bias: str, *, batch: tuple[Sequence[int], Sequence[int]], rows: int,
    inner: int, cols: int,
) -> None:  # fmt: skip
    """A product of rows x inner and inner x cols for every index of `batch` (of either operand)."""
    x = state.tensor(a, node)
    lead, groups = prod(batch[0]), prod(batch[1])
    if groups == 1:
        sizes = {"C": inner, "M": cols, "P": lead * rows, "H": lead * rows}
    else:
        sizes = {"G": max(lead, groups), "C": inner, "M": cols, "P": rows, "H": rows}
    item = Item(node.name, "matrix", sizes, _counter(x), last="MatMul")
    if state.is_constant(b):
        item.parameters = _parameters(state, node, b, bias)
    else:
        item.sizes["dynamic"] = True
        item.operand = state.tensor(b, node).ids
    state.write(state.add(item), node)


def einsum(state: Lowering, node: Node) -> None:
    """Einsum of two operands, as a batch of matrix products."""
    text = node.attribute("equation", b"")
    equation = (text.decode() if isinstance(text, bytes) else str(text)).replace(" ", "")
    terms, _, result = equation.partition("->")
    operands = terms.split(",")
    shapes = [state.graph.shape(name, node) for name in node.inputs]
    plain = "->" in equation and "." not in equation and len(operands) == len(shapes) == 2
    if not plain or any(len(t) != len(s) or len(set(t)) != len(t) for t, s in zip(operands, shapes, strict=False)):
        state.pass_over(node, f"of {equation}")
        return
    sizes = dict(zip("".join(operands), (n for shape in shapes for n in shape), strict=True))
    (left, right), names = operands, list(node.inputs)
    if state.is_constant(names[0]) and not state.is_constant(names[1]):
        left, right, names = right, left, names[::-1]
    shared = [c for c in left if c in right]
    groups = prod(sizes[c] for c in shared if c in result)
    contract(
        state, node, names[0], names[1], "", batch=([groups], [groups]),
        rows=prod(sizes[c] for c in left if c not in right),
        inner=prod(sizes[c] for c in shared if c not in result),
        cols=prod(sizes[c] for c in right if c not in left),
    )  # fmt: skip


def recurrent(state: Lowering, node: Node) -> None:
    """LSTM and GRU: per direction an input projection, recurrent steps and gate arithmetic, as the shipped networks."""
    x, weight = state.tensor(node.inputs[0], node), state.graph.shape(node.inputs[1], node)
    gates = 4 if node.op == "LSTM" else 3
    directions, units, inputs = weight[0], weight[1] // gates, weight[2]
    time = 1 if node.attribute("layout", 0) else 0
    steps, batch = x.shape[time], x.shape[1 - time]
    # The two biases of a gate add up, but for the candidate of a GRU whose reset gate comes behind the product.
    vectors = 4 if node.op == "GRU" and node.attribute("linear_before_reset", 0) else gates
    biased = len(node.inputs) > 3 and node.inputs[3] != ""
    outputs: list[int] = []
    for direction in range(directions):
        name = node.name if directions == 1 else f"{node.name}.{direction}"
        build = lstm if node.op == "LSTM" else gru
        projection, step, cell = (_renewed(layer, batch) for layer in build(name, inputs, units, steps))
        biases = vectors * units if biased else 0
        first = Item(projection["name"], "matrix", projection, _counter(x), last=node.op)
        first.parameters = inputs * gates * units + biases
        second = Item(step["name"], "matrix", step, parameters=units * gates * units, last=node.op)
        second.state = batch * units if node.op == "LSTM" else 0
        third = Item(cell["name"], "elementwise", cell, ops=batch * cell["ops"], parameters=0, last=node.op)
        projected = batch * steps * gates * units
        for item in (first, second):
            state.add(item).writes.append(state.base(item, projected))
            third.reads[item.writes[0]] = projected
        result = state.base(state.add(third), batch * steps * units)
        third.writes.append(result)
        outputs.append(result)
    each = batch * steps * units
    for position, name in enumerate(node.outputs):
        if name:
            shape = state.graph.shape(name, node)
            elements = each if position == 0 else batch * units
            state.tensors[name] = Tensor(tuple((base, elements) for base in outputs), shape)


def _renewed(layer: Layer, batch: int) -> dict[str, Any]:
    sizes = asdict(layer)
    return {**sizes, "N": batch}


def _places(node: Node) -> tuple[int | None, ...]:
    return _QUANTISED.get(node.op, (0, 1, 2))


def _counter(x: Tensor) -> Counter[int]:
    reads: Counter[int] = Counter()
    for base, elements in x.bases:
        reads[base] += elements
    return reads


def _parameters(state: Lowering, node: Node, weight: str, bias: str) -> int:
    return state.count_parameters(weight, node) + (state.count_parameters(bias, node) if bias else 0)


def _padding(
    node: Node, inputs: Sequence[int], outputs: Sequence[int], window: Sequence[int], strides: Sequence[int]
) -> list[int]:
    """Zero rows before the input, per axis."""
    automatic = node.attribute("auto_pad", b"NOTSET")
    automatic = automatic.decode() if isinstance(automatic, bytes) else automatic
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        dilations = node.attribute("dilations", (1,) * len(window))
        total = [
            max(0, (o - 1) * s + d * (k - 1) + 1 - i)
            for o, s, d, k, i in zip(outputs, strides, dilations, window, inputs, strict=True)
        ]
        return [t // 2 if automatic == "SAME_UPPER" else t - t // 2 for t in total]
    return list(node.attribute("pads", (0,) * 2 * len(window)))[: len(window)]

