"""Compute-SNR as constraint and objective, and in reports."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imcevo.accuracy.statistics_file import measure
from imcevo.errors import UserError
from imcevo.problem import CodesignProblem, load_problem
from imcevo.problem.designs import evaluation_report
from imcevo.problem.toml_text import to_toml
from imcevo.workload import load_network
from tests.problem.configs import CONFIG, DESIGN


def load(folder: Path, constraints: dict[str, Any] | None = None, **workloads: Any) -> CodesignProblem:
    config = copy.deepcopy(CONFIG)
    config["constraints"] = {"snr_dB": 16} if constraints is None else constraints
    config["workloads"] |= workloads
    config["design_space"]["rows_active"] = [8, 32, 128]
    (folder / "problem.toml").write_text(to_toml(config))
    return load_problem(folder / "problem.toml")


def test_the_constraint_is_on_the_worst_network(tmp_path: Path) -> None:
    problem = load(tmp_path)
    designs = problem.decode(problem.sample(40, np.random.default_rng(1)))
    metrics = problem.simulator.simulate(designs)
    snr = metrics.known_snr_dB()
    column = problem.constraint_names.index("snr_dB")
    np.testing.assert_allclose(problem.violations(metrics)[:, column], (16 - snr.min(axis=1)) / 16)
    assert problem.needs_snr
    frame = problem.frame_of(designs, metrics, keys=("adc_bits",))
    np.testing.assert_array_equal(frame["snr_dB.resnet18"], snr[:, 0])


def test_networks_may_have_bounds_of_their_own(tmp_path: Path) -> None:
    problem = load(tmp_path, {"snr_dB": {"mobilebert": 3}})
    assert "snr_dB.mobilebert" in problem.constraint_names
    metrics = problem.simulator.simulate(problem.decode(problem.sample(5, np.random.default_rng(1))))
    missed = problem.constraints[problem.constraint_names.index("snr_dB.mobilebert")].missed(metrics)
    np.testing.assert_allclose(missed, 3 - metrics.known_snr_dB()[:, 1])


def test_snr_is_not_computed_where_nobody_asks(tmp_path: Path) -> None:
    problem = load(tmp_path, {"area_m2": 1e-4})
    assert not problem.needs_snr
    assert problem.simulator.simulate(problem.decode(np.zeros((1, problem.n_var), np.int64)), snr=False).snr_dB is None


@pytest.mark.parametrize(
    ("bound", "word"),
    [("high", "not a number"), (70, "60 or less"), ({"resnet": 3}, "did you mean 'resnet18'"), ({}, "no bound")],
)
def test_mistakes_are_named(tmp_path: Path, bound: object, word: str) -> None:
    with pytest.raises(UserError, match=word):
        load(tmp_path, {"snr_dB": bound})


def test_the_objective_stops_at_40_dB(tmp_path: Path) -> None:
    config = copy.deepcopy(CONFIG)
    config["objectives"] = [{"metric": "snr_dB", "aggregate": "min"}, {"metric": "area_m2"}]
    config["hypervolume"] = {"scale": "linear", "ideal": [-40.0, 0.0], "reference": [20.0, 1e-2]}
    (tmp_path / "problem.toml").write_text(to_toml(config))
    problem = load_problem(tmp_path / "problem.toml")
    assert problem.objective_names[0] == "minus_snr_dB_min"
    designs = problem.decode(problem.sample(60, np.random.default_rng(2)))
    metrics = problem.simulator.simulate(designs)
    F = problem.objective_values(metrics)[:, 0]
    np.testing.assert_array_equal(F, -np.minimum(metrics.known_snr_dB(), 40).min(axis=1))
    assert (F[designs["adc_bits"] == 0] == -40).all()


def test_reports_name_the_limiting_layer_and_the_confidence(tmp_path: Path) -> None:
    problem = load(tmp_path)
    found = evaluation_report(problem, {**DESIGN, "rows_active": 32})["networks"]["resnet18"]
    assert found["snr_confidence"] == "low"
    assert found["limiting_layer"] in [layer.name for layer in load_network("resnet18").layers]
    assert found["limiting_layer_snr_dB"] >= found["snr_dB"]
    digital = evaluation_report(problem, {**DESIGN, "rows_active": 32, "cell": "sram_digital"})["networks"]["resnet18"]
    assert (digital["snr_confidence"], digital["limiting_layer"], digital["snr_dB"]) == ("exact", None, 60.0)


def test_measured_statistics_change_the_question_and_travel_with_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    np.savez(tmp_path / "t.npz", **{"fc.inputs": rng.random((50, 512)), "fc.weights": rng.normal(size=(512, 20))})
    (tmp_path / "s.npz").write_bytes(measure(tmp_path / "t.npz", load_network("resnet18"), 8, 8))
    stated, measured = load(tmp_path), load(tmp_path, statistics=["s.npz"])
    assert stated.hash != measured.hash
    elsewhere = tmp_path / "elsewhere"
    for name, content in measured.companion_files().items():
        assert isinstance(content, bytes)
        (elsewhere / name).parent.mkdir(parents=True)
        (elsewhere / name).write_bytes(content)
    (elsewhere / "problem.toml").write_text(measured.resolved_toml())
    assert load_problem(elsewhere / "problem.toml").hash == measured.hash


def test_monte_carlo_stands_beside_the_closed_form(tmp_path: Path) -> None:
    problem = load(tmp_path, networks=["lstm_lm"])
    design = {**DESIGN, "rows_active": 32, "adc_bits": 4, "bits_per_cell": 1}
    report = evaluation_report(problem, design, monte_carlo=True)
    layers = report["monte_carlo"]
    # How well the two agree is tested where tensors are alike, in tests/accuracy.
    worst = min(layers, key=lambda layer: layer["closed_form_dB"])
    assert worst["closed_form_dB"] == report["networks"]["lstm_lm"]["limiting_layer_snr_dB"]
    assert {layer["statistics"] for layer in layers} == {"stated"}
    assert sum(len(layer["layers"]) for layer in layers) == sum(
        layer.kind == "matrix" and not layer.dynamic for layer in load_network("lstm_lm").layers
    )
    assert all(layer["monte_carlo_dB"] < 30 for layer in layers)
