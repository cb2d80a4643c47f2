"""Compound ONNX operators count, and compute, what the same network in primitive operators does."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from imcevo.workload import Network

onnx = pytest.importorskip("onnx", reason="the optional extra imcevo[onnx] is not installed")

from onnx import helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from imcevo.workload.onnx_import import import_onnx  # noqa: E402
from imcevo.workload.onnx_import.expand import expand_node, is_compound  # noqa: E402
from imcevo.workload.onnx_import.expand.rewrite import RULES  # noqa: E402
from tests.workload.onnx_compounds import ATTENTION, feeds, graph  # noqa: E402
from tests.workload.onnx_compounds_fused import FUSED  # noqa: E402

CASES = ATTENTION | FUSED


def network_of(model: onnx.ModelProto, folder: Path, **options: object) -> Network:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return import_onnx(path, **options).network


def counts(network: Network) -> dict[str, object]:
    products = [layer for layer in network.layers if layer.kind == "matrix"]
    return {
        "MACs": network.macs, "parameters": network.parameters, "array weights": network.array_weights,
        "products": [(layer.macs, layer.weights, layer.dynamic) for layer in products],
    }  # fmt: skip


def expanded(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its compound operators rewritten, whose inputs come from no other compound operator."""
    copy = onnx.shape_inference.infer_shapes(model)
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in copy.graph.initializer}
    types = {value.name: value.type for value in (*copy.graph.input, *copy.graph.value_info)}
    types |= {t.name: helper.make_tensor_type_proto(t.data_type, t.dims) for t in copy.graph.initializer}
    read = {value.name for value in copy.graph.output} | {name for node in copy.graph.node for name in node.input}
    nodes, added = [], {}
    for node in copy.graph.node:
        if not is_compound(node):
            nodes.append(node)
            continue
        expansion = expand_node(node, types | added, stored, stored=set(stored), read=read)
        assert expansion is not None
        nodes += expansion.nodes
        added |= expansion.types
        copy.graph.initializer.extend(expansion.tensors)
    assert added
    del copy.graph.node[:], copy.graph.value_info[:]
    copy.graph.node.extend(nodes)
    copy.graph.value_info.extend(helper.make_value_info(name, kind) for name, kind in added.items())
    # What is written may be newer than the model's operator set; the evaluator must know it.
    copy.opset_import[0].version = max(23, copy.opset_import[0].version)
    return copy


# Earlier evaluators lack some of the operators, or mask differently from today's definition of Attention.
evaluated = pytest.mark.skipif(onnx.defs.onnx_opset_version() < 25, reason="needs the evaluator of opset 25")


def values(model: onnx.ModelProto, given: dict[str, np.ndarray]) -> list[np.ndarray]:
    return ReferenceEvaluator(model).run(None, given)


@pytest.mark.parametrize("name", CASES)
def test_counts_are_those_of_primitive_operators(name, tmp_path):
    inputs, compound, primitive = CASES[name]
    assert counts(network_of(graph(inputs, compound), tmp_path)) == counts(
        network_of(graph(inputs, primitive), tmp_path)
    )


@evaluated
@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_primitive_operators(name):
    inputs, compound, primitive = CASES[name]
    model = graph(inputs, compound)
    wanted = values(graph(inputs, primitive), feeds(model))
    np.testing.assert_allclose(values(expanded(model), feeds(model))[0], wanted[0], atol=2e-6)


def test_every_operator_has_a_case():
    bodies = [body for _, body, _ in CASES.values()] + [body for _, _, body, _ in STANDARD.values()]
    named = {word for body in bodies for word in re.findall(r"= ([A-Za-z0-9.]+)[<(]", body)}
    # Packed weights have tests of their own, in `test_onnx_expand_forms`.
    packed = ("GatherBlockQuantized", "MatMulBnb4", "MatMulNBits")
    assert set(RULES) - named == {f"com.microsoft.{name}" for name in packed}


