"""Quantised operators of ONNX Runtime, with QuantizeLinear and DequantizeLinear around the operator that they compute.

Weights packed into bytes become a stored tensor of their real element type and shape (``NAME.unpacked``, int4 [N, K]),
so that they count as K N weights of 4 bits. Its values are never read.
"""

from __future__ import annotations

from typing import Any

from imcevo.workload.onnx_import.expand.builder import Builder

_UNSIGNED = {2: "UINT2", 4: "UINT4", 8: "UINT8"}
_SIGNED = {2: "INT2", 4: "INT4", 8: "INT8"}
_FLOATS = (1, 10, 11, 16)  # TensorProto.FLOAT, FLOAT16, DOUBLE, BFLOAT16
_UINT8 = 2


def integer_product(
    b: Builder, a: str, w: str, a_scale: str, w_scale: str, a_zero: str, w_zero: str, bias: str
) -> str:
    """A product of integers [..., K] and [K, N] as real numbers, with a bias [N]."""
    zeros = [_scalar(b, a_zero), _scalar(b, w_zero)] if w_zero else [_scalar(b, a_zero)] if a_zero else []
    product = b.add("MatMulInteger", a, w, *zeros, label="MatMul")
    if b.shape(a_scale) not in ((), (1,)):  # one per row
        a_scale = b.reshape(a_scale, *b.shape(a_scale), 1)
    scale = b.add("Mul", a_scale, _column_scale(b, w_scale, w))
    return b.plus(b.add("Mul", b.cast(product, b.kind(scale)), scale), bias)


def _column_scale(b: Builder, scale: str, w: str) -> str:
    """One scale for all columns, or one for each, beside a product with N columns."""
    shape = b.shape(scale)
    if len(shape) > 1 and shape[-1] == b.shape(w)[-1] and len(shape) == b.rank(w):
        return scale
    return _scalar(b, scale)


def _scalar(b: Builder, name: str) -> str:
    return b.reshape(name) if name and b.shape(name) == (1,) else name


def _real(b: Builder, x: str, scale: str, zero: str, axis: int = -1) -> str:
    inputs = [x, _scalar(b, scale), *([_scalar(b, zero)] if zero else [])]
    along: dict[str, Any] = {"axis": axis % max(1, b.rank(x))} if b.rank(inputs[1]) else {}
    return b.add("DequantizeLinear", *inputs, **along)


def _quantised(b: Builder, x: str, scale: str, zero: str) -> str:
    return b.add("QuantizeLinear", x, _scalar(b, scale), *([_scalar(b, zero)] if zero else []))


def _to_float(b: Builder) -> None:
    """com.microsoft.MatMulIntegerToFloat."""
    a, w, a_scale, w_scale = (b.needed(index) for index in range(4))
    b.give(0, integer_product(b, a, w, a_scale, w_scale, b.input(4), b.input(5), b.input(6)))


def _dynamic(b: Builder) -> None:
    """com.microsoft.DynamicQuantizeMatMul: data quantised by their own range."""
    from onnx import helper

    a = b.needed(0)
    quantised = b.add("DynamicQuantizeLinear", a, outputs=3)
    scale, zero = b.nodes[-1].output[1:]
    b.types[scale], b.types[zero] = (helper.make_tensor_type_proto(kind, []) for kind in (1, _UINT8))
    w, w_scale = b.needed(1), b.needed(2)
    b.give(0, integer_product(b, quantised, w, scale, w_scale, zero, b.input(3), b.input(4)))


