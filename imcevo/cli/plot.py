"""`imcevo plot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plot(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    against: Annotated[
        list[Path] | None, typer.Option(metavar="RUN", help="Another run of the problem, in `hypervolume`.")
    ] = None,
) -> None:
    """Draw the figures of a run into its folder: front, breakdown, hypervolume, each as PNG and SVG."""
    from imcevo.analysis import load_run
    from imcevo.analysis.figures.of_run import write_figures

    for path in write_figures(load_run(run), [load_run(other) for other in against or ()]):
        typer.echo(str(path))
