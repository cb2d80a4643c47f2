"""Element-wise, normalising and pooling operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

from imcevo.workload.networks.blocks import (
    GELU,
    HARD_SIGMOID,
    HARD_SWISH,
    LAYER_NORM,
    RELU,
    RMS_NORM,
    SCALE_SHIFT,
    SIGMOID,
    SILU,
    SOFTMAX,
    TANH,
)
from imcevo.workload.onnx_import.axes import is_along_outputs
from imcevo.workload.onnx_import.graph import Node
from imcevo.workload.onnx_import.items import Item, Lowering
from imcevo.workload.onnx_import.layout import stored_rows

# Operations per element of the result, by the conventions of `imcevo.workload.networks.blocks`. Of operators with
# several inputs: per input beyond the first.
POINTWISE: dict[str, int] = {
    "Abs": 1, "Add": 1, "And": 1, "BitShift": 1, "Ceil": 1, "Celu": 3, "Clip": 2, "Cos": 1, "Div": 1, "Elu": 3,
    "Equal": 1, "Erf": 1, "Exp": 1, "Floor": 1, "Gelu": GELU, "Greater": 1, "GreaterOrEqual": 1,
    "HardSigmoid": HARD_SIGMOID, "HardSwish": HARD_SWISH, "IsNaN": 1, "LeakyRelu": 2, "Less": 1, "LessOrEqual": 1,
    "Log": 1, "Max": 1, "Mean": 1, "Min": 1, "Mish": 3, "Mod": 1, "Mul": 1, "Neg": 1, "Not": 1, "Or": 1, "PRelu": 2,
    "Pow": 1, "Reciprocal": 1, "Relu": RELU, "Round": 1, "Selu": 3, "Sigmoid": SIGMOID, "Sign": 1, "Sin": 1,
    "Softplus": 1, "Softsign": 3, "Sqrt": 1, "Sub": 1, "Sum": 1, "Swish": SILU, "Tan": 1, "Tanh": TANH,
    "ThresholdedRelu": 1, "Where": 1, "Xor": 1,
    "com.microsoft.Gelu": GELU, "com.microsoft.FastGelu": GELU, "com.microsoft.QuickGelu": SILU + 1, "Shrink": 2,
}  # fmt: skip
_VARIADIC = ("Max", "Mean", "Min", "Sum")

# Operations per element of the input, over rows of it.
NORMALISING: dict[str, int] = {
    "BatchNormalization": SCALE_SHIFT, "GroupNormalization": LAYER_NORM, "InstanceNormalization": LAYER_NORM,
    "LayerNormalization": LAYER_NORM, "LogSoftmax": SOFTMAX + 1, "LpNormalization": 3,
    "MeanVarianceNormalization": LAYER_NORM - 2, "RMSNormalization": RMS_NORM, "SimplifiedLayerNormalization": RMS_NORM,
    "Softmax": SOFTMAX, "DynamicQuantizeLinear": 4, "CumSum": 1, "Hardmax": 2,
    "LRN": 4,  # square, scale, power, multiply, and the sum over a window of channels
}  # fmt: skip
REDUCING: dict[str, int] = {
    "ReduceMean": 1, "ReduceSum": 1, "ReduceMax": 1, "ReduceMin": 1, "ReduceProd": 1, "ReduceL1": 2, "ReduceL2": 2,
    "ReduceSumSquare": 2, "ReduceLogSumExp": 3, "ArgMax": 1, "ArgMin": 1,
}  # fmt: skip
POOLING = ("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool")
# Moves data through the buffer and computes little: operations per element of the result.
MOVING: dict[str, int] = {
    "Resize": 4, "Upsample": 4, "GatherElements": 0, "GatherND": 0, "ScatterElements": 0, "ScatterND": 0, "TopK": 1,
    "OneHot": 1, "ReverseSequence": 0, "GridSample": 8, "RoiAlign": 8,
}  # fmt: skip
# Results that are not negative, or barely: many near zero, as behind a ReLU.
RELU_LIKE = frozenset({
    "Clip", "Elu", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "PRelu", "Relu", "Sigmoid", "Softmax",
    "Softplus", "Swish", "ThresholdedRelu", "Celu", "com.microsoft.Gelu", "com.microsoft.FastGelu",
})  # fmt: skip
GATES = frozenset({"Erf", "HardSigmoid", "Sigmoid", "Tanh"})
# A linear map per output of a matrix layer, which folds into weights and bias.
_FOLDING = ("Add", "Sub", "Mul", "Div", "BatchNormalization")


def work(state: Lowering, node: Node) -> None:
    """A pointwise or normalising operator, folded into the matrix layer before it where it is linear per output."""
    data = [name for name in node.inputs if name and not state.is_constant(name)]
    if node.op in NORMALISING or node.op in REDUCING or node.op == "Clip":
        data = data[:1]
    constants = [name for name in node.inputs if name and state.is_constant(name)]
    if node.op == "BatchNormalization":
        constants = list(node.inputs[1:3])  # running means and variances fold, and are not counted
    if _scales(state, node, data) or _folds(state, node, data, constants):
        return
    shape = state.graph.shape(node.outputs[0], node)
    item = Item(node.name, "elementwise", shape=shape, last=_last(state, node), gated=node.op in GATES, joins=True)
    for name in data:
        item.reads.update(dict(state.tensor(name, node).reads))
    for name in constants:
        _constant_operand(state, node, item, name, prod(shape))
    size = prod(shape)
    if node.op in REDUCING:
        item.ops = REDUCING[node.op] * state.graph.size(data[0], node)
        item.shape = state.graph.shape(data[0], node)  # of the work, which others can join
    elif node.op in NORMALISING:
        window = node.attribute("size", 0) if node.op == "LRN" else 0
        item.ops = (NORMALISING[node.op] + window) * state.graph.size(data[0], node)
        item.passes = node.op == "DynamicQuantizeLinear"
    else:
        item.pointwise = True
        times = len(node.inputs) - 1 if node.op in _VARIADIC else 1
        item.ops = times * POINTWISE[node.op] * size
    state.add(item)
    for output, name in enumerate(node.outputs):
        if name and (output == 0 or name in state.uses):
            state.write(item, node, output, scale=node.op == "DynamicQuantizeLinear" and output > 0)


def _last(state: Lowering, node: Node) -> str:
    """The operator that says how results are distributed; a Clip below zero keeps signs."""
    if node.op != "Clip":
        return node.op
    least = state.graph.scalar_or_list(node.input(1)) if node.input(1) else [node.attribute("min", -1.0)]
    return "Clip" if least and least[0] >= 0 else "signed Clip"


def _scales(state: Lowering, node: Node, data: list[str]) -> bool:
    """Whether a product only gives integer sums their scale, which in a network of real numbers is in the weights."""
    if node.op not in ("Mul", "Div") or not data:
        return False
    tensors = {name: state.tensor(name, node) for name in data}
    sums = [name for name in data if tensors[name].accumulated]
    if all(tensor.scale for tensor in tensors.values()):
        state.write(Item(node.name, "elementwise"), node, scale=True)
        return True
    if len(sums) != 1 or any(not tensor.scale for name, tensor in tensors.items() if name != sums[0]):
        return False
    (name,) = sums
    state.show(node.outputs[0], tensors[name], name, accumulated=False)
    return True


def _folds(state: Lowering, node: Node, data: list[str], constants: list[str]) -> bool:
    """Fold into the stored-weight matrix layer that alone feeds this node; whether that was possible."""
    divides = node.op == "Div" and data == [node.inputs[-1]]
    if node.op not in _FOLDING or len(data) != 1 or not constants or divides:
        return False
    x = state.tensor(data[0], node)
    maker = state.maker[x.ids[0]] if len(x.ids) == 1 else None
    if maker is None or maker.kind != "matrix" or maker.sizes.get("dynamic") or maker.sizes.get("sequential"):
        return False
    if state.uses[data[0]] != 1 or not x.sole or maker.last not in ("Conv", "MatMul", "Gemm"):
        return False
    if state.graph.shape(node.outputs[0], node) != x.shape:
        return False
    for name in constants:
        shape = state.graph.shape(name, node)
        if node.op == "BatchNormalization":
            shape = (*shape, *(1,) * (len(x.shape) - 2))
        if not is_along_outputs(x.axes, shape):
            return False
    maker.parameters += sum(state.count_parameters(name, node) for name in constants)
    state.show(node.outputs[0], x, data[0], accumulated=False)
    return True


def add_operand(state: Lowering, node: Node, name: str) -> None:
    """A further operand that is added to a matrix layer's result: a bias, or work where it is none."""
    x = state.tensors[node.outputs[0]]
    (base,) = x.ids
    maker = state.maker[base]
    shape = state.graph.shape(name, node)
    if state.is_constant(name) and maker is not None and is_along_outputs(x.axes, shape):
        maker.parameters += state.count_parameters(name, node, always=prod(shape) > 1)
        return
    item = Item(f"{node.name}.add", "elementwise", reads=x.reads, shape=x.shape, last="Add", joins=True)
    item.pointwise, item.ops = True, POINTWISE["Add"] * prod(x.shape)
    if state.is_constant(name):
        _constant_operand(state, node, item, name, prod(x.shape))
    else:
        item.reads.update(state.tensor(name, node).reads)
    state.write(state.add(item), node)


