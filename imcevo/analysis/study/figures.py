"""Figures of a study's designs: gaps, efficiency, genes, sensitivity, mixes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from imcevo.analysis.figures.front import readable_ticks
from imcevo.analysis.figures.style import BLACK, BLUE, CYCLE, GREY, LIGHT, MARKERS, ORANGE, VERMILION
from imcevo.analysis.labels import quantity, unit

_AGGREGATES = ("geometric_mean", "max")
_MOST_CONSTANTS = 15


def named(column: str) -> str:
    """A quantity in words, e.g. ``EDAP``, ``TOPS per W``."""
    return quantity(column).name if column != "TOPS_per_W" else "TOPS/W"


def draw_gaps(drawn: Figure, summary: pd.DataFrame, metric: str, networks: Sequence[str], how: str) -> None:
    """Heat map of the gaps in `metric`: designs as rows, networks and aggregates as columns; median over seeds."""
    mine = summary[(summary["quantity"] == metric) & (summary["deployment"] == how)]
    columns = [*networks, *_AGGREGATES]
    table = mine.pivot(index="design", columns="on", values="median").reindex(
        index=list(dict.fromkeys(mine["design"])), columns=columns
    )
    gaps = table.to_numpy(dtype=float)
    values = np.log10(gaps)
    panel = drawn.subplots()
    # Violet is better than the specialised design, orange worse: told apart by any eye. Beyond a factor of ten one
    # shade serves all, so that a design that is far off does not bleach the others.
    reach = float(np.clip(np.nanmax(np.abs(values), initial=0.0), 0.1, 1.0))
    shade = mpl.colormaps["PuOr_r"].with_extremes(bad="#F2F2F2")
    image = panel.imshow(np.ma.masked_invalid(values), cmap=shade, norm=Normalize(-reach, reach), aspect="auto")
    for row, column in np.ndindex(values.shape):
        value = gaps[row, column]
        text = "cannot\nrun" if np.isnan(value) else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
        dark = not np.isnan(value) and abs(values[row, column]) > 0.6 * reach
        panel.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else BLACK)
    heads = [name.replace("_", "\n") if name in _AGGREGATES else name.replace("_", "\n", 1) for name in columns]
    panel.set_xticks(range(len(columns)), heads)
    panel.set_yticks(range(len(table)), [str(name) for name in table.index])
    panel.axvline(len(networks) - 0.5, color="white", linewidth=3)
    panel.grid(visible=False)
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0)
    bar = drawn.colorbar(image, ax=panel, shrink=0.8, extend="both" if np.nanmax(np.abs(values)) > reach else "neither")
    ticks = [t for t in (0.1, 0.2, 0.5, 0.8, 1, 1.25, 2, 5, 10) if abs(np.log10(t)) <= reach]
    bar.set_ticks([float(np.log10(t)) for t in ticks], labels=[f"{t:g}" for t in ticks])
    words = "all networks share the chip" if how == "suite" else "each network alone on the chip"
    drawn.suptitle(
        f"{named(metric)} over that of the network's own specialised design\n({words}; median over seeds)",
        x=0.01, ha="left", fontsize=10.5,
    )  # fmt: skip


def draw_efficiency(drawn: Figure, suite: pd.DataFrame, accelerators: pd.DataFrame | None) -> None:
    """Mean energy efficiency over the networks, seed by seed, and measured digital accelerators beside."""
    panels = drawn.subplots(1, 2, width_ratios=(3, 2)) if accelerators is not None else [drawn.subplots()]
    designs = list(dict.fromkeys(suite["design"]))
    for shift, (deployment, colour, marker, label) in zip(
        (-0.16, 0.16),
        (("suite", BLUE, "o", "all networks share the chip"), ("alone", ORANGE, "s", "each network alone on it")),
        strict=True,
    ):
        mine = suite[(suite["deployment"] == deployment) & suite["feasible"]]
        for row, design in enumerate(designs):
            values = mine[mine["design"] == design]["TOPS_per_W"].to_numpy()
            panels[0].plot(values, np.full(len(values), row + shift), marker, color=colour, markersize=4, alpha=0.45)
            if len(values):
                panels[0].plot(np.median(values), row + shift, "|", color=colour, markersize=15, markeredgewidth=2.5)
        panels[0].plot([], [], marker, color=colour, label=label)
    panels[0].set_yticks(range(len(designs)), designs)
    panels[0].invert_yaxis()
    panels[0].set(xlabel="energy efficiency [TOPS/W], mean over networks; bar: median seed", xlim=(0, None))
    panels[0].legend(loc="best", fontsize=8)
    if accelerators is not None:
        panel = panels[1]
        panel.scatter(accelerators["node_nm"], accelerators["TOPS_per_W_8bit"], s=22, color=GREY, marker="D",
                      label="digital accelerators, measured peak (chip alone)")  # fmt: skip
        first = suite[(suite["design"] == designs[0]) & (suite["deployment"] == "suite") & suite["feasible"]]
        if "node_nm" in first and len(first):
            panel.scatter(first["node_nm"], first["TOPS_per_W"], s=60, color=BLUE, marker="*", zorder=5,
                          label=f"{designs[0]}, mean over networks, with DRAM")  # fmt: skip
        panel.set(xscale="log", yscale="log", xlabel="node [nm]", ylabel="TOPS/W at 8 bits")
        for side in (panel.xaxis, panel.yaxis):
            readable_ticks(side)
        panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=8)


def draw_genes(drawn: Figure, designs: pd.DataFrame, suite: pd.DataFrame, metric: str) -> None:
    """Parallel coordinates: genes and results of every design that runs the suite, a line per seed."""
    run = suite[(suite["deployment"] == "suite") & suite["feasible"]]
    table = designs.merge(run[["design", "seed", "TOPS_per_W", metric]], on=["design", "seed"], suffixes=("", "_suite"))
    start = list(designs.columns).index("runs") + 1
    genes = [c for c in designs.columns[start:] if designs[c].nunique() > 1]
    axes = [*genes, "TOPS_per_W", metric]
    panel = drawn.subplots()
    heights = {axis: _height(table[axis], log=axis in ("TOPS_per_W", metric)) for axis in axes}
    for index, entry in enumerate(dict.fromkeys(table["entry"])):
        rows = table.index[table["entry"] == entry]
        for row in rows:
            y = [heights[axis][0][row] for axis in axes]
            panel.plot(range(len(axes)), y, color=CYCLE[index % len(CYCLE)], alpha=0.6, linewidth=1.3,
                       marker=MARKERS[index % len(MARKERS)], markersize=3.5)  # fmt: skip
        if len(rows):
            panel.plot([], [], color=CYCLE[index % len(CYCLE)], marker=MARKERS[index % len(MARKERS)], label=entry)
    for position, axis in enumerate(axes):
        for height, label in heights[axis][1]:
            panel.text(position + 0.05, height, label, fontsize=7, color="#404040", va="center")
        panel.axvline(position, color=LIGHT, linewidth=1, zorder=0)
    heads = [axis.replace("_", "\n") for axis in genes] + ["TOPS/W", f"{named(metric)}\n[{unit(metric)}]"]
    panel.set_xticks(range(len(axes)), heads, fontsize=8)
    panel.set_yticks([])
    panel.grid(visible=False)
    panel.spines["left"].set_visible(False)
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=5)


def _height(values: pd.Series, *, log: bool) -> tuple[dict[Any, float], list[tuple[float, str]]]:
    """Position 0 to 1 of every row, and ticks; genes are evenly spaced over the values that occur."""
    if not log:
        levels = sorted(values.unique(), key=lambda v: (isinstance(v, str), v))
        place = {level: index / max(len(levels) - 1, 1) for index, level in enumerate(levels)}
        ticks = [(y, f"{level:g}" if not isinstance(level, str) else level) for level, y in place.items()]
        return {row: place[value] for row, value in values.items()}, ticks
    scale = np.log(values.to_numpy(dtype=float))
    low, high = scale.min(), scale.max()
    span = max(high - low, 1e-12)
    ticks = [(0.0, f"{np.exp(low):.3g}"), (1.0, f"{np.exp(high):.3g}")]
    return dict(zip(values.index, (scale - low) / span, strict=True)), ticks


def draw_tornado(drawn: Figure, sensitivity: pd.DataFrame, metric: str, design: str, factor: float) -> None:
    """What one step of each gene, and a factor on each constant, makes of the design's `metric`."""
    panels = drawn.subplots(1, 2)
    for panel, kind in zip(panels, ("gene", "constant"), strict=True):
        mine = sensitivity[sensitivity["kind"] == kind]
        reach = np.log(mine["ratio"]).abs().groupby(mine["name"]).max().sort_values(ascending=False)
        shown = list(reach.index[: _MOST_CONSTANTS if kind == "constant" else len(reach)])
        for row, name in enumerate(shown):
            changes = mine[mine["name"] == name]
            for place, (_, change) in zip((-0.2, 0.2), changes.iterrows(), strict=False):
                feasible = bool(change["feasible"])
                better = change["ratio"] < 1
                panel.barh(
                    row + place, change["ratio"] - 1, color=BLUE if better else ORANGE, height=0.38,
                    alpha=1.0 if feasible else 0.35, hatch=None if feasible else "////", edgecolor="white",
                )  # fmt: skip
                panel.annotate(
                    _short(str(change["to"])), (change["ratio"] - 1, row + place), fontsize=6.5, color=GREY,
                    xytext=(-3 if better else 3, 0), textcoords="offset points", ha="right" if better else "left",
                    va="center",
                )  # fmt: skip
        units = mine.drop_duplicates("name").set_index("name")["unit"]
        labels = [str(name).replace("_", " ") + _bracketed(units[name]) for name in shown]
        panel.set_yticks(range(len(shown)), labels, fontsize=8)
        panel.invert_yaxis()
        panel.axvline(0, color=BLACK, linewidth=0.8)
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:+.0f} %"))
        panel.set_xlabel(f"change of {named(metric)}")
        # Room for the longest value beside its bar.
        panel.margins(x=0.06 + 0.014 * max((len(_short(str(to))) for to in mine["to"]), default=0))
    panels[0].set_title(f"{design}: every gene one step (hatched: no longer feasible)", loc="left")
    panels[1].set_title(f"constants of the model over and times {factor:g}", loc="left")


