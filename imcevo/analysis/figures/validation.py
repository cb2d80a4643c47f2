"""Figures and tables of the validation: model against measured chips, and the two profiles against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from imcevo.analysis.figures.style import BLUE, GREEN, GREY, LIGHT, ORANGE, PURPLE, SKY, VERMILION, figure, save
from imcevo.runs.files import write_atomically

_FAMILIES = {
    "sram_charge": ("charge SRAM", BLUE, "o"), "sram_discharge": ("bit-line SRAM", SKY, "v"),
    "sram_current": ("current SRAM", PURPLE, "P"), "sram_digital": ("digital SRAM", ORANGE, "s"),
    "rram": ("RRAM", GREEN, "D"), "envm": ("other non-volatile", VERMILION, "^"),
}  # fmt: skip
_QUANTITIES = {
    "energy": ("energy of one MVM", "J"), "throughput": ("time of one MVM", "s"), "area": ("area", "m²"),
}  # fmt: skip
_WAYS = {
    "uncalibrated": ("uncalibrated", GREY, "x"), "leave_one_out": ("chip left out", VERMILION, "D"),
    "calibrated": ("own constants, other figures", BLUE, "o"),
}  # fmt: skip
_DIGITS = 5
_COUNTED = ("_error", "_chips", "_figures")


def silicon_table(points: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A row per figure: chip, quantity, conditions, measured, and model over measured by way of setting constants."""
    ways = ("uncalibrated", "profile", "shared", "calibrated", "leave_one_out")
    rows = [
        {
            **{key: p[key] for key in ("chip", "family", "node_nm", "quantity", "of", "conditions", "published")},
            "measured_SI": p["measured"], "unit": p["unit"], **{way: p["ratio"].get(way, np.nan) for way in ways},
            "calibrates": p["calibrates"], "method": p["method"], "excluded": p["excluded"] or "",
            "source": p["source"],
        }
        for p in points
    ]  # fmt: skip
    return pd.DataFrame(rows)


def draw_silicon(drawn: Figure, table: pd.DataFrame) -> None:
    """Model, chip left out, against measured: one panel per quantity, one mark per figure of a whole macro."""
    panels = drawn.subplots(1, len(_QUANTITIES))
    for panel, (quantity, (title, unit)) in zip(panels, _QUANTITIES.items(), strict=True):
        mine = _whole(table, quantity)
        model = mine["measured_SI"] * mine["leave_one_out"]
        for family, (label, colour, marker) in _FAMILIES.items():
            of = mine["family"] == family
            if not of.any():
                continue
            panel.plot(mine["measured_SI"][of], model[of], marker, color=colour, alpha=0.55, markersize=5, label=label,
                       linestyle="none")  # fmt: skip
        low, high = (bound([*mine["measured_SI"], *model]) for bound in (min, max))
        _diagonal(panel, low / 2, high * 2)
        for chip, figures in mine.groupby("chip", sort=False):
            x, y = (float(np.exp(np.median(np.log(v[figures.index])))) for v in (mine["measured_SI"], model))
            panel.annotate(str(chip), (x, y), xytext=(4, -7 if y < x else 4), textcoords="offset points", fontsize=6.5)
        panel.set(xlabel=f"measured: {title} [{unit}]", ylabel=f"model, without the chip [{unit}]")
    handles, labels = panels[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=len(labels))


def draw_ratios(drawn: Figure, table: pd.DataFrame) -> None:
    """Model over measured, chip by chip: the median over its figures, by how the constants were set."""
    panels = drawn.subplots(1, len(_QUANTITIES), sharey=True)
    chips = list(table.sort_values(["family", "chip"])["chip"].unique())
    for panel, (quantity, (title, _)) in zip(panels, _QUANTITIES.items(), strict=True):
        mine = _whole(table, quantity)
        for way, (label, colour, marker) in _WAYS.items():
            judged = mine[~mine["calibrates"]] if way == "calibrated" else mine
            ratio = np.exp(np.log(judged[way]).groupby(judged["chip"]).median().reindex(chips))
            panel.plot(ratio, np.arange(len(chips)), marker, color=colour, markersize=5.5, label=label, ls="none")
        panel.axvspan(1 / 2.5, 2.5, color=LIGHT, alpha=0.35, zorder=0)
        panel.axvline(1.0, color=GREY, linewidth=1)
        panel.set(xscale="log", xlabel="model / measured", title=title, xlim=(1 / 60, 60))
        panel.set_xticks([0.02, 0.1, 0.4, 1, 2.5, 10, 50], ["1/50", "1/10", "1/2.5", "1", "2.5", "10", "50"])
        panel.xaxis.set_minor_formatter(NullFormatter())
    panels[0].set_yticks(np.arange(len(chips)), chips)
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=3)


