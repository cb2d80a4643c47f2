"""The figure of the mapping study, from its ``searches.csv``.

``python -m experiments.reproduce.mapping_figure FOLDER`` draws it. Beside the picture it writes
``significance.csv``: every policy against the greedy one, paired by seed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd

from imcevo.analysis.statistics import holm, paired_p

FIGURE, SIGNIFICANCE = "hypervolume.png", "significance.csv"
BASELINE = "greedy"
_BUDGETS = {"evaluations": "equal evaluations", "seconds": "equal time"}
_COLUMNS = {"hypervolume": "as found", "hypervolume_remapped": "re-mapped"}


def significance(rows: pd.DataFrame) -> pd.DataFrame:
    """Every policy's hypervolume, as found and re-mapped exactly, against that of the baseline as found.

    A row per problem, budget, policy and column: ``ratio`` of medians; ``p`` of Wilcoxon's signed-rank test, two-sided
    and paired by seed, adjusted by Holm's method for all tests of the problem and budget; ``outside_spread``,
    whether the worst seed is above the baseline's best one.
    """
    found: list[dict[str, Any]] = []
    for (problem, budget), group in rows.groupby(["problem", "budget"], sort=False):
        by_policy = {policy: part.set_index("seed") for policy, part in group.groupby("policy", sort=False)}
        those, first = by_policy[BASELINE]["hypervolume"], len(found)
        for policy, part in by_policy.items():
            for column in _COLUMNS:
                if policy == BASELINE and column == "hypervolume":
                    continue
                these = part[column].reindex(those.index)
                found.append({
                    "problem": problem, "budget": budget, "policy": policy, "front": _COLUMNS[column].replace(" ", "_"),
                    "ratio": these.median() / those.median(), "p": paired_p(these, those),
                    "outside_spread": bool(these.min() > those.max()),
                })  # fmt: skip
        for row, p in zip(found[first:], holm([row["p"] for row in found[first:]]), strict=True):
            row["p"] = p
    return pd.DataFrame(found)


def draw(folder: Path) -> Path:
    """Hypervolumes of every seed: a column of panels per problem, a row per budget, policies side by side.

    Returns:
        The picture's path.
    """
    from matplotlib.figure import Figure

    rows = pd.read_csv(folder / "searches.csv")
    significance(rows).to_csv(folder / SIGNIFICANCE, index=False, lineterminator="\n", float_format="%.6g")
    problems, policies = list(dict.fromkeys(rows["problem"])), list(dict.fromkeys(rows["policy"]))
    figure = Figure(figsize=(4.0 * len(problems), 5.6), layout="constrained")
    panels = figure.subplots(len(_BUDGETS), len(problems), squeeze=False)
    for line, (budget, words) in zip(panels, _BUDGETS.items(), strict=True):
        for panel, problem in zip(line, problems, strict=True):
            part = rows[(rows["problem"] == problem) & (rows["budget"] == budget)]
            for place, policy in enumerate(policies):
                of_policy = part[part["policy"] == policy]
                for shift, (column, told) in zip((-0.12, 0.12), _COLUMNS.items(), strict=True):
                    panel.plot(
                        [place + shift] * len(of_policy), of_policy[column], "o", color=f"C{place}", ms=4, alpha=0.7,
                        mfc="none" if shift > 0 else None, label=told if place == 0 else None,
                    )  # fmt: skip
            panel.set_title(f"{problem}, {words}", fontsize=9)
            panel.set_xticks(range(len(policies)), [policy.replace("_", "\n") for policy in policies], fontsize=8)
            panel.tick_params(axis="y", labelsize=8)
            panel.ticklabel_format(axis="y", useOffset=False)
        line[0].set_ylabel("hypervolume")
    panels[0][0].legend(frameon=False, fontsize=8)
    path = folder / FIGURE
    figure.savefig(path, dpi=150)
    return path


if __name__ == "__main__":
    print(draw(Path(sys.argv[1])))
