"""Certified optima of a small published space, over processes, against the whole space in one evaluation."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from imcevo.analysis.study.certified import certified_comparison, regret_summary
from imcevo.optimise.optima import SCALARS
from imcevo.problem import load_problem
from imcevo.study.config import load_study
from imcevo.study.run import conduct

PROBLEM = """
name = "few"
model = { profile = "published", memory = "sram" }
workloads = { networks = ["resnet18", "mobilenet_v3"] }
constraints = { area_m2 = 8e-4 }
hypervolume = { scale = "log10", ideal = [1e-4, 1e-8, 1e-7], reference = [1.0, 1.0, 1e-2] }
objectives = [
  { metric = "energy_J", aggregate = "mean" }, { metric = "latency_s", aggregate = "mean" }, { metric = "area_m2" },
]

[design_space]
bits_per_cell = 1
rows = [64, 128, 256]
cols = [64, 256]
macros_per_tile = [4, 16]
tiles_per_group = [4, 8]
router_groups = [1, 4]
glb_depth = [4096, 16384]
node_nm = 32
voltage_V = [0.5, 0.7]
cycle_s = 1e-9
"""

STUDY = """
problem = "few.toml"
question = "How far from the optimum?"
seeds = [1, 2]
workers = 2
choice = { metric = "edap_Jsm2", aggregate = "mean" }
optimiser = { name = "nsga2", population = 10 }
budget = { evaluations = 40 }
designs = [{ name = "joint" }, { name = "alone", networks = "each" }]
certified = { problems = ["few.toml"], aggregates = ["mean", "max"], evaluations = 40 }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certified")
    (folder / "few.toml").write_text(PROBLEM)
    (folder / "study.toml").write_text(STUDY)
    return conduct(load_study(folder / "study.toml"), out=folder / "out")


def test_certified_optima_are_those_of_the_whole_space(folder: Path) -> None:
    problem = load_problem(folder.parent / "few.toml")
    X = np.array(list(product(*(range(int(upper) + 1) for upper in problem.upper))))
    metrics = problem.simulator.simulate(problem.decode(X))
    feasible = (problem.violations(metrics) <= 0).all(axis=1)
    certified = pd.read_csv(folder / "certified.csv")
    searches = pd.read_csv(folder / "certified_searches.csv")
    optima = searches.groupby("design")["certified"].first()
    for name, scalar in (("joint, mean", "ela_mean"), ("joint, max", "ela")):
        assert optima[name] == pytest.approx(SCALARS[scalar].of(metrics)[feasible].min(), rel=1e-12)
    alone = (metrics.energy_J * metrics.latency_s)[:, 1] * metrics.area_m2
    assert optima["specialised mobilenet_v3"] == pytest.approx(alone[feasible].min(), rel=1e-12)
    assert (searches["regret"] >= 0).all()
    summary = regret_summary(searches).set_index("design")
    assert summary.loc["joint, max", "seeds"] == 2
    assert (summary["optimum_found"] > 0).any()
    assert certified.loc[certified["largest"], "design"].unique().tolist() == ["specialised resnet18"]


def test_joint_optima_are_never_worse_on_their_own_objective(folder: Path) -> None:
    table = certified_comparison(pd.read_csv(folder / "certified.csv"))
    own = table[table["quantity"] == "edap_Jsm2"].set_index(["joint", "baseline"])
    assert len(own) == 4
    assert (own["better"] >= -1e-12).all()
    rows = pd.read_csv(folder / "certified.csv").set_index(["design", "network"])
    energy = rows["energy_J"]
    expected = [
        (2e-12 * rows.loc[(d, n), "macs"] / energy[(d, n)])
        for d in ("joint, max", "specialised resnet18") for n in ("resnet18", "mobilenet_v3")
    ]  # fmt: skip
    gained = table.set_index(["joint", "baseline", "quantity"]).sort_index()["ratio"]
    ratio = gained["joint, max", "specialised resnet18", "TOPS_per_W"]
    assert ratio == pytest.approx(sum(expected[:2]) / sum(expected[2:]))
