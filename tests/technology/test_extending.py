"""The examples of docs/reference/extending.md, run as they stand there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from imcevo.analysis.labels import quantity
from imcevo.costs import unit_costs
from imcevo.costs.families import MACRO_MODELS
from imcevo.errors import UserError
from imcevo.problem import load_problem
from imcevo.problem.designs import evaluation_report
from imcevo.problem.quantities import QUANTITIES, register_quantity
from imcevo.problem.toml_text import to_toml
from imcevo.technology import CELL_FAMILIES, load_technology
from imcevo.technology.load import DATA
from tests.costs.designs import action, close, design_of, rate, table
from tests.problem.configs import CONFIG, DESIGN

GUIDE = (Path(__file__).parents[2] / "docs" / "reference" / "extending.md").read_text(encoding="utf-8")
CHARGE = (DATA / "cells" / "sram_charge_10t1c.toml").read_text(encoding="utf-8")


@pytest.fixture
def feram(tmp_path: Path) -> Iterator[Path]:
    """The family of the guide, and a folder with a cell of it; forgotten afterwards."""
    (example,) = [block for block in GUIDE.split("```python\n")[1:] if '@cell_family("feram")' in block]
    exec(compile(example.split("```")[0], "guide", "exec", dont_inherit=True), {"__name__": "guide"})
    text = CHARGE.replace('family = "sram_charge"', 'family = "feram"').replace("volatile = true", "volatile = false")
    (tmp_path / "feram_1t1c.toml").write_text(text, encoding="utf-8")
    yield tmp_path
    del CELL_FAMILIES["feram"], MACRO_MODELS["feram"]


def test_a_family_of_ones_own_is_a_model_and_a_function(feram: Path) -> None:
    technology = load_technology(feram)
    designs = [design_of(cell=name, bits_per_cell=1, rows=64) for name in ("sram_charge_10t1c", "feram_1t1c")]
    costs = unit_costs(table(*designs), technology)
    written = action(costs, "cell_write", 1)
    assert action(costs, "cell_read", 1) == close(action(costs, "cell_read", 0) + written)
    assert rate(costs, "input_cycle_s", 1) == close(
        rate(costs, "input_cycle_s", 0) + 64 * rate(costs, "row_write_s", 1)
    )
    assert action(costs, "adc_conversion", 1) == action(costs, "adc_conversion", 0)


def test_its_cells_enter_problems_like_any_other(feram: Path, tmp_path: Path) -> None:
    space = {**CONFIG["design_space"], "cell": ["feram_1t1c", "rram_1t1r"]}
    config = {**CONFIG, "model": {"profile": "physical", "cells": ".."}, "design_space": space}
    file = tmp_path / "problem" / "problem.toml"
    file.parent.mkdir()
    file.write_text(to_toml(config), encoding="utf-8")
    problem = load_problem(file)
    report = evaluation_report(problem, {**DESIGN, "cell": "feram_1t1c", "bits_per_cell": 1})
    assert report["weight_loading"]["resnet18"]["how"] == "once"
    assert "cells/feram_1t1c.toml" in problem.companion_files()


def test_without_the_module_the_family_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "feram_1t1c.toml").write_text(CHARGE.replace('"sram_charge"', '"feram"'), encoding="utf-8")
    with pytest.raises(UserError, match="family: 'feram' is not a known cell family"):
        load_technology(tmp_path)


@pytest.fixture
def ed2p() -> Iterator[None]:
    """The quantity of the guide, forgotten afterwards."""
    (example,) = [block for block in GUIDE.split("```python\n")[1:] if "register_quantity(" in block]
    exec(compile(example.split("```")[0], "guide", "exec", dont_inherit=True), {"__name__": "guide"})
    yield
    del QUANTITIES["ed2p_Js2"]


def test_a_quantity_of_ones_own_is_objective_constraint_and_label(ed2p: None, tmp_path: Path) -> None:
    objectives = [{"metric": "ed2p_Js2", "aggregate": "max"}, {"metric": "area_m2"}]
    bounds = {"ed2p_Js2": {"resnet18": 1e-9}}
    box = {"scale": "log10", "ideal": [1e-15, 1e-6], "reference": [1e3, 1.0]}
    config = {**CONFIG, "objectives": objectives, "constraints": bounds, "hypervolume": box}
    file = tmp_path / "problem.toml"
    file.write_text(to_toml(config), encoding="utf-8")
    problem = load_problem(file)
    table = problem.frame(problem.sample(5, np.random.default_rng(1)))
    product = [
        max(row[f"energy_J.{n}"] for n in problem.networks) * max(row[f"latency_s.{n}"] for n in problem.networks) ** 2
        for _, row in table.iterrows()
    ]
    np.testing.assert_allclose(table["ed2p_Js2_max"], product, rtol=1e-14)
    assert "ed2p_Js2.resnet18" in problem.constraint_names
    assert quantity("ed2p_Js2_max") == ("ED2P", "Js2", "largest")
    with pytest.raises(UserError, match="already"):
        register_quantity(QUANTITIES["ed2p_Js2"])
