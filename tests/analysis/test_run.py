from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from imcevo.analysis import Run, load_run, load_runs
from imcevo.analysis.figures.of_run import write_comparison_figure, write_figures
from imcevo.analysis.infeasible import infeasibility
from imcevo.analysis.study.optimisers import comparison_table, run_table, write_comparison
from imcevo.cli import main
from imcevo.errors import UserError
from imcevo.problem import load_problem
from imcevo.problem.toml_text import to_toml
from imcevo.runs import Experiment, load_experiment, run_experiment
from tests.problem.configs import CONFIG
from tests.runs.small import EXPERIMENT

Make = Callable[..., Experiment]


@pytest.fixture
def run(experiment: Make, tmp_path: Path) -> Run:
    return load_run(run_experiment(experiment(), out=tmp_path / "run"))


def test_every_evaluated_design_is_exported_with_its_values(run: Run) -> None:
    table = pd.concat(run.frames(), ignore_index=True)
    names = ("X", "F", "feasible")
    X, F, feasible = (np.concatenate([getattr(block, name) for block in run.blocks()]) for name in names)
    assert table["design"].tolist() == list(range(400))
    assert np.array_equal(table[list(run.objectives)].to_numpy(), F)
    assert table["feasible"].tolist() == feasible.tolist()
    problem = load_problem(run.path / "problem.toml")
    expected = problem.frame(X.astype(np.int64))
    for key in problem.space.genes:
        assert table[key].tolist() == expected[key].tolist()
    digital = table["cell"] == "sram_digital"
    assert digital.any()
    assert (table.loc[digital, "adc_bits"] == 0).all()  # as repaired, not as written in the genome


def test_the_last_feasible_designs_are_read_in_their_order(run: Run) -> None:
    every = np.concatenate([block.F[block.feasible] for block in run.blocks()])
    for most in (1, 30, len(every) - 1, len(every), 10**6):
        assert np.array_equal(run.last_feasible(most), every[-most:])


def test_front_is_found_among_all_designs(run: Run) -> None:
    table = pd.concat(run.frames(), ignore_index=True)
    again = table.iloc[run.front["design"]]
    for column in (*run.design_values, *run.objectives):
        assert again[column].tolist() == run.front[column].tolist()
    assert again["feasible"].all()
    F = run.objective_values
    for objective, name in enumerate(run.objectives):
        assert F[run.remarkable[f"lowest {name}"], objective] == F[:, objective].min()
    assert sorted(run.distinctions) == sorted(set(run.remarkable.values()))
    assert "knee" in run.distinctions[run.remarkable["knee"]]


def test_a_changed_problem_is_not_taken_for_the_runs(run: Run) -> None:
    path = run.path / "problem.toml"
    path.write_text(path.read_text().replace("[64, 128, 256]", "[64, 128, 512]"))
    with pytest.raises(UserError, match="asks another question"):
        next(run.frames())


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("front.csv", lambda text: text.replace("area_m2", "area", 1)),
        ("front.csv", lambda text: text.replace(text.splitlines()[1].split(",")[-5], "lots")),
        ("history.csv", lambda text: ""),
        ("history.csv", lambda text: text + "1,2,3,4,5,6,7,8\n"),
        ("breakdown.csv", lambda text: text.replace("design", "desing")),
    ],
)
def test_damaged_tables_are_named(run: Run, name: str, damage: Callable[[str], str]) -> None:
    path = run.path / name
    path.write_text(damage(path.read_text()))
    with pytest.raises(UserError) as error:
        getattr(load_run(run.path), name.removesuffix(".csv"))
    assert str(error.value).startswith(str(path))


def test_figures_are_drawn_and_reproducible(run: Run) -> None:
    paths = write_figures(run)
    assert {path.name for path in paths} == {
        f"{name}.{kind}" for name in ("front", "breakdown", "hypervolume") for kind in ("png", "svg")
    }
    first = {path: path.read_bytes() for path in paths}
    assert all(len(content) > 5000 for content in first.values())
    write_figures(load_run(run.path))
    assert {path: path.read_bytes() for path in paths} == first
    svg = (run.path / "front.svg").read_text()
    for text in ("mean energy", "largest latency", "area", "knee", "sram_digital"):
        assert text in svg


