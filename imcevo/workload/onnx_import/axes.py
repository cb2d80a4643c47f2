"""How the axes of a tensor came about: which of them repeat values, and which run over a layer's outputs.

An axis is a sequence of factors whose sizes multiply to its own, the outermost first; an axis of size 1 has none.
Layout operators keep factors: keys [4] that Unsqueeze, Expand to [4, 8] and Reshape turn into [32] are the factors
(4, own), (8, copies) of one axis, so that a product can count them once.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["own", "copies", "outputs"]
Factor = tuple[int, Kind]
Axis = tuple[Factor, ...]
Axes = tuple[Axis, ...]


def plain(shape: Sequence[int]) -> Axes:
    """Axes of a tensor whose values all differ."""
    return tuple(((size, "own"),) if size != 1 else () for size in shape)


def along(shape: Sequence[int], *outputs: int) -> Axes:
    """Plain axes, some of which run over the outputs of a matrix layer: a value per index of them folds into it."""
    marked = {axis % len(shape) for axis in outputs} if shape else set()
    return tuple(
        () if size == 1 else ((size, "outputs" if axis in marked else "own"),) for axis, size in enumerate(shape)
    )


def reshaped(axes: Axes, shape: Sequence[int]) -> Axes:
    """The factors in other axes; plain where a factor would have to be cut unevenly."""
    factors = [factor for axis in axes for factor in axis][::-1]
    result: list[Axis] = []
    if 0 in shape:
        return plain(shape)
    for size in shape:
        taken: list[Factor] = []
        left = size
        while left > 1:
            if not factors:
                return plain(shape)
            number, kind = factors.pop()
            if left % number == 0:
                taken.append((number, kind))
                left //= number
            elif number % left == 0:
                taken.append((left, kind))
                factors.append((number // left, kind))
                left = 1
            else:
                return plain(shape)
        result.append(tuple(taken))
    return tuple(result) if not factors else plain(shape)


def expanded(axes: Axes, shape: Sequence[int]) -> Axes:
    """Broadcast to a shape: axes that grow repeat what is there."""
    own = ((),) * (len(shape) - len(axes)) + axes
    return tuple(
        ((size, "copies"),) if size > 1 and not axis else axis for axis, size in zip(own, shape, strict=True)
    )


def tiled(axes: Axes, times: Sequence[int]) -> Axes:
    return tuple(
        ((number, "copies"), *axis) if number > 1 else axis for axis, number in zip(axes, times, strict=True)
    )


def cut(axes: Axes, shape: Sequence[int]) -> Axes:
    """Part of a tensor: an axis that shrinks keeps its kind where that is the same all along it."""
    result: list[Axis] = []
    for axis, size in zip(axes, shape, strict=True):
        kinds = {kind for _, kind in axis}
        if prod(number for number, _ in axis) == size:
            result.append(axis)
        else:
            result.append(((size, kinds.pop() if len(kinds) == 1 else "own"),) if size != 1 else ())
    return tuple(result)


def gathered(axes: Axes, axis: int, indices: NDArray[Any]) -> Axes:
    """Elements along an axis by known indices: equal ones side by side, or all of them again and again, are copies."""
    flat = indices.reshape(-1)
    before, after = axes[:axis], axes[axis + 1 :]
    if indices.ndim != 1:
        return (*before, *plain(indices.shape), *after)
    size = prod(number for number, _ in axes[axis])
    new: Axis = ((len(flat), "own"),) if len(flat) != 1 else ()
    if len(flat) == size and np.array_equal(flat % max(size, 1), np.arange(size)):
        new = axes[axis]
    elif len(flat) > 1:
        differing = len(np.unique(flat))
        times = len(flat) // differing
        if times > 1 and differing * times == len(flat):
            whole: Axis = ((differing, "own"),) if differing > 1 else ()
            if (flat.reshape(differing, times) == flat[::times, None]).all():
                new = (*whole, (times, "copies"))
            elif (flat.reshape(times, differing) == flat[None, :differing]).all():
                new = ((times, "copies"), *whole)
    return (*before, new, *after)


def joined(parts: Sequence[Axes], axis: int, shape: Sequence[int], *, same: bool) -> Axes:
    """Tensors one behind the other along an axis; `same` if they are one tensor again and again."""
    if same:
        return (*parts[0][:axis], ((len(parts), "copies"), *parts[0][axis]), *parts[0][axis + 1 :])
    return tuple(
        parts[0][place] if place != axis and all(part[place] == parts[0][place] for part in parts) else default
        for place, default in enumerate(plain(shape))
    )


def is_along_outputs(axes: Axes, shape: Sequence[int]) -> bool:
    """Whether a constant of this shape, broadcast to a tensor of these axes, differs along a layer's outputs alone."""
    if len(shape) > len(axes):
        return prod(shape) == 1
    aligned = axes[len(axes) - len(shape) :]
    return all(
        size == 1 or (axis and all(kind == "outputs" for _, kind in axis))
        for axis, size in zip(aligned, shape, strict=True)
    )


def aligned(first: Axis, second: Axis) -> list[tuple[int, Kind | None, Kind | None]]:
    """Common factors of two axes of a product's batch: size and kind in either operand, None where it broadcasts."""
    if not first or not second:
        return [(n, kind, None) for n, kind in first] + [(n, None, kind) for n, kind in second]
    left, right = list(first[::-1]), list(second[::-1])
    pairs: list[tuple[int, Kind | None, Kind | None]] = []
    while left and right:
        (a, kind_a), (b, kind_b) = left.pop(), right.pop()
        size = min(a, b)
        if a % size or b % size:
            return [(prod(n for n, _ in first), "own", "own")]
        pairs.append((size, kind_a, kind_b))
        if a > size:
            left.append((a // size, kind_a))
        if b > size:
            right.append((b // size, kind_b))
    return pairs
