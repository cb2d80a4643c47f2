"""Which operators are compound, and the walk over a graph that rewrites them."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.workload.onnx_import.expand import attention, contributed, fused, quantised, rotary
from imcevo.workload.onnx_import.expand.builder import Builder, OpenShapeError

# Constants up to this many values are looked into: sizes and axes.
_MOST_VALUES = 4096
RULES: dict[str, tuple[Callable[[Builder], None], tuple[str, ...]]] = {
    **attention.RULES, **contributed.RULES, **fused.RULES, **quantised.RULES, **rotary.RULES,
}  # fmt: skip
# Results of their input's shape, which ONNX does not infer: always, or in files of ONNX Runtime, which have them in
# versions of ONNX that do not.
_KEEP_SHAPE = frozenset({
    "Gelu", "GroupNormalization", "HardSwish", "LayerNormalization", "Mish", "RMSNormalization", "Swish",
})  # fmt: skip


@dataclass(frozen=True)
class Expansion:
    """Primitive operators in place of a compound one.

    Attributes:
        nodes: in the order in which they run.
        tensors: constants that they read; those of data location EXTERNAL are stored weights without values.
        types: of all tensors that were added, results of the compound node included.
    """

    nodes: list[Any]
    tensors: list[Any]
    types: dict[str, Any]


def is_compound(node: Any) -> bool:
    """Whether an operator stands for several primitive ones."""
    name = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    return name in RULES and any(node.output)


def expand_node(
    node: Any, types: Mapping[str, Any], values: Mapping[str, NDArray[Any]], *, stored: Container[str],
    read: Container[str],
) -> Expansion | None:  # fmt: skip
    """Primitive operators in place of one compound node.

    Args:
        types: of all tensors known so far, as TypeProto. What depends on sizes alone (a causal mask) is made once: it
            is not made again where its name is among them.
        values: of small constants.
        stored: tensors of the file.
        read: tensors that anybody reads; results that are not among them are not made.

    Returns:
        None where the shape of an input is not known.

    Raises:
        UserError: a form of the operator that is not supported.
    """
    from onnx import numpy_helper

    names = [name for name in node.input if name in values]
    constants = {name: numpy_helper.from_array(np.asarray(values[name]), name) for name in names}
    builder = Builder(node, types, constants, stored.__contains__, read)
    return Expansion(builder.first + builder.nodes, builder.initializers, builder.added()) if _run(builder) else None


def _run(builder: Builder) -> bool:
    """Let the operator's rule write into the builder; False where a shape is not known."""
    expand, attributes = RULES[builder.op]
    builder.check_attributes(attributes)
    try:
        expand(builder)
    except OpenShapeError:
        return False
    return True


def expand_compound(model: Any, *, refuse: bool = True) -> list[Any]:
    """Rewrite compound operators of the top graph into primitive ones, in place.

    A node is rewritten once the shapes of its inputs are known: call this after shape inference, and again after
    inference and folding got further. Within one call, shapes are carried through primitive operators in between.

    Args:
        refuse: whether a form of an operator that is not supported is an error, instead of left as it is.

    Returns:
        Types and shapes of all tensors that were added, which are also in ``graph.value_info``; none if nothing
        was rewritten. They must be kept: an older version of ONNX does not infer every operator that is written.

    Raises:
        UserError: a form of an operator that is not supported.
    """
    graph = model.graph
    opsets = {opset.domain or "ai.onnx": opset.version for opset in model.opset_import}
    opsets[""] = opsets.get("ai.onnx", 1)
    types = _known_types(graph)
    if not any(is_compound(node) or _is_uninferred(node, types) for node in graph.node):
        return []
    constants = {tensor.name: tensor for tensor in graph.initializer if _is_small(tensor)}
    computed = {name for node in graph.node for name in node.output}
    read = _read(graph)
    first: list[Any] = []
    kept: list[Any] = []
    new: dict[str, None] = {}
    for node in graph.node:
        if not is_compound(node):
            kept.append(node)
            if _carry(node, types, constants, opsets):
                new.update(dict.fromkeys(node.output[:1]))
            continue
        builder = Builder(node, types, constants, lambda name: name not in computed, read)
        try:
            done = _run(builder)
        except UserError:
            if refuse:
                raise
            done = False
        if not done:
            kept.append(node)
            continue
        types.update(builder.added())
        first += builder.first
        kept += builder.nodes
        graph.initializer.extend(builder.initializers)
        stored = {tensor.name for tensor in builder.initializers}
        new.update(dict.fromkeys(name for name in builder.added() if name not in stored))
    del graph.node[:]
    graph.node.extend(first + kept)
    return _state(graph, types, list(new))


