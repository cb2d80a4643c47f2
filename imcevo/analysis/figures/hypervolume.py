"""``hypervolume``: how fast searches cover the objective space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from imcevo.analysis.figures.style import CYCLE, GREY
from imcevo.analysis.run import Run


def draw_hypervolume(drawn: Figure, runs: Mapping[str, Sequence[Run]]) -> None:
    """A line per optimiser (name -> its runs): the median over seeds, the range as a band."""
    panel = drawn.subplots()
    for index, (name, same) in enumerate(runs.items()):
        colour = CYCLE[0] if index == 0 else GREY if name == "random" else CYCLE[index % len(CYCLE)]
        evaluations = np.unique(np.concatenate([run.history["evaluations"].to_numpy() for run in same]))
        curves = np.array([
            np.interp(evaluations, run.history["evaluations"], run.history["hypervolume"]) for run in same
        ])  # fmt: skip
        median = np.median(curves, axis=0)
        seed = same[0].manifest.seed
        seeds = f", seed {seed}" if len(same) == 1 else f", {len(same)} seeds: median and range"
        panel.plot(evaluations, median, color=colour, linewidth=2, label=name + seeds)
        if len(same) > 1:
            panel.fill_between(
                evaluations, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.2, linewidth=0
            )
        panel.annotate(
            f"{median[-1]:.4f}", (evaluations[-1], median[-1]), xytext=(5, 0), textcoords="offset points",
            va="center", color=colour, fontsize=9, annotation_clip=False,
        )  # fmt: skip
    problem = next(iter(runs.values()))[0].manifest.problem
    panel.set(
        xlabel="distinct designs evaluated", ylabel="hypervolume (share of the problem's box)",
        title=f"{problem}: progress of the search", xlim=(0, None),
    )  # fmt: skip
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    panel.legend(loc="lower right")
