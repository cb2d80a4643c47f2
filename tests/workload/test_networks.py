"""The shipped networks against published totals and known layers."""

from __future__ import annotations

import pytest

from imcevo.errors import UserError
from imcevo.workload import Layer, Network, Precision, PublishedTotals, load_network, network_names
from imcevo.workload.networks.mobilebert import mobilebert

NAMES = network_names()


def layers_of(name: str) -> dict[str, Layer]:
    return {layer.name: layer for layer in load_network(name).layers}


@pytest.mark.parametrize("name", NAMES)
def test_totals_match_published(name):
    network = load_network(name)
    assert network.name == name
    assert network.published is not None
    assert network.macs_as_published == pytest.approx(network.published.macs, rel=0.01)
    assert network.parameters == pytest.approx(network.published.parameters, rel=0.01)


# Checkpoints whose every parameter is known: torchvision's num_params, transformers' MobileBertModel, and for
# the LSTM 10,000 x 1500 + 2 x (2 x 1500 + 1) x 6000 + (1500 + 1) x 10,000.
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("resnet18", 11_689_512),
        ("mobilenet_v3_large", 5_483_032),
        ("mobilebert", 24_581_888),
        ("lstm_lm", 66_022_000),
    ],
)
def test_parameters_are_exact(name, parameters):
    assert load_network(name).parameters == parameters


# Sums over the layer lists published with arXiv 2603.03880; for the LSTM 51 M weights x 35 steps.
@pytest.mark.parametrize(
    ("name", "macs", "array_weights"),
    [
        ("resnet18", 1_814_073_344, 11_678_912),
        ("mobilenet_v3_large", 216_589_760, 5_451_272),
        ("lstm_lm", 1_785_000_000, 51_000_000),
    ],
)
def test_macs_and_stored_weights_are_exact(name, macs, array_weights):
    network = load_network(name)
    assert (network.macs, network.array_weights, network.attention_macs) == (macs, array_weights, 0)


def test_mobilebert_scales_with_the_sequence():
    published = mobilebert(139)
    assert published.macs - published.attention_macs == published.macs_as_published == 2_814_836_736
    for tokens in (1, 128, 512):
        network = mobilebert(tokens)
        assert network.parameters == 24_581_888
        assert network.attention_macs == 24 * 2 * 128 * tokens**2
        assert network.macs == 20_250_624 * tokens + network.attention_macs
    assert load_network("mobilebert") == mobilebert(128)
    for tokens in (0, 513):
        with pytest.raises(UserError, match=f"sequence_length: {tokens} is out of range .*1 to 512"):
            mobilebert(tokens)


def test_mobilebert_note_adds_up():
    """The variant that the note names: query and key from 512 features, no shared bottleneck."""
    network = load_network("mobilebert")
    more = 24 * 2 * (512 - 128) * 128
    weights_gone = 24 * 512 * 128
    vectors_gone = 24 * (128 + 2 * 128)
    assert (network.parameters + more - weights_gone - vectors_gone) / 1e6 == pytest.approx(25.36, abs=0.005)
    assert 2 * (network.macs + 128 * (more - weights_gone)) / 1e9 == pytest.approx(5.59, abs=0.005)


@pytest.mark.parametrize("name", NAMES)
def test_ends_of_the_network(name):
    layers = load_network(name).layers
    assert [layer.from_dram for layer in layers] == [True] + [False] * (len(layers) - 1)
    assert [layer.to_dram for layer in layers] == [False] * (len(layers) - 1) + [True]


@pytest.mark.parametrize("name", NAMES)
def test_matrix_layers_fit_their_input(name):
    """Windows of the last output start inside the input, as frameworks compute the output size."""
    for layer in load_network(name).layers:
        if layer.kind == "matrix":
            assert (layer.P - 1) * layer.stride_h - layer.pad_h < layer.H, layer.name
            assert (layer.Q - 1) * layer.stride_w - layer.pad_w < layer.W, layer.name
            padded = layer.H + 2 * layer.pad_h
            assert (padded - layer.R) // layer.stride_h + 1 == layer.P, layer.name


def test_resnet18_layers():
    layers = layers_of("resnet18")
    stem = layers["conv1"]
    assert (stem.C, stem.M, stem.R, stem.S, stem.P, stem.Q) == (3, 64, 7, 7, 112, 112)
    assert (stem.stride_h, stem.pad_h, stem.H, stem.W, stem.from_dram) == (2, 3, 224, 224, True)
    assert (layers["maxpool"].H, layers["maxpool"].P) == (112, 56)
    down = layers["layer3.0.downsample"]
    assert (down.C, down.M, down.R, down.P, down.stride_h, down.pad_h, down.H) == (128, 256, 1, 14, 2, 0, 28)
    assert down.held_elements == 256 * 14 * 14
    assert layers["layer3.0.conv2"].held_elements == 128 * 28 * 28
    assert layers["layer4.1.conv2"].held_elements == 512 * 7 * 7
    add = layers["layer4.1.add_relu2"]
    assert (add.input_elements, add.output_elements, add.ops) == (2 * 512 * 49, 512 * 49, 2 * 512 * 49)
    assert (layers["fc"].K, layers["fc"].M, layers["fc"].n_parameters) == (512, 1000, 513_000)
    assert sum(layer.kind == "matrix" for layer in layers.values()) == 21


