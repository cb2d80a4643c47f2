"""Imported ONNX models against the shipped networks, layer by layer, and against what files can get wrong."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.workload import Layer, Network, load_network, read_network_csv, write_network_csv

onnx = pytest.importorskip("onnx", reason="the optional extra imcevo[onnx] is not installed")

from onnx import TensorProto, helper  # noqa: E402

from imcevo.workload.onnx_import import import_onnx, read  # noqa: E402
from tests.workload import onnx_models  # noqa: E402
from tests.workload.onnx_models import FLOAT, INT64, Model  # noqa: E402

SHIPPED = {
    "resnet18": (lambda path: onnx_models.resnet(path, bottleneck=False), {"batch": 1}),
    "resnet50": (lambda path: onnx_models.resnet(path, bottleneck=True), {"batch": 1}),
    "mobilenet_v1_vww": (onnx_models.mobilenet_v1, {}),
    "densenet201": (onnx_models.densenet201, {}),
    "bert_base": (onnx_models.bert_base, {"batch": 1, "seq": 128}),
    "vit_b16": (onnx_models.vit_b16, {}),
    "lstm_lm": (onnx_models.lstm_lm, {"steps": 35}),
    "gru_kws": (onnx_models.gru_kws, {}),
    "autoencoder_ad": (onnx_models.autoencoder, {}),
}
_MATRIX = (
    "N", "C", "M", "P", "Q", "R", "S", "G", "stride_h", "stride_w", "pad_h", "pad_w", "H", "W", "dynamic", "sequential",
    "statistics",
)  # fmt: skip


def costs(layer: Layer) -> dict[str, object]:
    """All of a layer that counts: every size of a matrix, the volumes and operations of element-wise work.

    Left out: names; what fused work holds and whether a lookup is first, which cost nothing.
    """
    known = {
        "kind": layer.kind, "ops": layer.ops, "parameters": layer.n_parameters, "inputs": layer.input_elements,
        "outputs": layer.output_elements, "fused": layer.fused, "to_dram": layer.to_dram,
        "held": None if layer.fused else layer.held_elements,
        "from_dram": layer.from_dram and layer.kind != "lookup",
    }  # fmt: skip
    return known | ({key: getattr(layer, key) for key in _MATRIX} if layer.kind == "matrix" else {})


@pytest.mark.parametrize("name", SHIPPED)
def test_imported_equals_shipped(name, tmp_path):
    build, dims = SHIPPED[name]
    imported = import_onnx(build(tmp_path / f"{name}.onnx"), dims=dims)
    shipped = load_network(name)
    assert imported.left_out == ()
    assert (imported.network.name, imported.network.family) == (name, shipped.family if name[0] != "a" else "other")
    assert len(imported.network.layers) == len(shipped.layers)
    for layer, expected in zip(imported.network.layers, shipped.layers, strict=True):
        assert costs(layer) == costs(expected), (layer.name, expected.name)


def test_a_network_file_keeps_it(tmp_path):
    network = import_onnx(onnx_models.resnet(tmp_path / "net.onnx", bottleneck=False), dims={"batch": 2}).network
    write_network_csv(network, tmp_path / "net.csv")
    copy = read_network_csv(tmp_path / "net.csv")
    assert copy.layers == network.layers
    assert (copy.name, copy.description) == ("net", "imported from net.onnx, batch = 2")
    assert copy.macs == 2 * load_network("resnet18").macs
    assert copy.parameters == load_network("resnet18").parameters


def imported(tmp_path, model: Model, *results: str, **more) -> Network:
    return import_onnx(model.save(tmp_path / "model.onnx", *results), **more).network


def by_kind(network: Network, kind: str) -> list[Layer]:
    return [layer for layer in network.layers if layer.kind == kind]


def test_decomposed_norms_and_activations(tmp_path):
    """Layer normalisation as exported before opset 17 costs what the operator does, but for work per row."""
    m = Model(opset=13)
    x = m.linear(m.input("x", [1, 16, 64]), 64, 64)
    mean = m.node("ReduceMean", x, axes=[-1])
    centred = m.node("Sub", x, mean)
    square = m.node("ReduceMean", m.node("Pow", centred, m.values([2.0], FLOAT, ())), axes=[-1])
    deviation = m.node("Sqrt", m.node("Add", square, m.values([1e-5], FLOAT, ())))
    scaled = m.node("Mul", m.node("Div", centred, deviation), m.weight(64))
    x = m.node("Add", scaled, m.weight(64))
    gated = m.linear(x, 64, 32)
    network = imported(tmp_path, m, m.node("Mul", gated, m.node("Sigmoid", gated)))
    norm, silu = by_kind(network, "elementwise")
    assert norm.ops == 7 * 16 * 64 + 2 * 16
    assert (norm.input_elements, norm.output_elements, norm.parameters) == (16 * 64, 16 * 64, 128)
    assert (silu.fused, silu.ops) == (True, 2 * 16 * 32)


def test_residual_streams_do_not_wait_for_themselves(tmp_path):
    """x + f(norm(x)): the sum and the norm share a pass, the next sum cannot join it."""
    m = Model()
    x = m.input("x", [1, 8, 32])
    for _ in range(3):
        x = m.node("Add", x, m.linear(m.layer_norm(x, 32), 32, 32))
    network = imported(tmp_path, m, x)
    passes = by_kind(network, "elementwise")
    assert [layer.ops // 256 for layer in passes] == [7, 8, 8, 1]
    assert [layer.output_elements // 256 for layer in passes] == [1, 2, 2, 1]
    assert all(layer.held_elements == 256 for layer in by_kind(network, "matrix"))


def test_grouped_dilated_one_dimensional_and_padded_convolutions(tmp_path):
    m = Model()
    x = m.input("x", [2, 8, 40])
    w = m.weight(12, 4, 3)
    y = m.node("Conv", x, w, kernel_shape=[3], dilations=[4], pads=[4, 4], group=2)
    padded = m.node("Pad", y, m.values([0, 0, 2, 0, 0, 2]))
    z = m.node("Conv", padded, m.weight(6, 12, 5), kernel_shape=[5], strides=[2])
    first, second = by_kind(imported(tmp_path, m, z), "matrix")
    assert (first.N, first.C, first.M, first.G, first.P, first.Q, first.R, first.S) == (2, 4, 6, 2, 40, 1, 3, 1)
    assert (second.P, second.H, second.pad_h, second.stride_h, second.R) == (20, 40, 2, 2, 5)
    assert (first.macs, second.macs) == (2 * 40 * 12 * 4 * 3, 2 * 20 * 6 * 12 * 5)


def test_products_of_two_activations(tmp_path):
    m = Model()
    q, k = m.input("q", [2, 4, 10, 8]), m.input("k", [2, 4, 8, 30])
    plain = m.node("MatMul", q, k)
    spelt = m.node("Einsum", q, k, equation="bhqd,bhdk->bhqk")
    shared = m.node("MatMul", q, m.input("w", [8, 5]))
    layers = by_kind(imported(tmp_path, m, plain, spelt, shared), "matrix")
    assert all(layer.dynamic and layer.n_parameters == 0 for layer in layers)
    assert [(layer.G, layer.C, layer.M, layer.vectors) for layer in layers] == [(8, 8, 30, 10)] * 2 + [(1, 8, 5, 80)]


def test_stored_operands_on_the_left_and_tied_tables(tmp_path):
    m = Model()
    table = m.weight(50, 16)
    x = m.node("Gather", table, m.input("ids", [1, 6], INT64))
    scores = m.node("MatMul", x, m.node("Transpose", table, perm=[1, 0]))
    left = m.node("MatMul", m.weight(7, 6), scores)
    network = imported(tmp_path, m, left)
    (rows,) = by_kind(network, "lookup")
    out, mixed = by_kind(network, "matrix")
    assert (rows.parameters, rows.output_elements) == (800, 96)
    assert (out.C, out.M, out.vectors, out.dynamic, out.n_parameters) == (16, 50, 6, False, 0)
    assert (mixed.C, mixed.M, mixed.vectors, mixed.n_parameters) == (6, 7, 50, 42)


def test_bidirectional_batched_recurrence(tmp_path):
    m = Model()
    m.node("GRU", m.input("x", [9, 3, 5]), m.weight(2, 12, 5), m.weight(2, 12, 4), m.weight(2, 24), hidden_size=4,
           direction="bidirectional", linear_before_reset=1, outputs=2)  # fmt: skip
    network = imported(tmp_path, m, m.node("Softmax", "t0.0"))
    assert network.macs == 2 * 9 * 3 * 12 * (5 + 4)
    assert network.parameters == 2 * (12 * (5 + 4) + 16)
    assert [layer.sequential for layer in by_kind(network, "matrix")] == [False, True] * 2
    assert network.layers[-2].held_elements == 9 * 3 * 4  # the first direction's output


def test_quantised_operators(tmp_path):
    m = Model()
    one, zero = m.values([1.0], FLOAT, ()), m.values([0], TensorProto.UINT8, ())
    x = m.node("QuantizeLinear", m.input("x", [1, 3, 8, 8]), one, zero)
    weights = m.values([1] * 54, TensorProto.UINT8, (6, 3, 3, 1))
    y = m.node("QLinearConv", x, one, zero, weights, one, zero, one, zero, kernel_shape=[3, 1])
    network = imported(tmp_path, m, m.node("DequantizeLinear", y, one, zero))
    (conv,) = by_kind(network, "matrix")
    assert (conv.C, conv.M, conv.R, conv.S, conv.P, conv.Q) == (3, 6, 3, 1, 6, 8)


def test_branches_and_functions_are_written_out(tmp_path):
    """An If with a known condition, and a function of the model's own."""
    x = helper.make_tensor_value_info("x", FLOAT, [1, 4])
    w = [helper.make_tensor(f"w{n}", FLOAT, [4, n], np.zeros(4 * n)) for n in (2, 3)]
    results = [helper.make_tensor_value_info(f"b{n}", FLOAT, None) for n in (2, 3)]
    bodies = [
        helper.make_graph([helper.make_node("Double", ["x", f"w{n}"], [f"b{n}"], domain="my")], f"g{n}", [], [r], [t])
        for n, r, t in zip((2, 3), results, w, strict=True)
    ]
    branch = helper.make_node("If", ["flag"], ["y"], then_branch=bodies[0], else_branch=bodies[1])
    flag = helper.make_tensor("flag", TensorProto.BOOL, [], [False])
    double = helper.make_function(
        "my", "Double", ["a", "b"], ["c"],
        [helper.make_node("MatMul", ["a", "b"], ["d"]), helper.make_node("Add", ["d", "d"], ["c"])],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip
    graph = helper.make_graph([branch], "g", [x], [helper.make_tensor_value_info("y", FLOAT, None)], [flag])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("my", 1)]
    (tmp_path / "m.onnx").write_bytes(
        helper.make_model(graph, opset_imports=opsets, functions=[double]).SerializeToString()
    )
    network = import_onnx(tmp_path / "m.onnx").network
    assert [(layer.C, layer.M) for layer in by_kind(network, "matrix")] == [(4, 3)]
    assert [layer.fused for layer in by_kind(network, "elementwise")] == [True]


