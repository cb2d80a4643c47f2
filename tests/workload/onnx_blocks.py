"""Building blocks of random ONNX models: products of every kind, and what stands between them."""

from __future__ import annotations

import numpy as np

from tests.workload.onnx_builder import Block, Builder

BLOCKS: dict[str, Block] = {}


def block(function: Block) -> Block:
    BLOCKS[function.__name__] = function
    return function


def _sizes(b: Builder, count: int, most: int = 4) -> list[int]:
    return [b.rng.randint(1, most) for _ in range(count)]


def _broadcast(b: Builder, batch: list[int]) -> list[int]:
    """Sizes that broadcast to `batch`: some are 1, some leading ones are missing."""
    kept = [size if b.rng.random() < 0.6 else 1 for size in batch]
    return kept[b.rng.randint(0, len(kept)) :]


def _matrix(b: Builder) -> str:
    """An activation of two axes or more, [..., m, k]."""
    rank = b.rng.randint(2, 4)
    return b.activation(rank) or b.given(*_sizes(b, rank - 2, 3), *_sizes(b, 2, 8))


def _image(b: Builder, axes: int) -> str:
    """An activation [N, C, *spatial]."""
    largest = {1: 12, 2: 8, 3: 5}[axes]
    found = b.activation(axes + 2)
    return found or b.given(b.rng.randint(1, 2), b.rng.choice([1, 2, 4, 6]), *_sizes(b, axes, largest))


