"""Operators that move nothing: views of tensors and constants, look-ups in stored tables, changes of number format."""

from __future__ import annotations

from math import prod
from typing import Any

from imcevo.workload.onnx_import import axes as ax
from imcevo.workload.onnx_import.axes import Axes
from imcevo.workload.onnx_import.graph import BITS, Node
from imcevo.workload.onnx_import.items import Item, Lowering, Padding, Tensor

# Addresses, not work: the same elements, read in another order or in part.
LAYOUT = frozenset({
    "Cast", "CastLike", "Concat", "DepthToSpace", "Dropout", "Expand", "Flatten", "Gather", "Identity", "Pad",
    "Reshape", "Shape", "Size", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Trilu", "Unsqueeze",
    "QuantizeLinear", "DequantizeLinear",
})  # fmt: skip
# The same values in the same places; numbers become codes of few bits or turn back, on their way to the buffer or
# from it, as in every layer of a network that is given in real numbers.
_SAME = frozenset({"Cast", "CastLike", "DequantizeLinear", "Dropout", "Identity", "QuantizeLinear"})
_RESHAPES = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})


def layout(state: Lowering, node: Node) -> None:
    """A view: no work, no traffic. Rows gathered from a stored table are a lookup."""
    source = node.inputs[0]
    if node.op in ("Shape", "Size"):
        # Its value would be known if the tensor's sizes were.
        state.graph.shape(source, node)
        return
    if node.op == "Gather" and state.is_constant(source):
        _lookup(state, node)
        return
    inputs = [name for name in node.inputs if name] if node.op == "Concat" else [source]
    views = {name: _view(state, node, name) for name in inputs}
    parts = [view for name in inputs if (view := views[name]) is not None]
    whole = tuple(part for view in parts for part in view.bases)
    held = sum(elements for _, elements in whole)
    first = parts[0]
    codes = {view.bits for view in parts}
    for index, name in enumerate(node.outputs):
        if name not in state.uses:
            continue
        shape = state.graph.shape(name, node)
        size = prod(shape)
        # Part of a tensor shows its share of every base tensor; padding and repetition read nothing more.
        bases = tuple((base, -(-elements * size // held)) for base, elements in whole) if size < held else whole
        own_bits = BITS.get(state.graph.types.get(name, 0), 0)
        state.tensors[name] = Tensor(
            bases, shape, _axes(state, node, index, shape), _padding(state, node, first),
            bits=own_bits or (codes.pop() if len(codes) == 1 else 0),
            positive=_is_from_zero(state, node) if node.op == "QuantizeLinear" else all(v.positive for v in parts),
            accumulated=first.accumulated and node.op != "Concat", scale=first.scale and node.op != "Concat",
            sole=len(parts) == 1 and first.sole and state.uses[source] == 1,
        )  # fmt: skip
        codes = {view.bits for view in parts}


def constant_layout(state: Lowering, node: Node) -> None:
    """Axes of a view of constants."""
    for index, name in enumerate(node.outputs):
        if name and node.op in LAYOUT and name in state.graph.shapes:
            state.set_constant_axes(name, _axes(state, node, index, state.graph.shapes[name]))


def _view(state: Lowering, node: Node, name: str) -> Tensor | None:
    """An input as data; None for constants that are no values, such as indices."""
    if not state.is_constant(name):
        return state.tensor(name, node)
    if len(node.inputs) > 1 and not state.graph.is_weight_like(name):
        return None
    return stored_rows(state, node, None, name)


def _axes(state: Lowering, node: Node, index: int, shape: tuple[int, ...]) -> Axes:
    """How the axes of a result came about."""
    source = node.inputs[0]
    axes, sizes = state.axes(source, node), state.graph.shape(source, node)
    if node.op in _SAME:
        return axes
    if node.op in _RESHAPES:
        return ax.reshaped(axes, shape)
    if node.op == "Transpose":
        order = node.attribute("perm") or range(len(axes))[::-1]
        return tuple(axes[axis] for axis in order)
    if node.op == "Expand":
        return ax.expanded(axes, shape)
    if node.op == "Tile" and len(sizes) == len(shape):
        return ax.tiled(axes, [n // m if m else 1 for n, m in zip(shape, sizes, strict=True)])
    if node.op in ("Slice", "Split") and len(sizes) == len(shape):
        return ax.cut(axes, shape)
    if node.op == "Gather" and node.inputs[1] in state.graph.constants:
        axis = node.attribute("axis", 0) % len(axes)
        return ax.gathered(axes, axis, state.graph.constants[node.inputs[1]])
    if node.op == "Concat":
        parts = [name for name in node.inputs if name]
        axis = node.attribute("axis", 0) % len(shape)
        same = len(parts) > 1 and len(set(parts)) == 1
        return ax.joined([state.axes(name, node) for name in parts], axis, shape, same=same)
    return ax.plain(shape)


def _padding(state: Lowering, node: Node, view: Tensor) -> Padding | None:
    """Zeros around the spatial axes, which the convolution behind takes over; kept by a change of number format."""
    if node.op in _SAME:
        return view.pad
    if node.op != "Pad" or len(view.shape) < 3 or node.text("mode", "constant") != "constant":
        return None
    pads = _pads(state, node, len(view.shape))
    filler = state.graph.scalar_or_list(node.input(2)) if node.input(2) else [node.attribute("value", 0.0)]
    if pads is None or filler is None or any(filler):
        return None
    before, behind = pads
    if any((*before[:2], *behind[:2])):
        return None
    sizes = view.shape[2:]
    # Negative padding cuts rows off.
    inner = tuple(
        size + min(0, front) + min(0, back) for size, front, back in zip(sizes, before[2:], behind[2:], strict=True)
    )
    return Padding(tuple(max(0, front) for front in before[2:]), inner)


def _pads(state: Lowering, node: Node, rank: int) -> tuple[list[int], list[int]] | None:
    pads: Any = node.attribute("pads")
    if pads is None:
        pads = state.graph.scalar_or_list(node.input(1))
    if pads is None:
        return None
    places = state.graph.scalar_or_list(node.input(3)) if node.input(3) else list(range(rank))
    if places is None or len(pads) != 2 * len(places):
        return None
    before, behind = [0] * rank, [0] * rank
    for place, front, back in zip(places, pads[: len(places)], pads[len(places) :], strict=True):
        before[place], behind[place] = int(front), int(back)
    return before, behind


def _is_from_zero(state: Lowering, node: Node) -> bool:
    """Whether the smallest code stands for zero, as behind a ReLU that the scale has taken over."""
    return codes_from_zero(state, node, node.input(2), node.outputs[0])


def codes_from_zero(state: Lowering, node: Node, zero_point: str, result: str) -> bool:
    """Whether codes with this zero point stand for no negative value."""
    kind = state.graph.types.get(result, 0)
    bits = BITS.get(kind, 0)
    if not bits:
        return False
    zeros = state.graph.constants.get(zero_point)
    lowest = 0 if kind in (2, 21, 25) else -(2 ** (bits - 1))  # UINT8, UINT4, UINT2
    if not zero_point:
        return lowest == 0
    return zeros is not None and zeros.size > 0 and all(int(code) == lowest for code in zeros.reshape(-1))


def stored_rows(state: Lowering, node: Node, item: Item | None, name: str) -> Tensor:
    """A stored tensor used as data: a lookup of all its rows."""
    shape = state.graph.shape(name, node)
    rows, width = max(1, prod(shape[:-1])), shape[-1] if shape else 1
    table = Item(f"{node.name}.stored", "lookup", {"M": max(1, width), "P": rows, "H": rows}, weight=(name, None))
    table.parameters = state.count_parameters(name, node)
    base = state.base(state.add(table), rows * width)
    table.writes.append(base)
    if item is not None:
        item.reads[base] += rows * width
    return Tensor(((base, rows * width),), shape, state.axes(name, node))


def _lookup(state: Lowering, node: Node) -> None:
    """Rows of a stored table."""
    shape, out = state.graph.shape(node.inputs[0], node), state.graph.shape(node.outputs[0], node)
    axis = node.attribute("axis", 0) % max(1, len(shape))
    width = max(1, prod(shape[:axis] + shape[axis + 1 :]))
    rows = max(1, prod(out) // width)
    item = Item(node.name, "lookup", {"M": width, "P": rows, "H": rows}, weight=(node.inputs[0], None))
    item.parameters = state.count_parameters(node.inputs[0], node)
    item.reads.update(state.tensor(node.inputs[1], node).reads if _reads_ids(state, node) else {})
    state.write(state.add(item), node)


def _reads_ids(state: Lowering, node: Node) -> bool:
    """Whether which rows are read is itself computed by work of the network (not given to it)."""
    ids = state.tensors.get(node.inputs[1])
    return ids is not None and all(state.maker[base] is not None for base in ids.ids)