def unknown_model() -> Model:
    m = Model()
    x = m.linear(m.input("x", [4, 8]), 8, 8)
    x = m.node("FancyNorm", x, domain="com.example")
    m.result = m.linear(m.node("NonMaxSuppression2", x), 8, 2)
    return m


def test_unknown_operators_are_all_named(tmp_path):
    m = unknown_model()
    path = m.save(tmp_path / "odd.onnx", m.result)
    with pytest.raises(UserError) as caught:
        import_onnx(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: has operators that are not known: ")
    assert "/FancyNorm.2 (com.example.FancyNorm)" in message
    assert "/NonMaxSuppression2.3 (NonMaxSuppression2)" in message
    assert "--allow-unknown" in message
    allowed = import_onnx(path, allow_unknown=True)
    assert allowed.left_out == ("/FancyNorm.2 (com.example.FancyNorm)", "/NonMaxSuppression2.3 (NonMaxSuppression2)")
    assert "WITHOUT 2 unknown operators: /FancyNorm.2" in allowed.network.description
    assert [(layer.C, layer.M) for layer in allowed.network.layers] == [(8, 8), (8, 2)]


def test_convolutions_over_volumes_are_longer_products(tmp_path):
    m = Model()
    y = m.node("Conv", m.input("x", [1, 2, 5, 5, 5]), m.weight(3, 2, 3, 3, 3), kernel_shape=[3] * 3)
    network = imported(tmp_path, m, m.gemm(m.reshape(y, 1, 81), 81, 2))
    conv = network.layers[0]
    assert (conv.macs, conv.weights, conv.K, conv.output_elements) == (27 * 3 * 54, 162, 54, 81)
    assert conv.input_elements <= 2 * 5**3


@pytest.mark.parametrize(
    ("dims", "said"),
    [
        ({}, r"--dim: leaves dimensions open: batch, seq \(allowed: --dim batch=... --dim seq=..."),
        ({"batch": 1}, "leaves dimensions open: seq"),
        ({"bach": 1, "batch": 1, "seq": 4}, r"'bach' is not a dynamic dimension"),
    ],
)
def test_open_dimensions(dims, said, tmp_path):
    path = onnx_models.bert_base(tmp_path / "bert.onnx")
    with pytest.raises(UserError, match=said):
        import_onnx(path, dims=dims)


def test_dimensions_by_place(tmp_path):
    m = Model()
    path = m.save(tmp_path / "m.onnx", m.gemm(m.input("x", ["", 8]), 8, 2))
    with pytest.raises(UserError, match="open: x:0"):
        import_onnx(path)
    assert import_onnx(path, dims={"x:0": 5}).network.macs == 5 * 16


def test_sequence_lengths_scale(tmp_path):
    path = onnx_models.bert_base(tmp_path / "bert.onnx")
    network = import_onnx(path, dims={"batch": 2, "seq": 64}).network
    assert network.attention_macs == 2 * 12 * 2 * 768 * 64**2
    assert network.parameters == 109_482_240


def test_not_a_model(tmp_path, monkeypatch):
    for content in (b"", b"not a model", b"\x00" * 100):
        (tmp_path / "m.onnx").write_bytes(content)
        with pytest.raises(UserError, match=r"m\.onnx: is not an ONNX model"):
            import_onnx(tmp_path / "m.onnx")
    with pytest.raises(UserError, match=r"cannot be read .*No such file"):
        import_onnx(tmp_path / "none.onnx")
    monkeypatch.setattr(read, "LARGEST_ONNX_BYTES", 50)
    with pytest.raises(UserError, match="is too large"):
        import_onnx(tmp_path / "m.onnx")


def test_bombs(tmp_path):
    """Functions that call one another twice each, or themselves; constants that would fill the memory."""

    def function(name: str, calls: str) -> onnx.FunctionProto:
        domain = "" if calls == "Relu" else "my"
        nodes = [helper.make_node(calls, [a], [b], domain=domain) for a, b in ("ab", "bc")]
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("my", 1)]
        return helper.make_function("my", name, ["a"], ["c"], nodes, opsets)

    def model(functions: list[onnx.FunctionProto]) -> bytes:
        graph = helper.make_graph(
            [helper.make_node("f0", ["x"], ["y"], domain="my")], "g", [helper.make_tensor_value_info("x", FLOAT, [4])],
            [helper.make_tensor_value_info("y", FLOAT, [4])],
        )  # fmt: skip
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("my", 1)]
        return helper.make_model(graph, opset_imports=opsets, functions=functions).SerializeToString()

    path = tmp_path / "bomb.onnx"
    path.write_bytes(model([function(f"f{i}", f"f{i + 1}" if i < 60 else "Relu") for i in range(61)]))
    with pytest.raises(UserError, match="has too many operators"):
        import_onnx(path)
    path.write_bytes(model([function("f0", "f0")]))
    with pytest.raises(UserError, match="'f0' is a function that calls itself"):
        import_onnx(path)
    m = Model()
    ones = m.node("ConstantOfShape", m.values([2**20, 2**20]))
    y = m.node("Add", m.node("Tile", m.values([1.0], FLOAT), m.values([2**30])), m.input("x", [1]))
    network = imported(tmp_path, m, m.node("Gather", ones, m.input("ids", [1], INT64)), y)
    assert network.parameters >= 2**40


