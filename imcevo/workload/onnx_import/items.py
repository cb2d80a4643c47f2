"""What lowering makes of nodes: work items on base tensors, not yet fused or ordered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from imcevo.workload.onnx_import.axes import Axes, plain
from imcevo.workload.onnx_import.graph import BITS, Graph, Node
from imcevo.workload.onnx_import.stored import Constants


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
        passes: its results are distributed as what it reads.
        positive: what it reads is coded from zero up, as behind a ReLU.
        pointwise: every result depends on one element of each input alone.
        joins: may be done in one pass with the element-wise work around it.
        shape: of the result (element-wise items).
        state: elements that it keeps besides (recurrent state).
        weight: the constant that its weights or table are, and which part of it along the first axis.
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
    passes: bool = False
    positive: bool = False
    pointwise: bool = False
    joins: bool = False
    shape: tuple[int, ...] = ()
    state: int = 0
    weight: tuple[str, int | None] | None = None


@dataclass(frozen=True)
class Padding:
    """Zeros that a Pad put around the spatial axes of a tensor, which the convolution behind takes over.

    Attributes:
        before: zeros in front, per spatial axis.
        inner: sizes without them.
    """

    before: tuple[int, ...]
    inner: tuple[int, ...]


@dataclass(frozen=True)
class Tensor:
    """A tensor as a view of base tensors: layout operators move nothing.

    Attributes:
        bases: base tensors it shows, with elements of each.
        shape: its sizes.
        axes: how its axes came about.
        pad: zeros around it.
        bits: of its integer codes, also where they were turned back into real numbers; 0 for others.
        positive: its codes start at zero.
        accumulated: integer sums that still want their scale.
        scale: a scale that the network computes for its integers.
        sole: no other view of what it shows is read.
    """

    bases: tuple[tuple[int, int], ...]
    shape: tuple[int, ...]
    axes: Axes
    pad: Padding | None = None
    bits: int = 0
    positive: bool = False
    accumulated: bool = False
    scale: bool = False
    sole: bool = True

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(base for base, _ in self.bases)

    @property
    def reads(self) -> Counter[int]:
        """Elements by base tensor."""
        elements: Counter[int] = Counter()
        for base, number in self.bases:
            elements[base] += number
        return elements


class Lowering:
    """The state while nodes are lowered one after the other.

    Attributes:
        items: made so far.
        tensors: what has been computed, by name.
        constants: what is known or stored before the network runs.
        maker: base tensor -> its item; none for the network's inputs.
        elements: of every base tensor.
        unknown: nodes passed over, and what of them is not supported.
        uses: how often a tensor is read.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.items: list[Item] = []
        self.tensors: dict[str, Tensor] = {}
        self.constants = Constants(graph)
        self.maker: list[Item | None] = []
        self.elements: list[int] = []
        self.unknown: list[tuple[Node, str]] = []
        self.uses: Counter[str] = Counter(name for node in graph.nodes for name in node.inputs)
        self.uses.update(graph.outputs)
        self._axes: dict[str, Axes] = {}
        for name in graph.inputs:
            shape = graph.shapes.get(name, ())
            bits = BITS.get(graph.types.get(name, 0), 0)
            self.tensors[name] = Tensor(((self.base(None, prod(shape)), prod(shape)),), shape, plain(shape), bits=bits)

    def base(self, maker: Item | None, elements: int) -> int:
        """A new base tensor."""
        self.maker.append(maker)
        self.elements.append(elements)
        return len(self.elements) - 1

    def is_constant(self, name: str) -> bool:
        return name in self.constants

    def tensor(self, name: str, node: Node) -> Tensor:
        """What an input that is no constant shows.

        Raises:
            UserError: nothing makes it.
        """
        if name not in self.tensors:
            self.graph.shape(name, node)  # says where it was lost
            raise node.refused(f"reads {name!r}, which is left out or comes from nowhere")
        return self.tensors[name]

    def axes(self, name: str, node: Node) -> Axes:
        """How the axes of a tensor or constant came about."""
        if name in self.tensors:
            return self.tensors[name].axes
        return self._axes.get(name) or plain(self.graph.shape(name, node))

    def set_constant_axes(self, name: str, axes: Axes) -> None:
        self._axes[name] = axes

    def bits(self, name: str) -> int:
        """Bits of the integer codes that a tensor or constant consists of; 0 for other numbers."""
        return self.tensors[name].bits if name in self.tensors else self.constants[name].bits

    def count_parameters(self, name: str, node: Node, *, always: bool = False) -> int:
        """The values of a stored constant, once however often it is used; 0 for scalars, indices and masks."""
        return self.constants.count(name, node, always=always)

    def write(self, item: Item, node: Node, output: int = 0, *, axes: Axes | None = None, **more: Any) -> None:
        """Let `item` make an output of `node`."""
        name = node.outputs[output]
        shape = self.graph.shape(name, node)
        base = self.base(item, prod(shape))
        item.writes.append(base)
        bits = BITS.get(self.graph.types.get(name, 0), 0)
        self.tensors[name] = Tensor(((base, prod(shape)),), shape, axes or plain(shape), bits=bits, **more)

    def show(self, name: str, tensor: Tensor, source: str, **changes: Any) -> None:
        """Let a result be a view of another tensor."""
        sole = tensor.sole and self.uses[source] == 1
        self.tensors[name] = replace(tensor, sole=sole, **changes)

    def pass_over(self, node: Node, form: str) -> None:
        """Leave a node of an unknown form out and remember it; its results are there, made by no work of ours."""
        self.unknown.append((node, form))
        for output, name in enumerate(node.outputs):
            if name in self.graph.shapes and name not in self.constants:
                self.write(Item(node.name, "unknown"), node, output)

    def add(self, item: Item) -> Item:
        self.items.append(item)
        return item