def _gemm(b: Builder) -> None:
    """com.microsoft.QGemm."""
    a, w = _real(b, b.needed(0), b.needed(1), b.input(2)), b.needed(3)
    columns = 0 if b.whole("transB", 0) else 1
    inputs = [a, _real(b, w, b.needed(4), b.input(5), columns)]
    alpha = b.attribute("alpha", 1.0)
    if b.input(6):
        scale = b.scaled(b.add("Mul", _scalar(b, b.needed(1)), _scalar(b, b.needed(4))), alpha)
        inputs.append(_real(b, b.input(6), scale, ""))
    attributes: dict[str, Any] = {name: b.whole(name, 0) for name in ("transA", "transB")}
    y = b.add("Gemm", *inputs, alpha=float(alpha), **attributes)
    b.give(0, _quantised(b, y, b.input(7), b.input(8)) if b.input(7) else y)


def _pointwise(op: str, operands: int, *attributes: str) -> Any:
    """The rule of an operator on quantised operands: each with scale and zero point, then those of the result."""

    def rule(b: Builder) -> None:
        x = [_real(b, b.needed(3 * i), b.needed(3 * i + 1), b.input(3 * i + 2)) for i in range(operands)]
        more = {name: b.attribute(name) for name in attributes if b.attribute(name) is not None}
        b.give(0, _quantised(b, b.add(op, *x, **more), b.needed(3 * operands), b.input(3 * operands + 1)))

    return rule


def _pool(b: Builder) -> None:
    b.forbid_attributes(channels_last=0)
    b.check_attributes(("channels_last", *_POOL))
    op = "GlobalAveragePool" if "Global" in b.node.op_type else "AveragePool"
    _pointwise(op, 1, *_POOL)(b)


def _mean(b: Builder) -> None:
    x = _real(b, b.needed(0), b.needed(1), b.input(2))
    y = b.add("ReduceMean", x, b.ints(b.attribute("axes")), keepdims=b.whole("keepdims", 1))
    b.give(0, _quantised(b, y, b.needed(3), b.input(4)))


def _where(b: Builder) -> None:
    x, y = (_real(b, b.needed(i), b.needed(i + 1), b.input(i + 2)) for i in (1, 4))
    b.give(0, _quantised(b, b.add("Where", b.needed(0), x, y), b.needed(7), b.input(8)))


def _concat(b: Builder) -> None:
    count = (len(b.node.input) - 2) // 3
    parts = [_real(b, b.needed(3 * i + 2), b.needed(3 * i + 3), b.input(3 * i + 4)) for i in range(count)]
    b.give(0, _quantised(b, b.concat(b.whole("axis"), *parts), b.needed(0), b.input(1)))


def _element_type(b: Builder, bits: int, *, signed: bool) -> int:
    from onnx import TensorProto

    names = _SIGNED if signed else _UNSIGNED
    if bits not in names:
        raise b.refused(f"has the attribute bits = {bits}", allowed="2, 4 or 8")
    if not hasattr(TensorProto, names[bits]):
        raise b.refused(f"has weights of {bits} bits", allowed="a newer version of the package onnx: this one has none")
    return int(getattr(TensorProto, names[bits]))