def test_mobilenet_v3_large_layers():
    layers = layers_of("mobilenet_v3_large")
    depthwise = layers["block12.depthwise"]
    assert (depthwise.G, depthwise.C, depthwise.M, depthwise.R) == (672, 1, 1, 5)
    assert (depthwise.H, depthwise.P, depthwise.stride_h, depthwise.pad_h) == (14, 7, 2, 2)
    assert (depthwise.K, depthwise.macs, depthwise.n_parameters) == (25, 672 * 25 * 49, 672 * 25 + 2 * 672)
    assert "block0.expand" not in layers
    squeezed = {3: 24, 4: 32, 5: 32, 10: 120, 11: 168, 12: 168, 13: 240, 14: 240}
    assert {i: layers[f"block{i}.se.squeeze"].M for i in squeezed} == squeezed
    assert sum(name.endswith(".se.squeeze") for name in layers) == len(squeezed)
    # The residual waits with the expanded tensor for the gates; a strided block has no residual.
    assert layers["block13.se.squeeze"].held_elements == (160 + 960) * 49
    assert layers["block12.se.squeeze"].held_elements == 672 * 49
    assert layers["block13.project"].held_elements == 160 * 49
    assert layers["block13.expand"].statistics == "signed"
    assert sum(layer.kind == "matrix" for layer in layers.values()) == 64


def test_mobilebert_layers():
    layers = layers_of("mobilebert")
    trigram = layers["embedding.trigram"]
    assert (trigram.K, trigram.M, trigram.P, trigram.H, trigram.pad_h) == (384, 512, 128, 128, 1)
    tables = [layer for layer in layers.values() if layer.kind == "lookup"]
    assert [layer.n_parameters for layer in tables] == [30522 * 128, 512 * 512, 2 * 512]
    scores, context = layers["layer7.scores"], layers["layer7.context"]
    assert (scores.G, scores.C, scores.M, scores.P, scores.dynamic) == (4, 32, 128, 128, True)
    assert (context.G, context.C, context.M, context.P, context.dynamic) == (4, 128, 32, 128, True)
    assert scores.output_elements == context.input_elements == 4 * 128 * 128
    assert scores.n_parameters == context.n_parameters == 0
    assert layers["layer0.value"].C == 512
    assert layers["layer0.query"].C == layers["layer0.key"].C == 128
    assert layers["layer0.softmax"].ops == 6 * 4 * 128 * 128
    assert layers["layer23.ffn3.down"].held_elements == 128 * (512 + 128)
    matrix = [layer for layer in layers.values() if layer.kind == "matrix"]
    assert len(matrix) == 1 + 24 * (2 + 3 + 2 + 1 + 8 + 1)


def test_lstm_layers():
    layers = layers_of("lstm_lm")
    for name in ("lstm0", "lstm1"):
        known, recurrent = layers[f"{name}.input"], layers[f"{name}.recurrent"]
        assert (known.C, known.M, known.P, known.sequential) == (1500, 6000, 35, False)
        assert (recurrent.C, recurrent.M, recurrent.P, recurrent.sequential) == (1500, 6000, 35, True)
        assert recurrent.held_elements == 35 * 6000 + 1500
        assert known.n_parameters + recurrent.n_parameters == (2 * 1500 + 1) * 6000
        assert layers[f"{name}.cell"].ops == 13 * 1500 * 35
    assert (layers["classifier"].M, layers["classifier"].P) == (10_000, 35)


def test_totals_without_published_figures():
    layers = (
        Layer("fc", C=10, M=4, P=3, H=3, parameters=44),
        Layer("scores", G=2, C=8, M=3, P=3, H=3, dynamic=True),
        Layer("table", "lookup", M=8, P=3, parameters=800),
    )
    network = Network("mine", "other", "", layers)
    assert (network.macs, network.attention_macs, network.array_weights) == (120 + 144, 144, 40)
    assert network.parameters == 844
    assert network.macs_as_published == 264
    counted = PublishedTotals(264, 844, "here", "here", attention_products_counted=False)
    assert Network("mine", "other", "", layers, counted).macs_as_published == 120


def test_network_refuses():
    layer = Layer("fc", C=4, M=4)
    with pytest.raises(UserError, match="mine: has no layers"):
        Network("mine", "other", "", ())
    with pytest.raises(UserError, match="mine: 'fc' names 2 layers"):
        Network("mine", "other", "", (layer, layer))
    with pytest.raises(UserError, match=r"'mlp' is not a family .*transformer"):
        Network("mine", "mlp", "", (layer,))  # type: ignore[arg-type]


def test_unknown_network_is_named_with_the_nearest():
    with pytest.raises(UserError) as caught:
        load_network("resnet81", file="problem.toml", key="workloads.networks[1]")
    message = str(caught.value)
    assert message.startswith("problem.toml: workloads.networks[1]: 'resnet81' is not a known network")
    assert "did you mean 'resnet18'" in message
    assert all(name in message for name in NAMES)


def test_csv_paths_start_at_the_given_folder(tmp_path):
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "tiny.csv").write_text("name,C,M\nfc,4,2\n")
    assert load_network("nets/tiny.csv", relative_to=tmp_path).macs == 8
    with pytest.raises(UserError, match=r"nets.other\.csv: no such file, expected a network's layer CSV"):
        load_network("nets/other.csv", relative_to=tmp_path)


def test_precision_ranges():
    assert Precision() == Precision(input_bits=8, weight_bits=8, output_bits=8, partial_sum_bits=24)
    for key in ("input_bits", "weight_bits"):
        for bits in (0, 9):
            with pytest.raises(ValueError, match=key):
                Precision(**{key: bits})
