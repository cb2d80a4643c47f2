"""From a file to a `Graph`: bounded parsing, dimensions, functions inlined, shapes inferred, shape arithmetic folded.

Weights are replaced by their shapes at once, so that files beside the model (external data) are never opened and a
large model costs little. Nothing in the file is executed: constants are folded operator by operator, from a list of
shape arithmetic, with bounded sizes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any

from imcevo.errors import UserError, listed
from imcevo.workload.layers import LARGEST_SIZE
from imcevo.workload.onnx_import.expand import expand_compound, unexpanded
from imcevo.workload.onnx_import.fold import fold_constants
from imcevo.workload.onnx_import.graph import Graph, Node

LARGEST_ONNX_BYTES = 2**30
MOST_NODES = 200_000
# Constants up to this many values are kept: shapes, axes, scalars. Weights are larger, or their values do not matter.
MOST_VALUES = 4096
_MOST_ROUNDS = 100
_REFUSALS = (ValueError, TypeError, RuntimeError, LookupError, OverflowError, MemoryError)
_REAL_TYPES = (1, 10, 11, 16, 17, 18, 19, 20, 23)  # TensorProto.FLOAT, FLOAT16, DOUBLE, BFLOAT16, FLOAT8..., FLOAT4


def read_graph(path: Path, dims: Mapping[str, int], passed_over: Callable[[str], bool] | None = None) -> Graph:
    """Read a model.

    Args:
        dims: sizes of its dynamic dimensions, by name or as ``INPUT:AXIS``.
        passed_over: operators whose results are taken to have the shape of their first input.

    Raises:
        UserError: the package onnx is missing, or the file is none of its models, too large, or has dimensions that
            stay unknown.
    """
    try:
        import onnx
        from onnx import inliner, shape_inference
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
    _check_size(model, path)
    try:
        if model.functions:
            model = inliner.inline_local_functions(model)
        return _graph(model, dims, passed_over, path)
    except UserError:
        raise
    except (shape_inference.InferenceError, *_REFUSALS) as error:
        # What the onnx package, or numpy on its behalf, says about a model that breaks the format's rules.
        lines = str(error).strip().splitlines()
        problem = f"is not a valid ONNX model: {lines[0] if lines else type(error).__name__}"
        raise UserError(problem, file=path) from None


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_ONNX_BYTES:
            allowed = f"up to {LARGEST_ONNX_BYTES} bytes; weights may lie in external data, which is not read"
            raise UserError("is too large", file=path, value=path.stat().st_size, allowed=allowed)
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror}), expected an ONNX model", file=path) from None


def _check_size(model: Any, path: Path) -> None:
    """Refuse models that grow without bound when their functions, which may call one another, are written out."""
    sizes: dict[tuple[str, str], int] = {}
    bodies = {(function.domain, function.name): function for function in model.functions}

    def size(nodes: Any, open_calls: tuple[tuple[str, str], ...]) -> int:
        total = 0
        for node in nodes:
            call = (node.domain, node.op_type)
            if call in open_calls:
                raise UserError("is a function that calls itself", file=path, value=node.op_type)
            if call in bodies and call not in sizes:
                sizes[call] = size(bodies[call].node, (*open_calls, call))
            total += sizes.get(call, 1)
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    if len(open_calls) > 20:
                        raise UserError("nests graphs too deeply", file=path, value=node.op_type)
                    total += size(attribute.g.node, (*open_calls, ("", "")))
            if total > MOST_NODES:
                raise UserError("has too many operators", file=path, allowed=f"at most {MOST_NODES}")
        return total

    size(model.graph.node, ())


def _graph(
    model: Any, dims: Mapping[str, int], passed_over: Callable[[str], bool] | None, path: Path
) -> Graph:
    from onnx import shape_inference

    # A domain without a version is against the format, but its operators shall be listed with the other unknown ones.
    versions = {opset.domain for opset in model.opset_import}
    for domain in sorted({node.domain for node in model.graph.node} - versions):
        model.opset_import.add(domain=domain, version=1)
    stored = _strip(model, path)
    inputs = _fix_dims(model, dims, set(stored), path)
    stated = list(model.graph.value_info)
    for _ in range(_MOST_ROUNDS):
        # Without data propagation, which never ends on a constant of 2^40 values; folding does what it would.
        model = shape_inference.infer_shapes(model)
        folded = fold_constants(model, MOST_VALUES)
        expanded = expand_compound(model, refuse=passed_over is None)
        assumed = _assumed(model, passed_over) if passed_over and not expanded else []
        stated += expanded + assumed
        if not folded and not expanded and not assumed:
            break
        stored |= _strip(model, path)  # constants of a branch that was taken
        # Shapes inferred before something was folded may be incomplete, and would stay so.
        del model.graph.value_info[:]
        model.graph.value_info.extend(stated)
    left = unexpanded(model)
    if left is not None and passed_over is None:
        raise left
    return _plain(model, stored, inputs)


def _operator(node: Any) -> str:
    """Its name, with the domain in front unless that is ONNX's own."""
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def _assumed(model: Any, passed_over: Callable[[str], bool]) -> list[Any]:
    """The next result whose shape nothing states, in the shape of its operator's first input."""
    known = {value.name: value for value in (*model.graph.input, *model.graph.value_info)}
    for node in model.graph.node:
        if node.input and node.input[0] in known and passed_over(_operator(node)):
            open_names = [name for name in node.output if name and name not in known]
            for name in open_names:
                value = type(known[node.input[0]])()
                value.CopyFrom(known[node.input[0]])
                value.name = name
                known[name] = value
            if open_names:
                return [known[name] for name in open_names]
    return []


