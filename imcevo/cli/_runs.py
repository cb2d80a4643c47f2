"""What `run`, `resume`, `front` and `plot` share: progress, the report at the end, tables of designs.

Imported inside commands only: it loads the heavy floors.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray

from imcevo.analysis import Run, load_run, load_runs
from imcevo.analysis.figures.of_run import write_comparison_figure, write_figures
from imcevo.analysis.front_table import FrontTable
from imcevo.analysis.infeasible import infeasibility
from imcevo.analysis.labels import KEY_VALUES, quantity, told
from imcevo.analysis.study.optimisers import write_comparison
from imcevo.analysis.uncertainty import objective_factor
from imcevo.cli.output import print_table
from imcevo.runs.config import RunSpec
from imcevo.runs.manifest import FILE as MANIFEST
from imcevo.runs.progress import ProgressLine
from imcevo.runs.recorder import Progress


def progress_on_stderr(quiet: bool) -> Callable[[RunSpec, Path], Progress] | None:
    """A progress line per run, or none."""
    if quiet:
        return None
    return lambda run, folder: ProgressLine(f"{run.optimiser}, seed {run.seed}", sys.stderr)


def conclude(folder: Path, *, quiet: bool) -> None:
    """Figures, and unless `quiet` the report, of a folder whose runs have just finished.

    A single run: its figures. Several: the comparison in `folder`, and the figures of the first run, its
    rivals at the same seed drawn beside it.
    """
    if (folder / MANIFEST).exists():
        run = load_run(folder)
        figures = write_figures(run)
    else:
        runs = load_runs(folder)
        run = runs[0][1]
        rivals = [other for spec, other in runs if spec.seed == run.manifest.seed and other is not run]
        figures = write_figures(run, rivals) + write_comparison_figure(folder, runs)
        comparison = write_comparison(folder, runs)
        if not quiet:
            columns = [str(column) for column in comparison]
            rows = [[told(c, row[c]) for c in columns] for row in comparison.to_dict("records")]
            print_table("Hypervolume over the seeds", [c.replace("_", " ") for c in columns], rows)
    if quiet:
        return
    if run.manifest.exhausted:
        typer.echo(f"the space is exhausted: it has {run.manifest.evaluations} distinct designs")
    if len(run.front) == 0:
        explain_infeasible(run)
    else:
        remarkable_table(run)
        tell_warnings(run)
        typer.echo(f"{len(run.front)} non-dominated designs: `imcevo front {run.path}` lists them")
    typer.echo("figures: " + ", ".join(str(path) for path in figures if path.suffix == ".png"))


def remarkable_table(run: FrontTable, headed: Mapping[int, Sequence[str]] | None = None) -> None:
    """Some rows of the front side by side, a design per column under its name: knee and ends where none are given."""
    headed = run.distinctions if headed is None else headed
    designs = [run.front.iloc[row] for row in headed]
    lines = [[_heading(c), *(told(c, design[c]) for design in designs)] for c in run.objectives]
    lines += [[key, *(told(key, design[key]) for design in designs)] for key in run.design_values]
    header = ["", *("\n".join(names) for names in headed.values())]
    numbers = ["design", *(str(design["design"]) for design in designs)]
    print_table(f"Front of {run.title}", header, [numbers, *lines])


def table_of_designs(run: FrontTable, rows: Sequence[int], stands: NDArray[np.int64] | None = None) -> None:
    """Rows of the front: their distinction, objectives, and the most telling design values.

    `stands`: of `imcevo.analysis.uncertainty.representatives`, told in a column of its own.
    """
    front = run.front.iloc[list(rows)]
    shown = [key for key in KEY_VALUES if key in run.design_values]
    columns = [*run.objectives, *shown]
    cells = [
        [", ".join(run.distinctions.get(row, ())), str(design["design"]), *(told(c, design[c]) for c in columns)]
        for row, (_, design) in zip(rows, front.iterrows(), strict=True)
    ]
    header = ["", "design", *map(_heading, run.objectives), *(key.replace("_", " ") for key in shown)]
    if stands is not None:
        header.append("like design")
        for row, line in zip(rows, cells, strict=True):
            line.append("" if stands[row] == row else str(run.front["design"].iloc[stands[row]]))
    print_table(f"Front of {run.title}", header, cells)


def tell_uncertainty(run: FrontTable, stands: NDArray[np.int64]) -> None:
    """Say how many designs of the front the model can tell apart, and by which factors."""
    factors = ", ".join(
        f"{_heading(name)} {objective_factor(name, same_cell=True):.2f}" for name in run.objectives
    )
    typer.echo(
        f"{len(stands)} designs, {len(np.unique(stands))} that the model can tell apart: the others are like one of "
        f"them within its uncertainty on chips left out of every fit (factors for designs of one cell: {factors})"
    )


def tell_warnings(run: FrontTable, *, beside_data: bool = False) -> None:
    """What a reader must know beside the numbers; on stderr where stdout is data."""
    for warning in run.warnings:
        typer.echo(f"warning: {warning}", err=beside_data)


def _heading(column: str) -> str:
    name, _, how = quantity(column)
    return f"{how} {name}".strip()


def explain_infeasible(run: Run) -> None:
    """Say why a run found no feasible design."""
    why = infeasibility(run)
    rows = [[name, f"{count:,}"] for name, count in why.missed.items()]
    title = f"None of {run.manifest.evaluations:,} designs is feasible"
    print_table(title, ["constraint", "designs that miss it"], rows)
    typer.echo(f"design {why.closest} comes closest: `imcevo front {run.path} --all` has its values")
