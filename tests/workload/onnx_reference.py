"""What an ONNX model costs, counted from an executed run: slow, and by the definition of every operator.

The model runs node by node in the package onnx's own `ReferenceEvaluator`, branches and loops included. Every element
of every tensor carries an identity: operators that only move data (Reshape, Slice, Expand, ...) run a second time on
the identities, so that "which stored values does this product read" and "how many different activations are these" are
answered by sets, not by rules about shapes.

Conventions (docs/reference/workloads.md):

- A multiply-accumulate counts once, zero padding included. A transposed convolution multiplies every input element by
  every tap of the kernel; what its pads cut off was computed.
- Only work whose result reaches an output of the model counts, and none that depends on stored values alone.
- Cells hold the stored elements that products multiply, each once; biases are no cells.
- Parameters are the stored tensors that products, norms, look-ups and arithmetic read, whole even where only a part is
  read. Scales and zero points of quantisation, running means and variances, single numbers (a factor of 1/8, an
  epsilon; slopes of a PRelu are parameters) and integers that only address are none. The two biases of a recurrent
  layer are one where they are added.
- The second operand of a product of two activations is counted in different elements: copies of one element by Expand,
  Tile, Gather, Concat or broadcasting are one, also where each copy went through the same function of single values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto

from tests.workload.onnx_identities import RECURRENT_GATES, Run, Step, Value, attributes, there

# Operators that multiply no matrices, but have parameters.
ARITHMETIC = frozenset({"Add", "Sub", "Mul", "Div", "Sum", "PRelu"})
NORMS = frozenset({"BatchNormalization", "LayerNormalization", "InstanceNormalization", "GroupNormalization"})
# First and second operand of a product, and the inputs that are its biases.
PRODUCTS: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "MatMul": (0, 1, ()), "MatMulInteger": (0, 1, ()), "QLinearMatMul": (0, 3, ()), "Gemm": (0, 1, (2,)),
    "Einsum": (0, 1, ()), "Conv": (0, 1, (2,)), "ConvInteger": (0, 1, ()), "QLinearConv": (0, 3, (8,)),
    "ConvTranspose": (0, 1, (2,)),
}  # fmt: skip


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


def product_macs(node: NodeProto, shapes: list[tuple[int, ...]], output: tuple[int, ...]) -> int:
    """Multiply-accumulates of one executed product, from the shapes of its operands and its output."""
    first, second = shapes
    op = node.op_type
    if op == "Einsum":
        return _einsum_macs(attributes(node)["equation"].decode(), first, second)
    if op == "ConvTranspose":  # every input element times every tap: weights [C, M / groups, *kernel]
        return product(first) * product(second[1:])
    if op in ("Conv", "ConvInteger", "QLinearConv"):  # weights [M, C / groups, *kernel]
        return product(output) * product(second[1:])
    length = first[-2] if op == "Gemm" and attributes(node).get("transA") else first[-1]
    return product(output) * length


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
    return product(sizes.values())


def product(sizes: Iterable[int]) -> int:
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

    def step(self, step: Step) -> None:
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
            if not there(inputs[1]).known:
                self.keep(inputs[:1])
        elif node.op_type == "Concat":
            self.keep(v for v in inputs if v is not None and v.array.size > 1 and v.array.dtype.kind == "f")
        elif node.op_type in ARITHMETIC:
            slope = node.op_type == "PRelu"
            self.keep(value for value in inputs if value is not None and (slope or value.array.size > 1))

    def keep(self, values: Iterable[Value | None]) -> None:
        for value in values:
            if value is not None and value.known:
                self.stored |= _elements(value)

    def matrices(self, node: NodeProto, inputs: list[Value | None], output: Value) -> None:
        one, two, biases = PRODUCTS[node.op_type]
        if len([value for value in inputs if value is not None]) < 2:
            return  # Einsum of one operand moves or sums
        first, second = there(inputs[one]), there(inputs[two])
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
        query, *_ = (there(value) for value in inputs[:3])
        past = list(inputs[4:6]) or [None, None]
        batch, heads, rows, _depth = query.array.shape
        for new, old in zip(inputs[1:3], past, strict=True):
            whole = [there(new)] + ([old] if old is not None else [])
            tokens, depth = sum(one.array.shape[2] for one in whole), whole[0].array.shape[3]
            self.macs += batch * heads * rows * tokens * depth
            self.written += batch * heads * rows * (tokens if new is inputs[1] else depth)
            self.second += len(set().union(*(_elements(one) for one in whole)))

    def recurrent(self, node: NodeProto, inputs: list[Value | None]) -> None:
        """X [T, B, I]; W [D, gates * H, I]; R [D, gates * H, H]; biases; peepholes [D, 3 * H] of an LSTM."""
        x, w, r = (there(value) for value in inputs[:3])
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
    run = Run(opset)
    given = {name: run.fresh(np.asarray(array), known=False) for name, array in inputs.items()}
    outputs = run.graph(model.graph, given)
    tally, read = _Tally(), {id(value) for value in outputs}
    for step in reversed(run.steps):
        if any(id(value) in read for value in step.outputs):
            read |= {id(value) for value in step.inputs}
            tally.step(step)
    parameters = run.whole(tally.stored) + len(tally.biases)
    return Counts(tally.macs, parameters, len(tally.cells), tally.second, tally.written)
