"""Compound operators beside the same network in primitive ones, written by hand from the operators' definitions.

Every case is a pair of graphs in ONNX's text form, as ``name: (inputs, compound, primitive)``. Inputs named ``w_`` and
``s_`` are stored weights and scales with values that depend on their name alone, so that both graphs have the same.
The graphs by hand stand for ONNX Runtime's operators: 1.32.0 gave the values of the primitive graphs for the compound
ones of all cases that its CPU provider has kernels for (largest difference 8e-6, or one step of a quantised result).
"""

from __future__ import annotations

import zlib

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper, parser

_STORED = ("w_", "s_")


def graph(inputs: str, body: str, results: str = "y", *, opset: int = 21) -> onnx.ModelProto:
    """A model from its text; results have open shapes."""
    outputs = ", ".join(f"{_kind(name)}[...] {name.split(':')[-1]}" for name in results.split())
    head = f'<ir_version: 10, opset_import: ["": {opset}, "com.microsoft": 1]>'
    model = parser.parse_model(f"{head} g ({inputs}) => ({outputs.replace('[...]', '[?]')}) {{ {body} }}")
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    declared = list(model.graph.input)
    del model.graph.input[:]
    for value in declared:
        if value.name.startswith(_STORED):
            model.graph.initializer.append(numpy_helper.from_array(values_of(value), value.name))
        else:
            model.graph.input.append(value)
    return model


def _kind(name: str) -> str:
    return name.split(":")[0] if ":" in name else "float"


def values_of(value: onnx.ValueInfoProto) -> NDArray[np.generic]:
    """Values of a tensor, by its name."""
    kind = value.type.tensor_type
    shape = [dim.dim_value for dim in kind.shape.dim]
    dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
    rng = np.random.default_rng(zlib.crc32(value.name.encode()))
    if value.name.startswith("ids"):
        return rng.integers(0, 6, shape).astype(dtype)
    if value.name.startswith("lengths"):
        return np.full(shape, 5, dtype)
    if value.name == "w_total":
        return np.full(shape, 5, dtype)
    if value.name == "last":
        return np.full(shape, 4, dtype)
    if value.name.startswith("mask"):
        mask = rng.integers(0, 2, shape)
        mask[..., 0] = 1
        return mask.astype(dtype)
    if value.name.startswith("s_"):
        return (0.02 + 0.01 * rng.random(shape)).astype(dtype)
    if dtype.kind in "iu":
        low, high = (0, 255) if dtype.kind == "u" else (-127, 127)
        return rng.integers(low, high, shape).astype(dtype)
    return rng.normal(size=shape).astype(dtype)


def feeds(model: onnx.ModelProto) -> dict[str, NDArray[np.generic]]:
    return {value.name: values_of(value) for value in model.graph.input}


def ints(name: str, *values: int) -> str:
    return f"{name} = Constant <value_ints = [{', '.join(map(str, values))}]> () "


def number(name: str, value: float) -> str:
    return f"{name} = Constant <value_float = {value:.9e}> () "


def split(new: str, old: str, batch: int, steps: int, heads: int, width: int) -> str:
    """Tokens to heads."""
    return (
        ints(f"{new}_size", batch, steps, heads, width)
        + f"{new}_4 = Reshape({old}, {new}_size) {new} = Transpose<perm = [0, 2, 1, 3]>({new}_4) "
    )


def join(new: str, old: str, batch: int, steps: int, hidden: int) -> str:
    """Heads to tokens."""
    return (
        f"{new}_t = Transpose<perm = [0, 2, 1, 3]>({old}) "
        + ints(f"{new}_size", batch, steps, hidden)
        + f"{new} = Reshape({new}_t, {new}_size) "
    )


