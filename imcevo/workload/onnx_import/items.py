"""What lowering makes of nodes: work items on base tensors, not yet fused or ordered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import prod
from typing import Any

from imcevo.workload.onnx_import.graph import Graph, Node


@dataclass
class Item:
    """One piece of work.

    Attributes:
        kind: of the layer it becomes.
        sizes: fields of the layer (matrix and lookup items).
        reads: base tensor -> elements read of it.
        operand: base tensors of the second operand of a product of two activations.
        writes: base tensors written.
        ops: element-wise operations.
        parameters: stored values.
        last: the operator that made the result, which says how its values are distributed.
        gated: a gate or an error function is among its work.
        pointwise: every result depends on one element of each input alone.
        joins: may be done in one pass with the element-wise work around it.
        shape: of the result (element-wise items).
        state: elements that it keeps besides (recurrent state).
    """

    name: str
    kind: str
    sizes: dict[str, Any] = field(default_factory=dict)
    reads: Counter[int] = field(default_factory=Counter)
    operand: tuple[int, ...] = ()
    writes: list[int] = field(default_factory=list)
    ops: int = 0
    parameters: int = 0
    last: str = ""
    gated: bool = False
    pointwise: bool = False
    joins: bool = False
    shape: tuple[int, ...] = ()
    state: int = 0


@dataclass(frozen=True)
class Tensor:
    """A tensor as a view of base tensors: layout operators move nothing.

    Attributes:
        bases: base tensors it shows, with elements of each.
        shape: its sizes.
        pad: rows above and columns left of zeros that a Pad put around it, and its rows and columns without them.
    """

    bases: tuple[tuple[int, int], ...]
    shape: tuple[int, ...]
    pad: tuple[int, int, int, int] | None = None

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(base for base, _ in self.bases)


class Lowering:
    """The state while nodes are lowered one after the other.

    Attributes:
        items: made so far.
        tensors: what has been computed, by name.
        maker: base tensor -> its item; none for the network's inputs.
        elements: of every base tensor.
        roots: stored constant -> the one it is a view of.
        unknown: nodes passed over, and what form of their operator is not known.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.items: list[Item] = []
        self.tensors: dict[str, Tensor] = {}
        self.maker: list[Item | None] = []
        self.elements: list[int] = []
        self.roots: dict[str, str] = {}
        self.unknown: list[tuple[Node, str]] = []
        self._counted: set[str] = set()
        self.uses: Counter[str] = Counter(name for node in graph.nodes for name in node.inputs)
        self.uses.update(graph.outputs)
        for name in graph.inputs:
            size = prod(graph.shapes.get(name, ()))
            self.tensors[name] = Tensor(((self.base(None, size), size),), graph.shapes.get(name, ()))

    def base(self, maker: Item | None, elements: int) -> int:
        """A new base tensor."""
        self.maker.append(maker)
        self.elements.append(elements)
        return len(self.elements) - 1

    def is_constant(self, name: str) -> bool:
        return name in self.roots or self.graph.is_constant(name)

    def tensor(self, name: str, node: Node) -> Tensor:
        """What an input shows.

        Raises:
            UserError: nothing before this node makes it.
        """
        if name not in self.tensors:
            raise node.refused(f"its input {name!r} is made by no operator before it")
        return self.tensors[name]

    def count_parameters(self, name: str, node: Node) -> int:
        """The values of a stored constant, once however often it is used; 0 for scalars, indices and masks."""
        root = self.roots.get(name, name)
        if root in self._counted or not self.graph.is_real(root):
            return 0
        size = self.graph.size(root, node)
        if size <= 1:
            return 0
        self._counted.add(root)
        return size

    def write(self, item: Item, node: Node, output: int = 0, *, elements: int | None = None) -> None:
        """Let `item` make an output of `node`."""
        name = node.outputs[output]
        shape = self.graph.shape(name, node)
        size = prod(shape) if elements is None else elements
        base = self.base(item, size)
        item.writes.append(base)
        self.tensors[name] = Tensor(((base, size),), shape)

    def pass_over(self, node: Node, form: str) -> None:
        """Leave a node of an unknown form out and remember it; its results are there, made by no work of ours."""
        self.unknown.append((node, form))
        for output, name in enumerate(node.outputs):
            if name in self.graph.shapes:
                self.write(Item(node.name, "unknown"), node, output)

    def add(self, item: Item) -> Item:
        self.items.append(item)
        return item