def test_infeasible_runs_are_explained(experiment: Make, tmp_path: Path) -> None:
    plan = experiment(constraints={"area_m2": 1e-30, "adc_bits": 3})
    run = load_run(run_experiment(plan, out=tmp_path / "none"))
    why = infeasibility(run)
    assert next(iter(why.missed)) == "area_m2"
    assert why.missed["area_m2"] == 400
    violations = np.concatenate([np.maximum(block.G, 0).sum(axis=1) for block in run.blocks()])
    assert violations[why.closest] == violations.min()
    assert run.remarkable == {}
    assert {path.name for path in write_figures(run)} == {"hypervolume.png", "hypervolume.svg"}


def test_optimisers_are_compared_over_seeds(experiment: Make, tmp_path: Path) -> None:
    plan = experiment(("seeds = [1]", 'seeds = [1, 2, 3]\nbaselines = ["random"]'), ("= 400", "= 200"))
    folder = run_experiment(plan, out=tmp_path / "several")
    runs = load_runs(folder)
    table = run_table(runs)
    assert table["optimiser"].tolist() == ["nsga2"] * 3 + ["random"] * 3
    assert table["seed"].tolist() == [1, 2, 3] * 2
    for (_, run), value in zip(runs, table["hypervolume"], strict=True):
        box = load_problem(run.path / "problem.toml").box
        assert box.hypervolume(run.objective_values) == pytest.approx(value, rel=1e-12)
    summary = write_comparison(folder, runs)
    random = table[table["optimiser"] == "random"]["hypervolume"]
    assert summary["hypervolume_median"].tolist()[1] == random.median()
    assert (summary["hypervolume_min"][1], summary["hypervolume_max"][1]) == (random.min(), random.max())
    assert pd.read_csv(folder / "comparison.csv").shape == summary.shape
    assert len(write_comparison_figure(folder, runs)) == 2
    with pytest.raises(UserError, match="holds several runs"):
        load_run(folder)


def test_seeds_below_counts_paired_seeds() -> None:
    table = pd.DataFrame({
        "optimiser": ["a", "a", "a", "b", "b", "b"],
        "seed": [1, 2, 3, 3, 2, 1],
        "evaluations": 10,
        "front_size": 1,
        "hypervolume": [0.5, 0.6, 0.7, 0.65, 0.6, 0.9],
    })  # fmt: skip
    assert comparison_table(table)["seeds_below"].tolist() == [0, 1]


def test_runs_of_different_problems_are_not_compared(experiment: Make, run: Run, tmp_path: Path) -> None:
    other = load_run(run_experiment(experiment(constraints={"area_m2": 2e-4}), out=tmp_path / "other"))
    with pytest.raises(UserError, match="another problem"):
        write_figures(run, [other])


def test_maximised_objectives_are_reported_and_drawn(
    fake_simulator: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = copy.deepcopy(CONFIG)
    config["objectives"] = [{"metric": "TOPS_per_W", "aggregate": "min"}, {"metric": "area_m2"}]
    config["hypervolume"] = {"scale": "log10", "ideal": [-1e6, 1e-10], "reference": [-1e-3, 1e-2]}
    (tmp_path / "small.toml").write_text(to_toml(config))
    (tmp_path / "small_experiment.toml").write_text(EXPERIMENT)
    run = load_run(run_experiment(load_experiment(tmp_path / "small_experiment.toml"), out=tmp_path / "run"))
    assert run.objectives == ("minus_TOPS_per_W_min", "area_m2")
    assert 0 < run.history["hypervolume"].iloc[-1] < 1
    most = run.front[["TOPS_per_W.resnet18", "TOPS_per_W.mobilebert"]].min(axis=1)
    np.testing.assert_array_equal(-run.front["minus_TOPS_per_W_min"], most)
    assert "highest TOPS/W" in {name for names in run.distinctions.values() for name in names}
    assert all(path.stat().st_size > 0 for path in write_figures(run))
    for quantity in ("TOPS_per_W", "minus_TOPS_per_W_min"):  # the highest of the one, the lowest of the other
        assert main(["front", str(run.path), "--best", quantity, "--csv"]) == 0
        design = capsys.readouterr().out.splitlines()[1].partition(",")[0]
        assert int(design) == run.front["design"][run.remarkable["lowest minus_TOPS_per_W_min"]]
