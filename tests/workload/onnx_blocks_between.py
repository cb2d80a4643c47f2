"""Building blocks of random ONNX models that stand between and around products: number formats, control flow, rest."""

from __future__ import annotations

import numpy as np
from onnx import GraphProto, TensorProto, helper

from tests.workload.onnx_builder import Block, Builder

BLOCKS: dict[str, Block] = {}


def block(function: Block) -> Block:
    BLOCKS[function.__name__] = function
    return function


def _size(b: Builder, most: int = 6) -> int:
    return b.rng.randint(1, most)


def _any(b: Builder) -> str:
    return b.activation(b.rng.randint(2, 4)) or b.given(_size(b, 3), _size(b), _size(b))


def _single(b: Builder, value: float, kind: type[np.generic]) -> str:
    return b.constant(np.array(value, kind))


def _byte(b: Builder) -> type[np.generic]:
    return b.rng.choice([np.int8, np.uint8])


def _quantised(b: Builder, x: str, kind: type[np.generic]) -> str:
    return b.node("QuantizeLinear", x, _single(b, 0.05, np.float32), _single(b, 1, kind))


def _dequantised(b: Builder, x: str, kind: type[np.generic], columns: int = 0) -> str:
    """With one scale, or one per column (axis 1) where `columns` is given."""
    if columns and b.opset >= 13:
        return b.node("DequantizeLinear", x, b.stored(columns), b.constant(np.zeros(columns, kind)), axis=1)
    return b.node("DequantizeLinear", x, _single(b, 0.05, np.float32), _single(b, 1, kind))


@block
def quantised_pairs(b: Builder) -> None:
    """Q and DQ around activations, DQ behind stored weights."""
    if b.opset < 10:
        return
    x = b.activation(2) or b.given(_size(b), _size(b))
    kind = _byte(b)
    if b.rng.random() < 0.7:
        x = _dequantised(b, _quantised(b, x, kind), kind)
    k, n = b.shape(x)[-1], b.width(6)
    w = b.stored(k, n, kind=kind)
    real = _dequantised(b, w, kind, n if b.rng.random() < 0.5 else 0)
    if b.rng.random() < 0.4:
        b.keep(b.node("Gemm", x, b.node("Transpose", real, perm=[1, 0]), b.stored(n), transB=1))
    else:
        b.keep(b.node("MatMul", x, real))


@block
def quantised_convolution(b: Builder) -> None:
    if b.opset < 10:
        return
    channels, out, kind = _size(b, 4), _size(b, 4), _byte(b)
    x = _quantised(b, b.given(1, channels, 6, 6), kind)
    w = b.stored(out, channels, 3, 3, kind=kind)
    if b.rng.random() < 0.5:
        real = b.node("Conv", _dequantised(b, x, kind), _dequantised(b, w, kind), pads=[1, 1, 1, 1])
        b.keep(real)
        return
    scales = [_single(b, 0.1, np.float32), _single(b, 1, kind)]
    biases = [b.stored(out, kind=np.int32)] if b.rng.random() < 0.5 else []
    y = b.node("QLinearConv", x, *scales, w, *scales, *scales, *biases, strides=[2, 2])
    b.keep(_dequantised(b, y, kind))


@block
def quantised_matmul(b: Builder) -> None:
    """QLinearMatMul with stored weights or of two activations, batches broadcast."""
    if b.opset < 10:
        return
    kind, m, k, n, stack = _byte(b), _size(b), _size(b), _size(b), _size(b, 3)
    scales = [_single(b, 0.1, np.float32), _single(b, 1, kind)]
    a = _quantised(b, b.given(_size(b, 2), 1, m, k), kind)
    second = b.stored(stack, k, n, kind=kind)
    if b.rng.random() < 0.4:
        second = _quantised(b, b.given(stack, k, n), kind)
    b.keep(_dequantised(b, b.node("QLinearMatMul", a, *scales, second, *scales, *scales), kind))


@block
def four_bit_weights(b: Builder) -> None:
    """Weights of 4 bits with a scale per block of inputs."""
    if b.opset < 21:
        return
    blocks, each, n = _size(b, 3), _size(b, 4), b.width(6)
    four_bits = helper.tensor_dtype_to_np_dtype(TensorProto.INT4)
    w = b.constant((np.arange(blocks * each * n) % 15 - 7).reshape(-1, n).astype(four_bits), "w")
    real = b.node("DequantizeLinear", w, b.stored(blocks, n), axis=0, block_size=each)
    b.keep(b.node("MatMul", b.given(_size(b), blocks * each), real))


