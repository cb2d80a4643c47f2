"""The figure of what runs where on hybrid chips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imcevo.analysis.figures.style import BLUE, GREY, ORANGE

_COLOURS = {"analog tiles": ORANGE, "digital tiles": BLUE, "digital unit": GREY}
_SHARES = {"layers": "layers", "macs": "MACs"}


def placed_on_fronts(placement: pd.DataFrame) -> list[str]:
    """The designs whose fronts have chips that use both kinds of tiles, in the order of ``placement.csv``."""
    return [str(design) for design in dict.fromkeys(placement[placement["of"] == "both"]["design"])]


def draw_placement(drawn: Figure, placement: pd.DataFrame, designs: Sequence[str]) -> None:
    """Share of layers (left) and MACs (right) by place, over chips of the fronts that use both kinds of tiles."""
    panels = drawn.subplots(len(designs), len(_SHARES), squeeze=False, sharey=True)
    for row, design in zip(panels, designs, strict=True):
        mine = placement[(placement["of"] == "both") & (placement["design"] == design)]
        for panel, (column, words) in zip(row, _SHARES.items(), strict=True):
            _draw_shares(panel, mine, column)
            panel.set(xlabel=f"share of {words} [%]", xlim=(0, 100))
        n_chips = int(mine.groupby("seed")["designs"].first().sum())
        row[0].set_title(f"{design}: {n_chips} chips on {mine['seed'].nunique()} fronts", fontsize=10)
    panels[0, 0].invert_yaxis()
    drawn.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(_COLOURS))


def _draw_shares(panel: Axes, mine: pd.DataFrame, column: str) -> None:
    groups = list(dict.fromkeys(mine["layers_of"]))
    chips = mine.groupby("seed")["designs"].first()
    left = np.zeros(len(groups))
    for place, colour in _COLOURS.items():
        # A place that no chip of a seed uses has no row there: sums over chips, not means of rows.
        there = mine[mine["place"] == place]
        sums = (there[column] * there["designs"]).groupby(there["layers_of"]).sum().reindex(groups).fillna(0.0)
        share = 100 * sums.to_numpy() / chips.sum()
        panel.barh(groups, share, left=left, color=colour, label=place)
        left += share
    panel.grid(visible=False, axis="y")
