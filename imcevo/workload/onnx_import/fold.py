"""Values of nodes whose inputs are known: the shape arithmetic that exporters leave in a graph."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.workload.onnx_import.graph import Node
from imcevo.workload.onnx_import.proto import MOST_VALUES, small_value

# What is evaluated where all inputs are known: arithmetic on shapes, indices and scalars. All are pure; none makes a
# value larger than the sizes that `_grows_to` knows beforehand.
_FOLDED = frozenset({
    "Abs", "Add", "And", "ArgMax", "ArgMin", "Cast", "CastLike", "Ceil", "Clip", "Concat", "ConstantOfShape", "CumSum",
    "DequantizeLinear", "Div", "Equal", "Exp", "Expand", "Floor", "Gather", "GatherElements", "GatherND", "Greater",
    "GreaterOrEqual", "Identity", "IsNaN", "Less", "LessOrEqual", "Log", "MatMul", "Max", "Min", "Mod", "Mul", "Neg",
    "NonZero", "Not", "OneHot", "Or", "Pow", "Range", "Reciprocal", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum",
    "Reshape", "ScatterElements", "ScatterND", "Slice", "Split", "Sqrt", "Squeeze", "Sub", "Tanh", "Tile", "TopK",
    "Transpose", "Trilu", "Unique", "Unsqueeze", "Where", "Xor", "Sin", "Cos", "Sum", "Flatten", "Round", "Sign",
    "Mean", "ReduceMean", "Size", "Shape", "Erf", "Sigmoid", "Relu", "EyeLike",
})  # fmt: skip


def shape_value(node: Any, sizes: tuple[int, ...]) -> NDArray[Any]:
    """The result of Shape or Size for a tensor of these sizes."""
    if node.op_type == "Size":
        return np.array(prod(sizes), dtype=np.int64)
    attributes = {a.name: a.i for a in node.attribute}
    return np.array(sizes[attributes.get("start", 0) : attributes.get("end", len(sizes))], dtype=np.int64)


def constant_value(node: Any, opsets: list[Any]) -> NDArray[Any] | None:
    """The value of a Constant; None where it is large or has no data."""
    tensor = next((a.t for a in node.attribute if a.name == "value" and a.HasField("t")), None)
    if tensor is not None:
        return small_value(tensor)
    values = _evaluated(node, {}, opsets)
    return values[0] if values and values[0].size <= MOST_VALUES else None


def folded(node: Any, known: dict[str, NDArray[Any]], opsets: list[Any]) -> list[NDArray[Any]] | None:
    """The outputs of a node whose inputs are all known; None if it is not evaluated, or too large."""
    if node.domain not in ("", "ai.onnx") or node.op_type not in _FOLDED or not node.input:
        return None
    inputs = [known[name] for name in node.input if name]
    try:
        if _grows_to(node, inputs) > MOST_VALUES:
            return None
    except (ValueError, IndexError, OverflowError, TypeError):
        return None
    values = _evaluated(node, {name: known[name] for name in node.input if name}, opsets)
    return values if values is not None and all(value.size <= MOST_VALUES for value in values) else None


def _grows_to(node: Any, inputs: list[NDArray[Any]]) -> int:
    """An upper bound on the values of the result."""
    op, sizes = node.op_type, [value.size for value in inputs]
    if op == "ConstantOfShape":
        return prod(max(0, int(size)) for size in inputs[0].reshape(-1))
    if op in ("Expand", "Tile"):
        return max(1, sizes[0]) * prod(max(1, int(size)) for size in inputs[1].reshape(-1))
    if op == "Range":
        start, limit, step = (float(value.reshape(-1)[0]) for value in inputs)
        return int(abs((limit - start) / step)) + 1 if step else 0
    if op in ("Gather", "MatMul"):
        return max(1, sizes[0]) * max(1, sizes[1])
    if op == "OneHot":
        return max(1, sizes[0]) * int(inputs[1].reshape(-1)[0])
    if op == "NonZero":
        return sizes[0] * max(1, inputs[0].ndim)
    return prod(np.broadcast_shapes(*(value.shape for value in inputs))) if _broadcasts(inputs) else sum(sizes)


def _broadcasts(inputs: list[NDArray[Any]]) -> bool:
    try:
        np.broadcast_shapes(*(value.shape for value in inputs))
    except ValueError:
        return False
    return True


def _evaluated(node: Any, inputs: dict[str, NDArray[Any]], opsets: list[Any]) -> list[NDArray[Any]] | None:
    """The outputs of one operator by the onnx package's reference implementation (numpy); None where it has none."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    try:
        values = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in inputs.items()
        ]
        outputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in node.output if name]
        graph = helper.make_graph([node], "one", values, outputs)
        evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets))
        with np.errstate(all="ignore"):
            results: Any = evaluator.run(None, inputs)
            return [np.asarray(value) for value in results]
    except Exception:  # whatever the reference implementation raises on values it was not made for
        return None


def selected(node: Node, inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]] | None:
    """Results of an operator that only selects and moves elements, for any numbers in their place."""
    from onnx import helper

    proto = helper.make_node(node.op, list(node.inputs), list(node.outputs), **node.attributes)
    return _evaluated(proto, inputs, [helper.make_opsetid("", node.version)])
