"""Credit for the mapping of single layer shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imcevo.mapping.space import CHOICES
from imcevo.problem import CodesignProblem, load_problem

SHIPPED = Path(__file__).parents[2] / "problems"


@pytest.fixture(scope="module")
def problem() -> CodesignProblem:
    return load_problem(SHIPPED / "evolved_streamed4.toml")


def test_shapes_add_up_to_the_suite(problem: CodesignProblem) -> None:
    X = problem.canonical(problem.sample(20, np.random.default_rng(1)))
    metrics = problem.simulator.simulate(problem.decode(X), snr=False)
    costs = problem.block_costs(X[None])[0]
    assert np.allclose(costs[:, :, 0].sum(axis=1), metrics.energy_J.sum(axis=1), rtol=1e-9)
    assert np.allclose(costs[:, :, 1].sum(axis=1), metrics.latency_s.sum(axis=1), rtol=1e-9)


def test_a_shape_costs_the_same_whatever_the_others_do(problem: CodesignProblem) -> None:
    rng = np.random.default_rng(2)
    X = problem.canonical(problem.sample(12, rng))
    other, n_hardware = X.copy(), problem.n_var - len(problem.simulator.mapping_genes.names)
    changed = slice(n_hardware + 5 * len(CHOICES), n_hardware + 6 * len(CHOICES))
    other[:, changed] = rng.integers(0, problem.upper[changed] + 1, size=(12, len(CHOICES)))
    costs = problem.block_costs(np.stack([X, other]))
    differs = (costs[0] != costs[1]).any(axis=(0, 2))
    assert np.flatnonzero(differs).tolist() == [n_hardware + 5]  # a hardware gene is a block of its own


def test_layers_that_share_a_chip_have_no_costs_of_their_own() -> None:
    problem = load_problem(SHIPPED / "rram_resident4.toml", policy="evolved")
    assert not problem.block_costs(problem.sample(5, np.random.default_rng(3))[None]).any()
