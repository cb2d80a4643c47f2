"""A design gives the same bits alone, in any company, on any number of threads."""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np
import pytest

from imcevo.problem import CodesignProblem, Evaluation, load_problem

PROBLEMS = Path(__file__).parents[2] / "problems"
N = 1000


def evaluated(problem: CodesignProblem, X: np.ndarray, batch: int) -> Evaluation:
    parts = [problem.evaluate(X[first : first + batch]) for first in range(0, len(X), batch)]
    return Evaluation(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@pytest.mark.parametrize("file", sorted(PROBLEMS.glob("*.toml")), ids=lambda file: file.stem)
def test_same_bits_in_any_company(file: Path) -> None:
    problem = load_problem(file)
    n = 60 if 'policy = "exact"' in file.read_text() else N
    X = problem.canonical(problem.sample(n, np.random.default_rng(11)))
    together = problem.evaluate(X)
    threads = numba.get_num_threads()
    for batch, n_threads, first in ((1, 1, 20), (7, 2, 60), (512, 2, n)):
        numba.set_num_threads(min(n_threads, threads))
        try:
            apart = evaluated(problem, X[:first], batch)
        finally:
            numba.set_num_threads(threads)
        np.testing.assert_array_equal(apart.F, together.F[:first])
        np.testing.assert_array_equal(apart.G, together.G[:first])
