"""The figure of the mapping study: ``python -m imcevo.analysis.mapping_figure FOLDER`` reads its ``searches.csv``."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

FIGURE = "hypervolume.png"
_COLUMNS = {
    "hypervolume_at_evaluations": "equal evaluations",
    "hypervolume_at_seconds": "equal time",
    "hypervolume_remapped": "equal evaluations,\nfront re-mapped exactly",
}


def draw(folder: Path) -> Path:
    """Hypervolumes of every seed, a panel per problem, policies side by side; returns the picture's path."""
    from matplotlib.figure import Figure

    rows = pd.read_csv(folder / "searches.csv")
    problems, policies = list(dict.fromkeys(rows["problem"])), list(dict.fromkeys(rows["policy"]))
    figure = Figure(figsize=(4.2 * len(problems), 3.6), layout="constrained")
    panels = figure.subplots(1, len(problems), squeeze=False)[0]
    for panel, problem in zip(panels, problems, strict=True):
        of_problem = rows[rows["problem"] == problem]
        for place, policy in enumerate(policies):
            of_policy = of_problem[of_problem["policy"] == policy]
            for at, column in enumerate(_COLUMNS):
                x = [at + 0.22 * (place - (len(policies) - 1) / 2)] * len(of_policy)
                panel.plot(x, of_policy[column], "o", color=f"C{place}", ms=4, alpha=0.7, label=None if at else policy)
        panel.set_title(problem)
        panel.set_xticks(range(len(_COLUMNS)), _COLUMNS.values(), fontsize=8)
    panels[0].set_ylabel("hypervolume")
    panels[0].legend(frameon=False)
    path = folder / FIGURE
    figure.savefig(path, dpi=150)
    return path


if __name__ == "__main__":
    print(draw(Path(sys.argv[1])))
