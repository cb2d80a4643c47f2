"""Compute-SNR of designs: what decides it, and that it depends on nothing else."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pytest

from imcevo.accuracy import table as table_module
from imcevo.accuracy.closed_form import LAYER_CAP_dB
from imcevo.accuracy.sources import StatedValues
from imcevo.accuracy.table import CONVERSION_DTYPE, ErrorTable
from imcevo.hardware import DesignTable, table_of
from imcevo.kernels import cache_folder
from imcevo.mapping.loops import reduction_pieces
from imcevo.simulator import Deployment
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.workload import Network, Precision, with_precision
from imcevo.workload.layers import Layer
from tests.mapping.cases import factors_of, geometry_of, random_chip, random_factors, random_layer, records_of
from tests.simulator.test_physical import DESIGN
from tests.simulator.test_physical import designs as random_designs

SUITE = [
    Network("one", "other", "", (Layer("fc", C=300, M=40), Layer("conv", C=8, M=16, R=3, S=3, P=6, Q=6, H=8, W=8))),
    Network("two", "other", "", (Layer("signed", C=100, M=8, statistics="signed"),)),
]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test starts with an empty disk cache."""
    monkeypatch.setattr("imcevo.accuracy.disk.cache_folder", lambda kind: tmp_path)


def simulator(networks: list[Network] = SUITE) -> PhysicalSimulator:
    return PhysicalSimulator(networks, Precision(), Deployment("resident"))


def snr_of(sim: PhysicalSimulator, **changes: object) -> list[float]:
    designs = sim.repair(table_of([{**DESIGN, **changes}]))
    return sim.simulate(designs).known_snr_dB()[0].tolist()


def test_precision_has_a_price() -> None:
    sim = simulator()
    for key, better_first in (
        ("adc_bits", (9, 7, 5, 3)), ("rows_active", (16, 32, 64, 128)), ("bits_per_cell", (1, 2, 4)),
    ):  # fmt: skip
        snr = np.array([snr_of(sim, **{"adc_range": "full_scale", key: value}) for value in better_first])
        assert (np.diff(snr, axis=0) < 0).all(), (key, snr)


def test_digital_cells_are_exact() -> None:
    sim = simulator()
    assert snr_of(sim, cell="sram_digital") == [LAYER_CAP_dB, LAYER_CAP_dB]
    found = sim.network_snr(sim.repair(table_of([{**DESIGN, "cell": "sram_digital"}])).design(0))
    assert found["one"].confidence == "exact"
    assert found["one"].limiting_layer is None


def test_another_technology_has_the_noise_of_its_cells() -> None:
    sim = simulator()
    cell = sim.technology.cell(str(DESIGN["cell"]))
    worse = cell.model_copy(update={"variation": cell.variation.model_copy(update={"value": 2 * cell.variation.value})})
    technology = replace(sim.technology, cells={**sim.technology.cells, str(DESIGN["cell"]): worse})
    before, after = snr_of(sim), snr_of(sim.with_technology(technology))
    assert all(b < a for a, b in zip(before, after, strict=True))
    assert snr_of(sim) == before
    anew = PhysicalSimulator(SUITE, Precision(), Deployment("resident"), technology=technology)
    assert after == snr_of(anew)


def test_a_network_adds_the_errors_of_its_layers() -> None:
    sim = simulator()
    designs = sim.repair(table_of([DESIGN]))
    geometry = sim.stages.geometry(designs)
    layers = list(sim.snr.converted_layers(designs, geometry, sim.mapped(designs)))
    error = sum(error for network, *_, error in layers if network == "one")
    found = sim.network_snr(designs.design(0))["one"]
    assert found.snr_dB == pytest.approx(-10 * math.log10(error))
    worst = max((error, name) for network, name, *_, error in layers if network == "one")
    assert found.limiting_layer == worst[1]
    assert found.confidence == "low"


def test_every_layer_has_the_bits_of_its_own() -> None:
    layers = {name: Network(name, "other", "", (Layer(name, C=300, M=40),)) for name in ("wide", "narrow")}
    both = [Network("both", "other", "", tuple(layer for network in layers.values() for layer in network.layers))]
    mixed = Precision.model_validate({"layers": {"last": {"input_bits": 3, "weight_bits": 4}}})
    deployment, narrow = Deployment("resident"), Precision(input_bits=3, weight_bits=4)
    found = snr_of(PhysicalSimulator(with_precision(both, mixed), mixed, deployment))[0]
    alone = [snr_of(simulator([layers["wide"]])), snr_of(PhysicalSimulator([layers["narrow"]], narrow, deployment))]
    assert alone[0] != pytest.approx(alone[1], abs=0.1)
    assert 10 ** (-found / 10) == pytest.approx(sum(10 ** (-snr[0] / 10) for snr in alone))


def test_equal_layers_count_each() -> None:
    twice = Network("twice", "other", "", (Layer("a", C=300, M=40), Layer("b", C=300, M=40)))
    once = Network("once", "other", "", (Layer("a", C=300, M=40),))
    assert snr_of(simulator([once]))[0] - snr_of(simulator([twice]))[0] == pytest.approx(10 * math.log10(2))


