"""The look of all figures: colour-blind-safe colours, sizes for a README, reproducible files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from imcevo.runs.files import write_atomically

# M. Okabe, K. Ito, "Color universal design", 2008 (jfly.uni-koeln.de/color).
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, BLACK = "#CC79A7", "#56B4E9", "#F0E442", "#000000"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY)
MARKERS = ("o", "s", "D", "^", "v", "P", "X")  # one more than colours: 42 pairs before one repeats
_DPI = 160
GREY, LIGHT = "#7A7A7A", "#D8D8D8"

_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#EBEBEB",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "svg.hashsalt": "imcevo",
}


@contextmanager
def figure(width: float, height: float) -> Iterator[Figure]:
    """An empty figure of so many inches in the project's style, without any global state."""
    with mpl.rc_context(_STYLE):
        yield Figure(figsize=(width, height), dpi=_DPI, layout="constrained")


def save(drawn: Figure, folder: Path, name: str) -> list[Path]:
    """Write ``<name>.png`` and ``<name>.svg`` into `folder`; equal figures are equal bytes."""
    png, svg = io.BytesIO(), io.BytesIO()
    # Each file is drawn once: `Figure.savefig` would draw, and lay out, everything twice.
    FigureCanvasAgg(drawn).print_png(png)
    drawn.set_layout_engine("none")
    FigureCanvasSVG(drawn).print_svg(svg, metadata={"Date": None})
    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    for path, buffer in zip(paths, (png, svg), strict=True):
        write_atomically(path, buffer.getvalue())
    return paths
