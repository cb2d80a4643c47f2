"""`imcevo compare`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imcevo.cli.options import Json, Quiet

if TYPE_CHECKING:
    import pandas as pd

_IN_JSON = (
    "comparison", "own_objective", "gap_summary", "unseen", "mixes", "mix_risk", "front_quality",
    "certified_comparison", "certified_regret", "gains",
)  # fmt: skip


def compare(
    study: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="Study file.")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Study folder [results/studies/<study>].")] = None,
    from_runs: Annotated[
        Path | None, typer.Option("--from-runs", metavar="DIR", help="Take all runs from here, search nothing.")
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Search and compare the designs of a study; the last line printed is its folder, with a report in it.

    Runs are kept by their content and never made twice; a killed study goes on when it is called again.
    """
    from imcevo.analysis.study.folder import load_study_results, write_study_figures, write_study_tables
    from imcevo.analysis.study.report import write_report
    from imcevo.analysis.study.report_text import answers
    from imcevo.cli.output import print_json
    from imcevo.study.config import load_study
    from imcevo.study.run import conduct

    plan = load_study(study)
    with _progress(quiet or as_json) as progress:
        folder = conduct(plan, out=out, from_runs=from_runs, progress=progress)
    results = load_study_results(folder)
    tables = write_study_tables(results)
    report = write_report(results, tables, write_study_figures(results, tables))
    said = answers(results, tables)
    if as_json:
        shown = {name: _records(tables[name]) for name in _IN_JSON if name in tables}
        print_json({"folder": str(folder), "report": str(report), "answers": said, **shown})
        return
    if not quiet:
        for line in said:
            typer.echo(f"- {line}")
        typer.echo(f"report: {report}")
    typer.echo(str(folder))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON, which knows neither NaN nor infinity."""
    finite = table.replace([math.inf, -math.inf], math.nan)
    rows = finite.astype(object).where(finite.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


@contextmanager
def _progress(silent: bool) -> Iterator[Callable[[int, int, str], None] | None]:
    """A bar on a terminal, a line every few searches elsewhere."""
    if silent:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _print_some
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task("")
        yield lambda done, of, what: bars.update(bar, completed=done, total=of, description=what)


def _print_some(done: int, of: int, what: str) -> None:
    every = max(1, of // 20)
    if done % every == 0 or done == of:
        typer.echo(f"{done} of {of} searches" + (f", last {what}" if what else ""), err=True)