def _strip(model: Any, path: Path) -> dict[str, bool]:
    """Turn large constants into graph inputs of their shape; name -> whether they are real numbers."""
    from onnx import helper

    graph, stored = model.graph, {}
    kept = []
    made = [node for node in graph.node if node.op_type == "Constant" and node.output]
    constants = [(node.output[0], _tensor_of(node)) for node in made]
    large = {name for name, tensor in constants if tensor is not None and not _is_small(tensor)}
    tensors = [(tensor.name, tensor) for tensor in graph.initializer]
    tensors += [(name, tensor) for name, tensor in constants if name in large]
    declared = {value.name for value in graph.input}
    for name, tensor in tensors:
        if any(size < 0 for size in tensor.dims):
            raise UserError("has a negative dimension", file=path, key=f"tensor {name!r}", value=list(tensor.dims))
        if name not in large and _is_small(tensor):
            kept.append(tensor)
            continue
        stored[name] = tensor.data_type in _REAL_TYPES
        if name not in declared:
            graph.input.append(helper.make_tensor_value_info(name, tensor.data_type, list(tensor.dims)))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    # Models before IR version 4 list constants among the inputs, as values that a caller may replace: here none does.
    model.ir_version = max(model.ir_version, 4)
    fixed = {tensor.name for tensor in kept}
    inputs = [value for value in graph.input if value.name not in fixed]
    del graph.input[:]
    graph.input.extend(inputs)
    nodes = [node for node in graph.node if not (node.op_type == "Constant" and set(node.output) & large)]
    del graph.node[:]
    graph.node.extend(nodes)
    for tensor in graph.sparse_initializer:
        raise UserError("is sparse, which is not supported", file=path, key=f"tensor {tensor.values.name!r}")
    return stored


def _tensor_of(node: Any) -> Any:
    return next((a.t for a in node.attribute if a.name == "value" and a.HasField("t")), None)


def _is_small(tensor: Any) -> bool:
    # data_location 1 is external: its value is not in this file.
    return prod(tensor.dims) <= MOST_VALUES and tensor.data_location != 1


def _fix_dims(model: Any, dims: Mapping[str, int], stored: set[str], path: Path) -> tuple[str, ...]:
    """Write `dims` into the network's inputs; their names."""
    used: set[str] = set()
    unknown: list[str] = []
    names = []
    constant = stored | {tensor.name for tensor in model.graph.initializer}
    for value in model.graph.input:
        if value.name in constant:
            continue
        names.append(value.name)
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            keys = [key for key in (f"{value.name}:{axis}", dim.dim_param) if key in dims]
            if keys:
                dim.dim_value = dims[keys[0]]
                used.update(keys)
            elif not dim.HasField("dim_value") or not 0 < dim.dim_value < LARGEST_SIZE:
                unknown.append(dim.dim_param or f"{value.name}:{axis}")
    unused = [name for name in dims if name not in used]
    if unused:
        allowed = listed(dict.fromkeys(unknown)) or "no --dim: every dimension is fixed"
        problem = "is not a dynamic dimension of the model"
        raise UserError(problem, file=path, key="--dim", value=unused[0], allowed=allowed)
    if unknown:
        names_of_dims = list(dict.fromkeys(unknown))
        told = " ".join(f"--dim {name}=..." for name in names_of_dims[:8])
        raise UserError(f"leaves dimensions open: {listed(names_of_dims)}", file=path, key="--dim", allowed=told)
    return tuple(names)


def _plain(model: Any, stored: dict[str, bool], inputs: tuple[str, ...]) -> Graph:
    """The model in our own terms."""
    from onnx import helper, numpy_helper

    graph = model.graph
    shapes: dict[str, tuple[int, ...]] = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
            continue
        sizes = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in value.type.tensor_type.shape.dim]
        if all(size >= 0 for size in sizes):
            shapes[value.name] = tuple(sizes)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    shapes |= {name: tuple(int(size) for size in value.shape) for name, value in constants.items()}
    times: Counter[str] = Counter()
    nodes = []
    for node in graph.node:
        if any(isinstance(text, bytes) for text in (node.name, node.op_type, node.domain, *node.input, *node.output)):
            raise UnicodeError("a name is not UTF-8 text")
        times[node.op_type] += 1
        attributes = {
            a.name: helper.get_attribute_value(a) for a in node.attribute if a.type not in (4, 5, 9, 10, 11)
        }
        name = node.name or f"{node.op_type}_{times[node.op_type] - 1}"
        nodes.append(Node(name, _operator(node), tuple(node.input), tuple(node.output), attributes))
    return Graph(tuple(nodes), shapes, constants, stored, inputs, tuple(value.name for value in graph.output))
