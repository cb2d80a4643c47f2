"""The committed reference results still follow from the code: a sample of them, recomputed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from imcevo import load_problem
from imcevo.hardware import PARAMETERS, table_of

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "results" / "reference"
# Compilers and math libraries differ in the last digits from machine to machine.
TOLERANCE = 1e-9


def test_a_sample_of_the_quickstart_front_evaluates_to_the_stored_figures() -> None:
    problem = load_problem(ROOT / "problems" / "quickstart.toml")
    front = pd.read_csv(REFERENCE / "quickstart" / "front.csv").iloc[::7]
    assert len(front) >= 20
    assert set(front["cell"]) == {"sram_digital"}
    fixed = {key: values[0] for key, values in problem.space.values.items() if len(values) == 1}
    rows = [{**fixed, **{key: row[key] for key in problem.space.genes}} for row in front.to_dict("records")]
    typed = [{k: PARAMETERS[k].checked(row[k]) for k in problem.space.values} for row in rows]
    metrics = problem.simulator.simulate(problem.simulator.repair(table_of(typed)))
    for index, network in enumerate(problem.networks):
        np.testing.assert_allclose(metrics.energy_J[:, index], front[f"energy_J.{network}"], rtol=TOLERANCE)
        np.testing.assert_allclose(metrics.latency_s[:, index], front[f"latency_s.{network}"], rtol=TOLERANCE)
    np.testing.assert_allclose(metrics.area_m2, front["area_m2"], rtol=TOLERANCE)
    assert (problem.violations(metrics) <= 0).all()
    F = problem.objective_values(metrics)
    np.testing.assert_allclose(F, front[list(problem.objective_names)], rtol=TOLERANCE)


@pytest.mark.parametrize("name", ["quickstart", "rram_resident4", "sram_streamed4"])
def test_the_stored_comparison_is_of_these_runs(name: str) -> None:
    folder = REFERENCE / "nsga2_vs_random" / name
    runs = pd.read_csv(folder / "runs.csv").set_index("optimiser")["hypervolume"]
    table = pd.read_csv(folder / "comparison.csv").set_index("optimiser")
    for optimiser in ("nsga2", "random"):
        assert table.loc[optimiser, "hypervolume_median"] == pytest.approx(runs[optimiser].median(), rel=1e-12)
    assert runs["nsga2"].min() > runs["random"].max()
