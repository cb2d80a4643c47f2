"""What an ONNX model costs, counted from an executed run: slow, and by the definition of every operator.

The model runs node by node in the package onnx's own `ReferenceEvaluator`, branches and loops included. Every element
of every tensor carries an identity: operators that only move data (Reshape, Slice, Expand, ...) run a second time on
the identities, so that "which stored values does this product read" and "how many different activations are these" are
answered by sets, not by rules about shapes.

Conventions (docs/workloads.md):

- A multiply-accumulate counts once, zero padding included. A transposed convolution multiplies every input element by
  every tap of the kernel; what its pads cut off was computed.
- Only work whose result reaches an output of the model counts, and none that depends on stored values alone.
- Cells hold the stored elements that products multiply, each once; biases are no cells.
- Parameters are the stored tensors that products, norms, look-ups and arithmetic read, whole even where only a part is
  read. Scales and zero points of quantisation, running means and variances, single numbers (a factor of 1/8, an
  epsilon) and integers that only address are none. The two biases of a recurrent layer are one where they are added.
- The second operand of a product of two activations is counted in different elements: copies of one element by Expand,
  Tile, Gather, Concat or broadcasting are one, also where each copy went through the same function of single values.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper
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
# Operators that multiply no matrices, but have parameters.
ARITHMETIC = frozenset({"Add", "Sub", "Mul", "Div", "Sum", "PRelu"})
NORMS = frozenset({"BatchNormalization", "LayerNormalization", "InstanceNormalization", "GroupNormalization"})
# First and second operand of a product, and the inputs that are its biases.
PRODUCTS: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "MatMul": (0, 1, ()), "MatMulInteger": (0, 1, ()), "QLinearMatMul": (0, 3, ()), "Gemm": (0, 1, (2,)),
    "Einsum": (0, 1, ()), "Conv": (0, 1, (2,)), "ConvInteger": (0, 1, ()), "QLinearConv": (0, 3, (8,)),
    "ConvTranspose": (0, 1, (2,)),
}  # fmt: skip


@dataclass(eq=False)
class Value:
    """An executed tensor: its array, one identity per element (0: a filler), and whether it is known before the run."""

    array: np.ndarray[Any, Any]
    ids: np.ndarray[Any, Any]
    known: bool


@dataclass(frozen=True)
class Counts:
    """Totals of a model.

    `second_operands` sums, over products of two activations, the elements of the second one; `written` sums the results
    of all products: of a recurrent layer those of its inputs and of its states, of a transposed convolution the sums
    over channels before overlapping taps are added.
    """

    macs: int
    parameters: int
    array_weights: int
    second_operands: int
    written: int = 0


@dataclass(eq=False)
class _Step:
    node: NodeProto
    inputs: list[Value | None]
    outputs: list[Value]


def evaluate(node: NodeProto, arrays: list[np.ndarray[Any, Any] | None], opset: int) -> list[np.ndarray[Any, Any]]:
    """The outputs of one node that holds no graph, in the package's own evaluator."""
    if node.op_type in RECURRENT_GATES:
        return _recurrent_shapes(node, arrays)
    if node.op_type == "ConvTranspose":
        return _transposed_shape(node, _there(arrays[0]).shape, _there(arrays[1]).shape)
    if node.op_type == "Pad" and opset >= 11 and (_there(arrays[1]) < 0).any():
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
    x, r = _there(arrays[0]), _there(arrays[2])
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
    pads = _there(arrays[1])
    (padded,) = evaluate(node, [arrays[0], np.maximum(pads, 0), *arrays[2:]], opset)
    cut = np.maximum(-pads, 0).reshape(2, -1)
    axes = range(padded.ndim) if len(arrays) < 4 else _there(arrays[3]).tolist()
    for axis, before, after in zip(axes, *cut, strict=True):
        padded = padded.take(range(before, padded.shape[axis] - after), axis)
    return [padded]


