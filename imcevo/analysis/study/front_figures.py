"""Figures of a study's fronts and of certified optima."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imcevo.analysis.figures.front import readable_ticks
from imcevo.analysis.figures.style import BLUE, CYCLE, GREY, MARKERS
from imcevo.analysis.front_quality import attainment, projected
from imcevo.analysis.labels import Axis, axis
from imcevo.analysis.pareto import nondominated

Fronts = Mapping[str, Mapping[int, np.ndarray]]


def fronts_of(table: pd.DataFrame, objectives: Sequence[str]) -> dict[str, dict[int, np.ndarray]]:
    """``fronts.csv`` as design -> seed -> ``[n, n_obj]``."""
    found: dict[str, dict[int, np.ndarray]] = {}
    for (design, seed), mine in table.groupby(["design", "seed"], sort=False):
        found.setdefault(str(design), {})[int(str(seed))] = mine[list(objectives)].to_numpy(dtype=np.float64)
    return found


def draw_fronts(drawn: Figure, fronts: Fronts, objectives: Sequence[str], designs: pd.DataFrame) -> None:
    """Fronts of all seeds together, pair by pair of the objectives, and `designs` (``objectives.csv``) as marks."""
    pairs = list(combinations(range(len(objectives)), 2))
    panels = np.atleast_1d(drawn.subplots(1, len(pairs)))
    marks = designs[designs["feasible"]]
    for panel, pair in zip(panels, pairs, strict=True):
        scales = _scales(fronts, objectives, pair)
        for index, (design, by_seed) in enumerate(fronts.items()):
            points = np.concatenate(list(by_seed.values()))[:, list(pair)]
            points = points[nondominated(points)]
            _step(panel, points, scales, color=CYCLE[index % len(CYCLE)], label=f"front of {design}, all seeds")
        for index, entry in enumerate(dict.fromkeys(designs["entry"])):
            mine = marks[marks["entry"] == entry]
            x, y = (mine[objectives[i]] / scale.factor for i, scale in zip(pair, scales, strict=True))
            panel.scatter(
                x, y, s=26, marker=MARKERS[index % len(MARKERS)], color=CYCLE[(index + len(fronts)) % len(CYCLE)],
                edgecolors="white", linewidths=0.5, zorder=5, label=entry,
            )  # fmt: skip
        panel.set(xscale="log", yscale="log", xlabel=scales[0].label, ylabel=scales[1].label)
        for side in (panel.xaxis, panel.yaxis):
            readable_ticks(side)
    handles, labels = panels[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=4)


def draw_attainment(drawn: Figure, fronts: Fronts, objectives: Sequence[str]) -> None:
    """Median attainment surface over seeds and the range from best to worst, pair by pair of the objectives."""
    pairs = list(combinations(range(len(objectives)), 2))
    panels = np.atleast_1d(drawn.subplots(1, len(pairs)))
    for panel, pair in zip(panels, pairs, strict=True):
        scales = _scales(fronts, objectives, pair)
        for index, (design, by_seed) in enumerate(fronts.items()):
            surfaces = attainment(projected(by_seed, pair))
            colour = CYCLE[index % len(CYCLE)]
            for percentile, style in ((0, ":"), (50, "-"), (100, "--")):
                label = {0: "best", 50: "median", 100: "worst"}[percentile]
                _step(panel, surfaces[percentile], scales, color=colour, linestyle=style,
                      label=f"{design}, {label} of {len(by_seed)} seeds")  # fmt: skip
        panel.set(xscale="log", yscale="log", xlabel=scales[0].label, ylabel=scales[1].label)
        for side in (panel.xaxis, panel.yaxis):
            readable_ticks(side)
    handles, labels = panels[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=3)


def _scales(fronts: Fronts, objectives: Sequence[str], pair: tuple[int, int]) -> list[Axis]:
    every = np.concatenate([F for by_seed in fronts.values() for F in by_seed.values()])
    return [axis(objectives[index], every[:, index]) for index in pair]


def _step(panel: Axes, points: np.ndarray, scales: Sequence[Axis], **style: Any) -> None:
    order = np.lexsort((-points[:, 1], points[:, 0]))
    panel.step(
        points[order, 0] / scales[0].factor, points[order, 1] / scales[1].factor, where="post", linewidth=1.6, **style
    )


def draw_certified(drawn: Figure, table: pd.DataFrame) -> None:
    """What the certified joint optimum gains over every single-network optimum of its space, EDAP and efficiency."""
    panels = drawn.subplots(1, 2)
    titles = {"edap_Jsm2": "EDAP saved", "TOPS_per_W": "energy efficiency gained"}
    rows = list(dict.fromkeys(zip(table["problem"], table["joint"], table["baseline"], strict=True)))
    for panel, (quantity, title) in zip(panels, titles.items(), strict=True):
        mine = table[table["quantity"] == quantity].set_index(["problem", "joint", "baseline"])
        for y, row in enumerate(rows):
            better = float(mine.loc[row, "better"])
            if np.isnan(better):
                panel.text(1, y, "cannot run the suite", va="center", fontsize=7.5, color=GREY)
                continue
            panel.barh(y, 100 * better, color=BLUE if better >= 0 else CYCLE[1], height=0.7)
            panel.text(max(100 * better, 0) + 1, y, f"{100 * better:+.1f} %", va="center", fontsize=7.5)
        labels = [f"{p}: {j} against {b}" for p, j, b in rows] if panel is panels[0] else [""] * len(rows)
        panel.set_yticks(range(len(rows)), labels, fontsize=7.5)
        panel.set_ylim(len(rows) - 0.5, -0.5)
        panel.grid(visible=False, axis="y")
        panel.margins(x=0.2)
        panel.spines["left"].set_visible(False)
        panel.tick_params(axis="y", length=0)
        panel.set(xlabel=f"{title} by the joint optimum [%]", title=title)
