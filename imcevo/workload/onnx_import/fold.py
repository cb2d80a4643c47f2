"""Shape arithmetic that exporters leave in a graph, folded before lowering; branches with a known condition taken."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What is evaluated where all inputs are known: arithmetic on shapes, indices and scalars. All are pure; none makes a
# value larger than the sizes that `_grows_to` knows beforehand.
_FOLDED = frozenset({
    "Abs", "Add", "And", "Cast", "Ceil", "Clip", "Concat", "ConstantOfShape", "CumSum", "Div", "Equal", "Exp", "Expand",
    "Floor", "Gather", "GatherElements", "GatherND", "Greater", "GreaterOrEqual", "Identity", "Less", "LessOrEqual",
    "Log", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow", "Range", "Reciprocal", "ReduceMax", "ReduceMin",
    "ReduceProd", "ReduceSum", "Reshape", "ScatterND", "Slice", "Split", "Sqrt", "Squeeze", "Sub", "Tile", "Transpose",
    "Trilu", "Unsqueeze", "Where", "Xor", "Sin", "Cos", "Sum", "Flatten", "Round", "Sign", "Mean", "ReduceMean",
})  # fmt: skip


def fold_constants(model: Any, most_values: int) -> bool:
    """Replace nodes whose value is known by initialisers, in place; whether anything changed.

    Args:
        most_values: values that a folded constant may have.
    """
    from onnx import numpy_helper

    graph = model.graph
    known: dict[str, NDArray[Any]] = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    shapes = _static_shapes(graph)
    opsets = list(model.opset_import)
    kept, changed = [], False
    for node in graph.node:
        values = _value_of(node, known, shapes, most_values, opsets)
        if values is not None:
            for name, value in zip(node.output, values, strict=False):
                known[name] = value
                graph.initializer.append(numpy_helper.from_array(value, name))
            changed = True
        elif node.op_type == "If" and node.input[0] in known:
            kept += _taken_branch(node, bool(known[node.input[0]].reshape(-1)[0]))
            changed = True
        else:
            kept.append(node)
    if changed:
        del graph.node[:]
        graph.node.extend(kept)
    return changed


def _static_shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    shapes = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        sizes = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in value.type.tensor_type.shape.dim]
        if value.type.tensor_type.HasField("shape") and all(size >= 0 for size in sizes):
            shapes[value.name] = tuple(sizes)
    return shapes


def _value_of(
    node: Any, known: dict[str, NDArray[Any]], shapes: dict[str, tuple[int, ...]], most_values: int, opsets: list[Any]
) -> list[NDArray[Any]] | None:
    """The outputs of a node whose inputs are known; None if they are not, or too large."""
    if node.domain not in ("", "ai.onnx"):
        return None
    attributes = {a.name: a for a in node.attribute}
    if node.op_type in ("Shape", "Size") and node.input[0] in shapes:
        sizes = shapes[node.input[0]]
        if node.op_type == "Size":
            return [np.array(prod(sizes), dtype=np.int64)]
        start = attributes["start"].i if "start" in attributes else 0
        end = attributes["end"].i if "end" in attributes else len(sizes)
        return [np.array(sizes[start:end], dtype=np.int64)]
    if node.op_type == "Constant":
        return _constant(node, most_values, opsets)
    if node.op_type not in _FOLDED or any(name and name not in known for name in node.input):
        return None
    inputs = [known[name] for name in node.input if name]
    if _grows_to(node.op_type, inputs) > most_values:
        return None
    return _evaluated(node, {name: known[name] for name in node.input if name}, opsets)


def _constant(node: Any, most_values: int, opsets: list[Any]) -> list[NDArray[Any]] | None:
    tensor = next((a.t for a in node.attribute if a.name == "value"), None)
    if tensor is not None and (prod(tensor.dims) > most_values or tensor.data_location == 1):
        return None
    return _evaluated(node, {}, opsets)


def _grows_to(op: str, inputs: list[NDArray[Any]]) -> int:
    """An upper bound on the values of the result."""
    if op == "ConstantOfShape":
        return prod(max(0, int(size)) for size in inputs[0].reshape(-1))
    if op in ("Expand", "Tile"):
        return max(1, inputs[0].size) * prod(max(1, int(size)) for size in inputs[1].reshape(-1))
    if op == "Range":
        start, limit, step = (float(value.reshape(-1)[0]) for value in inputs)
        return int(abs((limit - start) / step)) + 1 if step else 0
    if op == "Gather":
        return max(1, inputs[0].size) * max(1, inputs[1].size)
    return prod(np.broadcast_shapes(*(value.shape for value in inputs))) if _broadcasts(inputs) else sum(
        value.size for value in inputs
    )


def _broadcasts(inputs: list[NDArray[Any]]) -> bool:
    try:
        np.broadcast_shapes(*(value.shape for value in inputs))
    except ValueError:
        return False
    return True


def _evaluated(node: Any, inputs: dict[str, NDArray[Any]], opsets: list[Any]) -> list[NDArray[Any]]:
    """The outputs of one operator by the onnx package's reference implementation (numpy)."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    values = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in inputs.items()
    ]
    outputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in node.output if name]
    graph = helper.make_graph([node], "one", values, outputs)
    evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets))
    with np.errstate(all="ignore"):
        return [np.asarray(value) for value in evaluator.run(None, inputs)]


def _taken_branch(node: Any, condition: bool) -> list[Any]:
    """The nodes of an If's branch, its results under the If's names."""
    from onnx import helper

    name = "then_branch" if condition else "else_branch"
    body = next(a.g for a in node.attribute if a.name == name)
    inner = {output for inside in body.node for output in inside.output if output}
    inner |= {tensor.name for tensor in body.initializer}
    # Names inside a branch may come again in another one: they get the If's name in front.
    renamed = {old: f"{node.output[0]}/{old}" for old in inner}
    nodes = [
        helper.make_node("Constant", [], [renamed[tensor.name]], value=tensor) for tensor in body.initializer
    ]
    for inside in body.node:
        copy = type(inside)()
        copy.CopyFrom(inside)
        copy.input[:] = [renamed.get(value, value) for value in inside.input]
        copy.output[:] = [renamed.get(value, value) for value in inside.output]
        nodes.append(copy)
    for result, outside in zip(body.output, node.output, strict=True):
        nodes.append(helper.make_node("Identity", [renamed.get(result.name, result.name)], [outside]))
    return nodes