class _Run:
    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.steps: list[_Step] = []
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
            taken = "then_branch" if bool(_there(inputs[0]).array.item()) else "else_branch"
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
        self.steps.append(_Step(node, inputs, outputs))
        return outputs

    def moved(self, node: NodeProto, inputs: list[Value | None]) -> list[np.ndarray[Any, Any]]:
        """Identities of the outputs of an operator that moves elements; none where it makes new ones."""
        if node.op_type in RECODING:
            return [_there(inputs[0]).ids]
        if node.op_type in SINGLE:
            return [self.same_for_same([_there(value).ids for value in inputs])]
        if node.op_type not in MOVING or (node.op_type == "Gather" and not _there(inputs[1]).known):
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
        carried = [_there(value) for value in inputs[2:]]
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
        carried = [_there(value) for value in inputs[: len(inputs) - count]]
        sources = [_there(value) for value in inputs[len(inputs) - count :]]
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
        self.steps.append(_Step(helper.make_node("Identity", ["source"], ["row"]), [source], [row]))
        return row

    def stack(self, rows: list[Value]) -> Value:
        array, ids = np.stack([row.array for row in rows]), np.stack([row.ids for row in rows])
        stacked = Value(array, ids, all(row.known for row in rows))
        node = helper.make_node("Concat", ["rows"], ["stacked"])  # liveness needs a step that reads the rows
        self.steps.append(_Step(node, list(rows), [stacked]))
        return stacked


def _there(value: T | None) -> T:
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


def ordered(nodes: Iterable[NodeProto], there: Iterable[str]) -> list[NodeProto]:
    """The nodes so that each follows what it reads; models in the wild are not always sorted."""
    made, waiting, result = set(there), list(nodes), list[NodeProto]()
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


def product_macs(node: NodeProto, shapes: list[tuple[int, ...]], output: tuple[int, ...]) -> int:
    """Multiply-accumulates of one executed product, from the shapes of its operands and its output."""
    first, second = shapes
    op = node.op_type
    if op == "Einsum":
        return _einsum_macs(attributes(node)["equation"].decode(), first, second)
    if op == "ConvTranspose":  # every input element times every tap: weights [C, M / groups, *kernel]
        return _product(first) * _product(second[1:])
    if op in ("Conv", "ConvInteger", "QLinearConv"):  # weights [M, C / groups, *kernel]
        return _product(output) * _product(second[1:])
    length = first[-2] if op == "Gemm" and attributes(node).get("transA") else first[-1]
    return _product(output) * length


def _einsum_macs(equation: str, first: tuple[int, ...], second: tuple[int, ...]) -> int:
    """Product of the sizes of all indices that occur; those behind an ellipsis broadcast."""
    terms = equation.replace(" ", "").split("->")[0].split(",")
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, (first, second), strict=True):
        rest = len(shape) - len(term.replace("...", ""))
        before, _, after = term.partition("...") if "..." in term else (term, "", "")
        labels = [*before, *(str(axis) for axis in range(rest, 0, -1)), *after]
        for label, size in zip(labels, shape, strict=True):
            sizes[label] = max(sizes.get(label, 1), size)
    return _product(sizes.values())


def _product(sizes: Iterable[int]) -> int:
    result = 1
    for size in sizes:
        result *= int(size)
    return result