def multiply(state: Lowering, node: Node, *, reads: Sequence[str], ops: int) -> None:
    """Products or sums of elements that are no matrix product."""
    shape = state.graph.shape(node.outputs[0], node)
    item = Item(node.name, "elementwise", shape=shape, ops=ops, last="Mul", joins=True, pointwise=bool(ops))
    for name in reads:
        if state.is_constant(name):
            _constant_operand(state, node, item, name, prod(shape))
        else:
            item.reads.update(state.tensor(name, node).reads)
    state.write(state.add(item), node)


def _constant_operand(state: Lowering, node: Node, item: Item, name: str, size: int) -> None:
    """A vector per channel stays beside the unit; a table as large as the data is read from DRAM."""
    shape = state.graph.shape(name, node)
    if not state.graph.is_weight_like(name) or sum(n > 1 for n in shape) < 2 or prod(shape) > size:
        item.parameters += state.count_parameters(name, node)
        return
    stored_rows(state, node, item, name)


def pool(state: Lowering, node: Node) -> None:
    """Pooling over windows or whole images: one operation per value taken in, less one of a maximum."""
    x, shape = state.tensor(node.inputs[0], node), state.graph.shape(node.outputs[0], node)
    if node.op.startswith("Global"):
        taken = prod(x.shape)
    else:
        window = prod(node.attribute("kernel_shape", (1,)))
        taken = prod(shape) * (window - 1 if node.op == "MaxPool" else window)
    item = Item(node.name, "elementwise", shape=shape, ops=taken, last=node.op, passes=True)
    item.reads.update(x.reads)
    state.write(state.add(item), node, positive=x.positive)
    _keep_codes(state, node.outputs[0], x.bits)