def test_external_data_is_never_opened(tmp_path):
    """Weights may point anywhere: only their shapes are read."""
    m = Model()
    y = m.gemm(m.input("x", [1, 80]), 80, 60)
    for tensor in m.tensors:
        tensor.external_data[0].value = "../../../../etc/passwd"
    assert imported(tmp_path, m, y).parameters == 80 * 60 + 60


def test_damaged_files_are_the_users_mistake(tmp_path):
    """Random damage gives a network or a message, nothing else."""
    good = [build(tmp_path / "good.onnx").read_bytes() for build in (onnx_models.gru_kws, onnx_models.autoencoder)]
    draw, told = random.Random(0), []
    for _ in range(400):
        data = bytearray(draw.choice(good))
        for _ in range(draw.choice([1, 2, 8])):
            place = draw.randrange(len(data))
            if draw.random() < 0.5:
                data[place] = draw.randrange(256)
            else:
                del data[place : place + draw.randrange(1, 8)]
        (tmp_path / "bad.onnx").write_bytes(data)
        try:
            import_onnx(tmp_path / "bad.onnx")
        except UserError as error:
            told.append(str(error))
    assert len(told) > 100
    assert not any("\n" in message for message in told)


# Graphs without weights that come with the package onnx; parameters of torchvision's models of that name.
@pytest.mark.parametrize(
    ("name", "macs", "parameters"),
    [
        ("resnet50", 4_089_184_256, 25_557_032),
        ("vgg19", 19_632_062_464, 143_667_240),
        ("squeezenet", 349_151_936, 1_235_496),
        ("densenet121", 2_834_161_664, 8_062_504),  # Caffe's batch norms keep 83,648 more than torchvision's
        ("inception_v1", None, None),
        ("inception_v2", None, None),
        ("shufflenet", None, None),
        ("zfnet512", None, None),
        ("bvlc_alexnet", None, 60_965_224),
    ],
)
def test_models_of_other_makers(name, macs, parameters):
    path = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / f"light_{name}.onnx"
    if not path.exists():
        pytest.skip(f"this version of the package onnx comes without {path.name}")
    imported = import_onnx(path)
    assert imported.left_out == ()
    assert macs in (None, imported.network.macs)
    assert parameters in (None, imported.network.parameters)


def test_models_of_pytorch_import_whole_or_say_what_is_not_known():
    """PyTorch's own exports of single layers and operators, which come with the package onnx."""
    data = Path(onnx.__file__).parent / "backend" / "test" / "data"
    models = sorted((data / "pytorch-converted").rglob("*.onnx")) + sorted((data / "pytorch-operator").rglob("*.onnx"))
    if not models:
        pytest.skip("this version of the package onnx comes without PyTorch's models")
    whole, unknown, empty = [], [], []
    for path in models:
        try:
            imported = import_onnx(path)
        except UserError as error:
            (empty if "has no layers" in str(error) else unknown).append((path.parent.name, str(error)))
        else:
            assert imported.left_out == ()
            whole.append(path.parent.name)
    assert len(whole) >= 0.8 * len(models)
    assert all("Conv3d" in name and "(Conv of 3 spatial dimensions)" in error for name, error in unknown)
    # Padding, views and constants alone are no work.
    assert len(empty) <= 15
