"""What latency counts beside energy in the exact mapper: a hardware parameter, fixed or searched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.hardware import LATENCY_WEIGHT
from imcevo.problem import CodesignProblem, load_problem
from imcevo.problem.designs import evaluation_report
from imcevo.problem.mapping_report import mapping_report

SHIPPED = Path(__file__).parents[2] / "problems"
POLICY = {name: f'policy = "{name}"' for name in ("greedy", "exact")}


def problem_of(folder: Path, policy: str, weights: str = "") -> CodesignProblem:
    """The SRAM streaming problem on its smallest network."""
    text = (SHIPPED / "sram_streamed4.toml").read_text()
    shipped = next(line for line in text.splitlines() if line.startswith("policy = "))
    start, end = text.index("networks = ["), text.index("]", text.index("networks = ["))
    text = text[:start] + 'networks = ["mobilenet_v3_large"' + text[end:]
    file = folder / f"{policy}.toml"
    file.write_text(text.replace(shipped, POLICY[policy]) + (f"{LATENCY_WEIGHT} = {weights}\n" if weights else ""))
    return load_problem(file)


def test_unless_told_the_weight_is_even_and_no_gene(tmp_path: Path) -> None:
    told, untold = problem_of(tmp_path, "exact", "1.0"), problem_of(tmp_path, "exact")
    assert told.hash == untold.hash
    assert LATENCY_WEIGHT not in untold.variable_names
    assert f"{LATENCY_WEIGHT} = 1.0" in untold.resolved_toml()


def test_a_list_is_a_gene_by_its_values_and_trades_energy_against_latency(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, "exact", "[0, 1, 1000]")
    gene = problem.variable_names.index(LATENCY_WEIGHT)
    X = np.repeat(problem.sample(8, np.random.default_rng(3)), 3, axis=0)
    X[:, gene] = np.tile([0, 1, 2], 8)
    table = problem.frame(X)
    assert table[LATENCY_WEIGHT].tolist() == [0.0, 1.0, 1000.0] * 8
    energy, latency = (
        table[f"{name}.mobilenet_v3_large"].to_numpy().reshape(8, 3) for name in ("energy_J", "latency_s")
    )
    assert (np.diff(energy, axis=1) >= -1e-12 * energy[:, :2]).all()
    assert (np.diff(latency, axis=1) <= 1e-12 * latency[:, :2]).all()
    assert (energy[:, 2] > energy[:, 0]).any()
    row = table.iloc[1]
    report = evaluation_report(problem, {key: row[key] for key in problem.space.genes})
    assert report["networks"]["mobilenet_v3_large"]["energy_J"] == row["energy_J.mobilenet_v3_large"]


def test_other_policies_know_no_weight(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=LATENCY_WEIGHT):
        problem_of(tmp_path, "greedy", "1.0")


def test_another_policy_than_the_files_drops_it(tmp_path: Path) -> None:
    problem_of(tmp_path, "exact", "[0, 1]")
    problem = load_problem(tmp_path / "exact.toml", policy="greedy")
    assert LATENCY_WEIGHT not in problem.space.values


def test_a_map_by_another_policy_than_the_problems(tmp_path: Path) -> None:
    greedy, exact = problem_of(tmp_path, "greedy"), problem_of(tmp_path, "exact")
    row = greedy.frame(greedy.sample(1, np.random.default_rng(5))).iloc[0]
    design = {key: row[key] for key in greedy.space.genes}
    name = "mobilenet_v3_large"
    asked, own = mapping_report(greedy, design, name, "exact"), mapping_report(exact, design, name, None)
    assert asked["layers"] == own["layers"]
    back = mapping_report(exact, design, name, "greedy")
    assert back["layers"] == mapping_report(greedy, design, name, None)["layers"]