def _window(b: Builder, spatial: list[int]) -> tuple[dict[str, object], list[int]]:
    """Attributes of a convolution that fits `spatial`, and its kernel."""
    axes = len(spatial)
    kernel = [b.rng.randint(1, min(3, size)) for size in spatial]
    taken: dict[str, object] = {}
    if b.rng.random() < 0.5:
        taken["strides"] = _sizes(b, axes, 3)
    if b.rng.random() < 0.3:
        reach = [(size - 1) // max(1, k - 1) for size, k in zip(spatial, kernel, strict=True)]
        taken["dilations"] = [b.rng.randint(1, max(1, min(3, most))) for most in reach]
    padding = b.rng.random()
    if padding < 0.4:
        taken["pads"] = [b.rng.randint(0, k - 1) for k in kernel * 2]
    elif padding < 0.6 and "dilations" not in taken:
        taken["auto_pad"] = b.rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID"])
    return taken, kernel


def _groups(b: Builder, channels: int) -> int:
    return b.rng.choice([g for g in (1, 1, 2, channels) if channels % g == 0])


def _conv(b: Builder, axes: int) -> None:
    x = _image(b, axes)
    if b.rng.random() < 0.25:
        most = [1 if size > 2 and b.opset >= 11 else 0 for size in b.shape(x)[2:]]
        pads = [0, 0, *(b.rng.randint(-m, 2) for m in most), 0, 0, *(b.rng.randint(-m, 1) for m in most)]
        x = b.pad(x, pads)
    channels, spatial = b.shape(x)[1], list(b.shape(x)[2:])
    group = _groups(b, channels)
    taken, kernel = _window(b, spatial)
    out = group * b.rng.randint(1, 4)
    operands = [x, b.stored(out, channels // group, *kernel)]
    if b.rng.random() < 0.5:
        operands.append(b.stored(out))
    b.keep(b.node("Conv", *operands, group=group, **taken))


@block
def conv1d(b: Builder) -> None:
    _conv(b, 1)


@block
def conv2d(b: Builder) -> None:
    _conv(b, 2)


@block
def conv3d(b: Builder) -> None:
    _conv(b, 3)


@block
def conv_transpose(b: Builder) -> None:
    axes = b.rng.randint(1, 3)
    x = _image(b, axes)
    channels = b.shape(x)[1]
    group = _groups(b, channels)
    kernel, strides = _sizes(b, axes, 3), _sizes(b, axes, 2)
    taken: dict[str, object] = {"strides": strides}
    if b.rng.random() < 0.3:
        taken["pads"] = [(k - 1) // 2 for k in kernel * 2]
    if b.rng.random() < 0.3 and "pads" not in taken:
        taken["dilations"] = _sizes(b, axes, 2)
    if b.rng.random() < 0.3:
        taken["output_padding"] = [stride - 1 for stride in strides]
    operands = [x, b.stored(channels, b.rng.randint(1, 3), *kernel)]
    if b.rng.random() < 0.3:
        operands.append(b.stored(b.shape(operands[1])[1] * group))
    b.keep(b.node("ConvTranspose", *operands, group=group, **taken))


@block
def matmul_stored(b: Builder) -> None:
    x = _matrix(b)
    k, n = b.shape(x)[-1], b.width(8)
    w = b.stored(k, n)
    b.weights.append(w)
    b.keep(b.node("MatMul", x, w))


@block
def matmul_stack(b: Builder) -> None:
    """Stored stacks of matrices on either side, batches broadcast on both."""
    batch = _sizes(b, b.rng.randint(1, 2), 3)
    m, k, n = _sizes(b, 3, 6)
    x, w = [*_broadcast(b, batch), m, k], [*_broadcast(b, batch), k, n]
    if b.rng.random() < 0.7:
        b.keep(b.node("MatMul", b.given(*x), b.stored(*w)))
    else:
        b.keep(b.node("MatMul", b.stored(*x), b.given(*w)))


@block
def matmul_dynamic(b: Builder) -> None:
    batch = _sizes(b, b.rng.randint(0, 3), 3)
    m, k, n = _sizes(b, 3, 6)
    b.keep(b.node("MatMul", b.given(*_broadcast(b, batch), m, k), b.given(*_broadcast(b, batch), k, n)))


@block
def matmul_vector(b: Builder) -> None:
    """One operand has one axis."""
    k, n = _sizes(b, 2, 8)
    make = b.stored if b.rng.random() < 0.5 else b.given
    if b.rng.random() < 0.5:
        b.keep(b.node("MatMul", b.given(k), make(*_sizes(b, b.rng.randint(0, 1), 3), k, n)))
    else:
        b.keep(b.node("MatMul", b.given(*_sizes(b, b.rng.randint(1, 2), 3), k), make(k)))


@block
def gemm(b: Builder) -> None:
    m, k, n = _sizes(b, 3, 8)
    a = b.activation(2) or b.given(m, k)
    flip_a, flip_b = b.rng.random() < 0.4, b.rng.random() < 0.5
    m, k = b.shape(a)[::-1] if flip_a else b.shape(a)
    make = b.stored if b.rng.random() < 0.7 else b.given
    operands = [a, make(*((n, k) if flip_b else (k, n)))]
    if b.rng.random() < 0.5:
        operands.append(b.stored(*b.rng.choice([(n,), (1, n), (m, n)])))
    elif b.opset < 11:
        operands.append(b.stored(n))
    b.keep(b.node("Gemm", *operands, transA=int(flip_a), transB=int(flip_b), alpha=b.rng.choice([1.0, 0.5])))


# An ellipsis stands for as many axes in every term.
EQUATIONS = (
    "mk,kn->mn", "km,nk->mn", "bmk,kn->bmn", "bmk,bkn->bmn", "bmk,bnk->bnm", "bqhd,bkhd->bhqk", "bhqk,bkhd->bqhd",
    "bghqd,bgkd->bghqk", "...mk,kn->...mn", "...mk,...kn->...mn", "bmk,nk->bnm", "bij,hjd->bihd", "bihd,hdo->bio",
    "bchw,oc->bohw", "nkctv,kvw->nctw",
)  # fmt: skip


@block
def einsum(b: Builder) -> None:
    if b.opset < 12:
        return
    equation = b.rng.choice(EQUATIONS)
    sizes = {label: b.rng.randint(1, 5) for label in sorted(set(equation))}
    terms = equation.split("->")[0].split(",")
    batch = _sizes(b, b.rng.randint(1, 2), 3) if "..." in equation else []
    shapes = [
        [b.rng.choice([1, size]) for size in batch] + [sizes[label] for label in term.strip(".")] for term in terms
    ]
    if "..." not in terms[1]:
        shapes[1] = shapes[1][len(batch) :]
    second = b.stored if b.rng.random() < 0.5 else b.given
    b.keep(b.node("Einsum", b.given(*shapes[0]), second(*shapes[1]), equation=equation))


@block
def grouped_queries(b: Builder) -> None:
    """Keys of one head for several query heads, by broadcasting or as copies that an exporter made."""
    batch, heads, queries, rows, depth, tokens = _sizes(b, 6, 4)
    how = b.rng.choice(["direct", "expand", "tile", "gather", "einsum" if b.opset >= 12 else "expand"])
    if how == "direct":
        q, k = b.given(batch, heads, queries, rows, depth), b.given(batch, heads, 1, depth, tokens)
        b.keep(b.node("MatMul", q, k))
        return
    q, k = b.given(batch, heads * queries, rows, depth), b.given(batch, heads, tokens, depth)
    if how == "gather":
        index = b.ints(*(head for head in range(heads) for _ in range(queries)))
        copies = b.node("Gather", k, index, axis=1)
    else:
        wide = b.unsqueeze(k, 2)
        if how == "tile":
            wide = b.node("Tile", wide, b.ints(1, 1, queries, 1, 1))
        else:
            wide = b.node("Expand", wide, b.ints(batch, heads, queries, tokens, depth))
        copies = b.reshape(wide, batch, heads * queries, tokens, depth)
    if how == "einsum":
        b.keep(b.node("Einsum", q, copies, equation="bhqd,bhkd->bhqk"))
        return
    scores = b.node("MatMul", q, b.node("Transpose", copies, perm=[0, 1, 3, 2]))
    b.keep(b.node("MatMul", b.node("Softmax", scores, axis=3), copies) if b.rng.random() < 0.5 else scores)


@block
def attention(b: Builder) -> None:
    """Projections, heads by Reshape and Transpose, scores, context, projection."""
    batch, tokens, heads, depth = _sizes(b, 4, 4)
    width = heads * depth
    x = b.activation(3) or b.given(batch, tokens, width)
    (batch, tokens, inner), parts = b.shape(x), []
    if b.rng.random() < 0.4:
        joined = b.node("MatMul", x, b.stored(inner, 3 * width))
        parts = b.split(joined, 2, [width] * 3)
    else:
        parts = [b.node("MatMul", x, b.stored(inner, width)) for _ in range(3)]
    q, k, v = (b.reshape(part, 0, -1, heads, depth) for part in parts)
    q, v = (b.node("Transpose", part, perm=[0, 2, 1, 3]) for part in (q, v))
    scores = b.node("MatMul", q, b.node("Transpose", k, perm=[0, 2, 3, 1]))
    scaled = b.node("Mul", scores, b.constant(np.array(0.5, np.float32)))
    context = b.node("Transpose", b.node("MatMul", b.node("Softmax", scaled, axis=3), v), perm=[0, 2, 1, 3])
    b.keep(b.node("MatMul", b.reshape(context, batch, tokens, width), b.stored(width, inner)))


@block
def attention_operator(b: Builder) -> None:
    """Attention as one operator, heads of keys for groups of queries, sometimes with a cache."""
    if b.opset < 23:
        return
    batch, heads, queries, rows, depth, width = _sizes(b, 6, 4)
    tokens, past = _sizes(b, 2, 4)
    q = b.given(batch, heads * queries, rows, depth)
    k, v = b.given(batch, heads, tokens, depth), b.given(batch, heads, tokens, width)
    if b.rng.random() < 0.4:
        cache = [b.given(batch, heads, past, depth), b.given(batch, heads, past, width)]
        y, key, value = b.many(3, "Attention", q, k, v, "", *cache)
        if b.rng.random() < 0.5:
            b.unread |= {key, value}
    else:
        y = b.node("Attention", q, k, v, is_causal=b.rng.randint(0, 1))
    b.keep(y)


@block
def shared(b: Builder) -> None:
    """One stored matrix in several products: as it is, transposed, sliced, joined to another."""
    w = b.rng.choice(b.weights) if b.weights and b.rng.random() < 0.6 else b.stored(b.width(8), b.width(8))
    b.weights.append(w)
    for _ in range(b.rng.randint(1, 3)):
        v, (rows, cols) = w, b.shape(w)
        how = b.rng.choice(["whole", "transposed", "sliced", "joined", "split", "reshaped", "unsqueezed"])
        if how == "transposed":
            v = b.node("Transpose", w, perm=[1, 0])
        elif how == "sliced":
            axis = b.rng.randint(0, 1)
            size = (rows, cols)[axis]
            start = b.rng.randrange(size)
            v = b.slice(w, axis, start, b.rng.randint(start + 1, size))
        elif how == "joined":
            v = b.node("Concat", w, b.stored(rows, b.rng.randint(1, 4)), axis=1)
        elif how == "split" and cols > 1:
            v = b.rng.choice(b.split(w, 1, [1, cols - 1]))
        elif how == "reshaped":
            v = b.reshape(w, cols, rows)
        elif how == "unsqueezed":
            v = b.unsqueeze(w, 0)
        b.keep(b.node("MatMul", b.given(b.rng.randint(1, 5), b.shape(v)[-2]), v))


@block
def embedding(b: Builder) -> None:
    """Rows of a stored table; sometimes the table also projects back."""
    table = b.stored(1 + b.width(12), 1 + b.width(8))
    count = b.shape(table)[0]
    rows = b.node("Gather", table, b.given(1, b.rng.randint(1, 5), kind=np.int64, below=count))
    if b.rng.random() < 0.6:
        rows = b.node("MatMul", rows, b.node("Transpose", table, perm=[1, 0]))
    b.keep(rows)


@block
def recurrent(b: Builder) -> None:
    """LSTM, GRU or RNN in one or two directions; sometimes a second layer of the same weights."""
    op, gates = b.rng.choice([("LSTM", 4), ("GRU", 3), ("RNN", 1)])
    steps, batch, width, hidden = *_sizes(b, 3, 5), b.width(5)
    directions = b.rng.randint(1, 2)
    direction = "bidirectional" if directions == 2 else b.rng.choice(["forward", "reverse"])
    w, r = b.stored(directions, gates * hidden, width), b.stored(directions, gates * hidden, hidden)
    biases = [b.stored(directions, 2 * gates * hidden)] if b.rng.random() < 0.5 else []
    told = {"linear_before_reset": b.rng.randint(0, 1)} if op == "GRU" else {}
    for _ in range(b.rng.randint(1, 2)):
        x = b.given(steps, batch, width)
        y, after = b.many(2, op, x, w, r, *biases, hidden_size=hidden, direction=direction, **told)
        if b.rng.random() < 0.5:
            b.unread.add(after)
        b.pool.append(b.reshape(b.node("Transpose", y, perm=[0, 2, 1, 3]), steps, batch, directions * hidden))