def attention(new: str, q: str, k: str, v: str, width: int, *, added: str = "", allowed: str = "") -> str:
    """Heads of as many keys as queries: softmax(q k^T / sqrt(D) + mask) v."""
    text = f"{new}_k = Transpose<perm = [0, 1, 3, 2]>({k}) {new}_p = MatMul({q}, {new}_k) "
    text += number(f"{new}_d", width**-0.5) + f"{new}_s = Mul({new}_p, {new}_d) "
    last = f"{new}_s"
    if added:
        text += f"{new}_a = Add({last}, {added}) "
        last = f"{new}_a"
    if allowed:
        text += number(f"{new}_low", -10000.0) + f"{new}_m = Where({allowed}, {last}, {new}_low) "
        last = f"{new}_m"
    return text + f"{new}_w = Softmax<axis = -1>({last}) {new} = MatMul({new}_w, {v}) "


def triangle(new: str, steps: int, length: int) -> str:
    """Truth values [S, T]: the last S of T tokens see those before them and themselves."""
    rows = [" ".join(str(int(j <= i + length - steps)) + "," for j in range(length)) for i in range(steps)]
    values = " ".join(rows).rstrip(",")
    return (
        f"{new}_i = Constant <value = int64[{steps}, {length}] {{{values}}}> () {new} = Cast<to = 9>({new}_i) "
    )


def turn(new: str, old: str, cos: str, sin: str, half: int) -> str:
    """Heads turned by angles, elements half a head apart."""
    sizes = ints(f"{new}_n", half, half)
    return (
        f"{sizes} {new}_1, {new}_2 = Split<axis = -1>({old}, {new}_n) "
        f"{new}_a = Mul({new}_1, {cos}) {new}_b = Mul({new}_2, {sin}) {new}_c = Sub({new}_a, {new}_b) "
        f"{new}_d = Mul({new}_1, {sin}) {new}_e = Mul({new}_2, {cos}) {new}_f = Add({new}_d, {new}_e) "
        f"{new} = Concat<axis = -1>({new}_c, {new}_f) "
    )


_QKV = "float[2,5,16] x, float[16,48] w_qkv, float[48] w_bias"
_PROJECTED = (
    "p0 = MatMul(x, w_qkv) p = Add(p0, w_bias) "
    + ints("thirds", 16, 16, 16)
    + "q0, k0, v0 = Split<axis = 2>(p, thirds) "
    + split("q", "q0", 2, 5, 4, 4)
    + split("k", "k0", 2, 5, 4, 4)
    + split("v", "v0", 2, 5, 4, 4)
)
_JOINED = join("y", "c", 2, 5, 16)
_THREE = "float[2,5,16] q0, float[2,5,16] k0, float[2,5,16] v0"
_HEADS = split("q", "q0", 2, 5, 4, 4) + split("k", "k0", 2, 5, 4, 4) + split("v", "v0", 2, 5, 4, 4)
_GROUPED = "float[1,3,64] q0, float[1,3,32] k0, float[1,3,32] v0, int32[1] last, int32[1] w_total"
_CACHE = "float[1,2,2,16] past_k, float[1,2,2,16] past_v"
# Keys and values of 2 heads for 4 of queries: pairs of query heads are rows of one product. 2 cached and 3 new tokens.
_NEW = split("q1", "q0", 1, 3, 4, 16) + split("k1", "k0", 1, 3, 2, 16) + split("v1", "v0", 1, 3, 2, 16)
_BY_GROUP = (
    ints("pairs", 1, 2, 6, 16)
    + ints("apart", 1, 4, 3, 5)
    + ints("paired", 1, 2, 6, 5)
    + ints("again", 1, 4, 3, 16)
    + "qg = Reshape(q, pairs) kt = Transpose<perm = [0, 1, 3, 2]>(k) p = MatMul(qg, kt) s0 = Reshape(p, apart) "
    + number("d", 0.25)
    + "s = Mul(s0, d) "
    + triangle("see", 3, 5)
    + number("low", -1e30)
    + "m = Where(see, s, low) h = Softmax<axis = -1>(m) hg = Reshape(h, paired) c0 = MatMul(hg, v) "
    + "c = Reshape(c0, again) "
    + join("y", "c", 1, 3, 64)
)
_CACHED = "k = Concat<axis = 2>(past_k, k1) v = Concat<axis = 2>(past_v, v1) "
_GQA = "GroupQueryAttention<num_heads = 4, kv_num_heads = 2>"

