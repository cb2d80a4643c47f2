"""`imcevo front`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imcevo.cli.options import Json

if TYPE_CHECKING:
    from imcevo.analysis import Run


def front(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Run folders; several of one problem are merged.")
    ],
    where: Annotated[
        str | None, typer.Option(metavar="CONDITION", help='Designs that meet it, e.g. "area_mm2 < 50".')
    ] = None,
    best: Annotated[
        str | None, typer.Option(metavar="QUANTITY", help="The design where it is best: edp, TOPS_per_W, ...")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every evaluated design, as CSV.")] = False,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")] = False,
    rows: Annotated[int, typer.Option(min=1, help="Rows of the table, about.")] = 30,
) -> None:
    """List the non-dominated designs of a run: in SI units as CSV and JSON, with prefixes as a table.

    Conditions and quantities are made of columns, numbers, "names", + - * /, comparisons, and, or, not, in.
    """
    from imcevo.analysis import load_run
    from imcevo.analysis.query import is_maximised
    from imcevo.analysis.selection import merged_front
    from imcevo.analysis.uncertainty import profile_of, representatives
    from imcevo.cli import _runs
    from imcevo.cli.output import print_json
    from imcevo.errors import UserError

    if as_json and (as_csv or every):
        raise UserError("cannot be combined with --csv or --all", key="--json")
    if every and (best is not None or len(runs) > 1):
        raise UserError("lists one run as it is: it cannot be combined with --best or several runs", key="--all")
    loaded = [load_run(run) for run in runs]
    if every:
        _print_every(loaded[0], where)
        return
    picked = merged_front(loaded)
    if where is not None:
        picked = picked.where(where)
    if best is not None:
        picked = picked.best(best)
    if as_csv:
        typer.echo(picked.front.to_csv(index=False, lineterminator="\n"), nl=False)
    elif as_json:
        designs = picked.front.to_dict("records")
        stands = representatives(picked, profile_of(loaded[0]))
        for row, design in enumerate(designs):
            alike = None if stands is None or stands[row] == row else int(picked.front["design"].iloc[stands[row]])
            design["indistinguishable_from"] = alike
        remarkable = {name: designs[row]["design"] for name, row in picked.remarkable.items()}
        told = {"objectives": list(picked.objectives), "remarkable": remarkable, "warnings": picked.warnings}
        print_json({**told, "front": designs})
    elif len(picked.front) == 0 and where is None and len(runs) == 1:
        _runs.explain_infeasible(loaded[0])
    elif len(picked.front) == 0:
        typer.echo("no design of the front meets the condition" if where else "the runs found no feasible design")
    elif best is not None:
        _runs.remarkable_table(picked, {0: [f"{'highest' if is_maximised(best) else 'lowest'} {best}"]})
    else:
        spread = range(0, len(picked.front), -(-len(picked.front) // rows))
        shown = sorted({*picked.remarkable.values(), *spread})
        stands = representatives(picked, profile_of(loaded[0]))
        _runs.table_of_designs(picked, shown, stands)
        if len(shown) < len(picked.front):
            typer.echo(f"{len(shown)} of {len(picked.front)} designs; --csv and --json have all")
        if stands is not None:
            _runs.tell_uncertainty(picked, stands)
    if not as_json:
        _runs.tell_warnings(picked, beside_data=as_csv)


def _print_every(run: Run, where: str | None) -> None:
    from imcevo.analysis.query import Columns, chosen

    for index, frame in enumerate(run.frames()):
        kept = frame if where is None else frame[chosen(where, Columns(frame, run.objectives), key="--where")]
        typer.echo(kept.to_csv(index=False, header=index == 0, lineterminator="\n"), nl=False)