def _bracketed(unit: object) -> str:
    """A constant's unit; a gene has its unit in its name, a number none."""
    return f" [{unit}]" if isinstance(unit, str) and unit not in ("1", "relative") else ""


def _short(text: str) -> str:
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text


def draw_mixes(drawn: Figure, table: pd.DataFrame) -> None:
    """How far every design is above the best of the study, mix by mix."""
    panel = drawn.subplots()
    mixes = list(dict.fromkeys(table["mix"]))
    wide = table.pivot(index="mix", columns="design", values="regret").reindex(
        index=mixes, columns=list(dict.fromkeys(table["design"]))
    )
    for index, design in enumerate(wide):
        panel.plot(range(len(mixes)), 100 * wide[design].to_numpy(), color=CYCLE[index % len(CYCLE)],
                   marker=MARKERS[index % len(MARKERS)], markersize=5, linewidth=1.5, label=design,
                   linestyle="-" if index < len(CYCLE) else "--")  # fmt: skip
    panel.set_xticks(range(len(mixes)), [mix.replace(" to ", "\nto ") for mix in mixes], fontsize=8)
    panel.set_yscale("symlog", linthresh=1)
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    quantity_name = named(str(table["quantity"].iloc[0]))
    panel.set(ylabel=f"{quantity_name} above the best design of the mix [%]", ylim=(-0.05, None))
    panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)


