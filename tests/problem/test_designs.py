"""Single designs: completion, checks, the report behind `imcevo evaluate`."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import imcevo
from imcevo.errors import UserError
from imcevo.problem.designs import evaluation_report
from tests.problem.configs import DESIGN


def test_report_adds_up_and_is_json(problem):
    report = evaluation_report(problem, DESIGN)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    keys = {
        "networks", "area_m2", "cost", "cost_unit", "power_W", "power_density_W_per_m2", "feasible", "violations",
        "breakdown", "repairs", "notes", "warnings", "weight_loading",
    }  # fmt: skip
    assert set(report) == keys
    for name, results in report["networks"].items():
        assert results["snr_dB"] is None
        for part in ("energy_J", "latency_s"):
            assert sum(report["breakdown"][part][name].values()) == pytest.approx(results[part], rel=1e-12)
        # The fake's networks have 1e9 MACs each, so 2e9 operations.
        assert results["throughput_per_s"] == pytest.approx(1 / results["latency_s"])
        assert results["TOPS"] == pytest.approx(2e9 / results["latency_s"] / 1e12)
        assert results["TOPS_per_W"] == pytest.approx(2e9 / results["energy_J"] / 1e12)
        assert results["TOPS_per_mm2"] == pytest.approx(results["TOPS"] / (report["area_m2"] * 1e6))
        assert results["power_W"] == pytest.approx(results["energy_J"] / results["latency_s"])
    largest = max(results["power_W"] for results in report["networks"].values())
    assert report["power_W"] == largest
    assert report["power_density_W_per_m2"] == pytest.approx(largest / report["area_m2"])
    assert sum(report["breakdown"]["area_m2"].values()) == pytest.approx(report["area_m2"], rel=1e-12)
    assert report["feasible"]
    assert report["violations"] == {}
    assert report["repairs"] == []


def test_a_digital_cell_has_no_adc(problem):
    report = evaluation_report(problem, {**DESIGN, "cell": "sram_digital"})
    assert "adc" not in report["breakdown"]["area_m2"]
    assert all("adc" not in parts for parts in report["breakdown"]["energy_J"].values())
    repaired = {repair["key"]: (repair["given"], repair["used"]) for repair in report["repairs"]}
    assert repaired == {"bits_per_cell": (2, 1), "adc_type": ("sar", "none"), "adc_bits": (6, 0)}
    assert "adc" in evaluation_report(problem, DESIGN)["breakdown"]["area_m2"]


def test_violations_are_amounts_with_a_sentence(problem):
    report = evaluation_report(problem, {**DESIGN, "macros_per_tile": 1, "adc_bits": 3, "rows": 256})
    assert not report["feasible"]
    assert report["violations"] == {"adc_bits": 8 - 3 - 3, "capacity_bits": 1e5 - 256 * 128 * 2}
    assert set(report["violations"]) <= set(report["notes"])
    assert report["notes"]["capacity_bits"] == "34464 short"


def test_metric_bounds_have_a_sentence_too(load, config):
    config["constraints"] = {"area_m2": 1e-9}
    report = evaluation_report(load(config), DESIGN)
    assert report["violations"]["area_m2"] == pytest.approx(report["area_m2"] - 1e-9)
    assert "at most 0.001 mm2 is allowed" in report["notes"]["area_m2"]


def test_values_between_the_listed_ones_are_evaluated_and_noted(problem):
    report = evaluation_report(problem, {**DESIGN, "rows": 100})
    assert "not in the design space" in report["notes"]["rows"]
    assert report["area_m2"] < evaluation_report(problem, DESIGN)["area_m2"]


def test_explanation_on_request(problem):
    (term,) = evaluation_report(problem, DESIGN, explain=True)["explain"]
    assert set(term) == {"name", "equation", "inputs", "value", "unit", "source"}
    assert term["inputs"] == {"voltage_V": 0.9}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"row": 3}, "did you mean 'rows'"),
        ({"rows": -32}, "rows: -32 is out of range"),
        ({"rows": "128"}, "rows: '128' is not a number"),
        ({"rows": 64.5}, "not a whole number"),
        ({"rows": float("nan")}, "not a finite number"),
        ({"rows": None}, "not a number"),
        ({"cell": 3}, "not a name"),
        ({"dac_bits": 2}, "dac_bits: 2 contradicts the problem"),
        ({"cycle_s": 1e-9}, "not a known hardware parameter of this problem"),
    ],
)
def test_mistakes(problem, change, said):
    with pytest.raises(UserError, match=said):
        evaluation_report(problem, {**DESIGN, **change})


def test_missing_gene(problem):
    with pytest.raises(UserError, match="missing: rows, cols"):
        evaluation_report(
            problem, {key: value for key, value in DESIGN.items() if key not in ("rows", "cols")}
        )


def test_api_evaluates_frames_like_genomes(problem):
    X = problem.canonical(problem.sample(25, np.random.default_rng(3)))
    expected = problem.frame(X)
    frame = expected[list(problem.variable_names)].set_index(np.arange(100, 125))
    results = imcevo.evaluate(problem, frame)
    assert results.index.tolist() == frame.index.tolist()
    assert set(problem.space.values) <= set(results.columns)
    pd.testing.assert_frame_equal(results[expected.columns].reset_index(drop=True), expected)


def test_api_takes_dictionaries_and_names_the_wrong_one(problem):
    results = imcevo.evaluate(problem, [DESIGN, {**DESIGN, "cell": "sram_digital"}])
    assert results["adc_bits"].tolist() == [6, 0]
    with pytest.raises(UserError, match="design 1: rows: -3"):
        imcevo.evaluate(problem, [DESIGN, {**DESIGN, "rows": -3}])
    with pytest.raises(UserError, match="no design"):
        imcevo.evaluate(problem, [])
