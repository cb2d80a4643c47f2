"""The shipped problems on the real simulator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.problem import load_problem
from imcevo.problem.designs import evaluation_report
from imcevo.problem.toml_text import to_toml
from tests.problem.configs import CONFIG, DESIGN

SHIPPED = Path(__file__).parents[2] / "problems"
PHYSICAL = ["quickstart", "rram_resident4", "sram_streamed4", "cells4"]


@pytest.fixture(scope="module", params=sorted(file.stem for file in SHIPPED.glob("*.toml")))
def shipped(request):
    return load_problem(SHIPPED / f"{request.param}.toml")


@pytest.fixture(scope="module", params=PHYSICAL)
def physical(request):
    return load_problem(SHIPPED / f"{request.param}.toml")


def test_batches_do_not_change_results(shipped):
    X = shipped.sample(60, np.random.default_rng(4))
    together = shipped.evaluate(X)
    for part in (slice(0, 1), slice(10, 33), slice(None, None, -1)):
        for whole, alone in zip(together, shipped.evaluate(X[part]), strict=True):
            assert np.array_equal(whole[part], alone)


def test_canonical_rows_mean_the_same_designs(shipped):
    X = shipped.sample(500, np.random.default_rng(5))
    canonical = shipped.canonical(X)
    assert np.array_equal(shipped.canonical(canonical), canonical)
    before, after = shipped.decode(X), shipped.decode(canonical)
    assert [before.design(i) for i in range(500)] == [after.design(i) for i in range(500)]


def test_the_resolved_file_is_the_same_question(shipped, tmp_path):
    (tmp_path / "problem.toml").write_text(shipped.resolved_toml())
    again = load_problem(tmp_path / "problem.toml")
    assert again.hash == shipped.hash
    assert again.variable_names == shipped.variable_names


def test_the_box_holds_feasible_designs(physical):
    result = physical.evaluate(physical.sample(3000, np.random.default_rng(6)))
    feasible = result.F[(result.G <= 0).all(axis=1)]
    assert 0 < physical.box.hypervolume(feasible) < 1
    assert (physical.box.normalised(feasible) >= 0).all()


def test_report_adds_up_on_every_cell(physical):
    rng = np.random.default_rng(7)
    designs = physical.space.decode(physical.sample(12, rng))
    for index in range(12):
        report = evaluation_report(physical, designs.design(index))
        for name, results in report["networks"].items():
            for part in ("energy_J", "latency_s"):
                assert sum(report["breakdown"][part][name].values()) == pytest.approx(results[part], rel=1e-9)
        assert sum(report["breakdown"]["area_m2"].values()) == pytest.approx(report["area_m2"], rel=1e-9)
        digital = designs.design(index)["cell"] == "sram_digital"
        assert ("adc" in report["breakdown"]["area_m2"]) is not digital
        assert set(report["violations"]) <= set(report["notes"])


@pytest.mark.parametrize(
    ("key", "values", "said"),
    [
        ("cell", ["rram_1t1r", "sram_digitol"], "design_space.cell: 'sram_digitol' .*did you mean 'sram_digital'"),
        ("node_nm", [28, 23], "design_space.node_nm: 23 is not a CMOS node with data"),
        ("adc_type", "sarr", "design_space.adc_type: 'sarr' is not a known ADC type; did you mean 'sar'"),
    ],
)
def test_values_without_data_are_refused(tmp_path, key, values, said):
    file = tmp_path / "problem.toml"
    file.write_text(to_toml({**CONFIG, "design_space": {**CONFIG["design_space"], key: values}}))
    with pytest.raises(UserError, match=said):
        load_problem(file)


def test_a_design_with_an_unknown_cell_is_refused(tmp_path):
    file = tmp_path / "problem.toml"
    file.write_text(to_toml(CONFIG))
    with pytest.raises(UserError, match=r"d\.toml: cell: 'rram' is not a known bit cell"):
        evaluation_report(load_problem(file), {**DESIGN, "cell": "rram"}, file="d.toml")
