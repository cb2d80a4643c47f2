"""Element-wise, normalising, pooling and layout operators."""

from __future__ import annotations

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
from imcevo.workload.onnx_import.graph import Node
from imcevo.workload.onnx_import.items import Item, Lowering, Tensor

# Operations per element of the result, by the conventions of `imcevo.workload.networks.blocks`. Of operators with
# several inputs: per input beyond the first.
POINTWISE: dict[str, int] = {
    "Abs": 1, "Add": 1, "And": 1, "BitShift": 1, "Ceil": 1, "Celu": 3, "Clip": 2, "Cos": 1, "Div": 1, "Elu": 3,
    "Equal": 1, "Erf": 1, "Exp": 1, "Floor": 1, "Gelu": GELU, "Greater": 1, "GreaterOrEqual": 1,
    "HardSigmoid": HARD_SIGMOID, "HardSwish": HARD_SWISH, "IsNaN": 1, "LeakyRelu": 2, "Less": 1, "LessOrEqual": 1,
    "Log": 1, "Max": 1, "Mean": 1, "Min": 1, "Mish": 3, "Mod": 1, "Mul": 1, "Neg": 1, "Not": 1, "Or": 1, "PRelu": 2,
    "Pow": 1, "Reciprocal": 1, "Relu": RELU, "Round": 1, "Selu": 3, "Sigmoid": SIGMOID, "Sign": 1, "Sin": 1,
    "Softplus": 1, "Softsign": 3, "Sqrt": 1, "Sub": 1, "Sum": 1, "Swish": SILU, "Tan": 1, "Tanh": TANH,
    "ThresholdedRelu": 1, "Where": 1, "Xor": 1, "QuantizeLinear": 2, "DequantizeLinear": 2, "QLinearAdd": 4,
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
# Addresses, not work: the same elements, read in another order or in part.
LAYOUT = frozenset({
    "Cast", "CastLike", "Concat", "DepthToSpace", "Dropout", "Expand", "Flatten", "Gather", "Identity", "Pad",
    "Reshape", "Shape", "Size", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Trilu", "Unsqueeze",
})  # fmt: skip
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
    if node.op in NORMALISING or node.op in REDUCING or node.op in ("Clip", "QuantizeLinear", "DequantizeLinear"):
        data = data[:1]
    constants = [name for name in node.inputs if name and state.is_constant(name)]
    if node.op == "BatchNormalization":
        constants = list(node.inputs[1:3])  # running means and variances fold, and are not counted
    if _folds(state, node, data, constants):
        return
    shape = state.graph.shape(node.outputs[0], node)
    item = Item(node.name, "elementwise", shape=shape, last=node.op, gated=node.op in GATES, joins=True)
    for name in data:
        item.reads.update(dict(state.tensor(name, node).bases))
    for name in constants:
        _constant_operand(state, node, item, name, prod(shape))
    size = prod(shape)
    if node.op in REDUCING:
        item.ops = REDUCING[node.op] * state.graph.size(data[0], node)
        item.shape = state.graph.shape(data[0], node)  # of the work, which others can join
    elif node.op in NORMALISING:
        window = node.attribute("size", 0) if node.op == "LRN" else 0
        item.ops = (NORMALISING[node.op] + window) * state.graph.size(data[0], node)
    else:
        item.pointwise = True
        times = len(node.inputs) - 1 if node.op in _VARIADIC else 1
        item.ops = times * POINTWISE[node.op] * size
    state.add(item)
    for output, name in enumerate(node.outputs):
        if name and (output == 0 or name in state.uses):
            state.write(item, node, output)


def _folds(state: Lowering, node: Node, data: list[str], constants: list[str]) -> bool:
    """Fold into the stored-weight matrix layer that alone feeds this node; whether that was possible."""
    divides = node.op == "Div" and data == [node.inputs[-1]]
    if node.op not in _FOLDING or len(data) != 1 or not constants or divides:
        return False
    x = state.tensor(data[0], node)
    maker = state.maker[x.ids[0]] if len(x.ids) == 1 else None
    if maker is None or maker.kind != "matrix" or maker.sizes.get("dynamic") or maker.sizes.get("sequential"):
        return False
    if state.uses[data[0]] != 1 or maker.last not in ("Conv", "MatMul", "Gemm"):
        return False
    outputs = maker.sizes.get("M", 1) * maker.sizes.get("G", 1)
    if any(state.graph.size(name, node) not in (1, outputs) for name in constants):
        return False
    maker.parameters += sum(state.count_parameters(name, node) for name in constants)
    state.tensors[node.outputs[0]] = Tensor(x.bases, state.graph.shape(node.outputs[0], node), x.pad)
    return True


def _constant_operand(state: Lowering, node: Node, item: Item, name: str, size: int) -> None:
    """A vector per channel stays beside the unit; a table as large as the data is read from DRAM."""
    shape = state.graph.shape(name, node)
    if not state.graph.is_real(state.roots.get(name, name)) or sum(n > 1 for n in shape) < 2 or prod(shape) > size:
        item.parameters += state.count_parameters(name, node)
        return
    stored_rows(state, node, item, name)


def stored_rows(state: Lowering, node: Node, item: Item | None, name: str) -> Tensor:
    """A stored tensor used as data: a lookup of all its rows."""
    shape = state.graph.shape(name, node)
    rows, width = prod(shape[:-1]), shape[-1]
    table = Item(f"{node.name}.stored", "lookup", {"M": width, "P": rows, "H": rows})
    table.parameters = state.count_parameters(name, node)
    base = state.base(state.add(table), rows * width)
    table.writes.append(base)
    if item is not None:
        item.reads[base] += rows * width
    return Tensor(((base, rows * width),), shape)


def pool(state: Lowering, node: Node) -> None:
    """Pooling over windows or whole images: one operation per value taken in, less one of a maximum."""
    x, shape = state.tensor(node.inputs[0], node), state.graph.shape(node.outputs[0], node)
    if node.op.startswith("Global"):
        taken = prod(x.shape)
    else:
        window = prod(node.attribute("kernel_shape", (1,)))
        taken = prod(shape) * (window - 1 if node.op == "MaxPool" else window)
    item = Item(node.name, "elementwise", shape=shape, ops=taken, last=_distribution(state, x))
    item.reads.update(dict(x.bases))
    state.write(state.add(item), node)


def move(state: Lowering, node: Node) -> None:
    """Operators that copy through the buffer."""
    shape = state.graph.shape(node.outputs[0], node)
    item = Item(node.name, "elementwise", shape=shape, ops=MOVING[node.op] * prod(shape), last=node.op)
    for name in node.inputs:
        if name and not state.is_constant(name):
            item.reads.update(dict(state.tensor(name, node).bases))
    state.add(item)
    for output, name in enumerate(node.outputs):
        if name and name in state.uses:
            state.write(item, node, output)


def spatial_mean(state: Lowering, node: Node) -> bool:
    """Whether a reduction goes over an image, as global pooling does, and not over the last axis alone."""
    rank = len(state.graph.shape(node.inputs[0], node))
    axes: Any = node.attribute("axes")
    if axes is None and len(node.inputs) > 1 and node.inputs[1] in state.graph.constants:
        axes = state.graph.constants[node.inputs[1]].reshape(-1).tolist()
    return rank >= 3 and axes is not None and sorted(axis % rank for axis in axes) != [rank - 1]


def reduce_image(state: Lowering, node: Node) -> None:
    """A reduction over an image."""
    x = state.tensor(node.inputs[0], node)
    item = Item(node.name, "elementwise", shape=state.graph.shape(node.outputs[0], node), last=_distribution(state, x))
    item.ops = REDUCING[node.op] * prod(x.shape)
    item.reads.update(dict(x.bases))
    state.write(state.add(item), node)


def _distribution(state: Lowering, x: Tensor) -> str:
    """Pooling keeps how values are distributed: the operator that says it."""
    makers = [state.maker[base] for base in x.ids]
    lasts = {maker.last if maker else "" for maker in makers}
    return lasts.pop() if len(lasts) == 1 else ""


def layout(state: Lowering, node: Node) -> None:
    """A view: no work, no traffic. Rows gathered from a stored table are a lookup."""
    if node.op in ("Shape", "Size"):
        return
    source = node.inputs[0]
    if node.op == "Gather" and state.is_constant(source) and node.inputs[1] not in state.graph.constants:
        _lookup(state, node)
        return
    inputs = [name for name in node.inputs if name] if node.op == "Concat" else [source]
    if all(state.is_constant(name) for name in inputs):
        if node.op == "Gather" and len(state.graph.shape(source, node)) == 2:
            _lookup(state, node)
        else:
            for name in node.outputs:
                state.roots[name] = state.roots.get(source, source)
        return
    views = [
        stored_rows(state, node, None, name) if state.is_constant(name) else state.tensor(name, node) for name in inputs
    ]
    whole = tuple(part for view in views for part in view.bases)
    held = sum(elements for _, elements in whole)
    pad = _padded(state, node, views[0])
    for name in node.outputs:
        if name not in state.uses:
            continue
        shape = state.graph.shape(name, node)
        size = prod(shape)
        # Part of a tensor shows its share of every base tensor; padding and repetition read nothing more.
        bases = tuple((base, -(-elements * size // held)) for base, elements in whole) if size < held else whole
        state.tensors[name] = Tensor(bases, shape, pad)


def _padded(state: Lowering, node: Node, view: Tensor) -> tuple[int, int, int, int] | None:
    """Spatial zero padding, which the convolution behind takes over; kept by a change of type."""
    if node.op in ("Cast", "Identity", "Dropout"):
        return view.pad
    if node.op != "Pad" or len(view.shape) not in (3, 4):
        return None
    pads: Any = node.attribute("pads")
    if pads is None and len(node.inputs) > 1 and node.inputs[1] in state.graph.constants:
        pads = state.graph.constants[node.inputs[1]].reshape(-1).tolist()
    rank = len(view.shape)
    zeros = node.attribute("mode", b"constant") == b"constant"
    if pads is None or not zeros or len(pads) != 2 * rank or pads[0] or pads[1]:
        return None
    spatial = (*view.shape[2:], 1)[:2]
    return (pads[2], pads[3] if rank == 4 else 0, *spatial)


def _lookup(state: Lowering, node: Node) -> None:
    """Rows of a stored table."""
    shape, out = state.graph.shape(node.inputs[0], node), state.graph.shape(node.outputs[0], node)
    width = max(1, prod(shape[1:]))
    rows = max(1, prod(out) // width)
    item = Item(node.name, "lookup", {"M": width, "P": rows, "H": rows})
    item.parameters = state.count_parameters(node.inputs[0], node)
    state.write(state.add(item), node)

