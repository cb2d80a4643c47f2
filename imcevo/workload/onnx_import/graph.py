"""An ONNX graph as lowering sees it: nodes in order, shapes, small constants. Knows nothing of protobuf."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError


@dataclass(frozen=True)
class Node:
    """One operator; `op` has its domain in front unless that is ONNX's own."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    def attribute(self, name: str, default: Any = None) -> Any:
        return self.attributes.get(name, default)

    def refused(self, problem: str) -> UserError:
        """The error for a node that is not what its operator says."""
        return UserError(problem, key=f"node {self.name!r} ({self.op})")


@dataclass(frozen=True)
class Graph:
    """A graph in topological order with static shapes.

    Attributes:
        shapes: of every tensor whose shape is known.
        constants: values of the small ones that are known before the network runs.
        stored: weights and other large constants, whose values are not read, and whether they are real numbers.
        inputs, outputs: of the network.
    """

    nodes: tuple[Node, ...]
    shapes: dict[str, tuple[int, ...]]
    constants: dict[str, NDArray[Any]]
    stored: dict[str, bool]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def shape(self, name: str, node: Node) -> tuple[int, ...]:
        """The shape of a tensor.

        Raises:
            UserError: it is not known.
        """
        if name not in self.shapes:
            raise node.refused(f"the shape of its tensor {name!r} does not follow from the model; is a --dim missing?")
        return self.shapes[name]

    def size(self, name: str, node: Node) -> int:
        return prod(self.shape(name, node))

    def is_constant(self, name: str) -> bool:
        return name in self.constants or name in self.stored

    def is_real(self, name: str) -> bool:
        """Whether a constant is of real numbers, as weights are and indices and masks are not."""
        if name in self.stored:
            return self.stored[name]
        return name in self.constants and bool(np.issubdtype(self.constants[name].dtype, np.floating))
