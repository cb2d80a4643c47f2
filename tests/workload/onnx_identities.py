"""Run an ONNX model node by node, with an identity for every element of every tensor.

Operators that only move data (Reshape, Slice, Expand, ...) run a second time on the identities, so that "which stored
values does this product read" and "how many different activations are these" are answered by sets.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import onnx
from onnx import GraphProto, NodeProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

T = TypeVar("T")

# Operators that move elements of their first input (Concat: of all) and change none.
MOVING = frozenset({
    "Identity", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Split", "Concat", "Gather",
    "GatherElements", "GatherND", "Expand", "Tile", "DepthToSpace", "SpaceToDepth", "Pad",
})  # fmt: skip
# Operators whose result holds the same values, written differently.
RECODING = frozenset({"Cast", "DequantizeLinear", "QuantizeLinear", "Dropout"})
RECURRENT_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
# Operators that the evaluator has from this opset on only; earlier forms did the same.
EARLIEST_FORM = {"DequantizeLinear": 19}
# Functions element by element: results of the same elements are copies of one another.
SINGLE = frozenset({"Relu", "Sigmoid", "Tanh", "LeakyRelu", "Exp", "Neg", "Mul", "Div", "Add", "Sub"})
@dataclass(eq=False)
class Value:
    """An executed tensor: its array, one identity per element (0: a filler), and whether it is known before the run."""

    array: np.ndarray[Any, Any]
    ids: np.ndarray[Any, Any]
    known: bool


@dataclass(eq=False)
class Step:
    node: NodeProto
    inputs: list[Value | None]
    outputs: list[Value]


def evaluate(node: NodeProto, arrays: list[np.ndarray[Any, Any] | None], opset: int) -> list[np.ndarray[Any, Any]]:
    """The outputs of one node that holds no graph, in the package's own evaluator."""
    if node.op_type in RECURRENT_GATES:
        return _recurrent_shapes(node, arrays)
    if node.op_type == "ConvTranspose":
        return _transposed_shape(node, there(arrays[0]).shape, there(arrays[1]).shape)
    if node.op_type == "Pad" and opset >= 11 and (there(arrays[1]) < 0).any():
        return _cropped(node, arrays, opset)
    fed = {name: array for name, array in zip(node.input, arrays, strict=True) if array is not None}
    outputs = [name for name in node.output if name]
    graph = helper.make_graph(
        [node], "one", [onnx.ValueInfoProto(name=name) for name in fed], [onnx.ValueInfoProto(name=n) for n in outputs]
    )
    version = max(opset, EARLIEST_FORM.get(node.op_type, 1))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
    with np.errstate(all="ignore"):
        results: list[Any] = ReferenceEvaluator(model).run(None, fed)  # type: ignore[assignment]
    return [np.asarray(result) for result in results]


def attributes(node: NodeProto) -> dict[str, Any]:
    """Attribute name -> value, of those that are no graph."""
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def _recurrent_shapes(node: NodeProto, arrays: list[np.ndarray[Any, Any] | None]) -> list[np.ndarray[Any, Any]]:
    """Zeros in the shapes of Y, Y_h, Y_c: the evaluator knows no second direction, and counts need no values."""
    x, r = there(arrays[0]), there(arrays[2])
    directions, hidden = r.shape[0], r.shape[2]
    steps, batch = x.shape[:2]
    shapes = [(steps, directions, batch, hidden), (directions, batch, hidden), (directions, batch, hidden)]
    return [np.zeros(shape, np.float32) for name, shape in zip(node.output, shapes, strict=False) if name]


def _transposed_shape(
    node: NodeProto, x: tuple[int, ...], w: tuple[int, ...]
) -> list[np.ndarray[Any, Any]]:
    """Zeros in the output's shape as the operator defines it; the evaluator refuses some output paddings."""
    told, axes = attributes(node), len(x) - 2
    strides, dilations = (np.array(told.get(key, [1] * axes)) for key in ("strides", "dilations"))
    pads = np.array(told.get("pads", [0] * 2 * axes)).reshape(2, axes).sum(axis=0)
    extra = np.array(told.get("output_padding", [0] * axes))
    spatial = strides * (np.array(x[2:]) - 1) + extra + (np.array(w[2:]) - 1) * dilations + 1 - pads
    return [np.zeros((x[0], w[1] * told.get("group", 1), *spatial), np.float32)]


