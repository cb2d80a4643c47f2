"""An ONNX file as a `Network`: lowered, fused, ordered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from imcevo.errors import UserError, listed
from imcevo.workload.network import Family, Network
from imcevo.workload.onnx_import import elementwise, matrix
from imcevo.workload.onnx_import.fuse import layers_of
from imcevo.workload.onnx_import.graph import Graph, Node
from imcevo.workload.onnx_import.items import Lowering
from imcevo.workload.onnx_import.read import read_graph

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")

_LOWERINGS: dict[str, Callable[[Lowering, Node], None]] = {
    **dict.fromkeys((*elementwise.POINTWISE, *elementwise.NORMALISING), elementwise.work),
    **dict.fromkeys(elementwise.POOLING, elementwise.pool),
    **dict.fromkeys(elementwise.MOVING, elementwise.move),
    **dict.fromkeys(elementwise.LAYOUT, elementwise.layout),
    **dict.fromkeys(("Conv", "QLinearConv", "ConvInteger"), matrix.convolution),
    **dict.fromkeys(("MatMul", "Gemm", "QLinearMatMul", "MatMulInteger"), matrix.product),
    **dict.fromkeys(("LSTM", "GRU"), matrix.recurrent),
    "ConvTranspose": matrix.transposed_convolution,
    "Einsum": matrix.einsum,
}
# Make a constant of a size that another constant states.
_FILLING = ("Constant", "ConstantOfShape", "Range", "EyeLike")


@dataclass(frozen=True)
class Imported:
    """An imported network, and the nodes that it leaves out, as ``name (operator)``."""

    network: Network
    left_out: tuple[str, ...]


def import_onnx(
    path: Path | str, *, dims: Mapping[str, int] | None = None, allow_unknown: bool = False, name: str | None = None
) -> Imported:
    """The network of an ONNX model.

    Args:
        dims: values of its dynamic dimensions, by name or as ``INPUT:AXIS``.
        allow_unknown: leave unknown operators out, and say which, instead of refusing the model.
        name: of the network; the file's if None.

    Raises:
        UserError: no ONNX model, open dimensions, unknown operators, or a layer that breaks its operator's rules.
    """
    path = Path(path)
    graph = read_graph(path, dims or {}, _is_unknown if allow_unknown else None)
    try:
        left_out = _told((node, "") for node in graph.nodes if _is_unknown(node.op))
        if left_out and not allow_unknown:
            raise _refusal(left_out)
        state = _lowered(graph)
        left_out = _told(state.unknown)
        if left_out and not allow_unknown:
            raise _refusal(left_out)
        layers = layers_of(state)
    except UserError as error:
        raise (error if error.file else error.in_file(path)) from None
    if not layers:
        raise UserError("has no layers", file=path)
    description = f"imported from {path.name}" + "".join(f", {key} = {size}" for key, size in (dims or {}).items())
    if left_out:
        description += f"; WITHOUT {len(left_out)} unknown operators: {listed(left_out)}"
    network_name = name or _NOT_A_NAME.sub("_", path.stem).strip("._-") or "network"
    return Imported(Network(network_name, _family(state), description, tuple(layers)), left_out)


def _is_unknown(op: str) -> bool:
    return op not in _LOWERINGS and op not in elementwise.REDUCING and op not in _FILLING


def _told(nodes: Iterable[tuple[Node, str]]) -> tuple[str, ...]:
    return tuple(f"{node.name} ({f'{node.op} {form}'.strip()})" for node, form in nodes)


def _refusal(left_out: tuple[str, ...]) -> UserError:
    problem = f"has operators that are not known: {listed(left_out, most=50)}"
    return UserError(problem, allowed="--allow-unknown leaves them out and says so")


def _lowered(graph: Graph) -> Lowering:
    state = Lowering(graph)
    for node in graph.nodes:
        if all(name in state.tensors or state.is_constant(name) for name in node.outputs if name):
            continue
        try:
            _lower(state, node)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            # Attributes of the wrong type or sizes that contradict one another, in a file that anyone may have written.
            raise node.refused(f"breaks its operator's rules ({type(error).__name__}: {error})") from error
    return state


def _lower(state: Lowering, node: Node) -> None:
    if node.op in elementwise.REDUCING:
        over_image = elementwise.spatial_mean(state, node)
        (elementwise.reduce_image if over_image else elementwise.work)(state, node)
    elif node.op in _FILLING and not _has_data(state, node):
        # Too large to be a shape: a weight that the model describes instead of storing it.
        state.graph.stored.update(dict.fromkeys(node.outputs, node.op == "ConstantOfShape"))
    elif node.op not in _LOWERINGS:
        state.pass_over(node, "")
    elif _has_data(state, node):
        _LOWERINGS[node.op](state, node)
    else:
        _store(state, node)


def _has_data(state: Lowering, node: Node) -> bool:
    """Whether an operator works on more than constants; layout and look-ups sort that out themselves."""
    return node.op in elementwise.LAYOUT or any(name and not state.is_constant(name) for name in node.inputs)


def _store(state: Lowering, node: Node) -> None:
    """Work on constants alone is done once, before the network runs: the result is as stored as what it came from."""
    sources = [name for name in node.inputs if name]
    largest = max(sources, key=lambda name: state.graph.size(name, node), default="")
    for name in node.outputs:
        state.roots[name] = state.roots.get(largest, largest)


def _family(state: Lowering) -> Family:
    layers = [item for item in state.items if item.kind == "matrix"]
    if any(item.sizes.get("sequential") for item in layers):
        return "rnn"
    if any(item.sizes.get("dynamic") for item in layers):
        return "transformer"
    return "cnn" if any(item.last == "Conv" for item in layers) else "other"