@block
def dynamic_quantisation(b: Builder) -> None:
    """Bytes and scale of an input found as it comes, an integer product, its scale."""
    if b.opset < 11:
        return
    k, n = _size(b), b.width(6)
    x, scale, zero = b.many(3, "DynamicQuantizeLinear", b.given(_size(b), k))
    y = b.node("MatMulInteger", x, b.stored(k, n, kind=np.int8), zero, _single(b, 0, np.int8))
    real = b.node("Mul", b.node("Cast", y, to=1), b.node("Mul", scale, _single(b, 0.1, np.float32)))
    b.keep(b.node("Add", real, b.stored(n)) if n > 1 and b.rng.random() < 0.5 else real)


@block
def quantised_layer(b: Builder) -> None:
    """Convolution, transposed convolution or recurrence by weights and biases that DQ makes real."""
    if b.opset < 13:
        return
    how, channels, out = b.rng.choice(["Conv", "ConvTranspose", "LSTM"]), _size(b), 1 + _size(b)
    if how == "LSTM":
        w = _dequantised(b, b.stored(1, 4 * out, channels, kind=np.int8), np.int8)
        r = _dequantised(b, b.stored(1, 4 * out, out, kind=np.int8), np.int8)
        b.keep(b.node("LSTM", b.given(_size(b), 1, channels), w, r, hidden_size=out))
        return
    shape = (out, channels, 2, 2) if how == "Conv" else (channels, out, 2, 2)
    zeros = b.constant(np.zeros(out, np.int8))
    w = b.node(
        "DequantizeLinear", b.stored(*shape, kind=np.int8), b.stored(out), zeros, axis=0 if how == "Conv" else 1
    )
    bias = b.node("DequantizeLinear", b.stored(out, kind=np.int32), _single(b, 0.01, np.float32))
    b.keep(b.node(how, b.given(1, channels, 4, 4), w, bias))


@block
def integer_matmul(b: Builder) -> None:
    if b.opset < 10:
        return
    k, n = _size(b), _size(b)
    zeros = [_single(b, 1, np.uint8), _single(b, 1, np.int8)][: b.rng.randint(0, 2)]
    a = b.given(_size(b, 2), _size(b), k, kind=np.uint8, below=100)
    y = b.node("MatMulInteger", a, b.stored(k, n, kind=np.int8), *zeros)
    b.keep(b.node("Cast", y, to=1))


@block
def integer_convolution(b: Builder) -> None:
    if b.opset < 10:
        return
    x = b.given(1, _size(b, 3), 5, 5, kind=np.uint8, below=100)
    y = b.node("ConvInteger", x, b.stored(_size(b), b.shape(x)[1], 2, 2, kind=np.uint8), _single(b, 1, np.uint8))
    b.keep(b.node("Cast", y, to=1))


@block
def cast_weights(b: Builder) -> None:
    """Weights stored in half precision or as integers, activations cast there and back."""
    x = b.activation(2) or b.given(_size(b), _size(b))
    if b.rng.random() < 0.5:
        x = b.node("Cast", b.node("Cast", x, to=10), to=1)
    kinds: list[type[np.generic]] = [np.float16, np.int8]
    w = b.stored(b.shape(x)[1], b.width(6), kind=b.rng.choice(kinds))
    b.keep(b.node("MatMul", x, b.node("Cast", w, to=1)))


@block
def activation(b: Builder) -> None:
    b.keep(b.node(b.rng.choice(["Relu", "Sigmoid", "Tanh", "LeakyRelu", "Exp", "Neg"]), _any(b)))


@block
def pooling(b: Builder) -> None:
    x = b.activation(4) or b.given(1, _size(b), 4 + _size(b), 4 + _size(b))
    if min(b.shape(x)[2:]) < 2 or b.rng.random() < 0.3:
        b.keep(b.node("GlobalAveragePool", x))
    else:
        op = b.rng.choice(["MaxPool", "AveragePool"])
        b.keep(b.node(op, x, kernel_shape=[2, 2], strides=[b.rng.randint(1, 2)] * 2))


