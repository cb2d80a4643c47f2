"""An ONNX file as a `Network`: read, lowered, fused, ordered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imcevo.errors import UserError, listed
from imcevo.workload.network import Family, Network
from imcevo.workload.onnx_import import elementwise
from imcevo.workload.onnx_import.convolution import convolution
from imcevo.workload.onnx_import.expand.rewrite import RULES
from imcevo.workload.onnx_import.fuse import layers_of
from imcevo.workload.onnx_import.graph import Graph, Node
from imcevo.workload.onnx_import.inputs import Given
from imcevo.workload.onnx_import.items import Lowering
from imcevo.workload.onnx_import.layout import LAYOUT, constant_layout, layout
from imcevo.workload.onnx_import.products import einsum, product
from imcevo.workload.onnx_import.read import read_graph
from imcevo.workload.onnx_import.recurrent import recurrent

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")

_LOWERINGS: dict[str, Callable[[Lowering, Node], None]] = {
    **dict.fromkeys((*elementwise.POINTWISE, *elementwise.NORMALISING), elementwise.work),
    **dict.fromkeys(elementwise.POOLING, elementwise.pool),
    **dict.fromkeys(elementwise.MOVING, elementwise.move),
    **dict.fromkeys(LAYOUT, layout),
    **dict.fromkeys(("Conv", "ConvTranspose", "QLinearConv", "ConvInteger"), convolution),
    **dict.fromkeys(("MatMul", "Gemm", "QLinearMatMul", "MatMulInteger"), product),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), recurrent),
    "Einsum": einsum,
}
# Make a constant of a size that another constant states.
_FILLING = ("Constant", "ConstantOfShape", "Range", "EyeLike")


@dataclass(frozen=True)
class Imported:
    """An imported network.

    Attributes:
        left_out: nodes that it leaves out, as ``name (operator, what is not supported)``.
        notes: what the model says of itself that contradicts what its operators compute.
    """

    network: Network
    left_out: tuple[str, ...]
    notes: tuple[str, ...] = ()


def import_onnx(
    path: Path | str, *, dims: Mapping[str, int] | None = None, inputs: Mapping[str, Given] | None = None,
    weights: Sequence[str] = (), allow_unknown: bool = False, name: str | None = None,
) -> Imported:  # fmt: skip
    """The network of an ONNX model.

    Args:
        dims: values of its dynamic dimensions, by name or as ``INPUT:AXIS``, which also replaces a fixed size.
        inputs: values of inputs that are known before the network runs, such as a sample rate that it branches on.
        weights: inputs that are stored weights.
        allow_unknown: leave unknown operators out, and say which, instead of refusing the model.
        name: of the network; the file's if None.

    Raises:
        UserError: no ONNX model, open dimensions, unknown operators, or a layer that breaks its operator's rules.
    """
    path = Path(path)
    graph = read_graph(path, dims or {}, inputs=inputs or {}, weights=weights, allow_unknown=allow_unknown)
    try:
        left_out = _told((node, _form(graph, node)) for node in graph.nodes if _is_unknown(node.op))
        if left_out and not allow_unknown:
            raise _refusal(left_out)
        state = _lowered(graph, allow_unknown)
        left_out = _told(state.unknown)
        if left_out and not allow_unknown:
            raise _refusal(left_out)
        layers = layers_of(state)
    except UserError as error:
        raise (error if error.file else error.in_file(path)) from None
    if not layers:
        raise UserError("has no layers", file=path)
    said = {**(dims or {}), **(inputs or {})}
    description = f"imported from {path.name}" + "".join(f", {key} = {value}" for key, value in said.items())
    if left_out:
        description += f"; WITHOUT {len(left_out)} unknown operators: {listed(left_out)}"
    network_name = name or _NOT_A_NAME.sub("_", path.stem).strip("._-") or "network"
    return Imported(Network(network_name, _family(state), description, tuple(layers)), left_out, graph.notes)


def _is_unknown(op: str) -> bool:
    return op not in _LOWERINGS and op not in elementwise.REDUCING and op not in _FILLING


def _form(graph: Graph, node: Node) -> str:
    """Why control flow could not be written out or sizes are not known, and what decides it."""
    lost = next((graph.lost[name] for name in node.outputs if name in graph.lost), None)
    if lost is None or (lost.undefined and node.op not in RULES):
        return ""
    if lost.node is node:
        return f"that {lost.why}; {lost.allowed}"
    return f"of unknown sizes since {lost.node.name}" if node.op in RULES else ""


def _told(nodes: Iterable[tuple[Node, str]]) -> tuple[str, ...]:
    return tuple(f"{node.name} ({f'{node.op} {form}'.strip()})" for node, form in nodes)


def _refusal(left_out: tuple[str, ...]) -> UserError:
    problem = f"has operators that are not known: {listed(left_out, most=50)}"
    allowed = "--allow-unknown leaves them out and says so; --weight NAME names an input that is a stored weight"
    return UserError(problem, allowed=allowed if "computed weights" in problem else allowed.partition(";")[0])


def _lowered(graph: Graph, allow_unknown: bool) -> Lowering:
    state = Lowering(graph)
    for node in graph.nodes:
        try:
            _lower(state, node)
        except UserError as error:
            if not allow_unknown:
                raise
            state.unknown.append((node, f"without a known size: {error.problem}"))
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            # Attributes of the wrong type or sizes that contradict one another, in a file that anyone may have written.
            raise node.refused(f"breaks its operator's rules ({type(error).__name__}: {error})") from error
    return state


def _lower(state: Lowering, node: Node) -> None:
    if _is_unknown(node.op):
        state.pass_over(node, _form(state.graph, node))
    elif not any(name and not state.is_constant(name) for name in _values(node)):
        # Work on constants alone is done once, before the network runs.
        state.constants.derive(node)
        constant_layout(state, node)
    elif all(name in state.graph.constants for name in node.outputs if name):
        return  # sizes of a tensor
    elif node.op in elementwise.REDUCING:
        over_image = elementwise.spatial_mean(state, node)
        (elementwise.reduce_image if over_image else elementwise.work)(state, node)
    elif node.op in _FILLING:
        state.pass_over(node, "of sizes that only the data has")
    else:
        _LOWERINGS[node.op](state, node)


def _values(node: Node) -> tuple[str, ...]:
    """Inputs whose values, not only whose sizes or types, make the result."""
    return node.inputs[:1] if node.op in ("CastLike", "EyeLike") else node.inputs


def _family(state: Lowering) -> Family:
    layers = [item for item in state.items if item.kind == "matrix"]
    if any(item.sizes.get("sequential") for item in layers):
        return "rnn"
    if any(item.sizes.get("dynamic") for item in layers):
        return "transformer"
    return "cnn" if any(item.last == "Conv" for item in layers) else "other"
