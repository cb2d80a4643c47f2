"""Bits as genes: each design is what a problem with its bits fixed makes of it, and few bits cost SNR."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imcevo.accuracy.operands import network_operand_error
from imcevo.errors import UserError
from imcevo.problem import CodesignProblem, load_problem
from imcevo.problem.designs import evaluation_report
from imcevo.problem.mapping_report import mapping_report
from imcevo.problem.toml_text import to_toml
from imcevo.workload import load_network
from tests.problem.configs import CONFIG, DESIGN

NETWORKS = ["resnet8", "autoencoder_ad"]
BITS = {"input_bits": [4, 8], "weight_bits": [3, 6, 8]}


def load(
    folder: Path, precision: dict[str, Any] | None = None, bits: dict[str, Any] | None = None, **more: Any
) -> CodesignProblem:
    config = copy.deepcopy(CONFIG) | more
    config["workloads"] = {"networks": NETWORKS}
    config["precision"] = {"partial_sum_bits": 24} | (precision or {})
    config["design_space"] |= BITS if bits is None else bits
    config["constraints"] = {"snr_dB": 16}
    (folder / "problem.toml").write_text(to_toml(config))
    return load_problem(folder / "problem.toml")


def test_a_design_is_that_of_the_problem_that_fixes_its_bits(tmp_path: Path) -> None:
    chosen = load(tmp_path)
    designs = chosen.decode(chosen.sample(60, np.random.default_rng(3)))
    metrics, parts = chosen.simulator.simulate(designs), chosen.simulator.breakdown(designs)
    found = set()
    for a in BITS["input_bits"]:
        for b in BITS["weight_bits"]:
            rows = np.flatnonzero((designs["input_bits"] == a) & (designs["weight_bits"] == b))
            fixed = load(tmp_path, {"input_bits": a, "weight_bits": b, "output_bits": a}, {}).simulator
            alone = fixed.simulate(designs.take(rows))
            np.testing.assert_array_equal(metrics.energy_J[rows], alone.energy_J)
            np.testing.assert_array_equal(metrics.latency_s[rows], alone.latency_s)
            np.testing.assert_array_equal(metrics.area_m2[rows], alone.area_m2)
            np.testing.assert_array_equal(metrics.interval_s[rows], alone.interval_s)
            for name, values in alone.shortfalls.items():
                np.testing.assert_array_equal(metrics.shortfalls[name][rows], values)
            np.testing.assert_array_equal(parts.energy_J[rows], fixed.breakdown(designs.take(rows)).energy_J)
            noise = [network_operand_error(load_network(name).layers, a, b)[0] for name in NETWORKS]
            errors = 10 ** (-alone.known_snr_dB() / 10) + noise
            np.testing.assert_allclose(metrics.known_snr_dB()[rows], -10 * np.log10(errors), rtol=1e-12)
            found.add(len(rows) > 0)
    assert found == {True}
    assert metrics.macs.tolist() == [load_network(name).macs for name in NETWORKS]
    np.testing.assert_allclose(parts.energy_J.sum(axis=2), metrics.energy_J, rtol=1e-12)


def test_evolved_mappings_mean_the_same_at_any_bits(tmp_path: Path) -> None:
    ends = {"layers": {"first": {"weight_bits": 8}, "last": {"input_bits": 8}}}
    chosen = load(tmp_path, ends, mapping={"policy": "evolved"})
    designs = chosen.decode(chosen.sample(6, np.random.default_rng(5)))
    metrics = chosen.simulator.simulate(designs)
    for row in range(6):
        a, b = int(designs["input_bits"][row]), int(designs["weight_bits"][row])
        bits = {"input_bits": a, "weight_bits": b, "output_bits": a}
        fixed = load(tmp_path, ends | bits, {}, mapping={"policy": "evolved"})
        assert fixed.simulator.mapping_genes.names == chosen.simulator.mapping_genes.names
        alone = fixed.simulator.simulate(designs.take(slice(row, row + 1)))
        np.testing.assert_array_equal(metrics.energy_J[row], alone.energy_J[0])


def test_at_eight_bits_nothing_is_lost(tmp_path: Path) -> None:
    chosen, fixed = load(tmp_path, bits={"input_bits": 8, "weight_bits": 8}), load(tmp_path, bits={})
    designs = fixed.decode(fixed.sample(20, np.random.default_rng(4)))
    eight = np.full(20, 8)
    snr = chosen.simulator.simulate(designs.replace(input_bits=eight, weight_bits=eight)).known_snr_dB()
    np.testing.assert_array_equal(snr, fixed.simulator.simulate(designs).known_snr_dB())


def test_reports_tell_the_noise_of_few_bits_even_of_exact_cells(tmp_path: Path) -> None:
    problem = load(tmp_path)
    digital = {**DESIGN, "cell": "sram_digital", "input_bits": 4, "weight_bits": 3}
    report = evaluation_report(problem, digital)
    results = report["networks"]["resnet8"]
    assert results["snr_confidence"] == "low"
    assert results["limiting_layer"] is not None
    assert results["snr_dB"] < results["limiting_layer_snr_dB"] < 16
    assert "snr_dB" in report["violations"]
    exact = evaluation_report(problem, digital | {"input_bits": 8, "weight_bits": 8})
    assert exact["networks"]["resnet8"]["snr_dB"] == 60
    assert exact["networks"]["resnet8"]["energy_J"] > results["energy_J"]
    mapped = mapping_report(problem, digital, "resnet8", None)
    assert mapped["energy_J"] == pytest.approx(results["energy_J"], rel=1e-9)


def test_the_resolved_problem_asks_the_same(tmp_path: Path) -> None:
    problem = load(tmp_path, {"layers": {"first": {"input_bits": 8, "weight_bits": 8}}})
    other = tmp_path / "resolved.toml"
    other.write_text(problem.resolved_toml())
    assert load_problem(other).hash == problem.hash
    assert problem.variable_names[-2:] == ("input_bits", "weight_bits")
    assert load(tmp_path, {"output_bits": 8}).hash != load(tmp_path).hash


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"precision": {"input_bits": 8}}, "precision.input_bits.*design's to choose"),
        ({"bits": {"weight_bits": [4, 9]}}, "design_space.weight_bits: 9 is out of range"),
        ({"bits": {"weight_bits": []}}, "no values"),
        (
            {"bits": {"weight_bits": [4, 8], "digital_cell": "sram_digital", "digital_groups": [0, 1]}},
            "digital_cell.*bits",
        ),
    ],
)
def test_mistakes(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        load(tmp_path, **change)


def test_a_design_off_the_choices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"weight_bits: 5 .*no choice of this problem"):
        evaluation_report(load(tmp_path), {**DESIGN, "input_bits": 4, "weight_bits": 5})
