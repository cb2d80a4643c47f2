"""The shipped networks against published totals and known layers."""

from __future__ import annotations

import pytest

from imcevo.errors import UserError
from imcevo.workload import (
    Layer,
    Network,
    Precision,
    PublishedTotals,
    load_network,
    load_suite,
    network_names,
    suites,
)
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


# Checkpoints whose every parameter is known: torchvision's num_params, transformers' models, Keras' totals less the
# running means and variances; for the LSTM 10,000 x 1500 + 2 x (2 x 1500 + 1) x 6000 + (1500 + 1) x 10,000.
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("resnet18", 11_689_512),
        ("mobilenet_v3_large", 5_483_032),
        ("mobilebert", 24_581_888),
        ("lstm_lm", 66_022_000),
        ("alexnet", 61_100_840),
        ("vgg16", 138_357_544),
        ("resnet50", 25_557_032),
        ("densenet201", 20_013_928),
        ("vit_b16", 86_567_656),
        ("bert_base", 109_482_240),
        ("gpt2_medium_prefill", 354_823_168),
        ("gpt2_medium_decode", 354_823_168),
        ("llama32_1b_prefill", 1_235_814_400),
        ("llama32_1b_decode", 1_235_814_400),
        ("gru_kws", 498_012),
        ("ds_cnn_kws", 24_908 - 1_152),
        ("resnet8", 78_666 - 480),
        ("mobilenet_v1_vww", 221_794 - 5_472),
        ("autoencoder_ad", 269_992 - 2_064),
        ("gcn_cora", 1433 * 16 + 16 + 16 * 7 + 7),
        ("dlrm_kaggle", 33_762_577 * 16 + 155_984 + 320_001),
        ("ncf", (138_493 + 26_744) * 192 + 65_792 + 32_896 + 8_256 + 129),
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
        ("ds_cnn_kws", 125 * 40 * 64 + 4 * 125 * (64 * 9 + 64 * 64) + 64 * 12, 40 * 64 + 4 * (64 * 9 + 64 * 64) + 768),
        ("autoencoder_ad", 2 * (640 * 128 + 3 * 128 * 128 + 128 * 8), 2 * (640 * 128 + 3 * 128 * 128 + 128 * 8)),
        ("ncf", 256 * 256 + 256 * 128 + 128 * 64 + 128, 256 * 256 + 256 * 128 + 128 * 64 + 128),
        ("gcn_cora", 2708 * (1433 * 16 + 16 * 7), 1433 * 16 + 16 * 7),
        ("resnet8", 12_501_632, 77_360),
        ("mobilenet_v1_vww", 7_489_664, 208_112),
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
    """Inputs come from DRAM once, results leave last; transformers that decode also store keys and values."""
    layers = load_network(name).layers
    assert [layer.name for layer in layers if layer.from_dram] == [layers[0].name]
    results = [layer.name for layer in layers if layer.to_dram]
    last = next(layer for layer in reversed(layers) if not layer.fused)
    assert results[-1] == last.name
    stored = results[:-1]
    if name.startswith(("gpt2", "llama")):
        assert {part.rpartition(".")[2] for part in stored} == {"key", "value"}
    else:
        assert stored == ([] if name != "bert_base" else ["layer11.ffn.add_norm"])


@pytest.mark.parametrize("name", NAMES)
def test_matrix_layers_fit_their_input(name):
    """Windows start inside the padded input, and none that fits without more padding is left out."""
    for layer in load_network(name).layers:
        if layer.kind != "matrix":
            continue
        for out, kernel, stride, pad, size in (
            (layer.P, layer.R, layer.stride_h, layer.pad_h, layer.H),
            (layer.Q, layer.S, layer.stride_w, layer.pad_w, layer.W),
        ):
            assert (out - 1) * stride - pad < size, layer.name
            assert (size + pad - kernel) // stride + 1 <= out <= (size + 2 * pad + 1 - kernel) // stride + 1, layer.name


@pytest.mark.parametrize("name", NAMES)
def test_tensors_are_read_as_they_were_written(name):
    """What a matrix layer reads was written before: no layer reads more than all that is alive."""
    alive = 0
    for layer in load_network(name).layers:
        if layer.kind == "matrix" and not layer.from_dram and not layer.dynamic:
            assert layer.input_elements <= alive, layer.name
        alive = max(alive, layer.output_elements) if layer.kind != "lookup" else alive + layer.output_elements


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


