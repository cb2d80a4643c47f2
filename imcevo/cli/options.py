"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Design = Annotated[Path, typer.Option("--design", metavar="DESIGN.toml", help="A value for every gene of the problem.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, in SI units.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print the folder only.")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler whose workers compute, tcp://host:port.")
]
Workers = Annotated[
    int | None, typer.Option(help="Processes for islands, or for runs side by side; no result depends on it.")
]