def unexpanded(model: Any) -> UserError | None:
    """The error for the first compound operator that is left because a shape does not follow; None if none is left."""
    types = _known_types(model.graph)
    for node in model.graph.node:
        if is_compound(node):
            builder = Builder(node, types, {}, lambda name: True, ())
            for name in filter(None, node.input):
                try:
                    builder.shape(name)
                except OpenShapeError:
                    return builder.refused(
                        f"cannot be counted: the shape of its input {name!r} does not follow from the model",
                        allowed="a --dim for every open dimension, or a model with that shape declared",
                    )
            return builder.refused("cannot be counted: a shape inside it does not follow from the model")
    return None


def _is_uninferred(node: Any, types: dict[str, Any]) -> bool:
    """Whether the shape of a result is that of the input, and nothing says so yet."""
    if node.domain not in ("", "ai.onnx") or node.op_type not in _KEEP_SHAPE:
        return False
    return _is_static(types.get(node.input[0])) and not _is_static(types.get(node.output[0]))


def _read(graph: Any) -> set[str]:
    """Names that nodes read, inner graphs included, or that are results."""
    names = {value.name for value in graph.output}
    for node in graph.node:
        names.update(filter(None, node.input))
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                names |= _read(inner)
    return names


def _known_types(graph: Any) -> dict[str, Any]:
    from onnx import helper

    types = {value.name: value.type for value in (*graph.output, *graph.value_info, *graph.input)}
    types = {name: kind for name, kind in types.items() if kind.tensor_type.elem_type}
    for tensor in graph.initializer:
        types[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, list(tensor.dims))
    return types


def _is_small(tensor: Any) -> bool:
    # data_location 1 is external: its value is not in this file.
    return prod(tensor.dims) <= _MOST_VALUES and tensor.data_location != 1


def _carry(node: Any, types: dict[str, Any], constants: dict[str, Any], opsets: dict[str, int]) -> bool:
    """Infer the results of a primitive node where nothing states them; whether the first must be stated."""
    from onnx import defs, helper, shape_inference

    if node.op_type == "Constant" and node.output[0] not in constants:
        tensor = next((attribute.t for attribute in node.attribute if attribute.name == "value"), None)
        if tensor is not None and _is_small(tensor):
            constants[node.output[0]] = tensor
    if all(_is_static(types.get(name)) for name in node.output if name):
        return False
    if _is_uninferred(node, types):
        types[node.output[0]] = types[node.input[0]]
        return True
    if not all(name in types for name in node.input if name):
        return False
    domain = "" if node.domain == "ai.onnx" else node.domain
    imports = [helper.make_opsetid(key, version) for key, version in opsets.items() if key != "ai.onnx"]
    data = {name: constants[name] for name in node.input if name in constants}
    try:
        schema = defs.get_schema(node.op_type, opsets.get(domain, 1), domain)
        known = {name: types[name] for name in node.input if name}
        types.update(shape_inference.infer_node_outputs(schema, node, known, data, opset_imports=imports))
    except (defs.SchemaError, shape_inference.InferenceError, ValueError, RuntimeError):
        pass  # whole inference, which comes again, says what is wrong
    return False


def _is_static(kind: Any) -> bool:
    if kind is None or not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return False
    return all(dim.HasField("dim_value") for dim in kind.tensor_type.shape.dim)


def _state(graph: Any, types: dict[str, Any], names: list[str]) -> list[Any]:
    from onnx import helper

    outputs = {value.name: value for value in graph.output}
    stated = []
    for name in names:
        if name not in types:
            continue
        if name in outputs:
            outputs[name].type.CopyFrom(types[name])
        stated.append(helper.make_value_info(name, types[name]))
    replaced = {value.name for value in stated}
    others = [value for value in graph.value_info if value.name not in replaced]
    del graph.value_info[:]
    graph.value_info.extend(others + stated)
    return stated
