"""What commands print: JSON, and tables for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import typer


def print_json(data: Any) -> None:
    """One JSON document on stdout; NaN and infinities would be a defect and raise."""
    typer.echo(json.dumps(data, indent=2, allow_nan=False))


def print_table(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int = 1
) -> None:
    """A table on stdout; all but the first `text_columns` columns are numbers, aligned right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for index, column in enumerate(header):
        table.add_column(column, justify="left" if index < text_columns else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    # A pipe has no width of its own: lines must not be folded there, or tools that read them break.
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=200)
    console.print(table)
    console.print()