_3D = "float[2,3,24] q, float[2,5,8] k, float[2,5,12] v"  # 6 heads of queries and 2 of keys, values of another size
_HEADS = "q_num_heads = 6, kv_num_heads = 2"
_4D = "float[2,6,3,4] q, float[2,2,5,4] k, float[2,2,5,6] v"
_PAST = "float[2,2,4,4] past_k, float[2,2,4,6] past_v"
_X3, _X4 = "float[2,3,16] x", "float[2,4,3,4] x"
_TABLES = "float[9,2] w_cos, float[9,2] w_sin"
# opset, inputs, node, results
STANDARD = {
    "3-D": (23, _3D, f"y = Attention<{_HEADS}>(q, k, v)", "y"),
    "4-D": (23, _4D, "y = Attention(q, k, v)", "y"),
    "one head of keys": (23, "float[2,6,3,4] q, float[2,1,5,4] k, float[2,1,5,4] v", "y = Attention(q, k, v)", "y"),
    "causal": (23, _3D, f"y = Attention<{_HEADS}, is_causal = 1>(q, k, v)", "y"),
    "scale, softcap": (23, _4D, "y = Attention<scale = 0.3, softcap = 2.0>(q, k, v)", "y"),
    "mask of numbers": (23, f"{_4D}, float[2,1,3,5] m", "y = Attention(q, k, v, m)", "y"),
    "mask of heads": (23, f"{_4D}, float[6,3,5] m", "y = Attention(q, k, v, m)", "y"),
    "mask of truth values, causal": (23, f"{_4D}, bool[3,5] mask", "y = Attention<is_causal = 1>(q, k, v, mask)", "y"),
    "mask of fewer keys": (23, f"{_4D}, float[3,4] m", "y = Attention(q, k, v, m)", "y"),
    "past": (
        23, f"{_3D}, {_PAST}",
        f"y, pk, pv = Attention<{_HEADS}, is_causal = 1>(q, k, v, , past_k, past_v)", "y pk pv",
    ),
    "past, unread results": (23, f"{_4D}, {_PAST}", "y, pk, pv = Attention(q, k, v, , past_k, past_v)", "y"),
    "lengths": (24, f"{_4D}, int64[2] lengths", "y = Attention<is_causal = 1>(q, k, v, , , , lengths)", "y"),
    "softmax in double": (23, _4D, "y = Attention<softmax_precision = 11>(q, k, v)", "y"),
    **{
        f"scores {mode}": (
            23, f"{_4D}, float[3,5] m",
            f"y, , , qk = Attention<softcap = {cap}, qk_matmul_output_mode = {mode}>(q, k, v, m)", "y qk",
        )
        # The evaluator's scores of mode 0 have the softcap, against the operator's description.
        for mode, cap in enumerate((0.0, 2.0, 2.0, 2.0))
    },
    "rotary, 3-D": (
        23, f"{_X3}, {_TABLES}, int64[2,3] ids", "y = RotaryEmbedding<num_heads = 4>(x, w_cos, w_sin, ids)", "y",
    ),
    "rotary, 4-D": (23, f"{_X4}, {_TABLES}, int64[2,3] ids", "y = RotaryEmbedding(x, w_cos, w_sin, ids)", "y"),
    "rotary, interleaved": (
        23, f"{_X4}, {_TABLES}, int64[2,3] ids", "y = RotaryEmbedding<interleaved = 1>(x, w_cos, w_sin, ids)", "y",
    ),
    "rotary, in part": (
        23, "float[2,4,3,8] x, float[2,3,2] cos, float[2,3,2] sin",
        "y = RotaryEmbedding<rotary_embedding_dim = 4>(x, cos, sin)", "y",
    ),
}  # fmt: skip


@evaluated
@pytest.mark.parametrize("name", STANDARD)
def test_standard_operators_compute_what_their_definition_does(name):
    opset, inputs, body, results = STANDARD[name]
    model = graph(inputs, body, results, opset=opset)
    rewritten = expanded(model)
    assert not {node.op_type for node in rewritten.graph.node} & {"Attention", "RotaryEmbedding"}
    for own, wanted in zip(values(rewritten, feeds(model)), values(model, feeds(model)), strict=True):
        np.testing.assert_allclose(own, wanted, atol=2e-6)


_MASKED = "mask of truth values, causal"


