"""Figures of what precision costs, from the tables of `experiments.reproduce.accuracy_study`.

``python -m experiments.reproduce.accuracy_figure results/reference/accuracy`` writes ``fronts`` and ``digits`` there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imcevo.analysis.figures.style import BLUE, GREY, LIGHT, ORANGE, VERMILION, figure, save
from imcevo.errors import UserError

_LEAST_SNR_dB = 16.0
_COLOURS = (BLUE, ORANGE, VERMILION, GREY)
_MARKERS = {1: "o", 2: "s", 4: "^"}


def draw_fronts(drawn: Figure, fronts: pd.DataFrame) -> None:
    """Left: both fronts; right: SNR of their designs over ADC bits; one marker per cell."""
    left, right = drawn.subplots(1, 2)
    energy, latency = (name for name in map(str, fronts) if name.endswith("_geometric_mean"))
    for constrained, colour, label in ((False, GREY, "unconstrained"), (True, BLUE, "SNR at least 16 dB")):
        for marker, (cell, front) in zip(_MARKERS.values(), fronts.groupby("cell"), strict=False):
            own = front[front["constrained"] == constrained]
            if len(own):
                left.loglog(own[energy] * 1e3, own[latency] * 1e3, marker, color=colour, markersize=4,
                            label=f"{label}: {cell}")  # fmt: skip
                right.plot(own["adc_bits"], own["snr_dB"], marker, color=colour, markersize=4)
    left.set(xlabel="geometric mean energy [mJ]", ylabel="geometric mean latency [ms]")
    left.legend(fontsize="small")
    right.axhline(_LEAST_SNR_dB, color=LIGHT, linewidth=1.2)
    right.set(xlabel="ADC bits", ylabel="SNR of the worst network [dB]")


def draw_digits(drawn: Figure, digits: pd.DataFrame) -> None:
    """SNR, and measured accuracy, against energy: colour by rows active, marker by bits per cell."""
    for panel, column, label in zip(
        drawn.subplots(1, 2), ("snr_dB", "accuracy"), ("SNR [dB]", "measured accuracy of digits"), strict=True
    ):
        _draw_designs(panel, digits, column)
        panel.set(xlabel="energy per inference [nJ]", ylabel=label, xscale="log")
        if column == "accuracy":
            panel.axhline(digits["exact_accuracy"].iloc[0], color=LIGHT, linewidth=1.2)
        else:
            panel.axhline(_LEAST_SNR_dB, color=LIGHT, linewidth=1.2)
            panel.legend(fontsize="small")


def _draw_designs(panel: Axes, digits: pd.DataFrame, column: str) -> None:
    for colour, rows in zip(_COLOURS, sorted(digits["rows_active"].unique()), strict=False):
        for bits, line in digits[digits["rows_active"] == rows].groupby("bits_per_cell"):
            label = f"{rows} rows on, {bits} bit{'s' if bits > 1 else ''}/cell"
            line = line.sort_values("adc_bits")
            panel.plot(
                line["energy_J"] * 1e9, line[column], _MARKERS[int(bits)], linestyle="-", linewidth=0.7, color=colour,
                markersize=3.5, label=label,
            )  # fmt: skip
    chosen = digits[digits["chosen"]]
    panel.plot(
        chosen["energy_J"] * 1e9, chosen[column], "*", color="black", markersize=11, label="chosen", zorder=5
    )


def draw_all(folder: Path) -> None:
    """Draw the tables of a folder.

    Raises:
        UserError: a table is missing.
    """
    for name, draw in (("fronts", draw_fronts), ("digits", draw_digits)):
        path = folder / f"{name}.csv"
        if not path.is_file():
            raise UserError("no such table; experiments.reproduce.accuracy_study writes it", file=path)
        with figure(9.0, 4.2) as drawn:
            draw(drawn, pd.read_csv(path))
            save(drawn, folder, name)


if __name__ == "__main__":
    try:
        draw_all(Path(sys.argv[1]))
    except (UserError, IndexError) as error:
        sys.exit(f"error: {error}")
