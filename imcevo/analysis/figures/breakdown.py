"""``breakdown``: what energy, latency and area of the remarkable designs are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from imcevo.analysis.figures.style import BLUE, GREEN, GREY, LIGHT, ORANGE, PURPLE, SKY, VERMILION, YELLOW
from imcevo.analysis.labels import pretty
from imcevo.analysis.run import Run

# One hue per kind of hardware, shades within it.
_FAMILIES = {
    BLUE: ("cells", "drivers", "column_periphery"),
    SKY: ("macros", "weight_write"),
    ORANGE: ("adc",),
    GREEN: ("adder_tree", "shift_add", "accumulators", "digital_unit"),
    YELLOW: ("input_buffer", "output_buffer", "global_buffer"),
    PURPLE: ("interconnect", "routers"),
    VERMILION: ("dram", "dram_interface"),
    GREY: ("leakage",),
}
_SMALLEST_SHARE = 0.03
_GAP = 0.6
_BAR: dict[str, Any] = {"height": 0.8, "edgecolor": "white", "linewidth": 0.5}
_TITLES = {
    "energy_J": "energy per inference",
    "latency_s": "latency per inference, by what binds it",
    "area_m2": "area",
}


def draw_breakdown(drawn: Figure, run: Run) -> None:
    """Shares beside totals, for knee and ends of the front: energy and latency per network, area."""
    designs = [("\n".join(names), run.breakdown.iloc[row]) for row, names in run.distinctions.items()]
    draw_side_by_side(drawn, designs, f"{run.manifest.problem}: what the designs are made of")


def draw_side_by_side(drawn: Figure, designs: Sequence[tuple[str, pd.Series]], title: str) -> None:
    """Shares beside totals of named rows of a ``breakdown.csv``."""
    panels = drawn.subplots(1, 3, width_ratios=(5, 5, 4))
    for panel, (kind, heading) in zip(panels, _TITLES.items(), strict=True):
        bars = [(name, bar) for name, row in designs for bar in _bars(row, kind)]
        _panel(panel, kind, bars, names=kind == "energy_J")
        panel.set_title(heading, loc="left")
    drawn.suptitle(title, x=0.01, ha="left", fontsize=11)


def n_bars(run: Run) -> int:
    """Bars in the highest panel."""
    networks = {c.split(".", 1)[1].rsplit(".", 1)[0] for c in map(str, run.breakdown) if c.startswith("energy_J.")}
    return len(run.distinctions) * len(networks)


def _bars(row: pd.Series, kind: str) -> list[tuple[str, pd.Series]]:
    """Name (network, or empty) and parts of each bar of one design."""
    if kind == "area_m2":
        return [("", row.filter(regex=r"^area_m2\.").rename(lambda c: c.split(".", 1)[1]))]
    parts = row.filter(regex=rf"^{kind}\.")
    network = [column.split(".", 1)[1].rsplit(".", 1)[0] for column in parts.index]
    return [
        (name, parts[[n == name for n in network]].rename(lambda c: c.rsplit(".", 1)[1]))
        for name in dict.fromkeys(network)
    ]


def _panel(panel: Axes, kind: str, bars: Sequence[tuple[str, tuple[str, pd.Series]]], *, names: bool) -> None:
    shares = pd.DataFrame([part / part.sum() for _, (_, part) in bars])
    shown = [component for component in map(str, shares) if shares[component].max() >= _SMALLEST_SHARE]
    places, place, last = [], 0.0, bars[0][0]
    for label, _ in bars:
        place += _GAP if label != last else 0.0
        places.append(place)
        place, last = place + 1, label
    left = np.zeros(len(bars))
    for component in shown:
        values = shares[component].to_numpy()
        panel.barh(places, values, left=left, color=_colour(component), **_BAR)
        left += values
    panel.barh(places, 1 - left, left=left, color=LIGHT, **_BAR)
    for at, (_, (_, part)) in zip(places, bars, strict=True):
        panel.text(1.02, at, pretty(kind, float(part.sum())), va="center", fontsize=8.5)
    panel.set_yticks(places, [network for _, (network, _) in bars] if names else [""] * len(bars))
    for label in dict.fromkeys(label for label, _ in bars) if names or kind == "area_m2" else ():
        own = [at for at, (other, _) in zip(places, bars, strict=True) if other == label]
        panel.annotate(
            label, (0, np.mean(own)), xycoords=("axes fraction", "data"), xytext=(-118 if names else -6, 0),
            textcoords="offset points", ha="right", va="center", fontweight="bold", fontsize=9,
        )  # fmt: skip
    panel.set(xlim=(0, 1), ylim=(max(places) + 0.7, -0.7))
    panel.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])
    panel.grid(visible=False)
    panel.tick_params(axis="y", length=0)
    panel.spines["left"].set_visible(False)
    handles = [Patch(color=_colour(c), label=c.replace("_", " ")) for c in shown]
    if (left < 1 - 1e-9).any():
        handles.append(Patch(color=LIGHT, label=f"others (each < {_SMALLEST_SHARE:.0%})"))
    panel.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(-0.02, -0.07), ncols=2, fontsize=8.5,
        handlelength=1.0, columnspacing=1.2,
    )  # fmt: skip


def _colour(component: str) -> tuple[float, float, float]:
    for base, members in _FAMILIES.items():
        if component in members:
            tint = 0.75 * members.index(component) / max(len(members), 2)
            red, green, blue = (value + (1 - value) * tint for value in to_rgb(base))
            return red, green, blue
    return to_rgb("#4D4D4D")
