"""Building blocks of random ONNX models whose stored tensors are moved, joined, indexed, shared or read in loops."""

from __future__ import annotations

import numpy as np
from onnx import helper

from tests.workload.onnx_builder import Block, Builder

BLOCKS: dict[str, Block] = {}


def block(function: Block) -> Block:
    BLOCKS[function.__name__] = function
    return function


def _size(b: Builder, most: int = 5) -> int:
    return b.rng.randint(1, most)


def _moved(b: Builder, w: str) -> str:
    """A stored tensor of two axes after one move; two axes again."""
    rows, columns = b.shape(w)
    how = b.rng.choice(["transpose", "reshape", "slice", "rows", "swap", "unsqueeze", "flatten", "gather", "strided"])
    if how == "transpose":
        return b.node("Transpose", w, perm=[1, 0])
    if how == "reshape":
        return b.reshape(b.reshape(w, rows * columns), columns, -1)
    if how == "slice":
        return b.slice(w, 1, 0, b.rng.randint(1, columns))
    if how == "rows":
        first = b.rng.randrange(rows)
        return b.slice(w, 0, first, rows)
    if how == "swap" and columns > 1:
        left, right = b.split(w, 1, [1, columns - 1])
        return b.node("Concat", right, left, axis=1)
    if how == "unsqueeze":
        return b.reshape(b.unsqueeze(w, 1), rows, columns)
    if how == "flatten":
        return b.node("Flatten", b.unsqueeze(w, 2), axis=1)
    if how == "gather":
        picked = sorted(b.rng.sample(range(rows), b.rng.randint(1, rows)))
        return b.node("Gather", w, b.ints(*picked), axis=0)
    if how == "strided" and b.opset >= 10:
        return b.node("Slice", w, b.ints(0), b.ints(rows), b.ints(0), b.ints(2))
    return b.node("Identity", w)


@block
def moved_weights(b: Builder) -> None:
    """Products of one stored matrix after different chains of moves."""
    w = b.stored(b.width(5), b.width(5))
    for _ in range(b.rng.randint(1, 3)):
        v = w
        for _ in range(b.rng.randint(1, 3)):
            v = _moved(b, v)
        b.keep(b.node("MatMul", b.given(_size(b), b.shape(v)[0]), v))


@block
def stacked_weights(b: Builder) -> None:
    """One matrix of a stored stack per product: by Gather, Slice or Split."""
    count, k = b.rng.randint(2, 4), b.width(5)
    w, x = b.stored(count, k, k), b.given(_size(b), k)
    split = b.split(w, 0, [1] * count) if b.rng.random() < 0.4 else []
    for layer in range(b.rng.randint(1, count)):
        if split:
            v = b.reshape(split[layer], k, k)
        elif b.rng.random() < 0.5:
            v = b.node("Gather", w, b.constant(np.array(layer, np.int64)), axis=0)
        else:
            v = b.reshape(b.slice(w, 0, layer, layer + 1), k, k)
        x = b.node("Tanh", b.node("MatMul", x, v))
    b.keep(x)


@block
def joined_weights(b: Builder) -> None:
    """Query, key and value weights joined for one product; the join is used again, or one of its parts is."""
    k = _size(b)
    parts = [b.stored(k, b.width(5)) for _ in range(3)]
    w = b.node("Concat", *parts, axis=1)
    b.keep(b.node("MatMul", b.given(_size(b), k), w))
    if b.rng.random() < 0.5:
        b.keep(b.node("MatMul", b.given(_size(b), k), b.rng.choice([w, *parts])))


@block
def assembled_recurrence(b: Builder) -> None:
    """LSTM weights put together from tensors of other layouts, as exporters do."""
    hidden, width, steps = b.width(5), _size(b), _size(b)
    w, r = b.stored(4 * hidden, width), b.stored(4 * hidden, hidden)
    gates = b.split(w, 0, [hidden] * 4)
    turned = b.unsqueeze(b.node("Concat", gates[0], gates[3], gates[1], gates[2], axis=0), 0)
    state = b.unsqueeze(r, 0)
    y, after = b.many(2, "LSTM", b.given(steps, 1, width), turned, state, hidden_size=hidden)
    b.unread.add(after)
    b.keep(y)
    if b.rng.random() < 0.4:
        b.many(1, "LSTM", b.given(steps, 1, width), turned, state, hidden_size=hidden)


@block
def quantised_sharing(b: Builder) -> None:
    """One stored byte tensor: read by a look-up and a product, or dequantised twice."""
    if b.opset < 10:
        return
    rows, depth = 1 + b.width(5), 1 + b.width(5)
    table = b.stored(rows, depth, kind=np.int8)
    scale, zero = b.constant(np.array(0.1, np.float32)), b.constant(np.array(0, np.int8))
    if b.rng.random() < 0.5:
        found = b.node("Gather", table, b.given(_size(b), kind=np.int64, below=rows))
        x = b.node("DequantizeLinear", found, scale, zero)
    else:
        x = b.node("MatMul", b.given(_size(b), rows), b.node("DequantizeLinear", table, scale, zero))
    turned = b.node("Transpose", b.node("DequantizeLinear", table, scale, zero), perm=[1, 0])
    b.keep(b.node("MatMul", x, turned))


