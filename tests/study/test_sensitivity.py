from __future__ import annotations

from pathlib import Path

import pytest

from imcevo.hardware import Value
from imcevo.problem import CodesignProblem, load_problem
from imcevo.problem.designs import complete_design, evaluation_report
from imcevo.study.measure import repaired
from imcevo.study.questions import asked_of, start_values
from imcevo.study.sensitivity import sensitivity_table

# A digital design; genes that are not named here stand at the middle of their list.
CHOSEN = {"cell": "sram_digital", "node_nm": 22, "voltage_V": 0.8, "bits_per_cell": 1, "rows": 128, "cols": 128}


@pytest.fixture(scope="module")
def problem() -> CodesignProblem:
    quickstart = load_problem(Path(__file__).parents[2] / "problems" / "quickstart.toml")
    return asked_of(quickstart, ["resnet18"], objective={"metric": "energy_J", "aggregate": "max"})


def design(problem: CodesignProblem) -> dict[str, Value]:
    values = complete_design(problem, {**start_values(problem, "middle"), **CHOSEN})[0]
    return repaired(problem, [values]).design(0)


def energy(problem: CodesignProblem, **changed: object) -> float:
    genes = {**start_values(problem, "middle"), **CHOSEN, **changed}
    report = evaluation_report(problem, genes)
    return float(report["networks"]["resnet18"]["energy_J"])


def test_changes_are_what_evaluate_says_of_them(problem: CodesignProblem) -> None:
    before = energy(problem)
    table = sensitivity_table(problem, design(problem), 1.25)
    genes = table[table["kind"] == "gene"]
    rows = genes[genes["name"] == "rows"].set_index("to")["ratio"]
    assert rows.to_dict() == pytest.approx({n: energy(problem, rows=n) / energy(problem) for n in (64, 256)})
    # Without an ADC its bits change nothing and are left out; another cell brings them to life.
    assert "adc_bits" not in set(genes["name"])
    assert genes.loc[genes["name"] == "cell", "to"].tolist() == ["sram_analog_8t"]
    assert genes.loc[genes["name"] == "node_nm", "to"].tolist() == [28]
    # Energy is linear in the energy per DRAM bit.
    dram = table[table["name"] == "lpddr4.access_energy"].set_index("to")["ratio"]
    (low, down), (high, up) = sorted(dram.items())
    assert high / low == pytest.approx(1.25**2)
    assert (up - 1) / (1 - down) == pytest.approx((1.25 - 1) / (1 - 1 / 1.25))
    assert up > 1
    # Constants of other cells and nodes are not asked for, and nothing stays changed.
    constants = set(table.loc[table["kind"] == "constant", "name"])
    assert not any(name.startswith(("rram_1t1r.", "28nm.", "hbm2.")) for name in constants)
    assert energy(problem) == before
