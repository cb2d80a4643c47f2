"""`imcevo front`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def front(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    every: Annotated[bool, typer.Option("--all", help="Every evaluated design, as CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")] = False,
    rows: Annotated[int, typer.Option(min=1, help="Rows of the table, about.")] = 30,
) -> None:
    """List the non-dominated designs of a run: in SI units as CSV and JSON, with prefixes as a table."""
    from imcevo.analysis import load_run
    from imcevo.analysis.uncertainty import representatives
    from imcevo.cli import _runs
    from imcevo.cli.output import print_json
    from imcevo.errors import UserError

    if as_json and (as_csv or every):
        raise UserError("cannot be combined with --csv or --all", key="--json")
    loaded = load_run(run)
    if every:
        for index, frame in enumerate(loaded.frames()):
            typer.echo(frame.to_csv(index=False, header=index == 0, lineterminator="\n"), nl=False)
    elif as_csv:
        typer.echo(loaded.front.to_csv(index=False, lineterminator="\n"), nl=False)
    elif as_json:
        designs = loaded.front.to_dict("records")
        stands = representatives(loaded)
        for row, design in enumerate(designs):
            alike = None if stands is None or stands[row] == row else int(loaded.front["design"].iloc[stands[row]])
            design["indistinguishable_from"] = alike
        remarkable = {name: designs[row]["design"] for name, row in loaded.remarkable.items()}
        print_json({"objectives": list(loaded.objectives), "remarkable": remarkable, "front": designs})
    elif len(loaded.front) == 0:
        _runs.explain_infeasible(loaded)
    else:
        spread = range(0, len(loaded.front), -(-len(loaded.front) // rows))
        picked = sorted({*loaded.remarkable.values(), *spread})
        stands = representatives(loaded)
        _runs.table_of_designs(loaded, picked, stands)
        if len(picked) < len(loaded.front):
            typer.echo(f"{len(picked)} of {len(loaded.front)} designs; --csv and --json have all")
        if stands is not None:
            _runs.tell_uncertainty(loaded, stands)
