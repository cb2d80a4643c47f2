"""One walk through a model's nodes: control flow and compound operators written out, values and shapes computed."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.workload.onnx_import.expand import expand_node, is_compound
from imcevo.workload.onnx_import.fold import constant_value, folded, shape_value
from imcevo.workload.onnx_import.graph import Graph, Lost, Node
from imcevo.workload.onnx_import.infer import has_schema, inferred, is_static, static_shape
from imcevo.workload.onnx_import.loops import branch, loop, scan
from imcevo.workload.onnx_import.proto import (
    MOST_NODES,
    held_tensors,
    plain_node,
    read_names,
    sorted_nodes,
    tensor_attribute,
)

_CONTROL = {"If": branch, "Loop": loop, "Scan": scan}
_SHOWN_NOTES = 4


class Walk:
    """What is known of a model's tensors, node after node.

    Shapes follow from the inputs. What the model declares of a tensor in between serves only where inference ends,
    behind an operator that ONNX does not define or whose result depends on data.

    Attributes:
        types: of tensors, as TypeProto.
        values: of small tensors that are known before the network runs.
        stored: tensors of the file.
        opsets: version of every operator domain.
    """

    def __init__(self, model: Any, *, allow_unknown: bool, sizes: Mapping[str, int]) -> None:
        self.types: dict[str, Any] = {}
        self.values: dict[str, NDArray[Any]] = {}
        self.stored: set[str] = set()
        self.opsets = {("" if o.domain == "ai.onnx" else o.domain): o.version for o in model.opset_import}
        self._imports = list(model.opset_import)
        self._allow_unknown = allow_unknown
        declared = (*model.graph.value_info, *model.graph.output)
        self._declared = {value.name: _sized(value.type, sizes) for value in declared}
        self._helpful: dict[str, Any] = {}
        self._steps: deque[Any] = deque()
        self._nodes: list[Node] = []
        self._names: Counter[str] = Counter()
        self._taken = 0
        self._lost: dict[str, Lost] = {}
        self._read = {value.name for value in model.graph.output}
        self._settled: set[str] = set()

    def known_names(self) -> set[str]:
        return set(self.types)

    def store(self, name: str, kind: int, shape: tuple[int, ...], value: NDArray[Any] | None) -> None:
        """A tensor of the file."""
        from onnx import helper

        self.stored.add(name)
        self._settled.add(name)
        self.types[name] = helper.make_tensor_type_proto(kind, list(shape))
        if value is not None:
            self.values[name] = value

    def know(self, name: str, value: NDArray[Any]) -> None:
        """A value that is known before the network runs."""
        from onnx import helper

        self.values[name] = value
        self._settled.add(name)
        self.types[name] = helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)

    def run(self, nodes: list[Any]) -> None:
        """Walk through nodes in topological order."""
        self.splice(nodes)
        while self._steps:
            step = self._steps.popleft()
            if callable(step):
                step()
            else:
                self._take(step)

    def splice(self, nodes: list[Any], then: Callable[[], None] | None = None) -> None:
        """Nodes that come next, and what to do behind them."""
        for node in nodes:
            self._read |= read_names(node)
        if then is not None:
            self._steps.appendleft(then)
        self._steps.extendleft(reversed(nodes))

    def splice_body(self, nodes: list[Any], results: list[str], then: Callable[[], None] | None = None) -> None:
        """Nodes of an inner graph, in any order, and what reads its results."""
        self._read.update(results)
        self.splice(sorted_nodes(nodes, set()), then)

    def shape(self, name: str) -> tuple[int, ...] | None:
        return static_shape(self.types.get(name))

    def leave(self, node: Any, why: str, allowed: str) -> None:
        """Keep a node whose results' shapes do not follow, unless the model declares them."""
        plain = plain_node(node, self._name(node), self._version(node))
        self._nodes.append(plain)
        self._settle(node, plain, {}, why, allowed)

    def sources(self, name: str) -> list[str]:
        """Inputs of the network that a tensor depends on."""
        makers = {output: node for node in self._nodes for output in node.outputs}
        reached, ahead = dict[str, None](), [name]
        while ahead:
            one = ahead.pop()
            if one in reached:
                continue
            reached[one] = None
            if one in makers and one not in self.values:
                ahead.extend(filter(None, makers[one].inputs))
        return [one for one in reached if one and one not in makers and one not in self.values]

    def _take(self, node: Any) -> None:
        self._taken += 1
        if self._taken > MOST_NODES:
            raise UserError("has too many operators once loops are written out", allowed=f"at most {MOST_NODES}")
        standard = node.domain in ("", "ai.onnx")
        if standard and node.op_type in _CONTROL:
            _CONTROL[node.op_type](self, node)
        elif standard and node.op_type == "Constant" and node.output:
            self._constant(node)
        elif is_compound(node) and (parts := self._expanded(node)) is not None:
            self.splice(parts)
        else:
            self._plain(node)

    def _constant(self, node: Any) -> None:
        tensor = tensor_attribute(node)
        value = constant_value(node, self._imports)
        name = node.output[0]
        if tensor is not None:
            tensor.name = name
            described, _ = held_tensors([tensor])
            self.store(name, *described[name], value)
        elif value is not None:
            self.know(name, value)
            self.stored.add(name)
        else:
            self.leave(node, "holds no dense tensor of numbers", "a constant with a value")

    def _expanded(self, node: Any) -> list[Any] | None:
        """Primitive operators in place of a compound one; None where it cannot be rewritten."""
        node.name = self._name(node)
        try:
            made = expand_node(node, self.types, self.values, stored=self._settled, read=self._read)
        except UserError:
            if not self._allow_unknown:
                raise
            made = None
        if made is None:
            return None
        self._helpful.update(made.types)
        described, values = held_tensors(tensor for tensor in made.tensors if tensor.name not in self.types)
        for name, (kind, shape) in described.items():
            if name in values:
                self.know(name, values[name])
            else:
                self.store(name, kind, shape, None)
        return list(made.nodes)

    def _plain(self, node: Any) -> None:
        plain = plain_node(node, self._name(node), self._version(node))
        self._nodes.append(plain)
        if all(name in self._settled for name in node.input if name):
            self._settled.update(node.output)
        standard = node.domain in ("", "ai.onnx")
        if standard and node.op_type in ("Shape", "Size") and (sizes := self.shape(node.input[0])) is not None:
            self.know(node.output[0], shape_value(node, sizes))
            return
        if all(name in self.values for name in node.input if name):
            results = folded(node, self.values, self._imports)
            if results is not None:
                for name, value in zip((name for name in node.output if name), results, strict=False):
                    self.know(name, value)
                return
        types, contradiction = inferred(node, self.types, self.values, self.opsets)
        why, allowed = "", ""
        if contradiction:
            why, allowed = f"has sizes that contradict one another: {contradiction}", "sizes as its operator says"
        elif not has_schema(node, self.opsets):
            why = "is not defined by ONNX, and the model does not declare the shape of its result"
            allowed = "a model with that shape declared; --allow-unknown takes the shape of its first input"
        self._settle(node, plain, types, why, allowed)

    def _settle(self, node: Any, plain: Node, types: Mapping[str, Any], why: str, allowed: str) -> None:
        """Write down the types of a node's results, and where the last shape was lost."""
        lost_before = next((self._lost[name] for name in node.input if name in self._lost), None)
        for name in filter(None, node.output):
            kind = types.get(name)
            if not is_static(kind):
                others = (self._helpful.get(name), self._declared.get(name))
                kind = next((one for one in others if is_static(one)), kind)
            if not is_static(kind) and self._allow_unknown and not has_schema(node, self.opsets):
                kind = next((self.types[one] for one in node.input if is_static(self.types.get(one))), kind)
            if kind is not None:
                self.types[name] = kind
            if not is_static(kind):
                undefined = not has_schema(node, self.opsets)
                self._lost[name] = lost_before or Lost(plain, *((why, allowed) if why else self._why(node)), undefined)

    def _why(self, node: Any) -> tuple[str, str]:
        """Why a shape does not follow although all inputs have one."""
        unknown = [name for name in node.input if name and name not in self.types]
        if unknown:
            return f"reads a tensor {unknown[0]!r} that the model neither stores nor computes", "a whole model"
        deciding = [name for name in node.input[1:] if name and name not in self.values and self._is_whole(name)]
        name = (deciding or list(node.input) or [""])[0]
        sources = self.sources(name)
        problem = f"gives a result whose shape depends on values of {name!r}, which only the data has"
        levers = [f"--input {source}=..." for source in sources[:4]] if deciding else []
        return problem, "; ".join([*levers, "a model that ends before it, or whose sizes are fixed"])

    def _is_whole(self, name: str) -> bool:
        return self.types[name].tensor_type.elem_type in (6, 7)  # INT32, INT64

    def _version(self, node: Any) -> int:
        return int(self.opsets.get("" if node.domain == "ai.onnx" else node.domain, 1))

    def _name(self, node: Any) -> str:
        stem = node.name or f"{node.op_type}_{self._names[node.op_type]}"
        self._names[node.op_type] += not node.name
        self._names[f"/{stem}"] += 1
        times = self._names[f"/{stem}"]
        return stem if times == 1 else f"{stem}.{times}"

    def graph(self, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Graph:
        """What the walk has found; nodes whose results nobody reads are left out."""
        shapes = {name: sizes for name, kind in self.types.items() if (sizes := static_shape(kind)) is not None}
        types = {name: kind.tensor_type.elem_type for name, kind in self.types.items()}
        nodes = _needed(self._nodes, outputs, self.values)
        notes = self._contradictions(shapes)
        return Graph(
            tuple(nodes), shapes, types, self.values, frozenset(self.stored), inputs, outputs, self._lost, notes
        )

    def _contradictions(self, shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
        notes = []
        for name, kind in self._declared.items():
            said = static_shape(kind)
            if said is not None and name in shapes and said != shapes[name] and 0 not in said:
                notes.append(f"{name!r} is declared as {list(said)}, its operators make it {list(shapes[name])}")
        if len(notes) > _SHOWN_NOTES:
            notes[_SHOWN_NOTES:] = [f"{len(notes) - _SHOWN_NOTES} more declared shapes contradict the computed ones"]
        return tuple(notes)


def _sized(kind: Any, sizes: Mapping[str, int]) -> Any:
    """A declared type with the sizes that the user gives its named dimensions; 0 and -1 say nothing."""
    if kind.HasField("tensor_type"):
        for dim in kind.tensor_type.shape.dim:
            if dim.dim_param in sizes:
                dim.dim_value = sizes[dim.dim_param]
            elif dim.HasField("dim_value") and dim.dim_value <= 0:
                dim.ClearField("dim_value")
    return kind


def _needed(nodes: list[Node], outputs: tuple[str, ...], values: Mapping[str, Any]) -> list[Node]:
    """Nodes whose results are read, directly or not, by what leaves the network."""
    wanted = set(outputs)
    kept = []
    for node in reversed(nodes):
        if not any(name in wanted for name in node.outputs):
            continue
        kept.append(node)
        if node.op in ("Shape", "Size") and node.outputs[0] in values:
            continue  # a size is known without the tensor
        wanted.update(node.inputs[:1] if node.op == "CastLike" else node.inputs)
    return kept[::-1]
