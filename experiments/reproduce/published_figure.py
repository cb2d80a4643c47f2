"""Figures of the study of the published design spaces, from its tables.

``python -m experiments.reproduce.published_figure results/reference/published`` writes ``search`` and ``claims`` beside
the tables of `experiments.reproduce.published_study`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imcevo.analysis.figures.style import BLUE, GREY, LIGHT, ORANGE, VERMILION, figure, save
from imcevo.config import read_text
from imcevo.errors import UserError

_SPACES = {
    "published_rram4": "RRAM, 4 networks", "published_sram4": "SRAM, 4 networks", "published_sram9": "SRAM, 9 networks",
    "published_sram4_nodes": "SRAM, 4 networks, nodes",
}  # fmt: skip
_OPTIMISERS = {
    "nsga2": ("NSGA-II", BLUE, "o"), "published": ("published optimiser", ORANGE, "s"),
    "published_failures_win": ("published, failed mappings score 0", VERMILION, "D"), "random": ("random", GREY, "^"),
}  # fmt: skip
_FRONT = "front"
_LARGEST_REGRET = 1000.0  # percent; beyond it, or without a feasible design, points stand at the edge


def draw_search(drawn: Figure, search: pd.DataFrame) -> None:
    """Left: regret of every optimiser by space and objective, median and range; right: hypervolume of the fronts."""
    regret, front = drawn.subplots(1, 2, width_ratios=(2.2, 1.0))
    scalar = search[search["objective"] != _FRONT]
    rows = list(dict.fromkeys(zip(scalar["space"], scalar["objective"], strict=True)))
    for index, (name, (label, colour, marker)) in enumerate(_OPTIMISERS.items()):
        mine = scalar[scalar["optimiser"] == name].set_index(["space", "objective"]).loc[rows]
        y = np.arange(len(rows)) + 0.18 * (index - 1.5)
        low, middle, high = (_percent(mine[f"regret_{part}"]) for part in ("min", "median", "max"))
        regret.hlines(y, low, high, color=colour, linewidth=1.6, alpha=0.45)
        regret.plot(middle, y, marker, color=colour, markersize=4.5, label=label)
    regret.axvline(1.0, color=LIGHT, linewidth=1.2)
    regret.set_xscale("symlog", linthresh=0.1)
    regret.set(
        xlim=(-0.02, 1.2 * _LARGEST_REGRET), xlabel="above the certified optimum [%], median and range",
        title="one objective, 3,300 designs",
    )  # fmt: skip
    regret.set_xticks([0, 0.1, 1, 10, 100, 1000], ["0", "0.1", "1", "10", "100", "1000+"])
    _name_rows(regret, [f"{_SPACES[space]}: {objective}" for space, objective in rows])
    regret.legend(loc="upper center", bbox_to_anchor=(0.4, -0.09), ncols=2)
    _draw_hypervolumes(front, search[search["objective"] == _FRONT])


def _draw_hypervolumes(panel: Axes, front: pd.DataFrame) -> None:
    spaces = list(dict.fromkeys(front["space"]))
    for index, name in enumerate(("nsga2", "random")):
        mine = front[front["optimiser"] == name].set_index("space").loc[spaces]
        _, colour, marker = _OPTIMISERS[name]
        y = np.arange(len(spaces)) + 0.18 * (index - 0.5)
        panel.hlines(y, mine["hypervolume_min"], mine["hypervolume_max"], color=colour, linewidth=1.6, alpha=0.45)
        panel.plot(mine["hypervolume_median"], y, marker, color=colour, markersize=5)
    panel.axvline(0.98, color=LIGHT, linewidth=1.2)
    panel.set(xlim=(None, 1.005), xlabel="share of the exact hypervolume", title="three objectives")
    _name_rows(panel, [_SPACES[space].replace(", ", ",\n", 1) for space in spaces])


def draw_claims(drawn: Figure, claims: pd.DataFrame) -> None:
    """What the joint optimum saves of the suite's ``ela``, space by space, against every baseline."""
    suite = claims[(claims["compared_on"] == "suite") & (claims["objective"] == "ela")]
    largest = suite["baseline"].str.startswith("largest network")
    repeated = suite[largest]["baseline"].str.extract(r"\((.*)\)")[0] + " alone"
    suite = suite[~suite["baseline"].isin(repeated) | ~suite["space"].isin(suite[largest]["space"])]
    sizes = [int((suite["space"] == space).sum()) for space in suite["space"].unique()]
    panels = drawn.subplots(len(sizes), 1, sharex=True, height_ratios=sizes)
    for panel, (space, mine) in zip(np.atleast_1d(panels), suite.groupby("space", sort=False), strict=True):
        feasible = mine["baseline_feasible"].to_numpy(dtype=bool)
        y, percent = np.arange(len(mine)), 100 * mine["reduction"].to_numpy()
        panel.barh(y, np.where(feasible, percent, 0.0), color=BLUE, height=0.62)
        for row in y:
            text = f"{percent[row]:.1f} %" if feasible[row] else "cannot run the suite"
            panel.text(max(percent[row], 0.0) * feasible[row] + 0.8, row, text, va="center", fontsize=8.5)
        _name_rows(panel, list(mine["baseline"]))
        panel.set(title=_SPACES[str(space)], xlim=(0, 112))
    np.atleast_1d(panels)[-1].set_xlabel("saved by the joint optimum: max energy x max latency x area [%]")


def _percent(regret: pd.Series) -> np.ndarray:
    return np.minimum(100.0 * regret.to_numpy(dtype=float), _LARGEST_REGRET)


def _name_rows(panel: Axes, names: list[str]) -> None:
    panel.set_yticks(np.arange(len(names)), names)
    panel.invert_yaxis()
    panel.grid(visible=False, axis="y")


def _table(path: Path) -> pd.DataFrame:
    read_text(path, what="a table of the study")  # tells what is wrong with the file
    return pd.read_csv(path)


def main(arguments: list[str]) -> int:
    """The command; returns its exit code."""
    try:
        if len(arguments) != 1:
            raise UserError("expected one argument", key="FOLDER", value=arguments, allowed="the folder of the study")
        folder = Path(arguments[0])
        with figure(11.5, 9.0) as drawn:
            draw_search(drawn, _table(folder / "search.csv"))
            save(drawn, folder, "search")
        with figure(8.0, 8.5) as drawn:
            draw_claims(drawn, _table(folder / "claims.csv"))
            save(drawn, folder, "claims")
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
