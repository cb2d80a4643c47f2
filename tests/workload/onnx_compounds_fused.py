"""Compound operators other than attention beside the same network in primitive ones, as in `onnx_compounds`."""

from __future__ import annotations

from tests.workload.onnx_compounds import ints, number

_LN = "LayerNormalization<axis = -1, epsilon = 1.0e-5>"
_RMS = (  # by hand, as opsets before 23 have no operator for it
    "sq = Mul(t, t) " + ints("last", -1) + number("eps", 1e-5)
    + "mean = ReduceMean<keepdims = 1>(sq, last) me = Add(mean, eps) root = Sqrt(me) n = Div(t, root) y = Mul(n, w_g) "
)  # fmt: skip
_QUANTISED = "uint8[2,16] x, float s_x, uint8 w_zx"

# name: (inputs, compound, primitive)
FUSED: dict[str, tuple[str, str, str]] = {
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
    "QLinearAdd": (
        "uint8[2,16] a, uint8[2,16] b, float s_a, uint8 w_za, float s_b, uint8 w_zb, float s_y, uint8 w_zy",
        "q = com.microsoft.QLinearAdd(a, s_a, w_za, b, s_b, w_zb, s_y, w_zy) y = DequantizeLinear(q, s_y, w_zy)",
        "ra = DequantizeLinear(a, s_a, w_za) rb = DequantizeLinear(b, s_b, w_zb) r = Add(ra, rb) "
        "q = QuantizeLinear(r, s_y, w_zy) y = DequantizeLinear(q, s_y, w_zy)",
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
        "q = QuantizeLinear(r, s_y, w_zy) y = DequantizeLinear(q, s_y, w_zy)",
    ),
    "QLinearWhere": (
        "bool[2,16] mask, uint8[2,16] a, uint8[2,16] b, float s_a, uint8 w_za, float s_b, uint8 w_zb, float s_y, "
        "uint8 w_zy",
        "q = com.microsoft.QLinearWhere(mask, a, s_a, w_za, b, s_b, w_zb, s_y, w_zy) "
        "y = DequantizeLinear(q, s_y, w_zy)",
        "ra = DequantizeLinear(a, s_a, w_za) rb = DequantizeLinear(b, s_b, w_zb) r = Where(mask, ra, rb) "
        "q = QuantizeLinear(r, s_y, w_zy) y = DequantizeLinear(q, s_y, w_zy)",
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
