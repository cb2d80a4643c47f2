"""Forms of compound ONNX operators: packed weights, buffers, windows, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.errors import UserError

onnx = pytest.importorskip("onnx", reason="the optional extra imcevo[onnx] is not installed")

from onnx import TensorProto, helper  # noqa: E402

from imcevo.workload.onnx_import.expand import expand_node  # noqa: E402
from tests.workload.onnx_compounds import ATTENTION, feeds, graph  # noqa: E402
from tests.workload.test_onnx_expand import expanded, network_of, values  # noqa: E402

_NARROW = "float[3,40] x, uint8[8,3,8] w_packed, float[8,3] s_w, uint8[8,2] w_zero, float[8] w_b"
_NARROW_NODE = (
    "y = com.microsoft.MatMulNBits<K = 40, N = 8, bits = 4, block_size = 16>(x, w_packed, s_w, w_zero, , w_b)"
)


def shapes_of(model: onnx.ModelProto) -> dict[str, list[int]]:
    stated = model.graph.value_info
    return {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in stated}


def nibbles(packed: np.ndarray, count: int) -> np.ndarray:
    """Rows of 4-bit numbers, the lower half of a byte first."""
    flat = packed.reshape(len(packed), -1)
    return np.stack([flat & 15, flat >> 4], axis=-1).reshape(len(packed), -1)[:, :count]


def test_packed_weights_count_as_weights_of_their_bits():
    model = expanded(graph(_NARROW, _NARROW_NODE))
    (weights,) = [tensor for tensor in model.graph.initializer if tensor.name == "w_packed.unpacked"]
    assert (weights.data_type, list(weights.dims)) == (TensorProto.UINT4, [8, 40])
    assert weights.data_location == TensorProto.EXTERNAL  # values are never read
    (product,) = [node for node in model.graph.node if node.op_type == "MatMul"]
    assert shapes_of(model)[product.input[1]] == [40, 8]


def test_packed_weights_are_read_as_defined():
    model = graph(_NARROW, _NARROW_NODE)
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    given = feeds(model)
    codes, zeros = nibbles(stored["w_packed"], 48)[:, :40], nibbles(stored["w_zero"], 3)
    scale, zero = (np.repeat(table, 16, axis=1)[:, :40] for table in (stored["s_w"], zeros))
    wanted = given["x"] @ ((codes.astype(np.float32) - zero) * scale).T + stored["w_b"]
    rewritten = expanded(model)
    for tensor in list(rewritten.graph.initializer):
        if tensor.name.endswith(".unpacked"):
            rewritten.graph.initializer.remove(tensor)
            numbers = codes if tensor.name.startswith("w_packed") else zeros
            rewritten.graph.initializer.append(
                helper.make_tensor(tensor.name, TensorProto.UINT4, numbers.shape, numbers.reshape(-1))
            )
    np.testing.assert_allclose(values(rewritten, given)[0], wanted, rtol=1e-5)


def test_two_products_of_one_packed_weight_share_it():
    body = (
        "a = com.microsoft.MatMulNBits<K = 40, N = 8, block_size = 16>(x, w_packed, s_w) "
        "b = com.microsoft.MatMulNBits<K = 40, N = 8, block_size = 16>(z, w_packed, s_w) y = Add(a, b)"
    )
    model = expanded(graph("float[3,40] x, float[3,40] z, uint8[8,3,8] w_packed, float[8,3] s_w", body))
    names = [node.input[0] for node in model.graph.node if node.op_type == "DequantizeLinear"]
    assert names == ["w_packed.unpacked"] * 2
    assert [tensor.name for tensor in model.graph.initializer].count("w_packed.unpacked") == 1
    (weights,) = [tensor for tensor in model.graph.initializer if tensor.name == "w_packed.unpacked"]
    assert weights.data_type == TensorProto.INT4  # without zero points, codes stand for -8 to 7


_GATHER_NODE = "y = com.microsoft.GatherBlockQuantized<bits = 4, block_size = 16, quantize_axis = 1>(w_table, ids, s_w)"
_CODEBOOK_NODE = "y = com.microsoft.MatMulBnb4<K = 32, N = 8, block_size = 16, quant_type = 1>(x, w_codes, s_w)"


def test_rows_of_a_packed_table():
    model = expanded(graph("uint8[50,16] w_table, int64[2,3] ids, float[50,2] s_w", _GATHER_NODE))
    assert shapes_of(model)["y"] == [2, 3, 32]
    (table,) = [tensor for tensor in model.graph.initializer if tensor.name == "w_table.unpacked"]
    assert (table.data_type, list(table.dims)) == (TensorProto.INT4, [50, 32])


def test_weights_by_codebook_count_as_weights_of_four_bits():
    model = expanded(graph("float[3,32] x, uint8[128] w_codes, float[16] s_w", _CODEBOOK_NODE))
    (weights,) = [tensor for tensor in model.graph.initializer if tensor.name == "w_codes.unpacked"]
    assert (weights.data_type, list(weights.dims)) == (TensorProto.UINT4, [8, 32])
    assert shapes_of(model)["y"] == [3, 8]


_BAD = {
    "unknown attribute": (
        "float[2,5,16] x", "y = com.microsoft.QuickGelu<beta = 2.0>(x)", r"com\.microsoft\.QuickGelu.*'beta'",
    ),
    "quantised cache": (
        "float[2,3,32] q, float[2,3,16] k, float[2,3,16] v, int32[2] last, int32[1] w_total",
        "y = com.microsoft.GroupQueryAttention<num_heads = 4, kv_num_heads = 2, kv_cache_bit_width = 4>"
        "(q, k, v, , , last, w_total)",
        "kv_cache_bit_width = 4.*before its graph optimiser",
    ),
    "heads that do not divide": (
        "float[2,5,16] q, float[2,5,16] k, float[2,5,16] v",
        "y = com.microsoft.MultiHeadAttention<num_heads = 3>(q, k, v)",
        "16 values into 3 heads",
    ),
    "heads that are no multiple": (
        "float[2,6,3,4] q, float[2,4,5,4] k, float[2,4,5,4] v", "y = Attention(q, k, v)", "H a multiple of G",
    ),
    "order of weights": (
        "float[3,16] x, uint8[8,1,8] w_p, float[8,1] s_w, int32[16] w_order",
        "y = com.microsoft.MatMulNBits<K = 16, N = 8, block_size = 16>(x, w_p, s_w, , w_order)", "'g_idx'.*'w_order'",
    ),
    "bits": (
        "float[3,16] x, uint8[8,1,6] w_p, float[8,1] s_w",
        "y = com.microsoft.MatMulNBits<K = 16, N = 8, bits = 3, block_size = 16>(x, w_p, s_w)", "bits = 3.*2, 4 or 8",
    ),
    "computed packed weights": (
        "float[3,16] x, uint8[8,1,8] p, float[8,1] s_w",
        "q = Identity(p) y = com.microsoft.MatMulNBits<K = 16, N = 8, block_size = 16>(x, q, s_w)",
        "packed weights 'q' that are not stored",
    ),
    "mask of another size": (
        "float[2,5,16] x, float[16,48] w_qkv, int32[2,3] mask",
        "y = com.microsoft.Attention<num_heads = 4>(x, w_qkv, , mask)", r"mask \[2, 3\]",
    ),
    "training": (
        "float[2,5,16] x, float[2,5,16] skip, float[16] w_g",
        "y, mean = com.microsoft.SkipLayerNormalization(x, skip, w_g) z = Relu(mean)", "'mean' that is read",
    ),
    "activation": (
        "float[3,16] x, float[16,8] w_f", "y = com.microsoft.FusedGemm<activation = \"Sine\">(x, w_f)", "'Sine'",
    ),
    "missing attribute": (
        "float[2,5,16] x, float[16,48] w_qkv", "y = com.microsoft.Attention(x, w_qkv)", "'num_heads' as a whole number",
    ),
    "total of more than there is": (
        "float[2,3,32] q, float[2,3,16] k, float[2,3,16] v, float[2,2,1,8] past_k, float[2,2,1,8] past_v, "
        "int32[2] last, int32[1] w_total",
        "y = com.microsoft.GroupQueryAttention<num_heads = 4, kv_num_heads = 2>"
        "(q, k, v, past_k, past_v, last, w_total)",
        "total_sequence_length = 5",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", _BAD)
def test_what_is_not_supported_is_refused_by_name(name, tmp_path):
    inputs, body, told = _BAD[name]
    with pytest.raises(UserError, match=told):
        network_of(graph(inputs, body), tmp_path)


def test_what_is_not_supported_can_be_left_out(tmp_path):
    inputs, body, _ = _BAD["heads that do not divide"]
    body = "q = MatMul(x, w_a) " + body
    inputs = inputs.replace("float[2,5,16] q", "float[2,5,16] x, float[16,16] w_a")
    network = network_of(graph(inputs, body), tmp_path, allow_unknown=True)
    assert network.macs == 10 * 16 * 16
    assert "MultiHeadAttention" in network.description


def test_a_shape_that_does_not_follow_is_refused(tmp_path):
    body = "i = NonZero(x) t = Transpose(i) f = Cast<to = 1>(t) y = com.microsoft.BiasSplitGelu(f, w_b)"
    with pytest.raises(UserError, match=r"does not follow|depends on values"):
        network_of(graph("float[4,4] x, float[2] w_b", body), tmp_path)


def test_a_shared_buffer_holds_more_than_is_seen(tmp_path):
    """A cache of 6 entries of which 2 are used: 5 keys take part, and 6 entries are written back."""
    inputs, compound, _ = ATTENTION["GroupQueryAttention"]
    model = graph(inputs.replace("[1,2,2,16]", "[1,2,6,16]"), compound, "y k v")
    network = network_of(model, tmp_path)
    assert network.macs == 2 * (4 * 3 * 16 * 5)
    _, keys, _ = values(expanded(model), feeds(model))
    assert keys.shape == (1, 2, 6, 16)
    np.testing.assert_array_equal(keys[:, :, :2], feeds(model)["past_k"][:, :, :2])
    np.testing.assert_array_equal(keys[:, :, 5:], feeds(model)["past_k"][:, :, 5:])


def test_a_sink_takes_a_share_without_a_value():
    body = (
        "y = com.microsoft.GroupQueryAttention<num_heads = 4, kv_num_heads = 2, smooth_softmax = 1>"
        "(q, k, v, , , last, w_total)"
    )
    model = graph("float[1,1,32] q, float[1,1,16] k, float[1,1,16] v, int32[1] last, int32[1] w_total", body)
    given = feeds(model)
    q, k, v = (given[name].reshape(-1, 8) for name in "qkv")
    score = np.array([q[head] @ k[head // 2] for head in range(4)]) / np.sqrt(8)
    wanted = np.concatenate([v[head // 2] * np.exp(score[head]) / (1 + np.exp(score[head])) for head in range(4)])
    np.testing.assert_allclose(values(expanded(model), given)[0].reshape(-1), wanted, rtol=1e-5)


def test_a_window_limits_what_is_seen():
    body = (
        "y = com.microsoft.GroupQueryAttention<num_heads = 4, kv_num_heads = 2, local_window_size = 1>"
        "(q, k, v, , , last, w_total)"
    )
    model = graph("float[1,3,32] q, float[1,3,16] k, float[1,3,16] v, int32[1] last, int32[1] w_total", body)
    given = feeds(model)
    wanted = np.repeat(given["v"].reshape(3, 2, 8), 2, axis=1)  # every token sees itself alone
    np.testing.assert_allclose(values(expanded(model), given)[0].reshape(3, 4, 8), wanted, rtol=1e-6)


def test_one_node_needs_shapes_and_shares_its_mask():
    inputs, compound, _ = ATTENTION["GroupQueryAttention, packed, rotary"]
    model = graph(inputs, compound)
    (node,) = model.graph.node
    types = {value.name: value.type for value in model.graph.input}
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    types |= {name: helper.make_tensor_type_proto(1, value.shape) for name, value in stored.items()}
    expansion = expand_node(node, types, stored, stored=set(stored), read={"y"})
    made = {name for new in expansion.nodes for name in new.output} | {tensor.name for tensor in expansion.tensors}
    assert made == set(expansion.types)
    assert [dim.dim_value for dim in expansion.types["y"].tensor_type.shape.dim] == [1, 3, 64]
    # What depends on sizes alone is there the second time.
    again = expand_node(node, types | expansion.types, stored, stored=set(stored), read={"y"})
    assert {new.op_type for new in expansion.nodes} - {new.op_type for new in again.nodes} == {"Less"}
    del types["x"]
    assert expand_node(node, types, stored, stored=set(stored), read={"y"}) is None


def test_packed_weights_that_are_data_are_refused():
    model = graph(_NARROW.replace("w_packed", "packed"), _NARROW_NODE.replace("w_packed", "packed"))
    types = {value.name: value.type for value in model.graph.input}
    types |= {t.name: helper.make_tensor_type_proto(t.data_type, t.dims) for t in model.graph.initializer}
    with pytest.raises(UserError, match="'packed' that are not stored"):
        expand_node(model.graph.node[0], types, {}, stored={"s_w", "w_zero", "w_b"}, read={"y"})
