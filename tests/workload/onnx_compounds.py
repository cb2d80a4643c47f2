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

_LN = "LayerNormalization<axis = -1, epsilon = 1.0e-5>"
_RMS = (  # by hand, as opsets before 23 have no operator for it
    "sq = Mul(t, t) " + ints("last", -1) + number("eps", 1e-5)
    + "mean = ReduceMean<keepdims = 1>(sq, last) me = Add(mean, eps) root = Sqrt(me) n = Div(t, root) y = Mul(n, w_g) "
)  # fmt: skip
_QUANTISED = "uint8[2,16] x, float s_x, uint8 w_zx"

# name: (inputs, compound, primitive)
CASES: dict[str, tuple[str, str, str]] = {
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
    "SkipLayerNormalization": (
        "float[2,5,16] x, float[2,5,16] skip, float[16] w_g, float[16] w_b, float[16] w_bias, float[16,8] w_next",
        "n, , , t = com.microsoft.SkipLayerNormalization<epsilon = 1.0e-5>(x, skip, w_g, w_b, w_bias) "
        "z = MatMul(n, w_next) r = MatMul(t, w_next) y = Add(z, r)",
        f"t0 = Add(x, skip) t = Add(t0, w_bias) n = {_LN}(t, w_g, w_b) "
        "z = MatMul(n, w_next) r = MatMul(t, w_next) y = Add(z, r)",
    ),
    "SkipSimplifiedLayerNormalization": (
        "float[2,5,16] x, float[2,5,16] skip, float[16] w_g",
        "y, , , t = com.microsoft.SkipSimplifiedLayerNormalization<epsilon = 1.0e-5>(x, skip, w_g)",
        "t = Add(x, skip) " + _RMS,
    ),
    "SimplifiedLayerNormalization": (
        "float[2,5,16] t, float[16] w_g",
        "y = SimplifiedLayerNormalization<axis = -1, epsilon = 1.0e-5>(t, w_g)",
        _RMS,
    ),
    "EmbedLayerNormalization": (
        "int32[2,5] ids, int32[2,5] ids_segment, float[9,16] w_word, float[7,16] w_pos, float[6,16] w_seg, "
        "float[16] w_g, float[16] w_b, int32[2,5] mask",
        "y, lengths = com.microsoft.EmbedLayerNormalization<epsilon = 1.0e-5>"
        "(ids, ids_segment, w_word, w_pos, w_seg, w_g, w_b, mask)",
        ints("at", 0, 1, 2, 3, 4) + "a = Gather(w_word, ids) b = Gather(w_pos, at) d = Gather(w_seg, ids_segment) "
        + f"e = Add(a, b) f = Add(e, d) y = {_LN}(f, w_g, w_b)",
    ),
    "FusedMatMul": (
        "float[3,2,5,7] a, float[4,3,2,5] b",
        "y = com.microsoft.FusedMatMul<alpha = 0.5, transA = 1, transB = 1, transBatchB = 1>(a, b)",
        "at = Transpose<perm = [0, 1, 3, 2]>(a) bt = Transpose<perm = [1, 2, 3, 0]>(b) "
        + number("alpha", 0.5) + "bx = Transpose<perm = [0, 1, 2, 3]>(bt) p = MatMul(at, bx) y = Mul(p, alpha)",
    ),
    "BiasGelu": (
        "float[2,5,16] x, float[16,8] w_m, float[8] w_b",
        "m = MatMul(x, w_m) y = com.microsoft.BiasGelu(m, w_b)",
        "m = MatMul(x, w_m) b = Add(m, w_b) " + number("r", 2**0.5) + number("one", 1) + number("half", 0.5)
        + "d = Div(b, r) e = Erf(d) f = Add(e, one) g = Mul(b, f) y = Mul(g, half)",
    ),
    "Gelu": ("float[2,5,16] x", "y = com.microsoft.Gelu(x)", "y = Gelu(x)"),
    "FastGelu": (
        "float[2,5,16] x, float[16] w_b",
        "y = com.microsoft.FastGelu(x, w_b)",
        "b = Add(x, w_b) y = Gelu<approximate = \"tanh\">(b)",
    ),
    "QuickGelu": (
        "float[2,5,16] x",
        "y = com.microsoft.QuickGelu<alpha = 1.5>(x)",
        number("a", 1.5) + "b = Mul(x, a) s = Sigmoid(b) y = Mul(x, s)",
    ),
    "BiasSplitGelu": (
        "float[2,5,16] x, float[16] w_b",
        "y = com.microsoft.BiasSplitGelu(x, w_b)",
        ints("halves", 8, 8) + "b = Add(x, w_b) l, r = Split<axis = -1>(b, halves) g = Gelu(r) y = Mul(l, g)",
    ),
    "BiasSoftmax": (
        "float[2,4,3,5] x, float[2,1,1,5] bias",
        "y = com.microsoft.BiasSoftmax<axis = 3, is_inner_broadcast = 1>(x, bias)",
        "b = Add(x, bias) y = Softmax<axis = -1>(b)",
    ),
    "GroupNorm": (
        "float[2,5,6,8] x, float[8] w_g, float[8] w_b",
        "y = com.microsoft.GroupNorm<activation = 1, groups = 2, epsilon = 1.0e-5>(x, w_g, w_b)",
        "t = Transpose<perm = [0, 3, 1, 2]>(x) g = GroupNormalization<num_groups = 2, epsilon = 1.0e-5>(t, w_g, w_b) "
        "h = Transpose<perm = [0, 2, 3, 1]>(g) s = Sigmoid(h) y = Mul(h, s)",
    ),
    "FusedConv": (
        "float[1,4,8,8] x, float[6,4,3,3] w_c, float[6] w_b, float[1,6,8,8] z",
        "y = com.microsoft.FusedConv<activation = \"LeakyRelu\", activation_params = [0.1], pads = [1, 1, 1, 1], "
        "kernel_shape = [3, 3]>(x, w_c, w_b, z)",
        "c = Conv<pads = [1, 1, 1, 1], kernel_shape = [3, 3]>(x, w_c, w_b) a = Add(c, z) y = LeakyRelu<alpha = 0.1>(a)",
    ),
    "FusedGemm": (
        "float[3,16] x, float[8,16] w_f, float[8] w_b",
        "y = com.microsoft.FusedGemm<activation = \"Relu\", transB = 1>(x, w_f, w_b)",
        "g = Gemm<transB = 1>(x, w_f, w_b) y = Relu(g)",
    ),
    "DynamicQuantizeMatMul": (
        "float[2,16] x, int8[16,8] w_q, float[8] s_w, int8[8] w_z, float[8] w_b",
        "y = com.microsoft.DynamicQuantizeMatMul(x, w_q, s_w, w_z, w_b)",
        "xq, xs, xz = DynamicQuantizeLinear(x) p = MatMulInteger(xq, w_q, xz, w_z) f = Cast<to = 1>(p) "
        "s = Mul(xs, s_w) g = Mul(f, s) y = Add(g, w_b)",
    ),
    "MatMulIntegerToFloat": (
        f"{_QUANTISED}, uint8[16,8] w_q, float[8] s_w, uint8[8] w_z, float[8] w_b",
        "y = com.microsoft.MatMulIntegerToFloat(x, w_q, s_x, s_w, w_zx, w_z, w_b)",
        "p = MatMulInteger(x, w_q, w_zx, w_z) f = Cast<to = 1>(p) s = Mul(s_x, s_w) g = Mul(f, s) y = Add(g, w_b)",
    ),
    "QAttention": (
        "uint8[2,5,16] x, uint8[16,48] w_qkv, float[48] w_bias, float s_x, float s_w, uint8 w_zx, uint8 w_z",
        "y = com.microsoft.QAttention<num_heads = 4>(x, w_qkv, w_bias, s_x, s_w, , w_zx, w_z)",
        "i = MatMulInteger(x, w_qkv, w_zx, w_z) f = Cast<to = 1>(i) s = Mul(s_x, s_w) g = Mul(f, s) "
        + "p = Add(g, w_bias) " + _PROJECTED.split(") ", 2)[2] + attention("c", "q", "k", "v", 4) + _JOINED,
    ),
    "QLinearAdd": (
        "uint8[2,16] a, uint8[2,16] b, float s_a, uint8 w_za, float s_b, uint8 w_zb, float s_y, uint8 w_zy",
        "q = com.microsoft.QLinearAdd(a, s_a, w_za, b, s_b, w_zb, s_y, w_zy) y = DequantizeLinear(q, s_y, w_zy)",
        "ra = DequantizeLinear(a, s_a, w_za) rb = DequantizeLinear(b, s_b, w_zb) r = Add(ra, rb) "
        "q = QuantizeLinear(r, s_y, w_zy) d = DequantizeLinear(q, s_y, w_zy) y = Relu(d)",
    ),
    "QGemm": (
        f"{_QUANTISED}, int8[8,16] w_q, float[8] s_w, int8[8] w_z, int32[8] w_b",
        "y = com.microsoft.QGemm<transB = 1>(x, s_x, w_zx, w_q, s_w, w_z, w_b)",
        "rx = DequantizeLinear(x, s_x, w_zx) rw = DequantizeLinear<axis = 0>(w_q, s_w, w_z) s = Mul(s_x, s_w) "
        "rb = DequantizeLinear<axis = 0>(w_b, s) y = Gemm<transB = 1>(rx, rw, rb)",
    ),
    "BiasAdd": (
        "float[2,5,16] x, float[16] w_b, float[2,5,16] z",
        "y = com.microsoft.BiasAdd(x, w_b, z)",
        "a = Add(x, w_b) y = Add(a, z)",
    ),
    "BiasDropout": (
        "float[2,5,16] x, float[16] w_b, float[2,5,16] z",
        "y = com.microsoft.BiasDropout(x, w_b, z)",
        "a = Add(x, w_b) y = Add(a, z)",
    ),
    "GemmFastGelu": (
        "float[2,5,16] x, float[16,8] w_m, float[8] w_b",
        "y = com.microsoft.GemmFastGelu(x, w_m, w_b)",
        "a = MatMul(x, w_m) b = Add(a, w_b) y = Gelu<approximate = \"tanh\">(b)",
    ),
    "FusedMatMulActivation": (
        "float[2,5,16] x, float[8,16] w_m",
        "y = com.microsoft.FusedMatMulActivation<transB = 1, activation = \"Relu\">(x, w_m)",
        "t = Transpose<perm = [1, 0]>(w_m) a = MatMul(x, t) y = Relu(a)",
    ),
    "TransposeMatMul": (
        "float[2,16,5] x, float[8,16] w_m",
        "y = com.microsoft.TransposeMatMul<transA = 1, transB = 1>(x, w_m)",
        "u = Transpose<perm = [0, 2, 1]>(x) t = Transpose<perm = [1, 0]>(w_m) y = MatMul(u, t)",
    ),
    "SkipGroupNorm": (
        "float[2,5,6,8] x, float[8] w_g, float[8] w_b, float[2,8] skip, float[8] w_bias",
        "y, t = com.microsoft.SkipGroupNorm<activation = 0, groups = 2, epsilon = 1.0e-5>(x, w_g, w_b, skip, w_bias)",
        ints("wide", 2, 1, 1, 8) + "s = Reshape(skip, wide) a = Add(x, s) t = Add(a, w_bias) "
        "u = Transpose<perm = [0, 3, 1, 2]>(t) g = GroupNormalization<num_groups = 2, epsilon = 1.0e-5>(u, w_g, w_b) "
        "y = Transpose<perm = [0, 2, 3, 1]>(g)",
    ),
    "com.microsoft's SimplifiedLayerNormalization": (
        "float[2,5,16] t, float[16] w_g",
        "y = com.microsoft.SimplifiedLayerNormalization<axis = -1, epsilon = 1.0e-5>(t, w_g)",
        _RMS,
    ),
    "QLinearMul": (
        "uint8[2,16] a, uint8[2,16] b, float s_a, uint8 w_za, float s_b, uint8 w_zb, float s_y, uint8 w_zy",
        "q = com.microsoft.QLinearMul(a, s_a, w_za, b, s_b, w_zb, s_y, w_zy) y = DequantizeLinear(q, s_y, w_zy)",
        "ra = DequantizeLinear(a, s_a, w_za) rb = DequantizeLinear(b, s_b, w_zb) r = Mul(ra, rb) "
        "q = QuantizeLinear(r, s_y, w_zy) d = DequantizeLinear(q, s_y, w_zy) y = Relu(d)",
    ),
    "QLinearWhere": (
        "bool[2,16] mask, uint8[2,16] a, uint8[2,16] b, float s_a, uint8 w_za, float s_b, uint8 w_zb, float s_y, "
        "uint8 w_zy",
        "q = com.microsoft.QLinearWhere(mask, a, s_a, w_za, b, s_b, w_zb, s_y, w_zy) "
        "y = DequantizeLinear(q, s_y, w_zy)",
        "ra = DequantizeLinear(a, s_a, w_za) rb = DequantizeLinear(b, s_b, w_zb) r = Where(mask, ra, rb) "
        "q = QuantizeLinear(r, s_y, w_zy) d = DequantizeLinear(q, s_y, w_zy) y = Relu(d)",
    ),
    "QLinearConcat": (
        "uint8[2,4] a, uint8[2,3] b, float s_a, uint8 w_za, float s_b, uint8 w_zb, float s_y, uint8 w_zy",
        "q = com.microsoft.QLinearConcat<axis = 1>(s_y, w_zy, a, s_a, w_za, b, s_b, w_zb) "
        "d = DequantizeLinear(q, s_y, w_zy) y = Relu(d)",
        "ra = DequantizeLinear(a, s_a, w_za) rb = DequantizeLinear(b, s_b, w_zb) r = Concat<axis = 1>(ra, rb) "
        "q = QuantizeLinear(r, s_y, w_zy) d = DequantizeLinear(q, s_y, w_zy) y = Relu(d)",
    ),
    **{
        f"QLinear{operator}": (
            "uint8[1,4,6,6] a, float s_a, uint8 w_za, float s_y, uint8 w_zy",
            f"q = com.microsoft.QLinear{operator}{contributed}(a, s_a, w_za, s_y, w_zy) "
            "y = DequantizeLinear(q, s_y, w_zy)",
            f"{before}ra = DequantizeLinear(a, s_a, w_za) r = {operator}{attributes} "
            "q = QuantizeLinear(r, s_y, w_zy) y = DequantizeLinear(q, s_y, w_zy)",
        )
        for operator, contributed, before, attributes in (
            ("Sigmoid", "", "", "(ra)"),
            ("LeakyRelu", "<alpha = 0.1>", "", "<alpha = 0.1>(ra)"),
            ("Softmax", "<axis = -1, opset = 13>", "", "<axis = -1>(ra)"),
            ("GlobalAveragePool", "<channels_last = 0>", "", "(ra)"),
            ("AveragePool", "<kernel_shape = [2, 2], strides = [2, 2]>", "",
             "<kernel_shape = [2, 2], strides = [2, 2]>(ra)"),
            ("ReduceMean", "<axes = [2, 3], keepdims = 1>", ints("axes", 2, 3), "<keepdims = 1>(ra, axes)"),
        )
    },
}  # fmt: skip