@pytest.mark.parametrize(("opset", "name"), [(23, "3-D"), (23, "4-D"), (24, "past"), (23, _MASKED)])
def test_keys_and_values_exist_once_per_head_of_their_own(opset, name, tmp_path):
    _, inputs, body, results = STANDARD[name]
    network = network_of(graph(inputs, body, results, opset=opset), tmp_path)
    length = 9 if name == "past" else 5
    scores, context = [layer for layer in network.layers if layer.kind == "matrix"]
    assert (scores.macs, scores.weights) == (2 * 6 * 3 * 4 * length, 2 * 2 * 4 * length)
    assert (context.macs, context.weights) == (2 * 6 * 3 * 6 * length, 2 * 2 * 6 * length)
    assert network.parameters == network.array_weights == 0


def bert(opset: int, layers: int, *, reshaped: bool) -> onnx.ModelProto:
    """Blocks as ONNX Runtime's optimiser leaves them; between them shape arithmetic, if wanted."""
    inputs, body, last = ["float[B,S,16] x"], "", "x"
    for block in range(layers):
        weights = {"qkv": "16,48", "qkv_b": "48", "o": "16,16", "g": "16", "b": "16", "up": "16,32", "up_b": "32"}
        weights["down"] = "32,16"
        inputs += [f"float[{shape}] w_{name}{block}" for name, shape in weights.items()]
        w = {name: f"w_{name}{block}" for name in weights}
        body += (
            f"a{block} = com.microsoft.Attention<num_heads = 4, unidirectional = 1>({last}, {w['qkv']}, {w['qkv_b']}) "
            f"o{block} = MatMul(a{block}, {w['o']}) "
            f"n{block}, , , s{block} = com.microsoft.SkipLayerNormalization(o{block}, {last}, {w['g']}, {w['b']}) "
            f"u{block} = MatMul(n{block}, {w['up']}) g{block} = com.microsoft.BiasGelu(u{block}, {w['up_b']}) "
            f"d{block} = MatMul(g{block}, {w['down']}) r{block} = Add(d{block}, s{block}) "
        )
        last = f"r{block}"
        if reshaped:
            body += f"h{block} = Shape({last}) f{block} = Reshape({last}, h{block}) "
            last = f"f{block}"
    return graph(", ".join(inputs), body + f"y = Identity({last})", opset=opset)


@pytest.mark.parametrize("opset", [12, 14, 17, 21])
@pytest.mark.parametrize("reshaped", [False, True])
def test_chains_of_compound_operators_in_old_and_new_models(opset, reshaped, tmp_path):
    network = network_of(bert(opset, 3, reshaped=reshaped), tmp_path, dims={"B": 2, "S": 5})
    tokens, stored = 2 * 5, 16 * 48 + 16 * 16 + 2 * 16 * 32
    assert network.macs == 3 * (tokens * stored + 2 * 2 * 5 * 5 * 16)
    assert network.parameters == 3 * (stored + 48 + 32 + 2 * 16)
    assert network.array_weights == 3 * stored


def test_many_blocks(tmp_path):
    network = network_of(bert(14, 120, reshaped=False), tmp_path, dims={"B": 2, "S": 5})
    assert network.macs == 120 * (2 * 5 * (16 * 48 + 16 * 16 + 2 * 16 * 32) + 2 * 2 * 5 * 5 * 16)


def test_a_compound_operator_in_a_branch(tmp_path):
    body = (
        "c = Constant <value = bool {1}> () y = If(c) <then_branch = t () => (float[2,5,16] a) "
        "{a = com.microsoft.Attention<num_heads = 4>(x, w_qkv, w_bias)}, "
        "else_branch = e () => (float[2,5,16] b) {b = Identity(x)}>"
    )
    inputs, compound, _ = CASES["Attention"]
    found = network_of(graph(inputs, body), tmp_path)
    assert counts(found) == counts(network_of(graph(inputs, compound), tmp_path))


def test_a_present_that_nobody_reads_is_not_made():
    inputs, compound, _ = CASES["Attention, past"]
    model = expanded(graph(inputs, compound))
    assert "present" not in {name for node in model.graph.node for name in node.output}