@block
def shared_kernel(b: Builder) -> None:
    """One convolution on several scales, as detectors have it; sometimes its kernel is reshaped for a product."""
    channels, out = _size(b), _size(b)
    w, bias = b.stored(out, channels, 3, 3), b.stored(out)
    for side in b.rng.sample([4, 6, 8], 2):
        b.keep(b.node("Conv", b.given(1, channels, side, side), w, bias, pads=[1, 1, 1, 1]))
    if b.rng.random() < 0.4:
        flat = b.reshape(w, out, channels * 9)
        b.keep(b.node("MatMul", b.given(1, channels * 9), b.node("Transpose", flat, perm=[1, 0])))


@block
def cached_keys(b: Builder) -> None:
    """One new token: keys joined to those of a cache, for groups of queries."""
    heads, queries, depth, past = _size(b, 3), _size(b, 3), _size(b), _size(b)
    cache, new = b.given(1, heads, past, depth), b.given(1, heads, 1, depth)
    keys = b.node("Concat", cache, new, axis=2)
    if b.rng.random() < 0.5:
        keys = b.node("Cast", b.node("Cast", keys, to=10), to=1)
    copies = b.node("Expand", b.unsqueeze(keys, 2), b.ints(1, heads, queries, past + 1, depth))
    copies = b.reshape(copies, 1, heads * queries, past + 1, depth)
    if b.rng.random() < 0.3:
        copies = b.node("Cast", b.node("Cast", copies, to=10), to=1)
    turned = b.node("Transpose", copies, perm=[0, 1, 3, 2])
    if b.rng.random() < 0.4:  # exporters scale queries and keys by a root each
        turned = b.node("Mul", turned, b.constant(np.array(0.5, np.float32)))
    scores = b.node("MatMul", b.given(1, heads * queries, 1, depth), turned)
    b.keep(b.node("MatMul", b.node("Softmax", scores, axis=3), copies))
    b.keep(keys)


@block
def class_token(b: Builder) -> None:
    """A stored row before the rows of an input, positions added, one product."""
    rows, depth = _size(b), _size(b)
    x = b.node("Concat", b.stored(1, 1, depth), b.given(1, rows, depth), axis=1)
    if b.rng.random() < 0.7:
        x = b.node("Add", x, b.slice(b.stored(1, rows + 3, depth), 1, 0, rows + 1))
    b.keep(b.node("MatMul", x, b.stored(depth, _size(b))))


@block
def multi_query(b: Builder) -> None:
    """One head of keys for all queries, tiled or broadcast; the keys come first in some exports."""
    heads, rows, depth, tokens = _size(b), _size(b), _size(b), _size(b)
    q, k = b.given(2, heads, rows, depth), b.given(2, 1, depth, tokens)
    if b.rng.random() < 0.5:
        k = b.node("Tile", k, b.ints(1, heads, 1, 1))
    if b.rng.random() < 0.3:
        q, k = b.node("Transpose", k, perm=[0, 1, 3, 2]), b.node("Transpose", q, perm=[0, 1, 3, 2])
    b.keep(b.node("MatMul", q, k))


@block
def repeated_input(b: Builder) -> None:
    """Activations copied by Expand or Tile in front of a stored product: every copy is multiplied."""
    m, k, times = _size(b), _size(b), b.rng.randint(1, 4)
    x = b.given(1, m, k)
    x = b.node("Tile", x, b.ints(times, 1, 1)) if b.rng.random() < 0.5 else b.node("Expand", x, b.ints(times, m, k))
    b.keep(b.node("MatMul", x, b.stored(k, _size(b))))


@block
def indexed_loop(b: Builder) -> None:
    """A loop that takes the matrix of its step from a stored stack, or does its product in the first step only."""
    m, k, trips = _size(b, 3), _size(b), b.rng.randint(1, 4)
    w, x = b.stored(trips, k, k), b.given(m, k)
    step, going, state = b.name("i"), b.name("going"), b.name("state")
    b.arrays |= {step: np.array(0, np.int64), going: np.array(True), state: np.zeros((m, k), np.float32)}
    with b.within() as body:
        if b.rng.random() < 0.5:
            after = b.node("MatMul", state, b.node("Gather", w, step, axis=0))
        else:
            first = b.node("Equal", step, b.constant(np.array(0, np.int64)))
            after = b.name("t")
            b.arrays[after] = np.zeros((m, k), np.float32)
            with b.within() as taken:
                y = b.node("MatMul", state, b.node("Gather", w, step, axis=0))
            with b.within() as other:
                z = b.node("Tanh", state)
            taken.output.append(b.typed(y))
            other.output.append(b.typed(z))
            b.nodes.append(
                helper.make_node("If", [first], [after], name=b.name("If"), then_branch=taken, else_branch=other)
            )
        again = b.node("Identity", going)
    body.input.extend(b.typed(name) for name in (step, going, state))
    body.output.extend(b.typed(name) for name in (again, after))
    last = b.name("t")
    b.arrays[last] = np.zeros((m, k), np.float32)
    count = b.constant(np.array(trips, np.int64))
    b.nodes.append(helper.make_node("Loop", [count, "", x], [last], name=b.name("Loop"), body=body))
    b.keep(last)
