"""From a file to a `Graph`: bounded parsing, functions inlined, nodes sorted, constants apart from what is computed.

Weights are replaced by their shapes at once, so that files beside the model (external data) are never opened and a
large model costs little. Nothing in the file is executed but shape arithmetic on bounded constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from imcevo.errors import UserError
from imcevo.workload.onnx_import.graph import Graph
from imcevo.workload.onnx_import.inputs import Given, fix_inputs
from imcevo.workload.onnx_import.modern import modernise
from imcevo.workload.onnx_import.proto import MOST_NODES, held_tensors, sorted_nodes
from imcevo.workload.onnx_import.walk import Walk

LARGEST_ONNX_BYTES = 2**30
_REFUSALS = (ValueError, TypeError, RuntimeError, LookupError, OverflowError, MemoryError, RecursionError)


def read_graph(
    path: Path, dims: Mapping[str, int], *, inputs: Mapping[str, Given] | None = None, weights: Sequence[str] = (),
    allow_unknown: bool = False,
) -> Graph:  # fmt: skip
    """Read a model.

    Args:
        dims: sizes of its dynamic dimensions, by name or as ``INPUT:AXIS``.
        inputs: values of inputs that are known before the network runs.
        weights: inputs that are stored weights.
        allow_unknown: results of unknown operators are taken to have the shape of their first input where nothing
            else says it.

    Raises:
        UserError: the package onnx is missing, or the file is none of its models, too large, or has dimensions that
            stay unknown.
    """
    try:
        import onnx
        from onnx import shape_inference
    except ImportError:
        raise UserError("needs the package onnx: pip install 'imcevo[onnx]'", file=path) from None
    model = onnx.ModelProto()
    try:
        model.ParseFromString(_bytes(path))
    except Exception as error:
        # protobuf's own error, whose class comes without types; anything else is not ours to judge.
        if type(error).__name__ != "DecodeError":
            raise
        raise UserError("is not an ONNX model", file=path) from None
    if not model.graph.node and not model.graph.input:
        raise UserError("is not an ONNX model: it has no graph", file=path)
    try:
        _check_size(model)
        return _graph(model, dims, inputs or {}, weights, allow_unknown)
    except UserError as error:
        raise (error if error.file else error.in_file(path)) from None
    except (shape_inference.InferenceError, *_REFUSALS) as error:
        # What the onnx package, or numpy on its behalf, says about a model that breaks the format's rules.
        lines = str(error).strip().splitlines()
        problem = f"breaks the rules of the ONNX format: {lines[0] if lines else type(error).__name__}"
        raise UserError(problem, file=path) from None


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_ONNX_BYTES:
            allowed = f"up to {LARGEST_ONNX_BYTES} bytes; weights may lie in external data, which is not read"
            raise UserError("is too large", file=path, value=path.stat().st_size, allowed=allowed)
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror}), expected an ONNX model", file=path) from None


def _check_size(model: Any) -> None:
    """Refuse models that grow without bound when their functions, which may call one another, are written out."""
    sizes: dict[tuple[str, str], int] = {}
    bodies = {(function.domain, function.name): function for function in model.functions}

    def size(nodes: Any, open_calls: tuple[tuple[str, str], ...]) -> int:
        total = 0
        for node in nodes:
            call = (node.domain, node.op_type)
            if call in open_calls:
                raise UserError("is a function that calls itself", value=node.op_type)
            if call in bodies and call not in sizes:
                sizes[call] = size(bodies[call].node, (*open_calls, call))
            total += sizes.get(call, 1)
            for attribute in node.attribute:
                for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                    if len(open_calls) > 20:
                        raise UserError("nests graphs too deeply", value=node.op_type)
                    total += size(inner.node, (*open_calls, ("", "")))
            if total > MOST_NODES:
                raise UserError("has too many operators", allowed=f"at most {MOST_NODES}")
        return total

    size(model.graph.node, ())


def _graph(
    model: Any, dims: Mapping[str, int], inputs: Mapping[str, Given], weights: Sequence[str], allow_unknown: bool
) -> Graph:
    if not model.graph.output:
        raise UserError("has no outputs, so nothing of it need be computed", allowed="a graph with outputs")
    _check_names(model.graph)
    model = _inlined(model)
    # A domain without a version is against the format, but its operators shall be listed with the other unknown ones.
    versions = {opset.domain for opset in model.opset_import}
    for domain in sorted({node.domain for node in model.graph.node} - versions):
        model.opset_import.add(domain=domain, version=1)
    modernise(model)
    for tensor in model.graph.sparse_initializer:
        raise UserError("is sparse, which is not supported", key=f"tensor {tensor.values.name!r}", allowed="dense")
    stored, values = held_tensors(model.graph.initializer)
    fixed = fix_inputs(model.graph, dims, inputs, weights, set(stored))
    walk = Walk(model, allow_unknown=allow_unknown, sizes=fixed.named)
    for name, (kind, shape) in {**stored, **fixed.weights}.items():
        walk.store(name, kind, shape, values.get(name))
    for name, value in fixed.values.items():
        walk.know(name, value)
    for value in model.graph.input:
        if value.name in fixed.names:
            walk.types[value.name] = value.type
    walk.run(sorted_nodes(model.graph.node, walk.known_names()))
    outputs = tuple(dict.fromkeys(value.name for value in model.graph.output))
    return walk.graph(fixed.names, outputs)


def _inlined(model: Any) -> Any:
    """The model without functions of its own."""
    from onnx import inliner

    if not model.functions:
        return model
    functions = {(function.domain, function.name) for function in model.functions}
    model = inliner.inline_local_functions(model)
    if any((node.domain, node.op_type) in functions for node in model.graph.node):
        # Functions of another version of ONNX than the model's are left; their operators can be converted.
        model = inliner.inline_local_functions(model, convert_version=True)
    return model


def _check_names(graph: Any) -> None:
    for node in graph.node:
        if any(isinstance(text, bytes) for text in (node.name, node.op_type, node.domain, *node.input, *node.output)):
            raise UnicodeError("a name is not UTF-8 text")
