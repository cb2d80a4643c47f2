"""Hybrid chips as a problem: chosen by its keys, aimed at its SNR, reported part by part."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.problem import CodesignProblem, load_problem
from imcevo.problem.designs import evaluation_report
from imcevo.problem.mapping_report import mapping_report
from imcevo.problem.toml_text import to_toml
from imcevo.simulator.hybrid import HybridSimulator
from tests.problem.configs import CONFIG, DESIGN

HYBRID = {"digital_cell": "sram_digital", "digital_groups": [0, 1, 2, 9], "router_groups": [4, 9]}
NETWORK = "resnet8"


def problem_of(folder: Path, **changed: Any) -> CodesignProblem:
    config = copy.deepcopy(CONFIG) | {"workloads": {"networks": [NETWORK]}, "deployment": {"mode": "by_volatility"}}
    config["design_space"] |= HYBRID | {"rows_active": [16, 256]}
    config |= {"constraints": {"snr_dB": 20}} | changed
    (folder / "hybrid.toml").write_text(to_toml(config))
    return load_problem(folder / "hybrid.toml")


def mixed(problem: CodesignProblem, X: np.ndarray) -> np.ndarray:
    designs = problem.decode(X)
    return (designs["digital_groups"] > 0) & (designs["digital_groups"] < designs["router_groups"])


def test_its_keys_make_a_hybrid_problem_and_its_bound_places_layers(tmp_path: Path) -> None:
    problem = problem_of(tmp_path)
    assert isinstance(problem.simulator, HybridSimulator)
    X = problem.sample(200, np.random.default_rng(1))
    snr = problem.constraint_names.index("snr_dB")
    assert (problem.evaluate(X).G[mixed(problem, X), snr] <= 0).all()
    free = problem_of(tmp_path, constraints={"area_m2": 1e-2})
    missed = free.frame(X)[f"snr_dB.{NETWORK}"][mixed(problem, X)] < 20
    assert missed.any()
    named = problem_of(tmp_path, constraints={"snr_dB": {NETWORK: 20}})
    assert (named.evaluate(X).F == problem.evaluate(X).F).all()


def test_repaired_designs_can_be_evaluated_again(tmp_path: Path) -> None:
    problem = problem_of(tmp_path)
    X = problem.canonical(problem.sample(100, np.random.default_rng(2)))
    table = problem.frame(X)
    for index in (*np.flatnonzero(mixed(problem, X))[:3], *np.flatnonzero(~mixed(problem, X))[:3]):
        row = {gene: table[gene].iloc[index] for gene in problem.space.genes}
        report = evaluation_report(problem, row)
        assert report["area_m2"] == table["area_m2"].iloc[index]
        network = report["networks"][NETWORK]
        assert network["energy_J"] == table[f"energy_J.{NETWORK}"].iloc[index]
        assert network["snr_dB"] == table[f"snr_dB.{NETWORK}"].iloc[index]
        assert sum(report["breakdown"]["energy_J"][NETWORK].values()) == pytest.approx(network["energy_J"], rel=1e-9)


def test_the_mapping_names_the_part_of_every_layer(tmp_path: Path) -> None:
    problem = problem_of(tmp_path)
    design = {**DESIGN, "rows_active": 16, "router_groups": 9, "digital_groups": 2}
    report = mapping_report(problem, design, NETWORK, None)
    assert {row["part"] for row in report["layers"]} == {"analog", "digital"}
    energy = evaluation_report(problem, design)["networks"][NETWORK]
    assert report["energy_J"] == pytest.approx(energy["energy_J"], rel=1e-9)
    assert report["latency_s"] == pytest.approx(energy["latency_s"], rel=1e-9)
    pure = mapping_report(problem, design | {"digital_groups": 0}, NETWORK, None)
    assert [row["layer"] for row in pure["layers"]] == [row["layer"] for row in report["layers"]]
    assert {row["part"] for row in pure["layers"]} == {"chip"}
    exact = mapping_report(problem, design, NETWORK, "exact")
    assert [row["part"] for row in exact["layers"]].count("digital") > 0
    assert exact["energy_J"] * exact["latency_s"] < report["energy_J"] * report["latency_s"]
    with pytest.raises(UserError, match="greedy, exact"):
        mapping_report(problem, design, NETWORK, "evolved")


def test_the_exact_mapper_on_hybrid_chips(tmp_path: Path) -> None:
    greedy, exact = problem_of(tmp_path), problem_of(tmp_path, mapping={"policy": "exact"})
    X = greedy.sample(40, np.random.default_rng(8))
    by_rule, best = greedy.frame(X), exact.frame(X)
    mixed = (by_rule["digital_groups"] > 0) & (by_rule["digital_groups"] < by_rule["router_groups"])
    both = by_rule["feasible"] & best["feasible"] & mixed
    assert both.sum() > 5
    product = [table[f"energy_J.{NETWORK}"] * table[f"latency_s.{NETWORK}"] for table in (by_rule, best)]
    assert (product[1] <= product[0])[both].all()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"mapping": {"policy": "evolved"}}, "mapping.policy"),
        ({"deployment": {"mode": "swapped", "inferences_per_switch": 10}}, "deployment.mode"),
        ({"deployment": {"mode": "resident", "execution": "pipelined"}}, "deployment.execution"),
    ],
)
def test_what_hybrid_chips_do_not_know_is_told_with_its_place(tmp_path: Path, changed: Any, told: str) -> None:
    with pytest.raises(UserError) as raised:
        problem_of(tmp_path, **changed)
    assert raised.value.key == told
    assert raised.value.file


def test_both_keys_are_needed_and_the_digital_cell_is_digital(tmp_path: Path) -> None:
    space = copy.deepcopy(CONFIG)["design_space"] | {"rows_active": [16, 256], "digital_groups": [0, 1]}
    with pytest.raises(UserError, match="digital_cell"):
        problem_of(tmp_path, design_space=space)
    with pytest.raises(UserError) as raised:
        problem_of(tmp_path, design_space=space | {"digital_cell": "rram_1t1r"})
    assert raised.value.key == "design_space.digital_cell"