# name: (inputs, compound, primitive)
ATTENTION: dict[str, tuple[str, str, str]] = {
    "Attention": (
        _QKV,
        "y = com.microsoft.Attention<num_heads = 4>(x, w_qkv, w_bias)",
        _PROJECTED + attention("c", "q", "k", "v", 4) + _JOINED,
    ),
    "Attention, causal, keys masked": (
        f"{_QKV}, int32[2,5] mask",
        "y = com.microsoft.Attention<num_heads = 4, unidirectional = 1>(x, w_qkv, w_bias, mask)",
        _PROJECTED + triangle("see", 5, 5) + ints("wide", 2, 1, 1, 5)
        + "mb = Cast<to = 9>(mask) m4 = Reshape(mb, wide) both = And(see, m4) "
        + attention("c", "q", "k", "v", 4, allowed="both") + _JOINED,
    ),
    "Attention, lengths": (
        f"{_QKV}, int32[2] lengths",
        "y = com.microsoft.Attention<num_heads = 4>(x, w_qkv, w_bias, lengths)",
        _PROJECTED + attention("c", "q", "k", "v", 4) + _JOINED,  # all have 5 tokens
    ),
    "Attention, past": (
        f"{_QKV}, float[2,2,4,3,4] past",
        "y, present = com.microsoft.Attention<num_heads = 4, unidirectional = 1>(x, w_qkv, w_bias, , past)",
        _PROJECTED + ints("one", 1, 1) + "pk, pv = Split<axis = 0>(past, one) " + ints("zero", 0)
        + "pk4 = Squeeze(pk, zero) pv4 = Squeeze(pv, zero) "
        + "kk = Concat<axis = 2>(pk4, k) vv = Concat<axis = 2>(pv4, v) "
        + triangle("see", 5, 8) + attention("c", "q", "kk", "vv", 4, allowed="see") + _JOINED
        + "k5 = Unsqueeze(kk, zero) v5 = Unsqueeze(vv, zero) present = Concat<axis = 0>(k5, v5) ",
    ),
    "Attention, values of another size": (
        "float[2,5,16] x, float[16,40] w_qkv, float[40] w_bias, float[1,4,5,5] bias",
        "y = com.microsoft.Attention<num_heads = 4, qkv_hidden_sizes = [16, 16, 8], scale = 0.5>"
        "(x, w_qkv, w_bias, , , bias)",
        "p0 = MatMul(x, w_qkv) p = Add(p0, w_bias) " + ints("parts", 16, 16, 8)
        + "q0, k0, v0 = Split<axis = 2>(p, parts) " + split("q", "q0", 2, 5, 4, 4) + split("k", "k0", 2, 5, 4, 4)
        + split("v", "v0", 2, 5, 4, 2) + attention("c", "q", "k", "v", 4, added="bias") + join("y", "c", 2, 5, 8),
    ),
    "MultiHeadAttention": (
        f"{_THREE}, float[48] w_bias, float[2,4,5,5] bias",
        "y = com.microsoft.MultiHeadAttention<num_heads = 4>(q0, k0, v0, w_bias, , bias)",
        ints("thirds", 16, 16, 16) + "bq, bk, bv = Split<axis = 0>(w_bias, thirds) "
        + "q1 = Add(q0, bq) k1 = Add(k0, bk) v1 = Add(v0, bv) "
        + split("q", "q1", 2, 5, 4, 4) + split("k", "k1", 2, 5, 4, 4) + split("v", "v1", 2, 5, 4, 4)
        + attention("c", "q", "k", "v", 4, added="bias") + _JOINED,
    ),
    "MultiHeadAttention, past": (
        f"{_THREE}, float[2,4,3,4] past_k, float[2,4,3,4] past_v",
        "y, present_k, present_v = com.microsoft.MultiHeadAttention<num_heads = 4, unidirectional = 1>"
        "(q0, k0, v0, , , , past_k, past_v)",
        _HEADS + "present_k = Concat<axis = 2>(past_k, k) present_v = Concat<axis = 2>(past_v, v) "
        + triangle("see", 5, 8) + attention("c", "q", "present_k", "present_v", 4, allowed="see") + _JOINED,
    ),
    "MultiHeadAttention, of another sequence": (
        "float[2,5,16] q0, float[2,4,7,4] k, float[2,4,7,4] v, int32[2,7] mask",
        "y = com.microsoft.MultiHeadAttention<num_heads = 4>(q0, k, v, , mask)",
        split("q", "q0", 2, 5, 4, 4) + ints("wide", 2, 1, 1, 7) + "mb = Cast<to = 9>(mask) see = Reshape(mb, wide) "
        + attention("c", "q", "k", "v", 4, allowed="see") + _JOINED,
    ),
    "MultiHeadAttention, packed": (
        "float[2,5,4,3,4] x",
        "y = com.microsoft.MultiHeadAttention<num_heads = 4>(x)",
        ints("one", 1, 1, 1) + ints("three", 3) + "q5, k5, v5 = Split<axis = 3>(x, one) "
        + "".join(f"{n}4 = Squeeze({n}5, three) {n} = Transpose<perm = [0, 2, 1, 3]>({n}4) " for n in "qkv")
        + attention("c", "q", "k", "v", 4) + _JOINED,
    ),
    "GroupQueryAttention": (
        f"{_GROUPED}, {_CACHE}",
        f"y, k, v = com.microsoft.{_GQA}(q0, k0, v0, past_k, past_v, last, w_total)",
        _NEW + "q = Identity(q1) " + _CACHED + _BY_GROUP,
    ),
    "GroupQueryAttention, packed, rotary": (
        f"float[1,3,128] x, int32[1] last, int32[1] w_total, float[9,8] w_cos, float[9,8] w_sin, {_CACHE}",
        "y, k, v = com.microsoft.GroupQueryAttention<num_heads = 4, kv_num_heads = 2, do_rotary = 1>"
        "(x, , , past_k, past_v, last, w_total, w_cos, w_sin)",
        ints("parts", 64, 32, 32) + "q0, k0, v0 = Split<axis = 2>(x, parts) " + _NEW
        + ints("at", 2, 3, 4) + "cos = Gather(w_cos, at) sin = Gather(w_sin, at) " + turn("q", "q1", "cos", "sin", 8)
        + turn("k2", "k1", "cos", "sin", 8)
        + "k = Concat<axis = 2>(past_k, k2) v = Concat<axis = 2>(past_v, v1) " + _BY_GROUP,
    ),
    "RotaryEmbedding": (
        "float[2,3,16] x, int64[2,3] ids, float[9,2] w_cos, float[9,2] w_sin",
        "y = com.microsoft.RotaryEmbedding(x, ids, w_cos, w_sin)",
        split("h", "x", 2, 3, 4, 4) + ints("one", 1)
        + "c = Gather(w_cos, ids) s = Gather(w_sin, ids) cos = Unsqueeze(c, one) sin = Unsqueeze(s, one) "
        + turn("t", "h", "cos", "sin", 2) + join("y", "t", 2, 3, 16),
    ),
    "QAttention": (
        "uint8[2,5,16] x, uint8[16,48] w_qkv, float[48] w_bias, float s_x, float s_w, uint8 w_zx, uint8 w_z",
        "y = com.microsoft.QAttention<num_heads = 4>(x, w_qkv, w_bias, s_x, s_w, , w_zx, w_z)",
        "i = MatMulInteger(x, w_qkv, w_zx, w_z) f = Cast<to = 1>(i) s = Mul(s_x, s_w) g = Mul(f, s) "
        + "p = Add(g, w_bias) " + _PROJECTED.split(") ", 2)[2] + attention("c", "q", "k", "v", 4) + _JOINED,
    ),
}  # fmt: skip