def _blocks(b: Builder, packed: str, shape: tuple[int, ...], axis: int, scales: str, zero: str, block: int) -> str:
    """Weights of a shape, packed with one scale per block along an axis, as real numbers."""
    bits = b.whole("bits", 4)
    b.check_stored(packed)
    counts = tuple(-(-size // block) if i == axis else size for i, size in enumerate(shape))
    kind = _element_type(b, bits, signed=not zero)
    weights = b.stored(f"{packed}.unpacked", kind, shape)
    inputs = [weights, b.reshape(scales, *counts)]
    if zero and b.kind(zero) in _FLOATS:
        inputs.append(b.cast(b.reshape(zero, *counts), kind))
    elif zero:
        b.check_stored(zero)
        inputs.append(b.stored(f"{zero}.unpacked", kind, counts))
    return b.add("DequantizeLinear", *inputs, axis=axis, block_size=block, label="weights")


def _narrow(b: Builder) -> None:
    """com.microsoft.MatMulNBits: y = x W^T, W [N, K] in blocks along K."""
    b.forbid(g_idx=4)
    b.forbid_attributes(weight_prepacked=0)
    n, k, block = b.whole("N"), b.whole("K"), b.whole("block_size")
    if block < 1 or b.shape(b.needed(0))[-1] != k:
        raise b.refused(f"has data {b.shape(b.needed(0))} for K = {k} in blocks of {block}", allowed="data [..., K]")
    weights = _blocks(b, b.needed(1), (n, k), 1, b.needed(2), b.input(3), block)
    b.give(0, b.plus(b.add("MatMul", b.needed(0), b.transpose(weights, 1, 0)), b.input(5)))


def _codebook(b: Builder) -> None:
    """com.microsoft.MatMulBnb4: each 4-bit weight names one of 16 values; one factor per block of the flat weights."""
    b.forbid_attributes(transB=1, training_mode=0)
    n, k, block = b.whole("N"), b.whole("K"), b.whole("block_size")
    if block < 1 or k % block:
        raise b.refused(f"has K = {k} in blocks of {block}", allowed="blocks that divide K")
    b.check_stored(b.needed(1))
    kind = _element_type(b, 4, signed=False)
    weights = b.stored(f"{b.needed(1)}.unpacked", kind, (n, k))
    scales = b.reshape(b.needed(2), n, k // block)
    real = b.add("DequantizeLinear", weights, scales, axis=1, block_size=block, label="weights")
    b.give(0, b.add("MatMul", b.needed(0), b.transpose(real, 1, 0)))


def _gather(b: Builder) -> None:
    """com.microsoft.GatherBlockQuantized: rows of a table in blocks."""
    data, block = b.needed(0), b.whole("block_size", 128)
    shape = b.shape(data)
    quantised, gathered = b.whole("quantize_axis", 1) % len(shape), b.whole("gather_axis", 0) % len(shape)
    if b.kind(data) == _UINT8:  # several values in one byte
        shape = (*shape[:-1], shape[-1] * 8 // b.whole("bits", 4))
    if block < 1:
        raise b.refused(f"has the attribute block_size = {block}", allowed="a power of two from 16")
    table = _blocks(b, data, shape, quantised, b.needed(2), b.input(3), block)
    b.give(0, b.add("Gather", table, b.needed(1), axis=gathered))


_POOL = ("auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides")
RULES = {
    "com.microsoft.DynamicQuantizeMatMul": (_dynamic, ()),
    "com.microsoft.GatherBlockQuantized": (_gather, ("bits", "block_size", "gather_axis", "quantize_axis")),
    "com.microsoft.MatMulBnb4": (_codebook, ("K", "N", "block_size", "quant_type", "training_mode", "transB")),
    "com.microsoft.MatMulIntegerToFloat": (_to_float, ()),
    "com.microsoft.MatMulNBits": (_narrow, ("K", "N", "accuracy_level", "bits", "block_size", "weight_prepacked")),
    "com.microsoft.QGemm": (_gemm, ("alpha", "transA", "transB")),
    "com.microsoft.QLinearAdd": (_pointwise("Add", 2), ()),
    "com.microsoft.QLinearAveragePool": (_pool, (*_POOL, "channels_last")),
    "com.microsoft.QLinearConcat": (_concat, ("axis",)),
    "com.microsoft.QLinearGlobalAveragePool": (_pool, ("channels_last",)),
    "com.microsoft.QLinearLeakyRelu": (_pointwise("LeakyRelu", 1, "alpha"), ("alpha",)),
    "com.microsoft.QLinearMul": (_pointwise("Mul", 2), ()),
    "com.microsoft.QLinearReduceMean": (_mean, ("axes", "keepdims")),
    "com.microsoft.QLinearSigmoid": (_pointwise("Sigmoid", 1), ()),
    "com.microsoft.QLinearSoftmax": (_pointwise("Softmax", 1, "axis"), ("axis", "opset")),
    "com.microsoft.QLinearWhere": (_where, ()),
}