def move(state: Lowering, node: Node) -> None:
    """Operators that copy through the buffer."""
    shape = state.graph.shape(node.outputs[0], node)
    item = Item(node.name, "elementwise", shape=shape, ops=MOVING[node.op] * prod(shape), last=node.op, passes=True)
    data = [name for name in node.inputs if name and not state.is_constant(name)]
    for name in data:
        item.reads.update(state.tensor(name, node).reads)
    for name in node.inputs:
        if name and state.is_constant(name) and state.graph.size(name, node) > 1:
            item.parameters += state.count_parameters(name, node) * (name == node.inputs[0])
    state.add(item)
    first = state.tensors.get(node.inputs[0])
    for output, name in enumerate(node.outputs):
        if name and name in state.uses:
            state.write(item, node, output, positive=first is not None and first.positive)
            _keep_codes(state, name, first.bits if first is not None and output == 0 else 0)


def _keep_codes(state: Lowering, name: str, bits: int) -> None:
    """Values that are copied keep the codes that they are given in."""
    tensor = state.tensors[name]
    state.tensors[name] = replace(tensor, bits=tensor.bits or bits)


def spatial_mean(state: Lowering, node: Node) -> bool:
    """Whether a reduction goes over an image, as global pooling does, and not over the last axis alone."""
    rank = len(state.graph.shape(node.inputs[0], node))
    axes: Any = node.attribute("axes")
    if axes is None and node.input(1):
        axes = state.graph.scalar_or_list(node.input(1))
    return rank >= 3 and axes is not None and sorted(axis % rank for axis in axes) != [rank - 1]


def reduce_image(state: Lowering, node: Node) -> None:
    """A reduction over an image."""
    x = state.tensor(node.inputs[0], node)
    item = Item(node.name, "elementwise", shape=state.graph.shape(node.outputs[0], node), last=node.op, passes=True)
    item.ops = REDUCING[node.op] * prod(x.shape)
    item.reads.update(x.reads)
    state.write(state.add(item), node)
