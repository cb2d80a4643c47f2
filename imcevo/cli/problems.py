"""``imcevo problems``: the problem files of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imcevo.cli.options import Json
from imcevo.cli.output import print_json, print_table

if TYPE_CHECKING:
    from imcevo.problem import CodesignProblem

_EXPECTED = "a folder with problem files (*.toml)"


def problems(
    folder: Annotated[Path, typer.Option("--dir", help="Folder with problem files.")] = Path("problems"),
    json: Json = False,
) -> None:
    """List the problem files of a folder: designs, networks, objectives."""
    from imcevo.errors import UserError
    from imcevo.problem import load_problem

    if not folder.is_dir():
        raise UserError("is not a folder", file=folder, key="--dir", allowed=_EXPECTED)
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise UserError("holds no problem files", file=folder, key="--dir", allowed=_EXPECTED)
    listing: list[dict[str, Any]] = []
    mistakes: list[UserError] = []
    for file in files:
        try:
            listing.append(_entry(load_problem(file)))
        except UserError as mistake:
            mistakes.append(mistake)
    if json:
        print_json(listing)
    else:
        header = ["file", "designs", "networks", "objectives", "description"]
        print_table("Problems", header, [_row(entry) for entry in listing], text_columns=len(header))
    if mistakes:
        # After the problems that can be listed: one file that is none must not hide the others.
        raise mistakes[0]


def _entry(problem: CodesignProblem) -> dict[str, Any]:
    return {
        "file": str(problem.file),
        "name": problem.name,
        "designs": problem.space.size,
        "networks": list(problem.networks),
        "objectives": list(problem.objective_names),
        "constraints": list(problem.constraint_names),
        "description": problem.description,
    }


def _row(entry: dict[str, Any]) -> list[str]:
    names = [" ".join(entry[key]) for key in ("networks", "objectives")]
    return [entry["file"], f"{entry['designs']:.3g}", *names, entry["description"]]
