from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from experiments.reproduce import mapping_study
from experiments.reproduce.mapping_study import EXACT_WITH_HEAD_START, POLICIES, Job

PROBLEM = Path(__file__).parents[2] / "problems" / "sram_streamed4.toml"


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping_study, "POPULATION", 8)
    monkeypatch.setattr(mapping_study, "_WARM_UP", 2)
    monkeypatch.setattr(mapping_study, "_HEAD_START", 24)
    monkeypatch.setattr(mapping_study, "_MOST_REMAPPED", 3)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_search_spends_its_evaluations(policy: str) -> None:
    row = mapping_study.search(Job(PROBLEM, policy, 1, "evaluations", 64))
    assert 64 <= row["evaluations"] < 64 + 8
    assert 0 < row["hypervolume"] <= row["hypervolume_remapped"]
    assert row["gap_to_exact"] >= -1e-9


def test_a_search_spends_its_seconds() -> None:
    row = mapping_study.search(Job(PROBLEM, EXACT_WITH_HEAD_START, 1, "seconds", 0.2))
    assert row["seconds"] >= 0.2


def test_summary_has_a_row_per_problem_budget_and_policy() -> None:
    rows = pd.DataFrame([
        {"problem": "p", "policy": policy, "seed": seed, "budget": budget, "hypervolume": seed / 10}
        for budget in ("evaluations", "seconds") for policy in ("greedy", "exact") for seed in (1, 2, 6)
    ])  # fmt: skip
    table = mapping_study.summary(rows)
    assert len(table) == 4
    assert table.loc[0, ["hypervolume_median", "hypervolume_min", "hypervolume_max"]].tolist() == [0.2, 0.1, 0.6]