def test_decoding_reads_the_cache():
    """Products against all keys and values of one layer; those of the other layers stay elsewhere."""
    for name, blocks, context, key_width, group in (
        ("gpt2_medium_decode", 24, 1024, 1024, 1), ("llama32_1b_decode", 16, 2048, 512, 4),
    ):  # fmt: skip
        layers = layers_of(name)
        scores, context_layer = layers["layer3.attention.scores"], layers["layer3.attention.context"]
        assert (group, context, key_width) == (scores.P, scores.M, scores.G * scores.C)
        assert scores.weights == context_layer.weights == context * key_width
        cache = 2 * blocks * context * key_width
        assert cache - scores.weights <= scores.held_elements < cache
        assert layers["layer3.attention.key"].to_dram
        assert layers["layer3.attention.key"].output_elements == key_width
        prompt = layers_of(name.replace("decode", "prefill"))["layer3.attention.scores"]
        assert prompt.P // group == prompt.M


def test_sequences_scale():
    from imcevo.workload.networks.bert_base import bert_base
    from imcevo.workload.networks.gpt2_medium import gpt2_medium_decode, gpt2_medium_prefill
    from imcevo.workload.networks.llama32_1b import llama32_1b_decode, llama32_1b_prefill

    assert bert_base(512).attention_macs == 16 * bert_base().attention_macs
    assert bert_base(512).published is None
    per_block = 2 * 1024
    assert gpt2_medium_prefill(8).attention_macs == 24 * per_block * 8 * 8
    assert gpt2_medium_decode(8).attention_macs == 24 * per_block * 8
    assert llama32_1b_decode(4096).attention_macs == 2 * llama32_1b_decode(2048).attention_macs
    for build in (bert_base, gpt2_medium_prefill, gpt2_medium_decode, llama32_1b_prefill, llama32_1b_decode):
        for wrong in (0, 200_000):
            with pytest.raises(UserError, match=f"{wrong} is out of range"):
                build(wrong)


def test_suites_name_shipped_networks():
    for name, suite in suites().items():
        assert load_suite(name) is suite
        assert len(set(suite.networks)) == len(suite.networks) > 1
        assert set(suite.networks) <= set(NAMES)
    assert set(suites()) == {"vision4", "diverse9", "edge", "cloud", "language", "recommendation"}
    with pytest.raises(UserError, match="'egde' is not a known suite; did you mean 'edge'"):
        load_suite("egde", file="problem.toml", key="workloads.suite")


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
        load_network("resnet118", file="problem.toml", key="workloads.networks[1]")
    message = str(caught.value)
    assert message.startswith("problem.toml: workloads.networks[1]: 'resnet118' is not a known network")
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


def test_shared_weights_count_once():
    """Two layers on one 32 x 32 tensor hold 1,024 weights; of different sizes the larger counts."""

    def network(*layers: Layer) -> Network:
        return Network("n", "other", "", layers)

    two = [Layer(name, C=32, M=32, parameters=1024 + 32, stored_as="W") for name in ("a", "b")]
    assert (network(*two).array_weights, network(*two).parameters) == (1024, 1056)
    assert network(*two).macs == 2 * 1024
    wider = Layer("c", C=64, M=32, stored_as="W")
    assert (network(*two, wider).array_weights, network(*two, wider).parameters) == (2048, 2048)
    alone = [Layer(name, C=32, M=32) for name in ("d", "e")]
    assert network(*two, *alone).array_weights == 3 * 1024


def test_weights_of_partly_overlapping_slices_count_once():
    """Columns 0 to 20 and 12 to 32 of a 32 x 32 tensor: 8 columns are in both."""
    slices = Layer("a", C=32, M=20), Layer("b", C=32, M=20, shared_weights=8 * 32)
    assert Network("n", "other", "", slices).array_weights == 32 * 32
    for wrong in ({"shared_weights": 32 * 20 + 1}, {"shared_weights": 1, "dynamic": True}, {"shared_weights": -1}):
        with pytest.raises(UserError, match=r"a: shared_weights: .* is out of range .*stored weights"):
            Layer("a", C=32, M=20, **wrong)


def test_only_layers_with_a_stored_tensor_share_one():
    for wrong in ({"dynamic": True}, {"kind": "elementwise"}):
        with pytest.raises(UserError, match="a: stored_as: 'W' names a stored tensor for a layer that has none"):
            Layer("a", C=32, M=32, stored_as="W", **wrong)


@pytest.mark.parametrize("name", NAMES)
def test_networks_that_tie_weights_say_so(name):
    """The language models score words with their embedding table (GPT-2, Llama 3.2 1B); the others tie nothing."""
    shared = {layer.stored_as for layer in load_network(name).layers if layer.stored_as}
    table = {"gpt2": "embedding.token.table", "llama32": "embedding.table"}.get(name.split("_")[0])
    assert shared == ({table} if table else set())
