"""Conditions and quantities over a table of designs; several fronts in one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from imcevo.analysis import load_run, nondominated
from imcevo.analysis.query import Columns, chosen, measured
from imcevo.analysis.selection import Selection, merged_front
from imcevo.cli import main
from imcevo.errors import UserError
from imcevo.runs import Experiment, run_experiment

Make = Callable[..., Experiment]
TABLE = pd.DataFrame({
    "design": [0, 1, 2], "cell": ["rram", "sram", "sram"], "rows": [64, 128, 256], "feasible": [True, True, False],
    "energy_J_mean": [1e-3, 2e-3, 3e-3], "latency_s_max": [3.0, 2.0, 1.0], "area_m2": [1e-5, 2e-5, 9e-5],
    "energy_J.net-1": [5e-4, 6e-4, 7e-4], "TOPS.a": [1.0, 2.0, 4.0], "TOPS.b": [3.0, 1.5, 5.0],
    "minus_TOPS_per_W_min": [-9.0, -7.0, -8.0], "power_W.a": [0.1, 0.2, 0.3], "power_W.b": [0.3, 0.1, 0.2],
    "power_density_W_per_m2": [1e4, 2e4, 3e4],
})  # fmt: skip
COLUMNS = Columns(TABLE, ("energy_J_mean", "latency_s_max", "area_m2", "minus_TOPS_per_W_min"))


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("area_m2 < 5e-5", [0, 1]),
        ("area_mm2 < 50", [0, 1]),
        ("10 <= area_mm2 < 20.5", [0, 1]),
        ("energy_mJ_mean > 1.5 and not rows == 256", [1]),
        ("energy_uJ > 1500 or cell == 'rram'", [0, 1, 2]),
        ("cell in ('rram', 'none')", [0]),
        ("cell not in ['rram']", [1, 2]),
        ("cell != \"rram\" and feasible", [1]),
        ("rows * 2 - 1 >= 255", [1, 2]),
        ("-rows < -100", [1, 2]),
        ("`energy_J.net-1` < 6.5e-4", [0, 1]),
        ("`energy_mJ.net-1` < .65", [0, 1]),
        ("edp < 4e-3 and latency > 1", [0]),
        ("TOPS >= 1.5", [1, 2]),
        ("TOPS.a > 1 and power_mW < 250", [1]),
        ("TOPS_per_W > 7.5", [0, 2]),
        ("power_density_W_per_mm2 < .025", [0, 1]),
    ],
)
def test_conditions(condition: str, rows: list[int]) -> None:
    assert np.flatnonzero(chosen(condition, COLUMNS, key="--where")).tolist() == rows


@pytest.mark.parametrize(
    ("quantity", "row"), [("TOPS", 2), ("TOPS.a", 2), (" `TOPS.b`", 2), ("-TOPS", 2), ("TOPS_per_W", 0), ("power_W", 1)]
)
def test_best_is_the_most_where_more_is_better(quantity: str, row: int) -> None:
    designs = Selection("test", ("energy_J_mean", "latency_s_max", "area_m2", "minus_TOPS_per_W_min"), TABLE)
    assert designs.best(quantity).front["design"].tolist() == [row]


def test_quantities() -> None:
    assert measured("edp", COLUMNS, key="--best").tolist() == pytest.approx([3e-3, 4e-3, 3e-3])
    assert measured("edap", COLUMNS, key="--best").tolist() == pytest.approx([3e-8, 8e-8, 27e-8])
    assert measured("-rows / area_mm2", COLUMNS, key="--best").tolist() == pytest.approx([-6.4, -6.4, -256 / 90])


@pytest.mark.parametrize(
    "expression",
    [
        "", "area_m2", "rows", "1 < 2", "True", "area_m2 <", "rows < 'a'", "cell < 3", "cell == 3", "not rows",
        "cell + rows < 1", "rows ** 2 < 1", "rows < 10 ** 10 ** 10", "rows and feasible", "rows if feasible else rows",
        "__import__('os').system('true') < 1", "(lambda: rows)() < 1", "rows.__class__ < 1", "[r for r in rows] < 1",
        "rows[0] < 1", "rows := 3", "f'{rows}' == 'a'", "rows < 1j", "rows < b'1'", "rows in rows", "rows is rows",
        "rows in (rows, 1)", "aera_m2 < 1", "area_xm2 < 1", "energy_J. < 1", "rows < 1; rows", "\0",
        "rows < " + "9" * 2000,
        "(" * 300 + "rows" + ")" * 300, "-" * 900 + "rows < 1 < ", "rows < 1" + " and rows < 1" * 200,
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_one_line(expression: str) -> None:
    with pytest.raises(UserError, match="--where") as told:
        chosen(expression, COLUMNS, key="--where")
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 1500


def test_an_unknown_column_is_told_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'area_m2'"):
        chosen("aera_m2 < 1", COLUMNS, key="--where")


def test_the_merged_front_is_the_front_of_both(experiment: Make, tmp_path: Path) -> None:
    plans = [(("[1]", f"[{seed}]"), ("= 400", "= 100")) for seed in (1, 2)]
    folders = [run_experiment(experiment(*plan), out=tmp_path / plan[0][1]) for plan in plans]
    runs = [load_run(folder) for folder in folders]
    merged = merged_front(runs)
    names = list(merged.objectives)
    every = pd.concat([run.front for run in runs])
    best = np.unique(every[nondominated(every[names].to_numpy())][names].to_numpy(), axis=0)
    assert np.array_equal(np.unique(merged.front[names].to_numpy(), axis=0), best)
    assert not merged.front.duplicated([*merged.design_values, *names]).any()
    assert set(merged.front["run"]) == {str(folder) for folder in folders}
    assert merged.design_values == runs[0].design_values
    assert merged_front(runs[:1]).front is runs[0].front


def test_fronts_of_different_problems_are_not_merged(experiment: Make, tmp_path: Path) -> None:
    one = run_experiment(experiment(), out=tmp_path / "one")
    other = run_experiment(experiment(constraints={"area_m2": 1e-4}), out=tmp_path / "other")
    with pytest.raises(UserError, match="another problem"):
        merged_front([load_run(one), load_run(other)])


def test_the_command_asks_and_merges(experiment: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = (str(run_experiment(experiment(("[1]", f"[{s}]")), out=tmp_path / str(s))) for s in (1, 2))
    front = load_run(one).front
    limit = float(front["area_m2"].median()) * 1e6
    condition = ["--where", f"area_mm2 < {limit}"]
    assert main(["front", one, *condition, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["front"]
    assert [design["design"] for design in listed] == front[front["area_m2"] * 1e6 < limit]["design"].tolist()
    assert main(["front", one, "--best", "edp", "--csv"]) == 0
    best = capsys.readouterr().out.splitlines()[1].split(",")[0]
    product = front["energy_J_mean"] * front["latency_s_max"]
    assert int(best) == front["design"][product.idxmin()]
    assert main(["front", one, two, *condition, "--best", "latency"]) == 0
    assert "lowest latency" in capsys.readouterr().out
    assert main(["front", one, "--all", "--where", "feasible"]) == 0
    assert len(capsys.readouterr().out.splitlines()) < 401
    assert main(["front", one, "--where", "area_m2 < 0"]) == 0
    assert "no design" in capsys.readouterr().out
    for wrong in (["--all", "--best", "edp"], [two, "--all"], ["--where", "os.system(1)"]):
        assert main(["front", one, *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1
