from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from experiments.reproduce import mapping_figure

SEEDS = range(1, 9)


@pytest.fixture
def rows() -> pd.DataFrame:
    """Greedy from .1 to .17, `better` above all of them, `mixed` alternating around it."""
    values = {
        "greedy": [0.1 + 0.01 * seed for seed in range(8)],
        "better": [0.2 + 0.011 * seed for seed in range(8)],
        "mixed": [0.1 + 0.01 * seed + 0.001 * (seed + 1) * (-1) ** seed for seed in range(8)],
    }
    return pd.DataFrame([
        {"problem": "p", "policy": policy, "seed": seed, "budget": budget, "hypervolume": value,
         "hypervolume_remapped": value + 0.001}
        for budget in ("evaluations", "seconds") for policy, of_policy in values.items()
        for seed, value in zip(SEEDS, of_policy, strict=True)
    ])  # fmt: skip


def test_significance_tells_a_gain_from_noise(rows: pd.DataFrame) -> None:
    table = mapping_figure.significance(rows).set_index(["budget", "policy", "front"])
    assert len(table) == 10
    better, mixed = table.loc[("evaluations", "better", "as_found")], table.loc[("evaluations", "mixed", "as_found")]
    assert better["p"] == pytest.approx(5 * 2 * 0.5**8)  # all eight pairs, adjusted for five tests
    assert better["outside_spread"]
    assert better["ratio"] == pytest.approx((0.2 + 0.011 * 3.5) / 0.135)
    assert mixed["p"] > 0.5
    assert not mixed["outside_spread"]
    assert not table.loc[("seconds", "greedy", "re-mapped")]["outside_spread"]


def test_figure_and_table_are_written(rows: pd.DataFrame, tmp_path: Path) -> None:
    rows.to_csv(tmp_path / "searches.csv", index=False)
    picture = mapping_figure.draw(tmp_path)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert len(pd.read_csv(tmp_path / mapping_figure.SIGNIFICANCE)) == 10
