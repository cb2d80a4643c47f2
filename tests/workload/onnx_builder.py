"""Build ONNX models node by node, each node executed as it is added, so that building blocks know every shape."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from tests.workload.onnx_identities import evaluate

Array = np.ndarray[Any, Any]
Block = Callable[["Builder"], None]
MOST_ELEMENTS = 6000


class Builder:
    """Nodes as they are added, each executed at once, so that blocks know every shape."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.rng = random.Random(0)
        self.arrays: dict[str, Array] = {}
        self.nodes: list[NodeProto] = []
        self.inputs: list[str] = []
        self.initializers: list[str] = []
        self.pool: list[str] = []  # activations that blocks may read
        self.weights: list[str] = []  # stored matrices that blocks may share
        self.unread: set[str] = set()
        self.weight_inputs: set[str] = set()  # stored tensors that the file may have as inputs without data
        self.values: dict[str, int] = {}  # inputs whose value is known before the run
        self._names = 0
        self._inner: list[list[TensorProto]] = []  # initializers of the nested graphs around

    def name(self, stem: str) -> str:
        self._names += 1
        return f"{stem}{self._names}"

    def width(self, most: int) -> int:
        """A size of a weight: mostly small, so that ones and equal sizes meet; sometimes none of a small constant."""
        return self.rng.randint(1, most) if self.rng.random() < 0.85 else self.rng.randint(30, 70)

    def shape(self, name: str) -> tuple[int, ...]:
        return self.arrays[name].shape

    def given(self, *shape: int, kind: type[np.generic] = np.float32, below: int = 0) -> str:
        """A new input of the model; integers are below `below`."""
        name = self.name("x")
        count = int(np.prod(shape))
        values = np.arange(count) % below if below else np.linspace(-1, 1, count)
        self.arrays[name] = values.reshape(shape).astype(kind)
        self.inputs.append(name)
        return name

    def stored(self, *shape: int, kind: type[np.generic] = np.float32) -> str:
        """A new stored tensor of small values that differ."""
        return self.constant(np.linspace(-3, 3, int(np.prod(shape))).reshape(shape).astype(kind), "w")

    def constant(self, array: Array, stem: str = "k") -> str:
        name = self.name(stem)
        self.arrays[name] = array
        if self._inner and self.rng.random() < 0.4:
            self._inner[-1].append(numpy_helper.from_array(array, name))
        elif self.rng.random() < 0.15:
            node = helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array, name + "_value"))
            self.nodes.append(node)
        else:
            self.initializers.append(name)
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        return self.many(1, op, *inputs, **attributes)[0]

    def many(self, count: int, op: str, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node of `count` outputs and execute it."""
        outputs = [self.name("t") for _ in range(count)]
        node = helper.make_node(op, list(inputs), outputs, name=self.name(op), **attributes)
        arrays = [self.arrays[name] if name else None for name in inputs]
        self.arrays.update(zip(outputs, evaluate(node, arrays, self.opset), strict=True))
        self.nodes.append(node)
        return outputs

    def activation(self, rank: int, fits: Callable[[tuple[int, ...]], bool] = lambda shape: True) -> str | None:
        """An activation made before, of that rank."""
        able = [name for name in self.pool if len(self.shape(name)) == rank and fits(self.shape(name))]
        return self.rng.choice(able) if able and self.rng.random() < 0.75 else None

    def keep(self, name: str) -> str:
        if self.arrays[name].size <= MOST_ELEMENTS:
            self.pool.append(name)
        return name

    def unsqueeze(self, name: str, *axes: int) -> str:
        if self.opset >= 13:
            return self.node("Unsqueeze", name, self.ints(*axes))
        return self.node("Unsqueeze", name, axes=list(axes))

    def slice(self, name: str, axis: int, start: int, end: int) -> str:
        if self.opset >= 10:
            return self.node("Slice", name, self.ints(start), self.ints(end), self.ints(axis))
        return self.node("Slice", name, starts=[start], ends=[end], axes=[axis])

    def split(self, name: str, axis: int, sizes: Sequence[int]) -> list[str]:
        if self.opset >= 13:
            return self.many(len(sizes), "Split", name, self.ints(*sizes), axis=axis)
        return self.many(len(sizes), "Split", name, axis=axis, split=list(sizes))

    def pad(self, name: str, pads: Sequence[int]) -> str:
        """Zeros before and after every axis; negative ones cut (from opset 11 on)."""
        if self.opset >= 11:
            return self.node("Pad", name, self.ints(*pads))
        return self.node("Pad", name, pads=[max(0, pad) for pad in pads])

    def reshape(self, name: str, *shape: int) -> str:
        return self.node("Reshape", name, self.ints(*shape))

    @contextlib.contextmanager
    def within(self) -> Iterator[GraphProto]:
        """A nested graph of the nodes that are added meanwhile; what they make is not seen outside."""
        outer, pool, weights, self.nodes = self.nodes, list(self.pool), list(self.weights), []
        self._inner.append([])
        graph = GraphProto(name=self.name("graph"))
        yield graph
        graph.node.extend(self.nodes)
        graph.initializer.extend(self._inner.pop())
        self.nodes, self.pool, self.weights = outer, pool, weights

    def typed(self, name: str, shape: Sequence[int | str | None] | None = None) -> ValueInfoProto:
        array = self.arrays[name]
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        return helper.make_tensor_value_info(name, kind, list(array.shape) if shape is None else shape)
