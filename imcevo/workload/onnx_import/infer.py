"""Types and shapes of one operator's results, by the inference of the package onnx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Results of their first input's shape that ONNX has no inference for, whoever's domain they are of.
_KEEP_SHAPE = frozenset({
    "Gelu", "FastGelu", "QuickGelu", "GroupNormalization", "HardSwish", "LayerNormalization", "Mish",
    "RMSNormalization", "SimplifiedLayerNormalization", "Swish",
})  # fmt: skip


def is_static(kind: Any) -> bool:
    """Whether a type is that of a tensor whose sizes are all known."""
    return static_shape(kind) is not None


def static_shape(kind: Any) -> tuple[int, ...] | None:
    """Sizes of a tensor; None where one is not known."""
    if kind is None or not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return None
    dims = kind.tensor_type.shape.dim
    if not all(dim.HasField("dim_value") and dim.dim_value >= 0 for dim in dims):
        return None
    return tuple(dim.dim_value for dim in dims)


def has_schema(node: Any, opsets: Mapping[str, int]) -> bool:
    """Whether ONNX defines the operator, in the model's version or a later one."""
    return _version(node, opsets) is not None


def _version(node: Any, opsets: Mapping[str, int]) -> int | None:
    from onnx import defs

    domain = "" if node.domain == "ai.onnx" else node.domain
    try:
        defs.get_schema(node.op_type, opsets.get(domain, 1), domain)
        return opsets.get(domain, 1)
    except defs.SchemaError:
        pass
    try:
        # Files of ONNX Runtime have operators in versions of ONNX that do not know them yet.
        return int(defs.get_schema(node.op_type, domain).since_version)
    except defs.SchemaError:
        return None


def inferred(
    node: Any, types: Mapping[str, Any], values: Mapping[str, NDArray[Any]], opsets: Mapping[str, int]
) -> tuple[dict[str, Any], str]:
    """Types of a node's results as far as they follow from those of its inputs.

    Returns:
        Types by name, and what the inference says about sizes that contradict one another.
    """
    from onnx import helper, numpy_helper, shape_inference

    first = next((name for name in node.input if name), "")
    version = _version(node, opsets)
    if version is None or node.op_type in _KEEP_SHAPE:
        keeps = node.op_type in _KEEP_SHAPE and first in types
        return ({node.output[0]: types[first]} if keeps else {}), ""
    read = list(dict.fromkeys(name for name in node.input if name))
    constants = [numpy_helper.from_array(np.asarray(values[name]), name) for name in read if name in values]
    inputs = [helper.make_value_info(name, types[name]) for name in read if name in types and name not in values]
    imports = {**opsets, ("" if node.domain == "ai.onnx" else node.domain): version}
    graph = helper.make_graph([node], "one", inputs, [], initializer=constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(k, v) for k, v in imports.items()])
    try:
        # Without data propagation, which never ends on a constant of 2^40 values.
        result = shape_inference.infer_shapes(model, strict_mode=True)
    except (shape_inference.InferenceError, ValueError, RuntimeError) as error:
        return {}, _reason(error)
    return {value.name: value.type for value in result.graph.value_info if value.name in node.output}, ""


def _reason(error: Exception) -> str:
    """The part of an inference error that says what is wrong."""
    lines = [line for line in str(error).strip().splitlines() if line]
    text = lines[-1] if lines else type(error).__name__
    return text.rpartition("] ")[2] or text