def draw_profiles(drawn: Figure, rows: pd.DataFrame, report: Mapping[str, Any]) -> None:
    """Physical against published energy of the same designs, by memory; coloured by what the ratio goes with most."""
    memories = list(dict.fromkeys(rows["memory"]))
    panels = drawn.subplots(1, len(memories))
    for panel, memory in zip(panels, memories, strict=True):
        mine = rows[rows["memory"] == memory]
        ranks = report[memory]["disagreement"]
        key = max(ranks, key=lambda name: abs(ranks[name]))
        shown = panel.scatter(
            mine["published_J"], mine["physical_J"], c=np.log2(mine[key]), cmap="cividis", s=10, linewidths=0
        )
        panel.set(xscale="log", yscale="log", xlabel="published profile: mean energy [J]",
                  ylabel="physical profile: mean energy [J]",
                  title=f"{memory.upper()}: Spearman {report[memory]['energy_spearman']:.2f}")  # fmt: skip
        drawn.colorbar(shown, ax=panel, label=f"log2 of {key.replace('_', ' ')}")


def write_validation(
    folder: Path, silicon: Mapping[str, Any], profiles: Mapping[str, Any], agreement: Sequence[Mapping[str, Any]]
) -> list[Path]:
    """Tables (CSV) and figures (PNG, SVG) of the validation into `folder`."""
    table, designs = silicon_table(silicon["points"]), pd.DataFrame(agreement)
    medians = pd.DataFrame([
        {"constants": way, **{key: value for key, value in silicon[way].items() if key.endswith(_COUNTED)}}
        for way in ("uncalibrated", "profile", "shared", "calibrated", "leave_one_out")
    ])  # fmt: skip
    written = [
        write_csv(folder / f"{name}.csv", frame) for name, frame in (
            ("silicon", table), ("silicon_errors", medians), ("profiles", designs),
            ("model_uncertainty", pd.DataFrame(silicon["uncertainty"])), ("profiles_summary", _flat(profiles)),
        )
    ]  # fmt: skip
    with figure(14.5, 5.4) as drawn:
        draw_silicon(drawn, table)
        written += save(drawn, folder, "silicon")
    with figure(11.0, 1.6 + 0.26 * silicon["chips"]) as drawn:
        draw_ratios(drawn, table)
        written += save(drawn, folder, "silicon_ratios")
    with figure(10.5, 4.2) as drawn:
        draw_profiles(drawn, designs, profiles)
        written += save(drawn, folder, "profiles")
    return written


def _whole(table: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Figures of the whole macro that count."""
    return table[(table["quantity"] == quantity) & (table["of"] == "macro") & (table["excluded"] == "")]


def _diagonal(panel: Axes, low: float, high: float) -> None:
    ends = np.array([low, high])
    panel.plot(ends, ends, color=GREY, linewidth=1, zorder=0)
    for factor in (1 / 2.5, 2.5):
        panel.plot(ends, factor * ends, color=LIGHT, linewidth=1, zorder=0)
    panel.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))


def _flat(profiles: Mapping[str, Any]) -> pd.DataFrame:
    rows = []
    for memory, found in profiles.items():
        for name, value in found.items():
            inner = value if isinstance(value, Mapping) else {"": value}
            rows += [{"memory": memory, "figure": name, "of": of, "value": number} for of, number in inner.items()]
    return pd.DataFrame(rows)


def write_csv(path: Path, frame: pd.DataFrame) -> Path:
    """A frame with five digits; returns its path."""
    text = frame.to_csv(index=False, float_format=f"%.{_DIGITS}g", lineterminator="\n")
    write_atomically(path, text.encode())
    return path
