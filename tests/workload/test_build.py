"""Networks as tables: nothing lost in merging, padding counted like a loop over the output."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imcevo.errors import UserError
from imcevo.workload import (
    LOOKUP,
    MATRIX,
    Layer,
    Network,
    Precision,
    layer_names,
    layer_table,
    load_network,
    network_names,
)
from imcevo.workload.build import _taps

SUITE = [load_network(name) for name in network_names()]
TABLE = layer_table(SUITE, Precision())


def test_columns_are_contiguous_and_typed():
    for name, column in TABLE._asdict().items():
        assert column.flags.c_contiguous, name
        assert column.dtype in (np.int64, np.float64), name
        assert len(column) == len(TABLE.kind), name
        assert column.shape[1:] == ((8,) if name.startswith("mean_") else ()), name
    assert TABLE.count.dtype == TABLE.H.dtype == np.int64
    assert TABLE.ops.dtype == TABLE.from_dram.dtype == np.float64
    assert (np.diff(TABLE.network) >= 0).all()


@pytest.mark.parametrize("index", range(len(SUITE)))
def test_merging_keeps_totals(index):
    network, rows = SUITE[index], TABLE.network == index
    table = {name: column[rows] for name, column in TABLE._asdict().items()}
    count = table["count"]
    weights = table["G"] * table["C"] * table["R"] * table["S"] * table["M"] * (table["kind"] == MATRIX)
    macs = table["N"] * table["P"] * table["Q"] * weights
    assert count.sum() == len(network.layers)
    assert (count * macs).sum() == network.macs
    assert (count * macs * table["dynamic"]).sum() == network.attention_macs
    assert (count * weights * (1 - table["dynamic"])).sum() == network.array_weights
    for name in ("ops", "input_elements", "output_elements", "held_elements", "from_dram", "to_dram"):
        assert (count * table[name]).sum() == sum(getattr(layer, name) for layer in network.layers)
    assert (table["kind"] == LOOKUP).sum() == sum(layer.kind == "lookup" for layer in network.layers)


def test_names_line_up_with_rows():
    names = layer_names(SUITE)
    assert [len(merged) for _, merged in names] == TABLE.count.tolist()
    assert [network for network, _ in names] == [SUITE[i].name for i in TABLE.network]
    layers = {(network.name, layer.name): layer for network in SUITE for layer in network.layers}
    for row, (network, merged) in enumerate(names):
        for name in merged:
            layer = layers[network, name]
            for size in ("N", "C", "M", "P", "Q", "R", "S", "G", "H", "W", "held_elements", "sequential"):
                assert getattr(layer, size) == getattr(TABLE, size)[row]
    assert len(names) == len({(network, tuple(merged)) for network, merged in names}) < 1000


def test_what_merges_and_what_does_not():
    same = {"C": 8, "M": 8, "P": 4, "H": 4}
    layers = (
        Layer("first", **same, from_dram=True),
        Layer("second", **same, parameters=72),
        Layer("waits", **same, held_elements=1),
        Layer("signed", **same, statistics="signed"),
        Layer("last", **same, to_dram=True),
    )
    networks = [Network("a", "other", "", layers), Network("b", "other", "", layers[:1])]
    table = layer_table(networks, Precision())
    assert [merged for _, merged in layer_names(networks)] == [
        ["first", "second", "last"], ["waits"], ["signed"], ["first"],
    ]  # fmt: skip
    assert table.network.tolist() == [0, 0, 0, 1]
    assert table.from_dram.tolist() == [1 / 3, 0.0, 0.0, 1.0]
    assert table.to_dram.tolist() == [1 / 3, 0.0, 0.0, 0.0]


def rows_of(*layers: Layer) -> tuple[list[list[str]], dict[str, list[float]]]:
    """Names of the rows' layers, and what the rows say of the tensors behind them."""
    network = Network("n", "other", "", layers)
    table = layer_table([network], Precision())
    said = {name: getattr(table, name).tolist() for name in ("count", "stored", "behind", "uses", "loads")}
    return [merged for _, merged in layer_names([network])], said