def _cropped(
    node: NodeProto, arrays: list[np.ndarray[Any, Any] | None], opset: int
) -> list[np.ndarray[Any, Any]]:
    """Pad where some pads are negative, which the evaluator does not know: pad by the others, then cut."""
    pads = there(arrays[1])
    (padded,) = evaluate(node, [arrays[0], np.maximum(pads, 0), *arrays[2:]], opset)
    cut = np.maximum(-pads, 0).reshape(2, -1)
    axes = range(padded.ndim) if len(arrays) < 4 else there(arrays[3]).tolist()
    for axis, before, after in zip(axes, *cut, strict=True):
        padded = padded.take(range(before, padded.shape[axis] - after), axis)
    return [padded]


class Run:
    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.steps: list[Step] = []
        self._last = 0
        self._starts: list[int] = []

    def fresh(self, array: np.ndarray[Any, Any], known: bool) -> Value:
        ids = np.arange(self._last + 1, self._last + 1 + array.size, dtype=np.int64).reshape(array.shape)
        self._starts.append(self._last + 1)
        self._last += array.size
        return Value(array, ids, known)

    def whole(self, ids: Iterable[int]) -> int:
        """Elements of all tensors that hold one of `ids`."""
        ends = [*self._starts[1:], self._last + 1]
        found = {bisect.bisect_right(self._starts, one) - 1 for one in ids}
        return sum(ends[i] - self._starts[i] for i in found)

    def graph(self, graph: GraphProto, outer: Mapping[str, Value]) -> list[Value]:
        scope = dict(outer)
        scope.update({t.name: self.fresh(numpy_helper.to_array(t), known=True) for t in graph.initializer})
        for node in ordered(graph.node, scope):
            inputs = [scope[name] if name else None for name in node.input]
            outputs = self.node(node, inputs, scope)
            scope.update(zip((name for name in node.output if name), outputs, strict=True))
        return [scope[output.name] for output in graph.output]

    def node(self, node: NodeProto, inputs: list[Value | None], scope: Mapping[str, Value]) -> list[Value]:
        if node.op_type == "If":
            taken = "then_branch" if bool(there(inputs[0]).array.item()) else "else_branch"
            return self.graph(attributes(node)[taken], scope)
        if node.op_type == "Scan":
            return self.scan(attributes(node), inputs, scope)
        if node.op_type == "Loop":
            return self.loop(attributes(node)["body"], inputs, scope)
        arrays = evaluate(node, [None if value is None else value.array for value in inputs], self.opset)
        known = node.op_type in ("Shape", "Size", "Constant") or all(value is None or value.known for value in inputs)
        outputs = [self.fresh(array, known) for array in arrays]
        moved = self.moved(node, inputs)
        for output, ids in zip(outputs, moved, strict=False):
            assert ids.shape == output.array.shape
            output.ids = ids
        self.steps.append(Step(node, inputs, outputs))
        return outputs

    def moved(self, node: NodeProto, inputs: list[Value | None]) -> list[np.ndarray[Any, Any]]:
        """Identities of the outputs of an operator that moves elements; none where it makes new ones."""
        if node.op_type in RECODING:
            return [there(inputs[0]).ids]
        if node.op_type in SINGLE:
            return [self.same_for_same([there(value).ids for value in inputs])]
        if node.op_type not in MOVING or (node.op_type == "Gather" and not there(inputs[1]).known):
            return []
        every = node.op_type == "Concat"
        arrays = [v if v is None else v.ids if i == 0 or every else v.array for i, v in enumerate(inputs)]
        if node.op_type == "Pad" and len(arrays) > 2 and arrays[2] is not None:
            arrays[2] = np.zeros_like(arrays[2], dtype=np.int64)
        return evaluate(node, arrays, self.opset)

    def same_for_same(self, ids: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        """New identities, element by element; equal where those of all operands are."""
        operands = np.broadcast_arrays(*ids)
        rows = np.stack([each.ravel() for each in operands], axis=1)
        different, places = np.unique(rows, axis=0, return_inverse=True)
        new = self.fresh(np.zeros(len(different)), known=False).ids
        return new[places.ravel()].reshape(operands[0].shape)

    def loop(self, body: GraphProto, inputs: list[Value | None], scope: Mapping[str, Value]) -> list[Value]:
        trips, condition = inputs[0], inputs[1]
        going = condition is None or bool(condition.array.item())
        carried = [there(value) for value in inputs[2:]]
        scanned: list[list[Value]] = [[] for _ in body.output[1 + len(carried) :]]
        for i in itertools.count():
            if not going or (trips is not None and i >= int(trips.array.item())):
                break
            given = [self.fresh(np.array(i, np.int64), True), self.fresh(np.array(going), True), *carried]
            names = (one.name for one in body.input)
            results = self.graph(body, {**scope, **dict(zip(names, given, strict=True))})
            going = bool(results[0].array.item())
            carried = results[1 : 1 + len(carried)]
            for rows, row in zip(scanned, results[1 + len(carried) :], strict=True):
                rows.append(row)
        return carried + [self.stack(rows) for rows in scanned]

    def scan(self, told: dict[str, Any], inputs: list[Value | None], scope: Mapping[str, Value]) -> list[Value]:
        """Scan of opset 9 and later, forwards along the first axis."""
        body, count = told["body"], told["num_scan_inputs"]
        carried = [there(value) for value in inputs[: len(inputs) - count]]
        sources = [there(value) for value in inputs[len(inputs) - count :]]
        states = len(carried)
        scanned: list[list[Value]] = [[] for _ in body.output[states:]]
        for i in range(sources[0].array.shape[0]):
            rows = [self.row(source, i) for source in sources]
            names = (one.name for one in body.input)
            results = self.graph(body, {**scope, **dict(zip(names, [*carried, *rows], strict=True))})
            carried = results[:states]
            for made, row in zip(scanned, results[states:], strict=True):
                made.append(row)
        return carried + [self.stack(made) for made in scanned]

    def row(self, source: Value, i: int) -> Value:
        """One step's part of what a Scan reads."""
        row = Value(source.array[i], source.ids[i], source.known)
        self.steps.append(Step(helper.make_node("Identity", ["source"], ["row"]), [source], [row]))
        return row

    def stack(self, rows: list[Value]) -> Value:
        array, ids = np.stack([row.array for row in rows]), np.stack([row.ids for row in rows])
        stacked = Value(array, ids, all(row.known for row in rows))
        node = helper.make_node("Concat", ["rows"], ["stacked"])  # liveness needs a step that reads the rows
        self.steps.append(Step(node, list(rows), [stacked]))
        return stacked


def there(value: T | None) -> T:
    """What must be there: a required input."""
    assert value is not None
    return value


def _reads(node: NodeProto) -> set[str]:
    """Names that a node reads, those that its graphs take from around them included."""
    names = {name for name in node.input if name}
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            graph = attribute.g
            inner = {one.name for one in graph.input} | {t.name for t in graph.initializer}
            inner |= {name for each in graph.node for name in each.output}
            asked = set().union(*(_reads(each) for each in graph.node)) | {one.name for one in graph.output}
            names |= asked - inner
    return names


def ordered(nodes: Iterable[NodeProto], given: Iterable[str]) -> list[NodeProto]:
    """The nodes so that each follows what it reads; models in the wild are not always sorted."""
    made, waiting, result = set(given), list(nodes), list[NodeProto]()
    while waiting:
        later = []
        for node in waiting:
            if _reads(node) <= made:
                result.append(node)
                made |= set(node.output)
            else:
                later.append(node)
        if len(later) == len(waiting):
            raise ValueError("the graph reads what nothing makes")
        waiting = later
    return result
