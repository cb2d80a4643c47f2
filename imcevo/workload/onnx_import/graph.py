"""An ONNX graph as lowering sees it: nodes in order, shapes, small constants. Knows nothing of protobuf."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError

# TensorProto.DataType of real numbers: FLOAT, FLOAT16, DOUBLE, BFLOAT16, FLOAT8..., FLOAT4.
REAL_TYPES = frozenset({1, 10, 11, 16, 17, 18, 19, 20, 23})
# TensorProto.DataType -> bits of integers that arrays take: UINT8, INT8, UINT4, INT4, UINT2, INT2.
BITS = {2: 8, 3: 8, 21: 4, 22: 4, 25: 2, 26: 2}


@dataclass(frozen=True)
class Node:
    """One operator; `op` has its domain in front unless that is ONNX's own, `version` is that of its domain."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    version: int = 1

    def attribute(self, name: str, default: Any = None) -> Any:
        return self.attributes.get(name, default)

    def text(self, name: str, default: str = "") -> str:
        """A text attribute, which files hold as bytes."""
        value = self.attributes.get(name, default)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def input(self, index: int) -> str:
        """Name of an input; empty if it is left out."""
        return self.inputs[index] if index < len(self.inputs) else ""

    def refused(self, problem: str, *, allowed: str | None = None) -> UserError:
        """The error for a node that is not what its operator says, or that cannot be imported."""
        return UserError(problem, key=f"node {self.name!r} ({self.op})", allowed=allowed)


@dataclass(frozen=True)
class Lost:
    """Where a shape was lost: the first node from which on it does not follow, and why."""

    node: Node
    why: str
    allowed: str
    undefined: bool = False  # because ONNX does not define the operator


@dataclass(frozen=True)
class Graph:
    """A graph in topological order, without control flow.

    Attributes:
        shapes: of every tensor whose shape is known.
        types: element types of tensors, as TensorProto.DataType.
        constants: values of the small ones that are known before the network runs.
        stored: tensors of the file (initialisers, constants, inputs named as weights), whatever their size.
        inputs, outputs: of the network.
        lost: tensors whose shape does not follow.
        notes: what the user should know: declared shapes that contradict the computed ones.
    """

    nodes: tuple[Node, ...]
    shapes: dict[str, tuple[int, ...]]
    types: dict[str, int]
    constants: dict[str, NDArray[Any]]
    stored: frozenset[str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    lost: dict[str, Lost] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def shape(self, name: str, node: Node) -> tuple[int, ...]:
        """The shape of a tensor.

        Raises:
            UserError: it is not known; names the first node where it was lost.
        """
        if name in self.shapes:
            return self.shapes[name]
        if name in self.lost:
            lost = self.lost[name]
            raise lost.node.refused(lost.why, allowed=lost.allowed)
        raise node.refused(f"reads a tensor {name!r} that the model neither stores nor computes")

    def size(self, name: str, node: Node) -> int:
        return prod(self.shape(name, node))

    def is_real(self, name: str) -> bool:
        """Whether a tensor is of real numbers, as weights are and indices and masks are not."""
        if name in self.types:
            return self.types[name] in REAL_TYPES
        return name in self.constants and bool(np.issubdtype(self.constants[name].dtype, np.floating))

    def is_weight_like(self, name: str) -> bool:
        """Whether a tensor's type is one that weights have: real numbers, or integers of up to 8 bits."""
        return self.is_real(name) or self.types.get(name) in BITS

    def scalar_or_list(self, name: str) -> list[Any] | None:
        """The values of a small constant, flattened; None if it is none."""
        return self.constants[name].reshape(-1).tolist() if name in self.constants else None


def first_to_last(needs: Sequence[Collection[int]]) -> list[int]:
    """Positions with each after those that it needs, otherwise ascending; what waits for itself is left out."""
    followers: list[list[int]] = [[] for _ in needs]
    waiting = [len(before) for before in needs]
    for index, before in enumerate(needs):
        for other in before:
            followers[other].append(index)
    ready = [index for index, count in enumerate(waiting) if not count]
    order: list[int] = []
    while ready:
        index = heapq.heappop(ready)
        order.append(index)
        for follower in followers[index]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heapq.heappush(ready, follower)
    return order
