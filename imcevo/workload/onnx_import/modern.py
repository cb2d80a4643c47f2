"""Operators of ONNX's first versions (opset 1 to 6) in the form of opset 7, which counting and inference know."""

from __future__ import annotations

from typing import Any

import numpy as np

_WITH_AXIS = frozenset({"Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less", "PRelu"})
_OLDEST = 7


def modernise(model: Any) -> None:
    """Rewrite a model of an old opset in place, inner graphs included; a newer one stays as it is."""
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx"):
            if opset.version < _OLDEST:
                ranks = {tensor.name: len(tensor.dims) for tensor in model.graph.initializer}
                _rewrite(model.graph, ranks)
                opset.version = _OLDEST
            return
    # No version at all: files of the first days.
    model.opset_import.add(domain="", version=max(_OLDEST, 7))


def _rewrite(graph: Any, ranks: dict[str, int]) -> None:
    ranks = ranks | {value.name: len(value.type.tensor_type.shape.dim) for value in graph.input}
    nodes = []
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rewrite(attribute.g, ranks)
        nodes += _renewed(node, ranks)
    del graph.node[:]
    graph.node.extend(nodes)


def _renewed(node: Any, ranks: dict[str, int]) -> list[Any]:
    """The node in the form of opset 7, after constants that were attributes."""
    if node.domain not in ("", "ai.onnx"):
        return [node]
    attributes = {attribute.name: attribute for attribute in node.attribute}
    before: list[Any] = []
    if node.op_type == "Reshape" and "shape" in attributes:
        before = _as_input(node, "shape", list(attributes["shape"].ints))
    elif node.op_type == "Pad" and "paddings" in attributes:
        attributes["paddings"].name = "pads"
    elif node.op_type == "Concat" and "axis" not in attributes:
        node.attribute.add(name="axis", i=1, type=2)
    elif node.op_type == "Upsample" and "height_scale" in attributes:
        scales = [1.0, 1.0, attributes["height_scale"].f, attributes["width_scale"].f]
        _drop(node, "height_scale", "width_scale")
        node.attribute.add(name="scales", floats=scales, type=6)
    elif node.op_type == "Cast" and "to" in attributes and attributes["to"].s:
        from onnx import TensorProto

        number = TensorProto.DataType.Value(attributes["to"].s.decode().upper())
        _drop(node, "to")
        node.attribute.add(name="to", i=number, type=2)
    elif node.op_type in _WITH_AXIS and len(node.input) == 2 and "axis" in attributes:
        before = _aligned(node, attributes["axis"].i, ranks)
    elif node.op_type == "PRelu" and ranks.get(node.input[1]) == 1 and len(node.input) == 2:
        before = _aligned(node, 1, ranks)
    _drop(node, "broadcast", "consumed_inputs", "is_test")
    if node.op_type in _WITH_AXIS:
        _drop(node, "axis")
    return [*before, node]


def _aligned(node: Any, axis: int, ranks: dict[str, int]) -> list[Any]:
    """The second operand with axes of size 1 behind, so that its first axis meets axis `axis` of the first."""
    from onnx import helper

    own, rank = ranks.get(node.input[1]), ranks.get(node.input[0], 4)
    if own is None or axis < 0 or axis + own >= rank:
        return []
    name = f"{node.output[0]}/aligned"
    axes = list(range(own, rank - axis))
    inserted = helper.make_node("Unsqueeze", [node.input[1]], [name], name=f"{node.name}/aligned", axes=axes)
    node.input[1] = name
    return [inserted]


def _as_input(node: Any, attribute: str, numbers: list[int]) -> list[Any]:
    from onnx import helper, numpy_helper

    name = f"{node.output[0]}/{attribute}"
    _drop(node, attribute)
    node.input.append(name)
    return [helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array(numbers, dtype=np.int64)))]


def _drop(node: Any, *names: str) -> None:
    kept = [attribute for attribute in node.attribute if attribute.name not in names]
    del node.attribute[:]
    node.attribute.extend(kept)
