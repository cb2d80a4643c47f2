"""Which stored tensors a constant consists of, and which layers share some of them.

A constant may be a tensor of the file, a view of one (transposed, reshaped, sliced, joined, converted, dequantised), or
computed from several. Views have the cells of what they show; what is computed is stored as a tensor of its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.workload.onnx_import.graph import BITS, Graph, Node

# All elements of the first input, in another order or as other codes.
_WHOLE = frozenset({
    "Cast", "CastLike", "DepthToSpace", "DequantizeLinear", "Dropout", "Expand", "Flatten", "Identity",
    "QuantizeLinear", "Reshape", "SpaceToDepth", "Squeeze", "Tile", "Transpose", "Unsqueeze",
})  # fmt: skip
# Some elements of the first input, or those of all inputs.
_PART = frozenset({"Concat", "Gather", "Slice", "Split"})
_FILLING = frozenset({"ConstantOfShape", "EyeLike", "Range"})
# Larger tensors are compared by how they are cut, not element by element.
_MOST_ELEMENTS = 2**25


@dataclass(frozen=True)
class Constant:
    """What a constant is made of.

    Attributes:
        roots: tensors of the file whose values count as parameters.
        key: equal for constants with the same elements.
        own: the tensors that its elements are of: roots, or computed ones.
        bits: of its integer codes; 0 for other numbers.
        made_by: the node, and which of its outputs it is; None for a tensor of the file.
    """

    roots: tuple[str, ...]
    key: Hashable
    own: tuple[str, ...]
    bits: int
    made_by: tuple[Node, int] | None = None


class Constants:
    """Constants of a graph, as far as lowering has met them."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[str, Constant] = {}
        self._counted: set[str] = set()
        self._offsets: dict[str, int] = {}
        self._elements: dict[str, NDArray[Any] | None] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._known or name in self._graph.stored or name in self._graph.constants

    def __getitem__(self, name: str) -> Constant:
        if name not in self._known:
            roots = (name,) if name in self._graph.stored else ()
            self._known[name] = Constant(roots, name, (name,), BITS.get(self._graph.types.get(name, 0), 0))
        return self._known[name]

    def derive(self, node: Node) -> None:
        """The results of a node that works on constants alone."""
        inputs = [name for name in node.inputs if name]
        for index, name in enumerate(node.outputs):
            if not name:
                continue
            bits = BITS.get(self._graph.types.get(name, 0), 0)
            if node.op in _FILLING or not inputs:
                self._known[name] = Constant((name,), name, (name,), bits)
            elif node.op in _WHOLE:
                source = self[inputs[0]]
                made = Constant(source.roots, source.key, source.own, bits or source.bits, (node, index))
                self._known[name] = made
            elif node.op in _PART:
                self._known[name] = self._part(node, index, bits)
            else:
                # Computed: its values are its own, its parameters those of the largest tensor it comes from.
                largest = self[max(inputs, key=lambda one: prod(self._graph.shapes.get(one, ())))]
                key = (node.op, tuple(self[one].key for one in inputs), _options(node), index)
                known = next((c.own for c in self._known.values() if c.key == key), (name,))
                self._known[name] = Constant(largest.roots, key, known, bits)

    def _part(self, node: Node, index: int, bits: int) -> Constant:
        sources = [self[name] for name in (node.inputs if node.op == "Concat" else node.inputs[:1])]
        roots = tuple(dict.fromkeys(root for source in sources for root in source.roots))
        own = tuple(dict.fromkeys(one for source in sources for one in source.own))
        where: tuple[Hashable, ...] = ()
        if node.op != "Concat":
            values = [self._graph.constants.get(name) for name in node.inputs[1:]]
            where = tuple(
                name if value is None else (value.shape, value.tobytes())
                for name, value in zip(node.inputs[1:], values, strict=True)
            )
        key = (node.op, tuple(source.key for source in sources), where, _options(node), index)
        return Constant(roots, key, own, bits or max(source.bits for source in sources), (node, index))

    def count(self, name: str, node: Node, *, always: bool = False) -> int:
        """Parameters that a constant brings: every stored tensor once, however often it is used.

        Indices, masks and single numbers are none, unless `always`: a layer's weights and biases are whatever their
        type.
        """
        if not always and not self._graph.is_weight_like(name):
            return 0
        total = 0
        for root in self[name].roots:
            size = self._graph.size(root, node)
            if root not in self._counted and (size > 1 or always):
                self._counted.add(root)
                total += size
        return total

    def overlap(self, uses: Sequence[tuple[str, int | None]]) -> list[tuple[list[int], str]]:
        """Which of some uses of constants share elements.

        Args:
            uses: name, and index along the first axis if only that part is used.

        Returns:
            Groups of positions in `uses`, with the name of their tensor: all that overlap where one of them has the
            elements of all, else those that are equal.
        """
        by_key: dict[Hashable, list[int]] = {}
        for position, (name, part) in enumerate(uses):
            by_key.setdefault((self[name].key, part), []).append(position)
        groups: list[tuple[list[int], str]] = []
        for keys in self._touching(list(by_key), uses, by_key):
            sets = [self._set(*uses[by_key[key][0]]) for key in keys] if len(keys) > 1 else []
            for some, covered in _covered(sets) if sets else [([0], True)]:
                chosen = sorted(place for index in some for place in by_key[keys[index]])
                if len(chosen) > 1 and covered:
                    groups.append((chosen, self[uses[chosen[0]][0]].own[0]))
        return groups

    def _touching(
        self, keys: list[Hashable], uses: Sequence[tuple[str, int | None]], by_key: dict[Hashable, list[int]]
    ) -> list[list[Hashable]]:
        """Keys that are of a common tensor, together."""
        groups: list[tuple[set[str], list[Hashable]]] = []
        for key in keys:
            own = set(self[uses[by_key[key][0]][0]].own)
            together = [group for group in groups if group[0] & own]
            groups = [group for group in groups if not group[0] & own]
            merged = [one for group in together for one in group[1]]
            groups.append((own.union(*(group[0] for group in together)), [*merged, key]))
        return [group for _, group in groups]

    def _set(self, name: str, part: int | None) -> NDArray[Any] | None:
        """Numbers of the elements that a use has, sorted."""
        elements = self._numbers(name)
        if elements is None:
            return None
        return np.unique(elements if part is None else elements[part])

    def _numbers(self, name: str) -> NDArray[Any] | None:
        """A number for each element of a constant, equal where elements are the same."""
        if name not in self._elements:
            self._elements[name] = self._numbered(name)
        return self._elements[name]

    def _numbered(self, name: str) -> NDArray[Any] | None:
        from imcevo.workload.onnx_import.fold import selected

        constant, shape = self[name], self._graph.shapes.get(name, ())
        if constant.made_by is None:
            source = constant.own[0]
            if source not in self._offsets:
                self._offsets[source] = sum(prod(self._graph.shapes.get(one, ())) for one in self._offsets)
            if prod(shape) > _MOST_ELEMENTS:
                return None
            return self._offsets[source] + np.arange(prod(shape), dtype=np.int64).reshape(shape)
        node, index = constant.made_by
        data = node.inputs if node.op == "Concat" else node.inputs[:1]
        inputs = {one: self._numbers(one) for one in data}
        if any(value is None for value in inputs.values()):
            return None
        if node.op in ("Cast", "CastLike", "DequantizeLinear", "Dropout", "Identity", "QuantizeLinear"):
            return inputs[data[0]]
        others = {one: self._graph.constants.get(one) for one in node.inputs if one and one not in inputs}
        if any(value is None for value in others.values()):
            return None
        values = {one: value for one, value in {**inputs, **others}.items() if value is not None}
        result = selected(node, values)
        return result[index] if result is not None else None


def _options(node: Node) -> Hashable:
    return tuple(sorted((name, repr(value)) for name, value in node.attributes.items()))


def _covered(sets: list[NDArray[Any] | None]) -> list[tuple[list[int], bool]]:
    """Sets that overlap, together, and whether one of them has the elements of all.

    Where none has, equal sets stand alone.
    """
    known = [one for one in sets if one is not None]
    if len(known) < len(sets):
        return [([index], True) for index in range(len(sets))]
    groups: list[list[int]] = []
    for index, one in enumerate(known):
        together = [g for g in groups if any(np.intersect1d(known[i], one, assume_unique=True).size for i in g)]
        groups = [g for g in groups if g not in together]
        groups.append([*(i for g in together for i in g), index])
    result: list[tuple[list[int], bool]] = []
    for group in groups:
        union = len(np.unique(np.concatenate([known[i] for i in group])))
        if max(len(known[i]) for i in group) == union:
            result.append((group, True))
        else:
            result += [([index], True) for index in group]
    return result