@block
def resize(b: Builder) -> None:
    x = b.activation(4) or b.given(1, _size(b), _size(b), _size(b))
    scales = b.constant(np.array([1, 1, 2, 2], np.float32))
    if b.opset >= 11:
        region = "" if b.opset >= 13 else b.constant(np.zeros(0, np.float32))
        b.keep(b.node("Resize", x, region, scales, mode="nearest"))
    elif b.opset == 9:
        b.keep(b.node("Upsample", x, scales, mode="nearest"))


@block
def residual(b: Builder) -> None:
    x = _any(b)
    b.keep(b.node("Add", x, b.node("Tanh", x)))


@block
def bias(b: Builder) -> None:
    """An addition behind a product: of one value per column, of the same with ones before, or of one per row."""
    w = b.stored(_size(b), 1 + _size(b))
    rows = 1 + _size(b)
    y = b.node("MatMul", b.given(rows, b.shape(w)[0]), w)
    columns = b.shape(w)[1]
    shape = b.rng.choice([(columns,), (1, columns), (rows, 1), (rows, columns), (1, 1, columns)])
    pair = [y, b.stored(*shape)]
    b.rng.shuffle(pair)
    b.keep(b.node(b.rng.choice(["Add", "Add", "Mul"]), *pair))


@block
def norm(b: Builder) -> None:
    x = b.activation(4) or b.given(1, 1 + _size(b), _size(b), _size(b))
    channels = b.shape(x)[1]
    if b.rng.random() < 0.6 or b.opset < 17:
        if channels > 1:
            y = b.node("Conv", x, b.stored(channels, channels, 1, 1))
            b.keep(b.node("BatchNormalization", y, *(b.stored(channels) for _ in range(3)), _variance(b, channels)))
    else:
        last = b.shape(x)[-1]
        b.keep(b.node("LayerNormalization", x, b.stored(last), b.stored(last)))


def _variance(b: Builder, channels: int) -> str:
    return b.constant(np.full(channels, 2, np.float32))


@block
def softmax_or_mean(b: Builder) -> None:
    x = _any(b)
    if b.rng.random() < 0.5:
        b.keep(b.node("Softmax", x, axis=len(b.shape(x)) - 1))
    elif b.opset < 18:
        b.keep(b.node("ReduceMean", x, axes=[1], keepdims=1))


@block
def moves(b: Builder) -> None:
    """Transpose, Slice, Split, Concat of activations."""
    x = _any(b)
    shape = b.shape(x)
    axis = b.rng.randrange(len(shape))
    how = b.rng.choice(["transpose", "slice", "split", "concat", "flatten"])
    if how == "transpose":
        b.keep(b.node("Transpose", x, perm=b.rng.sample(range(len(shape)), len(shape))))
    elif how == "slice":
        b.keep(b.slice(x, axis, 0, b.rng.randint(1, shape[axis])))
    elif how == "split" and shape[axis] > 1:
        for part in b.split(x, axis, [1, shape[axis] - 1]):
            b.keep(part)
    elif how == "concat":
        b.keep(b.node("Concat", x, b.node("Relu", x), axis=axis))
    else:
        b.keep(b.node("Flatten", x, axis=1))


@block
def shape_chain(b: Builder) -> None:
    """A Reshape whose sizes are computed from the shape of what it reshapes."""
    x = b.activation(3) or b.given(_size(b, 3), _size(b), _size(b))
    sizes = b.node("Shape", x)
    first = b.node("Gather", sizes, b.constant(np.array(0, np.int64)), axis=0)
    last = b.node("Gather", sizes, b.constant(np.array(2, np.int64)), axis=0)
    if b.rng.random() < 0.5:
        parts = [b.unsqueeze(first, 0), b.ints(-1), b.unsqueeze(last, 0)]
    else:
        parts = [b.unsqueeze(b.node("Mul", first, _single(b, b.shape(x)[1], np.int64)), 0), b.unsqueeze(last, 0)]
    y = b.node("Reshape", x, b.node("Concat", *parts, axis=0))
    b.keep(b.node("MatMul", y, b.stored(b.shape(y)[-1], _size(b))))


@block
def shape_of_constant(b: Builder) -> None:
    m, k, n = _size(b), _size(b), _size(b)
    sizes = b.node("Shape", b.stored(1, m, k))
    b.keep(b.node("MatMul", b.node("Reshape", b.given(m, k), sizes), b.stored(k, n)))


