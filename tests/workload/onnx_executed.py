"""What an ONNX model costs by the shapes of an executed run: tensor by tensor, so that models of any size are counted.

Each node runs by itself, in the order of the file, on arrays that the nodes before it made; of an `If` the branch that
its condition takes. Operators are counted by their definition in the ONNX specification, from the shapes of the arrays
that they read and wrote. Conventions are those of docs/reference/workloads.md:

- A multiply-accumulate counts once, zero padding included. A transposed convolution multiplies every input element by
  every tap.
- Work that no output of the model reads, or that needs no input of the model, does not count.
- A stored tensor is a parameter, once and whole, if products, norms, look-ups or arithmetic read it. Scales and zero
  points, running means and variances, single numbers (but slopes of a PRelu) and integers that only address are none.
- Cells are the stored elements that products multiply, each tensor once, biases excluded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

Array = np.ndarray[Any, Any]
Execute = Callable[[ModelProto, dict[str, Array]], Sequence[Any]]

CONVOLUTIONS = ("Conv", "ConvInteger", "QLinearConv")
PRODUCTS = {  # operator: inputs that are first operand, second operand, bias
    "MatMul": (0, 1, None), "MatMulInteger": (0, 1, None), "QLinearMatMul": (0, 3, None), "Gemm": (0, 1, 2),
    "Einsum": (0, 1, None), "Conv": (0, 1, 2), "ConvInteger": (0, 1, None), "QLinearConv": (0, 3, 8),
    "ConvTranspose": (0, 1, 2),
}  # fmt: skip
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
NORMS = {
    "BatchNormalization": (1, 2), "InstanceNormalization": (1, 2), "LayerNormalization": (1, 2),
    "GroupNormalization": (1, 2), "RMSNormalization": (1,),
}  # fmt: skip
# Operators whose inputs behind the first only say where its elements go, or how they are written.
ADDRESSING = frozenset({
    "DequantizeLinear", "QuantizeLinear", "Reshape", "Slice", "Gather", "Expand", "Tile", "Pad", "Squeeze", "Unsqueeze",
    "Split", "Cast",
})  # fmt: skip
ARITHMETIC = ("Add", "Sub", "Mul", "Div", "Sum", "Max", "Min", "Pow", "PRelu")


@dataclass(eq=False)
class Tensor:
    """An executed tensor; `stored`: sizes of the stored tensors that it holds, by name; None where data made it."""

    array: Array
    stored: dict[str, int] | None
    maker: Step | None = None


@dataclass(eq=False)
class Step:
    """An executed node."""

    node: NodeProto
    inputs: list[Tensor | None]
    outputs: list[Tensor]


@dataclass(frozen=True)
class Executed:
    """Totals of an executed model.

    Attributes:
        products: multiply-accumulates of each product, in ascending order; two for each recurrent layer.
        second_operands: elements of the second operands of products of two activations.
        inputs: elements that products read of their data (a product of two activations: of its first operand), each
            element of the tensor once, also those that no window of a strided convolution meets; of a dilated one's as
            far as windows without dilation reach; a recurrent layer's inputs and states.
        outputs: elements that products write; a recurrent layer's are the terms of its gates, a transposed
            convolution's what its taps give before they are added where windows overlap.
    """

    macs: int
    parameters: int
    array_weights: int
    second_operands: int
    inputs: int
    outputs: int
    products: tuple[int, ...]


def by_reference(model: ModelProto, feeds: dict[str, Array]) -> Sequence[Any]:
    """Runs a model of one node in the evaluator of the package onnx."""
    with np.errstate(all="ignore"):
        results: Sequence[Any] = ReferenceEvaluator(model).run(None, feeds)  # type: ignore[assignment]
    return results


def executed_counts(
    model: ModelProto, inputs: Mapping[str, Array], known: Mapping[str, Array] | None = None,
    execute: Execute = by_reference,
) -> Executed:  # fmt: skip
    """Counts of `model` as it runs on `inputs` and `known`: arrays of all inputs that are no initializers, by name.

    Args:
        known: inputs of the model that are known before it runs.
        execute: runs a model of one node; returns its outputs.
    """
    given = {name: Tensor(np.asarray(array), None) for name, array in inputs.items()}
    given |= {name: Tensor(np.asarray(array), {}) for name, array in (known or {}).items()}
    outputs = _graph(model.graph, given, model, execute)
    return _counted(_live(outputs))


def _graph(graph: GraphProto, outer: Mapping[str, Tensor], model: ModelProto, execute: Execute) -> list[Tensor]:
    scope = dict(outer)
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        scope[tensor.name] = Tensor(array, {tensor.name: array.size})
    for node in graph.node:
        inputs = [scope[name] if name else None for name in node.input]
        if node.op_type == "If":
            condition = inputs[0]
            assert condition is not None
            branches = {a.name: a.g for a in node.attribute}
            taken = branches["then_branch" if condition.array.item() else "else_branch"]
            made = _graph(taken, scope, model, execute)
        else:
            made = _step(node, inputs, model, execute)
        scope.update(zip(node.output, made, strict=False))
    return [scope[output.name] for output in graph.output]


def _step(node: NodeProto, inputs: list[Tensor | None], model: ModelProto, execute: Execute) -> list[Tensor]:
    feeds = {name: tensor.array for name, tensor in zip(node.input, inputs, strict=True) if tensor is not None}
    names = [name for name in node.output if name]
    infos = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in feeds.items()
    ]
    graph = helper.make_graph([node], "one", infos, [onnx.ValueInfoProto(name=name) for name in names])
    single = helper.make_model(graph, opset_imports=list(model.opset_import), ir_version=model.ir_version)
    results = dict(zip(names, execute(single, feeds), strict=True))
    step = Step(node, inputs, [])
    stored = _stored(node, inputs)
    for name in node.output:
        array = np.asarray(results[name]) if name else np.zeros(0)
        # Some files keep weights in Constant nodes, or fill them in to need no values.
        filled = node.op_type == "ConstantOfShape" and stored is not None and np.issubdtype(array.dtype, np.floating)
        made = {name: array.size} if node.op_type == "Constant" or filled else stored
        step.outputs.append(Tensor(array, made, step))
    return step.outputs


def _stored(node: NodeProto, inputs: list[Tensor | None]) -> dict[str, int] | None:
    """Stored tensors in the results of a node; none (empty) for those of its own; None where data made them."""
    if node.op_type in ("Shape", "Size"):
        return {}
    held = [tensor.stored for tensor in inputs if tensor is not None]
    if any(stored is None for stored in held):
        return None
    if node.op_type in ("ConstantOfShape", "Range"):
        return {}
    if node.op_type in ADDRESSING:
        held = held[:1]
    return {name: size for stored in held if stored for name, size in stored.items()}


def _live(outputs: list[Tensor]) -> list[Step]:
    """Steps that the outputs need."""
    waiting, found = [tensor.maker for tensor in outputs if tensor.maker], dict[Step, None]()
    while waiting:
        step = waiting.pop()
        if step in found:
            continue
        found[step] = None
        # The sizes of a tensor need none of the work that made its values.
        if step.node.op_type not in ("Shape", "Size"):
            waiting += [tensor.maker for tensor in step.inputs if tensor is not None and tensor.maker]
    return list(found)


def _counted(steps: list[Step]) -> Executed:
    kept: dict[str, int] = {}
    cells: dict[str, int] = {}
    biases: dict[tuple[str, ...], int] = {}
    products: list[int] = []
    second_operands = reads = outputs = 0

    def keep(tensor: Tensor | None, into: dict[str, int] = kept) -> None:
        if tensor is not None and tensor.stored is not None:
            into.update(tensor.stored)

    for step in steps:
        op, inputs = step.node.op_type, step.inputs
        there = [tensor for tensor in inputs if tensor is not None]
        if all(tensor.stored is not None for tensor in there):
            continue
        if op in PRODUCTS and len(there) > 1:
            first, second = (inputs[i] for i in PRODUCTS[op][:2])
            assert first is not None
            assert second is not None
            products.append(_macs(step.node, first.array, second.array, step.outputs[0].array))
            data = first if first.stored is None else second
            reads += _read(step.node, data.array, second.array, step.outputs[0].array)
            outputs += _written(step.node, first.array, second.array, step.outputs[0].array)
            for operand in (first, second):
                keep(operand)
                keep(operand, cells)
            bias = PRODUCTS[op][2]
            unread = any(a.name == "beta" and a.f == 0 for a in step.node.attribute)  # Gemm: alpha A B + beta C
            if bias is not None and bias < len(inputs) and not unread:
                keep(inputs[bias])
            if first.stored is None and second.stored is None:
                second_operands += second.array.size
        elif op in GATES:
            x, w, r = inputs[:3]
            assert x is not None
            assert w is not None
            assert r is not None
            steps_and_batch = x.array.shape[0] * x.array.shape[1]
            products += [steps_and_batch * w.array.size, steps_and_batch * r.array.size]
            outputs += 2 * steps_and_batch * math.prod(w.array.shape[:2])
            reads += x.array.size + steps_and_batch * r.array.shape[0] * r.array.shape[2]
            for weights in (w, r):
                keep(weights)
                keep(weights, cells)
            if len(inputs) > 3 and inputs[3] is not None and inputs[3].stored:
                biases[tuple(inputs[3].stored)] = inputs[3].array.size // 2  # Wb and Rb are added to each other
            keep(inputs[7] if len(inputs) > 7 else None)
        elif op in NORMS:
            for i in NORMS[op]:
                keep(inputs[i] if i < len(inputs) else None)
        elif op == "Gather" and inputs[1] is not None and inputs[1].stored is None:
            keep(inputs[0])
        elif op in ARITHMETIC:
            for tensor in there:
                if tensor.array.size > 1 or op == "PRelu":
                    keep(tensor)
    return Executed(
        sum(products), sum(kept.values()) + sum(biases.values()), sum(cells.values()), second_operands, reads,
        outputs, tuple(sorted(products)),
    )  # fmt: skip


def _macs(node: NodeProto, first: Array, second: Array, output: Array) -> int:
    if node.op_type in CONVOLUTIONS:  # second: [M, C / groups, *kernel]
        return output.size * math.prod(second.shape[1:])
    if node.op_type == "ConvTranspose":  # second: [C, M / groups, *kernel]
        return first.size * math.prod(second.shape[1:])
    if node.op_type == "Einsum":
        return _einsum(node, first, second)
    transposed = node.op_type == "Gemm" and any(a.name == "transA" and a.i for a in node.attribute)
    return output.size * first.shape[-2 if transposed else -1]


def _read(node: NodeProto, data: Array, weights: Array, output: Array) -> int:
    told = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    axes = data.ndim - 2
    dilations = told.get("dilations", [1] * axes)
    if node.op_type not in CONVOLUTIONS or all(dilation == 1 for dilation in dilations):
        return data.size
    strides, pads = told.get("strides", [1] * axes), told.get("pads", [0] * 2 * axes)
    sizes = list(data.shape)
    for axis, (dilation, stride, pad) in enumerate(zip(dilations, strides, pads, strict=False), start=2):
        reach = (output.shape[axis] - 1) * stride + weights.shape[axis] - pad
        sizes[axis] = min(sizes[axis], reach) if dilation > 1 else sizes[axis]
    return math.prod(sizes)


def _written(node: NodeProto, first: Array, second: Array, output: Array) -> int:
    if node.op_type == "ConvTranspose":
        groups = sum(a.i for a in node.attribute if a.name == "group") or 1
        return first.size // second.shape[0] * groups * math.prod(second.shape[1:])
    return output.size


def _einsum(node: NodeProto, first: Array, second: Array) -> int:
    (equation,) = (helper.get_attribute_value(a).decode() for a in node.attribute if a.name == "equation")
    terms = equation.replace(" ", "").split("->")[0].split(",")
    sizes: dict[str, int] = {}
    for term, array in zip(terms, (first, second), strict=True):
        if "." in term:
            raise ValueError(f"{node.name}: {equation}: indices behind an ellipsis are not counted")
        for label, size in zip(term, array.shape, strict=True):
            sizes[label] = max(sizes.get(label, 1), size)
    return math.prod(sizes.values())
