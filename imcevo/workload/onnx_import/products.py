"""Products of two tensors (MatMul, Gemm, Einsum and their integer forms) as matrix items, by one rule.

The batch axes of both operands broadcast. An index that both operands have is a group; one that only the first has
is a further row, as the second meets it again and again; one that only the second has is a further column. So every
operand is held and moved once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from imcevo.workload.onnx_import import axes as ax
from imcevo.workload.onnx_import.axes import Axes, Axis, Kind
from imcevo.workload.onnx_import.elementwise import add_operand, multiply
from imcevo.workload.onnx_import.graph import Node
from imcevo.workload.onnx_import.items import Item, Lowering
from imcevo.workload.onnx_import.layout import codes_from_zero

# Positions of data, weight and zero point of the result; of operators that carry scales and zero points too.
_PLACES: dict[str, tuple[int, int, int | None]] = {"QLinearMatMul": (0, 3, 7)}


@dataclass(frozen=True)
class Operand:
    """An operand of a product: its name and axes, batch ones in front of two of the matrix."""

    name: str
    axes: Axes

    def turned(self) -> Operand:
        return Operand(self.name, (*self.axes[:-2], self.axes[-1], self.axes[-2]))


def product(state: Lowering, node: Node) -> None:
    """MatMul and Gemm, with weights or with two activations."""
    first, second, zero_point = _PLACES.get(node.op, (0, 1, None))
    a, b = (Operand(name, state.axes(name, node)) for name in (node.inputs[first], node.inputs[second]))
    widths = len(a.axes), len(b.axes)
    a = Operand(a.name, ((), *a.axes)) if len(a.axes) == 1 else a
    b = Operand(b.name, (*b.axes, ())) if len(b.axes) == 1 else b
    a = a.turned() if node.attribute("transA", 0) else a
    b = b.turned() if node.attribute("transB", 0) else b
    if _size(a.axes[-1]) != _size(b.axes[-2]):
        sizes = [[_size(axis) for axis in operand.axes] for operand in (a, b)]
        raise node.refused(f"multiplies {sizes[0]} with {sizes[1]}, which do not fit")
    swapped = state.is_constant(a.name) and not state.is_constant(b.name)
    if swapped:
        # W x is (x' W')': the stored operand is the weight.
        a, b = b.turned(), a.turned()
    rank = max(len(a.axes), len(b.axes)) - 2
    batch = [ax.aligned(x, y) for x, y in zip(_batch(a, rank), _batch(b, rank), strict=True)]
    pairs = [pair for axis in batch for pair in axis]
    out = state.graph.shape(node.outputs[0], node)
    marked = [
        index for index, axis in enumerate(batch) if axis and all(_differs(of_b) for _, _, of_b in axis)
    ]
    if widths[0 if swapped else 1] > 1:
        marked.append(len(out) - (2 if swapped and widths[1] > 1 else 1))
    from_zero = zero_point is not None and codes_from_zero(state, node, node.input(zero_point), node.outputs[0])
    contract(
        state, node, a.name, b.name, pairs, rows=_size(a.axes[-2]), inner=_size(a.axes[-1]), cols=_size(b.axes[-1]),
        outputs=tuple(marked), from_zero=from_zero,
    )  # fmt: skip
    if node.op == "Gemm" and node.input(2):
        add_operand(state, node, node.input(2))


def contract(
    state: Lowering, node: Node, a: str, b: str, batch: list[tuple[int, Kind | None, Kind | None]], *, rows: int,
    inner: int, cols: int, outputs: tuple[int, ...], from_zero: bool = False,
) -> None:  # fmt: skip
    """A product of rows x inner and inner x cols for every index of a batch.

    Args:
        batch: factors of the batch: size, and how either operand has them; None where it broadcasts.
        outputs: axes of the result along which the weights differ.
        from_zero: the result's codes stand for no negative value.
    """
    groups = prod(n for n, of_a, of_b in batch if _differs(of_a) and _differs(of_b))
    more_cols = prod(n for n, of_a, of_b in batch if not _differs(of_a) and _differs(of_b))
    more_rows = prod(n for n, _, of_b in batch if not _differs(of_b))
    x = state.tensor(a, node)
    P = more_rows * rows
    sizes = {"C": inner, "M": more_cols * cols, "P": P, "H": P} | ({"G": groups} if groups > 1 else {})
    item = Item(node.name, "matrix", sizes, x.reads, last="MatMul", positive=x.positive)
    sizes["input_bits"] = x.bits
    out = state.graph.shape(node.outputs[0], node)
    if state.is_constant(b):
        sizes["weight_bits"] = state.bits(b)
        item.weight = (b, None)
        item.parameters = state.count_parameters(b, node, always=True)
        axes = ax.along(out, *outputs)
    else:
        sizes["dynamic"] = True
        item.operand = state.tensor(b, node).ids
        axes = ax.plain(out)
    accumulated = node.op == "MatMulInteger"
    state.write(state.add(item), node, axes=axes, accumulated=accumulated, positive=from_zero)


def _differs(kind: Kind | None) -> bool:
    """Whether an operand has values of its own along a factor."""
    return kind is not None and kind != "copies"


def _size(axis: Axis) -> int:
    return prod(number for number, _ in axis)


def _batch(operand: Operand, rank: int) -> Axes:
    own = operand.axes[:-2]
    return ((),) * (rank - len(own)) + own


def einsum(state: Lowering, node: Node) -> None:
    """Einsum of two operands, as a batch of matrix products; of one, as a sum over axes."""
    parsed = _terms(state, node)
    if parsed is None:
        state.pass_over(node, f"of {node.text('equation')!r}")
        return
    operands, result = parsed
    names = list(node.inputs)
    if len(names) == 1:
        summed = set(operands[0]) - set(result)
        multiply(state, node, reads=names, ops=state.graph.size(names[0], node) if summed else 0)
        return
    (left, right) = operands
    if state.is_constant(names[0]) and not state.is_constant(names[1]):
        left, right, names = right, left, names[::-1]
    axes = [
        dict(zip(term, state.axes(name, node), strict=True)) for term, name in zip((left, right), names, strict=True)
    ]
    size = {letter: max(_size(part.get(letter, ())) for part in axes) for letter in left + right}
    # What one operand alone has and nobody asks for is summed up before the product.
    alone = [letter for letter in size if letter not in result and (letter in left) != (letter in right)]
    inner = prod(size[letter] for letter in left if letter in right and letter not in result)
    rows = prod(size[letter] for letter in left if letter not in right and letter in result)
    cols = prod(size[letter] for letter in right if letter not in left and letter in result)
    if inner == 1 and (rows == 1 or cols == 1):
        multiply(state, node, reads=names, ops=prod(size.values()))
        return
    batch = [
        pair for letter in left if letter in right and letter in result
        for pair in ax.aligned(axes[0][letter], axes[1][letter])
    ]  # fmt: skip
    marked = [place for place, letter in enumerate(result) if letter in right and _is_own(axes[1][letter])]
    if alone:
        _summed(state, node, names, [left, right], alone, size)
    contract(state, node, names[0], names[1], batch, rows=rows, inner=inner, cols=cols, outputs=tuple(marked))


def _is_own(axis: Axis) -> bool:
    return bool(axis) and all(_differs(kind) for _, kind in axis)


def _summed(
    state: Lowering, node: Node, names: list[str], terms: list[str], alone: list[str], size: dict[str, int]
) -> None:
    """Sums over letters that only one operand has, where that is computed by the network."""
    for place, (name, term) in enumerate(zip(names, terms, strict=True)):
        over = [letter for letter in term if letter in alone]
        if not over or state.is_constant(name):
            continue
        x = state.tensor(name, node)
        shape = tuple(size[letter] for letter in term if letter not in alone)
        item = Item(f"{node.name}.sum", "elementwise", reads=x.reads, ops=prod(x.shape), shape=shape, last="ReduceSum")
        base = state.base(state.add(item), prod(shape))
        item.writes.append(base)
        summed = f"{node.name}/sum.{place}"
        state.tensors[summed] = type(x)(((base, prod(shape)),), shape, ax.plain(shape))
        state.graph.shapes[summed] = shape
        names[place] = summed


def _terms(state: Lowering, node: Node) -> tuple[list[str], str] | None:
    """Letters of the operands and of the result, an ellipsis written out; None for forms that are not supported."""
    terms, arrow, result = node.text("equation").replace(" ", "").partition("->")
    operands = terms.split(",")
    if len(operands) != len(node.inputs) or len(operands) > 2:
        return None
    ranks = [len(state.graph.shape(name, node)) for name in node.inputs]
    letters = [term.replace("...", "") for term in operands]
    spare = [rank - len(term) for rank, term in zip(ranks, letters, strict=True)]
    if any(number < 0 or (number and "..." not in term) for number, term in zip(spare, operands, strict=True)):
        return None
    most = max((number for number, term in zip(spare, operands, strict=True) if "..." in term), default=0)
    free = list("0123456789"[:most])
    operands = [
        term.replace("...", "".join(free[most - number :])) for term, number in zip(operands, spare, strict=True)
    ]
    if any(len(set(term)) != len(term) for term in operands):
        return None
    if arrow:
        return operands, result.replace("...", "".join(free))
    every = "".join(letters)
    return operands, "".join(free) + "".join(sorted(letter for letter in set(every) if every.count(letter) == 1))