def test_blocks_on_the_same_tensors_store_one_block():
    """ALBERT: twelve blocks of two tensors of one shape and one of another, one block stored."""
    blocks = [
        layer
        for block in range(12)
        for layer in (
            Layer(f"{block}.query", C=8, M=8, P=4, H=4, stored_as="query"),
            Layer(f"{block}.key", C=8, M=8, P=4, H=4, stored_as="key"),
            Layer(f"{block}.norm", "elementwise", C=8, P=4, H=4),
            Layer(f"{block}.up", C=8, M=32, P=4, H=4, stored_as="up"),
        )
    ]
    names, said = rows_of(*blocks, Layer("own", C=8, M=8, P=4, H=4), Layer("alone", C=8, M=8, P=4, H=4, stored_as="W"))
    assert [len(merged) for merged in names] == [24, 12, 12, 2]
    assert names[3] == ["own", "alone"]  # a name that nobody else has changes nothing
    assert said["stored"] == [2, 12, 1, 2]
    assert said["behind"] == [0, 0, 0, 0]
    assert said["uses"] == [12.0, 1.0, 12.0, 1.0]
    assert said["loads"] == [24, 0, 12, 2]  # other weights are loaded in between
    network = Network("n", "other", "", tuple(blocks))
    assert network.array_weights == 2 * 64 + 256


def test_layers_next_to_each_other_on_one_tensor_load_it_once():
    steps = [Layer(f"step{i}", C=8, M=8, stored_as="W") for i in range(5)]
    gates = [Layer(f"gate{i}", "elementwise", C=8) for i in range(5)]
    assert rows_of(*(layer for pair in zip(steps, gates, strict=True) for layer in pair))[1]["loads"] == [1, 0]
    other = Layer("other", C=8, M=4)
    assert rows_of(*steps[:2], other, *steps[2:])[1]["loads"] == [2, 1]
    product = Layer("product", C=8, M=4, dynamic=True)  # may be written into the arrays
    assert rows_of(*steps[:2], product, *steps[2:])[1]["loads"] == [2, 1]


def test_the_layer_with_most_work_leads_those_of_its_tensor():
    decode = Layer("decode", C=8, M=8, stored_as="W")
    prefill = Layer("prefill", C=8, M=8, P=128, H=128, stored_as="W")
    steps = Layer("steps", C=8, M=8, P=64, H=64, sequential=True, stored_as="W")
    names, said = rows_of(Layer("first", C=2), decode, steps, prefill, Layer("last", C=3))
    assert names == [["first"], ["prefill"], ["decode"], ["steps"], ["last"]]
    assert said["stored"] == [1, 1, 0, 0, 1]
    assert said["behind"] == [0, 0, 1, 2, 0]


def test_other_views_widths_and_networks_store_their_own():
    layer = Layer("a", C=8, M=8, stored_as="W")
    for other in (
        Layer("b", C=4, M=16, stored_as="W"), Layer("b", C=4, M=8, G=2, stored_as="W"),
        Layer("b", C=4, R=2, H=2, M=8, stored_as="W"), Layer("b", C=8, M=8, weight_bits=4, stored_as="W"),
    ):  # fmt: skip
        assert rows_of(layer, other)[1]["stored"] == [1, 1]
    table = layer_table([Network(name, "other", "", (layer,)) for name in "xy"], Precision())
    assert table.stored.tolist() == [1, 1]


def test_precision_and_statistics_per_row():
    layers = (
        Layer("relu", C=8, M=8),
        Layer("signed", C=8, M=8, statistics="signed"),
        Layer("product", C=8, M=8, statistics="signed", dynamic=True),
    )
    bits = Precision(input_bits=4, weight_bits=2, output_bits=6)
    table = layer_table([Network("n", "other", "", layers)], bits)
    assert (table.input_bits.tolist(), table.weight_bits.tolist()) == ([4] * 3, [2] * 3)
    assert table.output_bits.tolist() == [6] * 3
    assert table.mean_input[0, 3] < 0.2 < table.mean_input[1, 3]
    # The second operand of a product is an activation, here of 4 bits instead of 2.
    assert table.mean_weight[0].tolist() == table.mean_weight[1].tolist()
    assert table.mean_weight[2, 7] == pytest.approx(7.5 / 255)
    assert table.mean_weight[0, 7] == pytest.approx(1.5 / 255)


def test_unknown_statistics():
    network = Network("n", "other", "", (Layer("fc", C=8, M=8, statistics="sigend"),))
    with pytest.raises(UserError, match="'sigend' is not a known value distribution; did you mean 'signed'"):
        layer_table([network], Precision())


@given(
    outputs=st.integers(1, 30),
    kernel=st.integers(1, 9),
    stride=st.integers(1, 5),
    pad=st.integers(0, 8),
    inputs=st.integers(1, 40),
)
def test_taps_equal_a_loop(outputs, kernel, stride, pad, inputs):
    looped = sum(0 <= p * stride + r - pad < inputs for p in range(outputs) for r in range(kernel))
    assert _taps(outputs, kernel, stride, pad, inputs) == looped


def test_taps_of_a_padded_convolution():
    stem = layer_names(SUITE).index(("resnet18", ["conv1"]))
    assert TABLE.row_taps[stem] == 112 * 7 - 3 - 1 - 2  # three rows of padding above, then one; two below