def test_batches_threads_and_known_entries_change_no_bit(tmp_path: Path) -> None:
    sim, designs = simulator(), simulator().repair(random_designs(np.random.default_rng(5), 120))
    together = sim.simulate(designs).known_snr_dB()
    fresh, before = simulator(), numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        alone = [fresh.simulate(designs.take(slice(i, i + 1))).known_snr_dB()[0] for i in (119, 3, 60)]
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(alone, together[[119, 3, 60]])
    sim.snr.save()
    assert list(tmp_path.glob("*.bin"))
    np.testing.assert_array_equal(simulator().simulate(designs).known_snr_dB(), together)


def test_what_is_on_disk_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sim, designs = simulator(), simulator().repair(random_designs(np.random.default_rng(6), 30))
    first = sim.simulate(designs).known_snr_dB()
    sim.snr.save()
    monkeypatch.setattr(table_module, "layer_error", None)  # calling it would fail
    np.testing.assert_array_equal(simulator().simulate(designs).known_snr_dB(), first)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "foreign", "folder"])
def test_damaged_files_are_ignored(tmp_path: Path, damage: str) -> None:
    sim, designs = simulator(), simulator().repair(random_designs(np.random.default_rng(7), 10))
    first = sim.simulate(designs).known_snr_dB()
    sim.snr.save()
    for file in tmp_path.glob("*.bin"):
        content = bytearray(file.read_bytes())
        if damage == "folder":
            file.unlink()
            file.mkdir()
            continue
        content[-9] ^= 1
        file.write_bytes({
            "truncated": bytes(content[: len(content) // 2]), "flipped": bytes(content), "empty": b"",
            "foreign": b"\x80\x04pickle",
        }[damage])  # fmt: skip
    again = simulator()
    np.testing.assert_array_equal(again.simulate(designs).known_snr_dB(), first)
    again.snr.save()


def test_two_processes_keep_each_others_entries(tmp_path: Path) -> None:
    one, two = simulator(), simulator()
    designs = one.repair(random_designs(np.random.default_rng(8), 40))
    halves = designs.take(slice(0, 20)), designs.take(slice(20, 40))
    for sim, half in zip((one, two), halves, strict=True):
        sim.simulate(half)
    one.snr.save()
    two.snr.save()
    sizes = {file: file.stat().st_size for file in tmp_path.glob("*.bin")}
    both = simulator()
    both.simulate(designs)
    both.snr.save()  # nothing new to write
    assert {file: file.stat().st_size for file in tmp_path.glob("*.bin")} == sizes


def test_without_a_folder_memory_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imcevo.accuracy.disk.cache_folder", lambda kind: None)
    sim = simulator()
    assert snr_of(sim) == snr_of(sim)
    sim.snr.save()


def test_a_full_table_starts_over(monkeypatch: pytest.MonkeyPatch) -> None:
    designs = simulator().repair(random_designs(np.random.default_rng(9), 60))
    expected = simulator().simulate(designs).known_snr_dB()
    monkeypatch.setattr(table_module, "_MOST_SLOTS", 64)
    sim = simulator()
    for start in range(0, 60, 10):
        part = sim.simulate(designs.take(slice(start, start + 10))).known_snr_dB()
        np.testing.assert_array_equal(part, expected[start : start + 10])


def test_stated_layers_depend_on_rows_per_piece_alone() -> None:
    source = StatedValues("relu", 8, 8)
    error_table = ErrorTable([[source], [source]], np.array([96, 288]), np.array([0, 1]))
    conversion = np.zeros(1, dtype=CONVERSION_DTYPE)
    for name, value in {
        "dac_bits": 1, "bits_per_cell": 1, "rows_active": 48, "adc_bits": 4, "on_off_ratio": np.inf,
        "cell_variation": 0.03,
    }.items():  # fmt: skip
        conversion[name] = value
    snr = error_table.snr_dB(conversion, np.array([False]), np.array([[2, 6]]), 2)[0]
    assert snr[0] == snr[1]


@pytest.mark.parametrize("seed", range(60))
def test_pieces_are_what_the_row_steps_of_a_group_read(seed: int) -> None:
    rng = np.random.default_rng([77, seed])
    layer, chip = random_layer(rng), random_chip(rng)
    f = random_factors(layer, chip, rng)
    pieces = reduction_pieces(records_of([layer]), geometry_of(chip), factors_of(f))[0, 0]
    rows = [min(f["rows_k"], layer.K - start) for start in range(0, layer.K, f["rows_k"])]
    assert pieces == sum(-(-n // chip["rows_active"]) for n in rows)


def test_layers_off_the_arrays_lose_nothing() -> None:
    attention = Network("attention", "other", "", (Layer("scores", C=64, M=32, dynamic=True, P=32),))
    assert snr_of(simulator([attention])) == [LAYER_CAP_dB]


def test_cache_folder_is_per_source() -> None:
    assert cache_folder("snr") != cache_folder("kernels") or cache_folder("snr") is None


def test_repair_gives_digital_cells_one_range() -> None:
    sim = simulator()
    designs: DesignTable = sim.repair(table_of([{**DESIGN, "cell": "sram_digital", "adc_range": "calibrated"}]))
    assert designs.named("adc_range")[0] == "full_scale"