@block
def unread(b: Builder) -> None:
    """A product whose result reaches no output."""
    x = b.activation(2) or b.given(_size(b), _size(b))
    b.keep(b.node("Tanh", x))
    b.unread.add(b.node("MatMul", x, b.stored(b.shape(x)[1], _size(b))))


def _branch(b: Builder, x: str, width: int, depth: int) -> GraphProto:
    """[m, k] -> [m, width]: a product, in another If where `depth` is left."""
    with b.within() as graph:
        inner = b.node("Relu", x) if b.rng.random() < 0.5 else x
        if depth and b.rng.random() < 0.6:
            y = _if(b, inner, width, depth - 1)
        else:
            y = b.node("MatMul", inner, b.stored(b.shape(x)[1], width))
    graph.output.append(b.typed(y))
    return graph


def _if(b: Builder, x: str, width: int, depth: int, condition: str = "") -> str:
    taken = b.rng.random() < 0.5
    if not condition and b.rng.random() < 0.7:
        condition = b.constant(np.array(taken))
    elif not condition:
        condition = b.node("Not", b.constant(np.array(not taken)))
    y = b.name("t")
    b.arrays[y] = np.zeros((b.shape(x)[0], width), np.float32)
    branches = {"then_branch": _branch(b, x, width, depth), "else_branch": _branch(b, x, width, depth)}
    b.nodes.append(helper.make_node("If", [condition], [y], name=b.name("If"), **branches))
    return y


@block
def branch_on_input(b: Builder) -> None:
    """An If that an input's value decides, which is told with the file."""
    rate, x = b.name("rate"), b.given(_size(b), _size(b))
    b.arrays[rate] = np.array(b.rng.choice([8000, 16000]), np.int64)
    b.inputs.append(rate)
    b.values[rate] = int(b.arrays[rate])
    high = b.node("Equal", rate, _single(b, 16000, np.int64))
    b.keep(_if(b, x, _size(b), 0, high))


@block
def branches(b: Builder) -> None:
    x = b.activation(2) or b.given(_size(b), _size(b))
    b.keep(_if(b, x, _size(b), 1))


@block
def scan(b: Builder) -> None:
    """A step per row of an input: the row times one stored matrix, the state times another."""
    steps, m, k = b.rng.randint(1, 4), _size(b, 3), _size(b)
    w, r, x, start = b.stored(k, k), b.stored(k, k), b.given(steps, m, k), b.given(m, k)
    state, row = b.name("state"), b.name("row")
    b.arrays |= {state: b.arrays[start], row: b.arrays[start]}
    with b.within() as body:
        after = b.node("Tanh", b.node("Add", b.node("MatMul", row, w), b.node("MatMul", state, r)))
        made = b.node("Identity", after)
    body.input.extend(b.typed(name) for name in (state, row))
    body.output.extend(b.typed(name) for name in (after, made))
    last, every = b.name("t"), b.name("t")
    b.arrays |= {last: b.arrays[start], every: b.arrays[x]}
    node = helper.make_node("Scan", [start, x], [last, every], name=b.name("Scan"), body=body, num_scan_inputs=1)
    b.nodes.append(node)
    b.keep(last)
    b.keep(every)


@block
def loop(b: Builder) -> None:
    """A fixed number of steps of one square product; the carried state, and all states stacked."""
    m, k, trips = _size(b, 3), _size(b), b.rng.randint(1, 4)
    w, x = b.stored(k, k), b.activation(2, lambda shape: shape == (m, k)) or b.given(m, k)
    names = [b.name(stem) for stem in ("i", "going", "state")]
    b.arrays |= {names[0]: np.array(0, np.int64), names[1]: np.array(True), names[2]: np.zeros((m, k), np.float32)}
    with b.within() as body:
        after = b.node("Tanh", b.node("MatMul", names[2], w))
        again, row = b.node("Identity", names[1]), b.node("Identity", after)
    body.input.extend(b.typed(name) for name in names)
    body.output.extend(b.typed(name) for name in (again, after, row))
    last, every = b.name("t"), b.name("t")
    b.arrays |= {last: np.zeros((m, k), np.float32), every: np.zeros((trips, m, k), np.float32)}
    condition = b.rng.choice(["", b.constant(np.array(True))])
    count = b.constant(np.array(trips, np.int64))
    b.nodes.append(helper.make_node("Loop", [count, condition, x], [last, every], name=b.name("Loop"), body=body))
    b.keep(last)
    b.keep(every)