def draw_unseen(drawn: Figure, table: pd.DataFrame, metric: str, first: str) -> None:
    """Designs on networks they were not searched for: the price against the design that was."""
    mine = table[(table["quantity"] == metric) & table["unseen"]]
    panel = drawn.subplots()
    labels = [f"{row.design}: on {row.network}" for row in mine.itertuples()]
    y = np.arange(len(mine))
    middle = mine["over_first"].to_numpy(dtype=float)
    spread = np.vstack([middle - mine["low"], mine["high"] - middle])
    panel.errorbar(middle, y, xerr=spread, fmt="o", color=BLUE, capsize=3, label=f"over {first} (searched for all)")
    panel.plot(mine["over_specialised"], y, "D", color=VERMILION, markersize=5, label="over the network's own design")
    for row in np.flatnonzero(np.isnan(middle)):
        panel.text(1.0, float(row), "cannot run the suite", fontsize=8, va="center", color=GREY)
    panel.axvline(1, color=BLACK, linewidth=0.8)
    panel.set_yticks(y, labels, fontsize=8)
    panel.invert_yaxis()
    panel.set(xscale="log", xlabel=f"ratio of {named(metric)} (median over seeds, 95 % interval)")
    panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0)))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.legend(loc="upper center", bbox_to_anchor=(0.4, -0.12), ncols=2)
