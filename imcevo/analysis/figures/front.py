"""``front``: the Pareto front in projections of its objectives."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from imcevo.analysis.figures.style import BLACK, CYCLE, GREY, LIGHT, MARKERS
from imcevo.analysis.labels import KEY_VALUES, MINUS, Axis, axis, pretty
from imcevo.analysis.pareto import nondominated
from imcevo.analysis.run import Run

_SHOWN_DOMINATED = 20_000


def draw_front(drawn: Figure, run: Run) -> None:
    """Every pair of objectives as a panel; for a run with at least two objectives and a front."""
    F = run.objective_values
    dominated = run.last_feasible(_SHOWN_DOMINATED)
    axes = [_axis(name, F[:, index]) for index, name in enumerate(run.objectives)]
    pairs = list(combinations(range(len(axes)), 2))
    n_columns = min(3, len(pairs))
    panels = drawn.subplots(-(-len(pairs) // n_columns), n_columns, squeeze=False).ravel()
    groups = _groups(run)
    row = run.remarkable["knee"]
    for panel, (x, y) in zip(panels, pairs, strict=False):
        _panel(panel, F, dominated, (x, y), (axes[x], axes[y]), groups)
        panel.plot(
            F[row, x] / axes[x].factor, F[row, y] / axes[y].factor, marker="*", markersize=17, color=BLACK,
            markeredgecolor="white", markeredgewidth=1.2, linestyle="none", zorder=6, label="knee",
        )  # fmt: skip
    for panel in panels[len(pairs) :]:
        panel.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=len(labels), markerscale=1.3)
    lines = [_title(run), _knee(run, row), *(f"Warning: {one}".replace("mm2", "mm²") for one in run.warnings)]
    drawn.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=10.5, linespacing=1.5)


def _panel(
    panel: Axes,
    F: NDArray[np.float64],
    dominated: NDArray[np.float64],
    pair: tuple[int, int],
    scales: tuple[Axis, Axis],
    groups: Sequence[tuple[str, NDArray[np.bool_]]],
) -> None:
    (x, y), (across, up) = pair, scales
    panel.scatter(
        dominated[:, x] / across.factor, dominated[:, y] / up.factor, s=5, color=LIGHT, linewidths=0,
        rasterized=True, zorder=1, label="feasible, dominated",
    )  # fmt: skip
    # The lower left border of this projection; the other front designs earn their place in another objective.
    border = F[nondominated(F[:, [x, y]])][:, [x, y]]
    border = border[np.lexsort((-border[:, 1], border[:, 0]))]
    border /= (across.factor, up.factor)
    panel.step(border[:, 0], border[:, 1], where="post", color=GREY, linewidth=1, zorder=2)
    for index, (name, members) in enumerate(groups):
        panel.scatter(
            F[members, x] / across.factor, F[members, y] / up.factor, s=20 if len(F) < 300 else 12,
            color=CYCLE[index % len(CYCLE)], marker=MARKERS[index % len(MARKERS)], edgecolors="white",
            linewidths=0.4, zorder=4, label=name,
        )  # fmt: skip
    panel.set(xlabel=across.label, ylabel=up.label)
    for side, values, scale in (("x", F[:, x], across), ("y", F[:, y], up)):
        _set_limits(panel, side, values / scale.factor, maximised=scale.factor < 0)
    for drawn in (panel.xaxis, panel.yaxis):
        readable_ticks(drawn)


def _axis(column: str, values: NDArray[np.float64]) -> Axis:
    """`axis`; what is maximised is drawn as the quantity itself, by a factor below 0."""
    sign = -1.0 if column.startswith(MINUS) else 1.0
    factor, label = axis(column, sign * values)
    return Axis(sign * factor, label)


def _set_limits(panel: Axes, side: str, values: NDArray[np.float64], *, maximised: bool) -> None:
    """The values of the front with room at the worse end; the far dominated designs would squeeze it into a corner.

    The better end is left or below. Decibels, which may be negative, stand on a linear axis.
    """
    low, high = float(values.min()), float(values.max())
    if low > 0:
        margin = max((high / low) ** 0.07, 1.05)
        limits = (high * margin, low / margin**2) if maximised else (low / margin, high * margin**2)
    else:
        margin = 0.07 * (high - low) or 1.0
        limits = (high + margin, low - 2 * margin) if maximised else (low - margin, high + 2 * margin)
    panel.set(**{f"{side}scale": "log" if low > 0 else "linear", f"{side}lim": limits})


def readable_ticks(side: XAxis | YAxis) -> None:
    """Plain numbers: even steps within a decade, 1-2-5 over a few, powers of ten over many."""
    low, high = sorted(side.get_view_interval())
    if low <= 0 or high / low < 10:
        side.set_major_locator(MaxNLocator(5))
    else:
        side.set_major_locator(LogLocator(subs=(1.0,) if high / low > 300 else (1.0, 2.0, 5.0)))
    side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    side.set_minor_formatter(NullFormatter())


def _groups(run: Run) -> list[tuple[str, NDArray[np.bool_]]]:
    """Front designs by cell, or all as one where the cell is fixed."""
    if "cell" not in run.front:
        return [("non-dominated", np.ones(len(run.front), dtype=bool))]
    cells = run.front["cell"].to_numpy()
    return [(str(name), cells == name) for name in sorted(set(cells))]


def _title(run: Run) -> str:
    m = run.manifest
    return (
        f"{m.problem}: {len(run.front)} non-dominated designs out of {m.evaluations:,} evaluated "
        f"({m.optimiser}, seed {m.seed})"
    )


def _knee(run: Run, row: int) -> str:
    design = run.front.iloc[row]
    results = ", ".join(pretty(name, float(design[name])) for name in run.objectives)
    values = [f"{key} {pretty(key, design[key])}" for key in KEY_VALUES if key in run.design_values]
    return f"★ knee, design {design['design']}: {results}  ({', '.join(values)})"
