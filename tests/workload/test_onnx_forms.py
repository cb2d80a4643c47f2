"""Further forms of every kind of fault that the importer once had, as models in ONNX's text form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the optional extra imcevo[onnx] is not installed")

from onnx import numpy_helper, parser  # noqa: E402

from imcevo.errors import UserError  # noqa: E402
from imcevo.workload import Layer, Network, read_network_csv, write_network_csv  # noqa: E402
from imcevo.workload.onnx_import import import_onnx  # noqa: E402


def ints(*values: int) -> np.ndarray[Any, Any]:
    return np.array(values, dtype=np.int64)


# Scale and zero points of quantised forms.
CODES = {"s": np.float32(0.1), "z": np.uint8(0), "mid": np.uint8(128), "zi": np.int8(0)}
CUTS = {"o": ints(0), "a": ints(20), "m": ints(32), "b": ints(40), "e": ints(64), "one": ints(1)}


class Form(NamedTuple):
    """A model: inputs (those that start with w are stored, without values), nodes, constants, and its right counts."""

    inputs: str
    body: str
    right: dict[str, int]
    constants: dict[str, Any] = {}  # noqa: RUF012
    opset: int = 17


def written(form: Form, path: Path) -> Path:
    versions = f'"" : {form.opset}'
    text = f"<ir_version: 9, opset_import: [{versions}]> g ({form.inputs}) => (y) {{ {form.body} }}"
    model = parser.parse_model(text)
    inputs = list(model.graph.input)
    del model.graph.input[:]
    for value in inputs:
        kind = value.type.tensor_type
        if value.name.startswith("w"):
            dims = [dim.dim_value for dim in kind.shape.dim]
            model.graph.initializer.append(onnx.TensorProto(name=value.name, data_type=kind.elem_type, dims=dims))
        else:
            model.graph.input.append(value)
    every = {**CODES, **CUTS, **form.constants}
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), n) for n, v in every.items())
    path.write_bytes(model.SerializeToString())
    return path


def matrices(network: Network) -> list[Layer]:
    return [layer for layer in network.layers if layer.kind == "matrix"]


def counts(network: Network) -> dict[str, int]:
    first = matrices(network)[0]
    return {
        "macs": network.macs, "parameters": network.parameters, "cells": network.array_weights,
        "layers": len(network.layers), "second": sum(layer.weights for layer in matrices(network) if layer.dynamic),
        "read": first.input_elements, "written": first.output_elements, "input_bits": first.input_bits,
        "weight_bits": first.weight_bits,
    }  # fmt: skip


CUT = "l = Slice(w, o, m, one) r = Slice(w, m, e, one) p = MatMul(x, l) q = MatMul(x, r) "
COPIED = "k5 = Unsqueeze(k, ax) ke = Expand(k5, sh) kr = Reshape(ke, s4) "
TWO_HEADS = {"ax": ints(2), "sh": ints(1, 2, 3, 7, 4), "s4": ints(1, 6, 7, 4), "sp": ints(3, 3)}
FORMS = {
    # Products broadcast.
    "a vector times a matrix": Form("float[8] x, float[8,5] w", "y = MatMul(x, w)", {"macs": 40, "cells": 40}),
    "a matrix times a vector": Form("float[7,8] x, float[8] w", "y = MatMul(x, w)", {"macs": 56, "parameters": 8}),
    "stored on the left": Form("float[4,6,5] x, float[7,6] w", "y = MatMul(w, x)", {"macs": 840, "cells": 42}),
    "a stored stack on the left": Form(
        "float[4,1,6,5] x, float[3,7,6] w", "y = MatMul(w, x)", {"macs": 4 * 3 * 7 * 6 * 5, "cells": 126}
    ),
    "a stack of codes": Form(
        "uint8[4,1,40,80] x, int8[3,80,50] w", "y = QLinearMatMul(x, s, z, w, s, zi, s, z)",
        {"macs": 1_920_000, "cells": 12_000, "parameters": 12_000, "input_bits": 8, "weight_bits": 8},
    ),
    "einsum with dots": Form(
        "float[4,3,40,80] x, float[80,50] w", 'y = Einsum<equation = "...d,de->...e">(x, w)',
        {"macs": 1_920_000, "cells": 4_000},
    ),
    "einsum without a result": Form(
        "float[4,8] x, float[8,5] w", 'y = Einsum<equation = "ij,jk">(x, w)', {"macs": 160, "cells": 40}
    ),
    "stored weights expanded over a batch": Form(
        "float[4,40,80] x, float[80,50] w", "c = Expand(w, sh) y = MatMul(x, c)",
        {"macs": 640_000, "cells": 4_000, "parameters": 4_000}, {"sh": ints(4, 80, 50)},
    ),
    # Copies of keys.
    "copies transposed": Form(
        "float[1,6,5,4] q, float[1,2,7,4] k", COPIED + "t = Transpose<perm = [0,1,3,2]>(kr) y = MatMul(q, t)",
        {"macs": 6 * 5 * 4 * 7, "second": 56}, TWO_HEADS,
    ),
    "copies scaled": Form(
        "float[1,6,5,4] q, float[1,2,7,4] k",
        COPIED + "t = Transpose<perm = [0,1,3,2]>(kr) u = Mul(t, s) y = MatMul(q, u)", {"second": 56}, TWO_HEADS,
    ),
    "copies turned by positions": Form(
        "float[1,6,5,4] q, float[1,2,7,4] k, float[1,1,7,4] w_cos, float[1,1,7,4] w_sin",
        COPIED + "f = Slice(kr, i0, i2, i3) g = Slice(kr, i2, i4, i3) n = Neg(g) h = Concat<axis = -1>(n, f) "
        "c = Mul(kr, w_cos) d = Mul(h, w_sin) v = Add(c, d) t = Transpose<perm = [0,1,3,2]>(v) y = MatMul(q, t)",
        {"second": 56}, {**TWO_HEADS, "i0": ints(0), "i2": ints(2), "i3": ints(3), "i4": ints(4)},
    ),
    "copies split by heads": Form(
        "float[1,3,5,7] q, float[1,3,5,7] r, float[1,2,7,4] k",
        COPIED + "c, d = Split<axis = 1>(kr, sp) f = MatMul(q, c) g = MatMul(r, d) y = Add(f, g)",
        {"second": 56}, TWO_HEADS,
    ),
    "heads joined several times each": Form(
        "float[1,6,5,4] q, float[1,2,4,7] k",
        "c, d = Split<axis = 1>(k, sp) t = Concat<axis = 1>(c, c, c, d, d, d) y = MatMul(q, t)",
        {"second": 56}, {"sp": ints(1, 1)},
    ),
    "tokens before heads": Form(
        "float[2,32,1,64] q, float[2,2048,4,64] k", COPIED + "t = Transpose<perm = [0,2,3,1]>(kr) y = MatMul(q, t)",
        {"second": 2 * 4 * 64 * 2048}, {"ax": ints(3), "sh": ints(2, 2048, 4, 8, 64), "s4": ints(2, 2048, 32, 64)},
    ),
    # Three dimensions.
    "windows of three axes": Form(
        "float[1,4,8,8,8] x, float[6,4,3,3,3] w", "y = Conv<pads = [1,1,1,1,1,1]>(x, w)",
        {"macs": 512 * 6 * 108, "cells": 648, "read": 2048, "written": 3072},
    ),
    "windows of one axis of three": Form(
        "float[1,4,5,8,8] x, float[6,4,3,1,1] w", "y = Conv(x, w)", {"macs": 3 * 64 * 72, "cells": 72, "read": 1280}
    ),
    "patches of three axes": Form(
        "float[1,3,8,32,32] x, float[16,3,2,16,16] w", "y = Conv<strides = [2,16,16]>(x, w)",
        {"macs": 16 * 16 * 1536, "cells": 16 * 1536, "read": 3 * 8 * 1024},
    ),
    "transposed in groups": Form(
        "float[2,4,5,5] x, float[4,3,2,2] w, float[6] w_b", "y = ConvTranspose<strides = [2,2], group = 2>(x, w, w_b)",
        {"macs": 2 * 25 * 48, "cells": 48, "parameters": 54},
    ),
    "plain recurrent units": Form(
        "float[9,2,32] x, float[1,8,32] w, float[1,8,8] w_r", "y = RNN<hidden_size = 8>(x, w, w_r)",
        {"macs": 9 * 2 * 8 * 40, "cells": 320},
    ),
    # Codes.
    "weights in half precision": Form(
        "float[1,256] x, float16[256,64] w", "c = Cast<to = 1>(w) y = MatMul(x, c)",
        {"parameters": 16_384, "cells": 16_384},
    ),
    "four bits in blocks": Form(
        "float[1,256] x, uint4[256,64] w, float[8,64] w_s",
        "c = DequantizeLinear<block_size = 32, axis = 0>(w, w_s) y = MatMul(x, c)",
        {"parameters": 16_384, "cells": 16_384, "weight_bits": 4}, opset=21,
    ),
    "codes made at run time": Form(
        "float[1,256] x, int8[256,64] w, float[64] w_s, int8[64] w_z, float[64] w_b",
        "q, t, u = DynamicQuantizeLinear(x) i = MatMulInteger(q, w, u, w_z) f = Cast<to = 1>(i) v = Mul(t, w_s) "
        "r = Mul(f, v) y = Add(r, w_b)",
        {"macs": 16_384, "parameters": 16_384 + 64, "cells": 16_384, "input_bits": 8, "weight_bits": 8, "layers": 2},
    ),
    # One identity per stored tensor.
    "halves alone": Form(
        "float[1,64] x, float[64,64] w", CUT + "y = Add(p, q)", {"parameters": 4096, "cells": 4096},
    ),
    "halves and the whole": Form(
        "float[1,64] x, float[64,64] w", CUT + "t = MatMul(x, w) y = Concat<axis = 1>(p, q, t)",
        {"parameters": 4096, "cells": 4096},
    ),
    "parts that overlap": Form(
        "float[1,64] x, float[64,64] w",
        "l = Slice(w, o, b, one) r = Slice(w, a, e, one) p = MatMul(x, l) q = MatMul(x, r) y = Concat<axis = 1>(p, q)",
        {"parameters": 4096, "cells": 4096},
    ),
    "joins that overlap": Form(
        "float[1,4] x, float[4,5] w1, float[4,6] w2, float[4,7] w3",
        "c = Concat<axis = 1>(w1, w2) d = Concat<axis = 1>(w2, w3) p = MatMul(x, c) q = MatMul(x, d) "
        "y = Concat<axis = 1>(p, q)",
        {"parameters": 72, "cells": 72},
    ),
    "one matrix, two biases": Form(
        "float[1,64] x, float[64,64] w, float[64] w_a, float[64] w_b",
        "c = MatMul(x, w) d = Add(c, w_a) f = MatMul(d, w) y = Add(f, w_b)", {"parameters": 4096 + 128, "cells": 4096},
    ),
    "turned and not": Form(
        "float[1,64] x, float[64,32] w", "t = Transpose<perm = [1,0]>(w) c = MatMul(x, w) y = MatMul(c, t)",
        {"parameters": 2048, "cells": 2048},
    ),
    "both directions twice": Form(
        "float[9,1,32] x, float[9,1,32] v, float[2,256,32] w, float[2,256,64] w_r, float[2,512] w_b",
        'p = LSTM<hidden_size = 64, direction = "bidirectional">(x, w, w_r, w_b) '
        'q = LSTM<hidden_size = 64, direction = "bidirectional">(v, w, w_r, w_b) y = Add(p, q)',
        {"parameters": 512 * 96 + 512, "cells": 512 * 96},
    ),
    # Biases and what is none.
    "a constant per row": Form(
        "float[16,64] x, float[64,16] w, float[16,1] w_b", "c = MatMul(x, w) y = Add(c, w_b)", {"layers": 2}
    ),
    "a constant per column": Form(
        "float[16,64] x, float[64,16] w, float[16] w_b", "c = MatMul(x, w) y = Add(c, w_b)",
        {"layers": 1, "parameters": 1040},
    ),
    "a constant along the width of an image": Form(
        "float[1,4,10,10] x, float[8,4,3,3] w, float[8] w_b", "c = Conv(x, w) y = Add(c, w_b)", {"layers": 2}
    ),
    "a bias that the network computes": Form(
        "float[16,64] x, float[16,32] v, float[64,32] w", "y = Gemm(x, w, v)", {"layers": 2, "parameters": 2048}
    ),
    "a bias that is not taken": Form(
        "float[16,64] x, float[64,32] w, float[32] w_b", "y = Gemm<beta = 0.0>(x, w, w_b)", {"parameters": 2048}
    ),
    # Shapes and work.
    "a size of a tensor is no work on it": Form(
        "float[1,8] x, float[8,1] v, float[8,8] w, float[8,4] w2",
        "c = MatMul(x, w) d = Shape(c) f = Reshape(v, d) y = MatMul(f, w2)", {"macs": 32, "parameters": 32},
    ),
    "padded on one side, cropped on the other": Form(
        "float[1,4,10,10] x, float[8,4,3,3] w", "c = Pad(x, p) y = Conv(c, w)", {"macs": 6 * 12 * 288},
        {"p": ints(0, 0, -1, 2, 0, 0, -1, 2)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_forms(name: str, tmp_path: Path) -> None:
    network = import_onnx(written(FORMS[name], tmp_path / "m.onnx")).network
    found = counts(network)
    assert {key: found[key] for key in FORMS[name].right} == FORMS[name].right
    write_network_csv(network, tmp_path / "m.csv")
    assert read_network_csv(tmp_path / "m.csv").layers == network.layers


STEM = "c = Conv<pads = [1,1,1,1]>({x}, {w1}, {b1}) r = Relu(c) "
HEAD = "g = GlobalAveragePool({e}) f = Flatten({g}) {y} = Gemm<transB = 1>(f, {w3}, {b3}) "


def coded(source: str, result: str, zero: str = "z") -> str:
    return f"{result}q = QuantizeLinear({source}, s, {zero}) {result} = DequantizeLinear({result}q, s, {zero}) "


def test_a_quantised_network_costs_what_the_real_one_does(tmp_path: Path) -> None:
    shapes = "{0}[16,3,3,3] w1, {1}[16] w_b1, {0}[16,16,3,3] w2, {1}[16] w_b2, {0}[10,16] w3, {1}[10] w_b3"
    image = "float[1,3,32,32] x, "
    pool = "p = MaxPool<kernel_shape = [2,2], strides = [2,2]>({r}) "
    second = "d = Conv<pads = [1,1,1,1]>({p}, {w2}, {b2}) "
    real = (
        STEM.format(x="x", w1="w1", b1="w_b1") + pool.format(r="r") + second.format(p="p", w2="w2", b2="w_b2")
        + "t = Add(d, p) u = Relu(t) " + HEAD.format(e="u", g="g", y="y", w3="w3", b3="w_b3")
    )  # fmt: skip
    weights = "".join(
        f"k{n} = DequantizeLinear(w{n}, s, zi) v{n} = DequantizeLinear(w_b{n}, s) " for n in (1, 2, 3)
    )
    codes = (
        weights + coded("x", "x1", "mid") + STEM.format(x="x1", w1="k1", b1="v1") + coded("r", "r1")
        + pool.format(r="r1") + coded("p", "p1") + second.format(p="p1", w2="k2", b2="v2") + coded("d", "d1", "mid")
        + "t = Add(d1, p1) u = Relu(t) " + coded("u", "u1") + "g = GlobalAveragePool(u1) " + coded("g", "g1")
        + "f = Flatten(g1) l = Gemm<transB = 1>(f, k3, v3) " + coded("l", "y", "mid")
    )  # fmt: skip
    networks = [
        import_onnx(written(Form(image + inputs, body, {}), tmp_path / "m.onnx")).network
        for inputs, body in ((shapes.format("float", "float"), real), (shapes.format("int8", "int32"), codes))
    ]
    bare = [
        [replace(layer, name="", input_bits=0, weight_bits=0) for layer in network.layers] for network in networks
    ]
    assert bare[0] == bare[1]
    assert {(layer.input_bits, layer.weight_bits) for layer in matrices(networks[1])} == {(8, 8)}


@pytest.mark.parametrize(
    ("inputs", "body", "said"),
    [
        ("float[1,8] x, float[2,4] w", "n = NonZero(x) c = Cast<to = 1>(n) d = Identity(c) t = Transpose(d) "
         "y = MatMul(t, w)", r"NonZero_0 \(NonZero that gives a result whose shape depends on values of 'x'"),
        ("float[1,8] x, int64[2] v, float[2,4] w", "r = Reshape(x, v) i = Identity(r) y = MatMul(i, w)",
         r"node 'Reshape_0' \(Reshape\): .*depends on values of 'v'.*--input v="),
        ("float[1,8] x, float[8,8] w", "y = MatMul(q, w)", "'q' that the model neither stores nor computes"),
        ("float[1,8] x, float[8,8] w", "c = Relu(y) y = MatMul(c, w)", "wait for one another"),
        ("float[1,8] x", "q = SequenceConstruct(x, x) c = SequenceAt(q, o) y = Relu(c)", "sequences.*not supported"),
        ("float[1,8] x, float[9,4] w", "y = MatMul(x, w)", "multiplies .* which do not fit"),
    ],
)  # fmt: skip
def test_refusals_name_the_node_and_the_way_out(inputs: str, body: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said) as caught:
        import_onnx(written(Form(inputs, body, {}), tmp_path / "m.onnx"))
    assert not any(words in str(caught.value) for words in ("is a --dim missing", "not a valid", "made by no operator"))


def test_what_does_not_follow_is_left_out_and_listed(tmp_path: Path) -> None:
    body = "p = MatMul(x, w0) n = NonZero(p) c = Cast<to = 1>(n) t = Transpose(c) y = MatMul(t, w)"
    path = written(Form("float[1,8] x, float[8,8] w0, float[2,4] w", body, {}), tmp_path / "m.onnx")
    imported = import_onnx(path, allow_unknown=True)
    assert imported.network.macs == 64
    assert [name.partition(" ")[0] for name in imported.left_out] == ["NonZero_0", "Cast_0", "Transpose_0", "MatMul_1"]