@dataclass
class _Tally:
    macs: int = 0
    second: int = 0
    written: int = 0
    cells: set[int] = field(default_factory=set)
    stored: set[int] = field(default_factory=set)
    biases: set[int] = field(default_factory=set)

    def step(self, step: _Step) -> None:
        node, inputs = step.node, step.inputs
        if all(value is None or value.known for value in inputs):
            return
        if node.op_type in RECURRENT_GATES:
            self.recurrent(node, inputs)
        elif node.op_type == "Attention":
            self.attention(inputs, step.outputs[0])
        elif node.op_type in PRODUCTS:
            self.matrices(node, inputs, step.outputs[0])
        elif node.op_type in NORMS:
            self.keep(inputs[1:3])
        elif node.op_type == "Gather":
            if not _there(inputs[1]).known:
                self.keep(inputs[:1])
        elif node.op_type == "Concat":
            self.keep(v for v in inputs if v is not None and v.array.size > 1 and v.array.dtype.kind == "f")
        elif node.op_type in ARITHMETIC:
            self.keep(value for value in inputs if value is not None and value.array.size > 1)

    def keep(self, values: Iterable[Value | None]) -> None:
        for value in values:
            if value is not None and value.known:
                self.stored |= _elements(value)

    def matrices(self, node: NodeProto, inputs: list[Value | None], output: Value) -> None:
        one, two, biases = PRODUCTS[node.op_type]
        if len([value for value in inputs if value is not None]) < 2:
            return  # Einsum of one operand moves or sums
        first, second = _there(inputs[one]), _there(inputs[two])
        if first.known and second.known:
            return
        macs = product_macs(node, [first.array.shape, second.array.shape], output.array.shape)
        self.macs += macs
        if node.op_type == "ConvTranspose":  # one sum over C / groups channels per input position and tap
            self.written += macs * attributes(node).get("group", 1) // first.array.shape[1]
        else:
            self.written += output.array.size
        self.keep(inputs[i] for i in biases if i < len(inputs))
        self.keep([first, second])
        for operand in (first, second):
            if operand.known:
                self.cells |= _elements(operand)
        if not first.known and not second.known:
            self.second += len(_elements(second))

    def attention(self, inputs: list[Value | None], output: Value) -> None:
        """Q, K, V [B, H, L, D], keys and values of a cache before the new ones: scores, then their sums of values."""
        query, *_ = (_there(value) for value in inputs[:3])
        past = list(inputs[4:6]) or [None, None]
        batch, heads, rows, _depth = query.array.shape
        for new, old in zip(inputs[1:3], past, strict=True):
            whole = [_there(new)] + ([old] if old is not None else [])
            tokens, depth = sum(one.array.shape[2] for one in whole), whole[0].array.shape[3]
            self.macs += batch * heads * rows * tokens * depth
            self.written += batch * heads * rows * (tokens if new is inputs[1] else depth)
            self.second += len(set().union(*(_elements(one) for one in whole)))

    def recurrent(self, node: NodeProto, inputs: list[Value | None]) -> None:
        """X [T, B, I]; W [D, gates * H, I]; R [D, gates * H, H]; biases; peepholes [D, 3 * H] of an LSTM."""
        x, w, r = (_there(value) for value in inputs[:3])
        steps, batch = x.array.shape[:2]
        self.written += 2 * steps * batch * w.array.shape[0] * w.array.shape[1]
        self.macs += steps * batch * (w.array.size + r.array.size)
        for weights in (w, r):
            self.cells |= _elements(weights)
        self.keep([w, r, *inputs[7:8]])
        if len(inputs) > 3 and inputs[3] is not None:
            gates, hidden = RECURRENT_GATES[node.op_type], r.array.shape[2]
            both = inputs[3].ids.reshape(-1, 2 * gates, hidden)  # [direction, gates of the input's, then the state's]
            apart = both[:, -1:] if attributes(node).get("linear_before_reset") else both[:, :0]
            self.biases |= set(both[:, :gates].ravel().tolist()) | set(apart.ravel().tolist())


def _elements(value: Value) -> set[int]:
    return set(value.ids.ravel().tolist()) - {0}


def reference_counts(model: ModelProto, inputs: Mapping[str, np.ndarray[Any, Any]]) -> Counts:
    """Counts of `model` as it runs on `inputs` (name -> array, of every input that is no initializer)."""
    opset = next(one.version for one in model.opset_import if one.domain in ("", "ai.onnx"))
    run = _Run(opset)
    given = {name: run.fresh(np.asarray(array), known=False) for name, array in inputs.items()}
    outputs = run.graph(model.graph, given)
    tally, read = _Tally(), {id(value) for value in outputs}
    for step in reversed(run.steps):
        if any(id(value) in read for value in step.outputs):
            read |= {id(value) for value in step.inputs}
            tally.step(step)
    parameters = run.whole(tally.stored) + len(tally.biases)
    return Counts(tally.macs, parameters, len(tally.cells), tally.second, tally.written)
