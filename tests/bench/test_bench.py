from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imcevo.bench import measure
from imcevo.bench.problem import bench_problem


def test_figures_are_measured_on_designs_never_seen_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "_DESIGNS", 32)
    monkeypatch.setattr(measure, "_REPEATS", 1)
    monkeypatch.setattr(measure, "_SEARCH_EVALUATIONS", 400)
    figures = measure.measure()
    assert figures._fields == tuple(measure.MEANINGS)
    assert all(value > 0 for value in figures)
    problem, rng = bench_problem(tmp_path), np.random.default_rng(1)
    first, second = (measure._fresh_genomes(problem, rng) for _ in range(2))
    assert len(np.unique(np.concatenate([first, second]), axis=0)) == 64
