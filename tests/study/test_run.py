from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from imcevo.errors import UserError
from imcevo.problem import load_problem
from imcevo.problem.designs import evaluation_report
from imcevo.study.config import Study
from imcevo.study.questions import asked_of, network_facts
from imcevo.study.run import conduct
from imcevo.study.run_store import RunStore
from imcevo.workload import load_network
from tests.study.studies import STUDY

Make = Callable[..., Study]
TABLES = ("designs", "metrics", "objectives", "networks", "breakdown", "fronts")


def tables(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}


def test_every_design_is_measured_on_every_network(study: Make, tmp_path: Path) -> None:
    plan = study(seeds=[1, 2])
    folder = conduct(plan, out=tmp_path / "out")
    read = {name: pd.read_csv(folder / f"{name}.csv") for name in TABLES}
    designs, metrics = read["designs"], read["metrics"]
    names = ["joint", "specialised resnet18", "specialised mobilebert", "largest", "staged", "digital"]
    assert list(dict.fromkeys(designs["design"])) == names
    # Each design, as `imcevo evaluate` sees it, on the suite and alone.
    suite = load_problem(plan.problem)
    for _, row in designs[designs["seed"] == 2].iterrows():
        genes = {key: row[key] for key in suite.space.genes}
        for deployment, network in (("suite", "mobilebert"), ("alone", "mobilebert"), ("alone", "resnet18")):
            problem = suite if deployment == "suite" else asked_of(suite, [network])
            expected = evaluation_report(problem, genes)
            found = metrics[
                (metrics["design"] == row["design"]) & (metrics["seed"] == 2)
                & (metrics["deployment"] == deployment) & (metrics["network"] == network)
            ]  # fmt: skip
            assert found["energy_J"].item() == expected["networks"][network]["energy_J"]
            assert found["latency_s"].item() == expected["networks"][network]["latency_s"]
            assert found["area_m2"].item() == expected["area_m2"]
            assert found["feasible"].item() == expected["feasible"]
    # The objective is the product of aggregates over the networks that the design was searched for.
    joint = metrics[(metrics["design"] == "joint") & (metrics["seed"] == 1) & (metrics["deployment"] == "suite")]
    product = joint["energy_J"].mean() * joint["latency_s"].mean() * joint["area_m2"].iloc[0]
    assert designs["objective"].iloc[0] == pytest.approx(product, rel=1e-12)
    assert (designs.loc[designs["design"] == "digital", "cell"] == "sram_digital").all()
    networks = read["networks"].set_index("network")
    assert networks.loc["mobilebert", "macs"] == load_network("mobilebert").macs
    # Both share the largest network's question, and so its runs.
    runs = designs.set_index(["design", "seed"])["runs"]
    larger = f"specialised {networks['macs'].idxmax()}"
    assert runs["largest"].tolist() == runs[larger].tolist()


