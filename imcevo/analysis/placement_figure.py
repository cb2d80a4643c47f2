"""The figure of what runs where on hybrid chips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imcevo.analysis.style import BLUE, GREY, ORANGE

_COLOURS = {"analog tiles": ORANGE, "digital tiles": BLUE, "digital unit": GREY}
_SHARES = {"layers": "layers", "macs": "MACs"}


def placed_on_fronts(placement: pd.DataFrame) -> list[str]:
    """The designs whose fronts use analog and digital tiles, in the order of ``placement.csv``."""
    front = placement[placement["of"] == "front"]
    places = front.groupby("design", sort=False)["place"].agg(set)
    return [str(design) for design, used in places.items() if {"analog tiles", "digital tiles"} <= used]


def draw_placement(drawn: Figure, placement: pd.DataFrame, designs: Sequence[str]) -> None:
    """Share of layers (left) and MACs (right) by place, over the designs of all fronts; bars: kinds and networks."""
    panels = drawn.subplots(len(designs), len(_SHARES), squeeze=False, sharey=True)
    for row, design in zip(panels, designs, strict=True):
        mine = placement[(placement["of"] == "front") & (placement["design"] == design)]
        for panel, (column, words) in zip(row, _SHARES.items(), strict=True):
            _draw_shares(panel, mine, column)
            panel.set(xlabel=f"share of {words} [%]", xlim=(0, 100))
        row[0].set_title(f"{design}, mean over the fronts of {mine['seed'].nunique()} seeds")
    panels[0, 0].invert_yaxis()
    drawn.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(_COLOURS))


def _draw_shares(panel: Axes, mine: pd.DataFrame, column: str) -> None:
    groups, n_seeds = list(dict.fromkeys(mine["layers_of"])), mine["seed"].nunique()
    left = np.zeros(len(groups))
    for place, colour in _COLOURS.items():
        # A place that no design of a seed uses has no row there: sums, not means.
        sums = mine[mine["place"] == place].groupby("layers_of")[column].sum().reindex(groups).fillna(0.0)
        share = 100 * sums.to_numpy() / n_seeds
        panel.barh(groups, share, left=left, color=colour, label=place)
        left += share
    panel.grid(visible=False, axis="y")