def test_no_search_is_made_twice_and_tables_come_back_from_the_runs(
    study: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = study(seeds=[1], designs=[STUDY["designs"][0], STUDY["designs"][3]])
    first = conduct(plan, out=tmp_path / "out")
    made: list[Path] = []
    monkeypatch.setattr("imcevo.study.run_store.resume_run", lambda folder: made.append(folder))
    again = conduct(plan, out=tmp_path / "out")
    assert tables(again) == tables(first)
    for runs in (first, first / "runs"):
        other = conduct(plan, out=tmp_path / f"from-{runs.name}", from_runs=runs)
        assert tables(other) == tables(first)
        assert not (other / "runs").exists()
    assert not made
    gone = pd.read_csv(first / "designs.csv")["runs"].iloc[0]
    shutil.rmtree(first / "runs" / gone)
    with pytest.raises(UserError, match="holds no finished run of this study"):
        conduct(plan, out=tmp_path / "third", from_runs=first)


def test_a_half_made_study_goes_on(study: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = study(seeds=[1], designs=[STUDY["designs"][0], STUDY["designs"][3]])
    whole = conduct(plan, out=tmp_path / "whole")
    run, count = RunStore.run, 0

    def dies(self: RunStore, *args: object) -> str:
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        return run(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(RunStore, "run", dies)
    with pytest.raises(KeyboardInterrupt):
        conduct(plan, out=tmp_path / "half")
    monkeypatch.setattr(RunStore, "run", run)
    assert len(list((tmp_path / "half" / "runs").iterdir())) < len(list((whole / "runs").iterdir()))
    assert tables(conduct(plan, out=tmp_path / "half")) == tables(whole)


def test_stages_freeze_what_came_before_and_share_the_budget(study: Make, tmp_path: Path) -> None:
    plan = study(seeds=[1], designs=[STUDY["designs"][3]])
    folder = conduct(plan, out=tmp_path / "out")
    row = pd.read_csv(folder / "designs.csv").set_index(["design", "seed"]).loc[("staged", 1)]
    keys = str(row["runs"]).split()
    assert len(keys) == 3
    assert row["evaluations"] <= 100
    stages = [load_problem(folder / "runs" / key / "problem.toml") for key in keys]
    assert set(stages[0].space.genes) <= {"cell", "node_nm", "voltage_V", "bits_per_cell"}
    assert stages[0].space.values["rows"] == (128,)  # the middle of 64, 128, 256
    assert stages[0].space.values["macros_per_tile"] == (4,)
    for stage in stages[1:]:
        assert all(stage.space.values[key] == (row[key],) for key in ("cell", "node_nm", "voltage_V"))
    assert stages[2].space.values["rows"] == (row["rows"],)
    assert stages[2].space.genes == ("macros_per_tile",)
    # The last stage is small enough to be decided: no other number of macros is better.
    decided = stages[2].frame(np.arange(3)[:, None])
    assert row["objective"] == decided.loc[decided["feasible"], "edap_Jsm2_mean"].min()


def test_a_design_without_feasible_runs_is_the_least_wrong_one(study: Make, tmp_path: Path) -> None:
    plan = study(constraints={"area_m2": 1e-15}, seeds=[1], designs=[{"name": "joint"}])
    folder = conduct(plan, out=tmp_path / "out")
    design = pd.read_csv(folder / "designs.csv").iloc[0]
    assert not design["feasible"]
    assert not pd.read_csv(folder / "metrics.csv")["feasible"].any()
    problem = load_problem(plan.problem)
    frame = problem.frame(problem.canonical(problem.sample(2000, np.random.default_rng(1))))
    assert pd.read_csv(folder / "metrics.csv")["area_m2"].iloc[0] <= frame["area_m2"].min()


def test_questions_are_checked_before_the_first_search(study: Make, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"designs\[0\]\.design_space\.cell.*did you mean 'rram_1t1r'"):
        conduct(study(designs=[{"name": "x", "design_space": {"cell": "rram_1t1"}}]), out=tmp_path / "a")
    stages = [["rows"], ["cols"]]
    with pytest.raises(UserError, match=r"designs\[0\]\.stages: 'cell' is in no stage"):
        conduct(study(designs=[{"name": "x", "method": "sequential", "stages": stages}]), out=tmp_path / "b")
    mixes = [{"name": "a", "shares": {"resnet18": 1}}]
    with pytest.raises(UserError, match="mixes: 'a' does not fit the suite"):
        conduct(study(mixes=mixes), out=tmp_path / "c")
    assert not any((tmp_path / name).exists() for name in "abc")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("precious")
    with pytest.raises(UserError, match="holds something else"):
        conduct(study(), out=tmp_path / "full")
    with pytest.raises(UserError, match="--from-runs"):
        conduct(study(), out=tmp_path / "d", from_runs=tmp_path / "nowhere")


def test_a_question_keeps_bounds_and_shares_of_its_networks(study: Make) -> None:
    bounds = {"resnet18": 1.0, "mobilebert": {"min": 1e-9, "max": 2.0}}
    problem = load_problem(study(constraints={"latency_s": bounds, "area_m2": 1.0}).problem)
    alone = asked_of(problem, ["mobilebert"])
    assert alone.networks == ("mobilebert",)
    assert "latency_s.mobilebert" in alone.constraint_names
    assert not any("resnet18" in name for name in alone.constraint_names)
    objective = {"metric": "edp_Js", "aggregate": "weighted_mean"}
    weighed = asked_of(problem, problem.networks, objective=objective, shares=(0.25, 0.75))
    assert weighed.objectives[0].weights == (0.25, 0.75)
    assert weighed.hash != asked_of(problem, problem.networks, objective=objective, shares=(0.5, 0.5)).hash


def test_published_networks_have_their_published_sizes() -> None:
    facts = network_facts(load_problem(Path(__file__).parents[2] / "problems" / "published_sram4.toml"))
    assert facts["vgg16"].macs == pytest.approx(15.47e9, rel=0.01)  # torchvision: 15.47 GMACs
    assert facts["vgg16"].weights == pytest.approx(138.3e6, rel=0.01)
    assert facts["vgg16"].family == "cnn"


def test_designs_with_values_of_their_own_are_told_from_those_of_the_space(study: Make, tmp_path: Path) -> None:
    digital, own = {"cell": "sram_digital"}, {"rows": [64, 96]}
    designs = [{"name": "joint"}, {"name": "digital", "design_space": digital}, {"name": "own", "design_space": own}]
    folder = conduct(study(seeds=[1], designs=designs), out=tmp_path / "out")
    table = pd.read_csv(folder / "designs.csv").set_index("design")
    assert table["beyond_space"].to_dict() == {"joint": False, "digital": False, "own": True}
