"""``imcevo workloads import``: an ONNX model as a network file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from imcevo.cli._networks import print_network, summary_of
from imcevo.cli.options import Json
from imcevo.cli.output import print_json
from imcevo.errors import UserError


def import_model(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="ONNX model.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.csv", help="Network file to write; MODEL.csv here if not given."),
    ] = None,
    dim: Annotated[
        list[str] | None,
        typer.Option(
            "--dim", metavar="NAME=SIZE", help="Size of a dynamic dimension, by name or as INPUT:AXIS; repeatable."
        ),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--input", metavar="NAME=VALUE", help="Value of an input that the model branches on; repeatable."
        ),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option("--weight", metavar="NAME", help="Input that is a stored weight; repeatable."),
    ] = None,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Leave unknown operators out, and say so in the file.")
    ] = False,
    json: Json = False,
) -> None:
    """Import an ONNX model: write its layers as a network file that problems can name."""
    from imcevo.workload import write_network_csv
    from imcevo.workload.onnx_import import import_onnx

    imported = import_onnx(
        model, dims=_sizes(dim or []), inputs=_values(given or []), weights=tuple(weight or ()),
        allow_unknown=allow_unknown,
    )  # fmt: skip
    file = out or Path(f"{imported.network.name}.csv")
    if file.suffix != ".csv":
        raise UserError("is no network file", key="--out", value=str(file), allowed="a name that ends in .csv")
    if out is None and file.exists():
        raise UserError("exists already", file=file, allowed="--out FILE.csv names another, or this one to replace it")
    write_network_csv(imported.network, file)
    if json:
        told = {"left_out": list(imported.left_out), "notes": list(imported.notes), "file": str(file)}
        print_json({**summary_of(imported.network), **told})
        return
    print_network(imported.network)
    for node in imported.left_out:
        typer.echo(f"left out: {node}")
    for note in imported.notes:
        typer.echo(f"note: {note}")
    typer.echo(str(file))


def _sizes(given: list[str]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for text in given:
        name, equals, size = text.rpartition("=")
        if not equals or not name or not size.isdigit() or not 0 < int(size) < 2**31:
            raise UserError("is not a size", key="--dim", value=text, allowed="NAME=SIZE, for example batch=1")
        if name in sizes:
            raise UserError("is given twice", key="--dim", value=name)
        sizes[name] = int(size)
    return sizes


def _values(given: list[str]) -> dict[str, bool | float | list[bool | float]]:
    values: dict[str, bool | float | list[bool | float]] = {}
    for text in given:
        name, equals, written = text.rpartition("=")
        numbers = [_number(part.strip()) for part in written.split(",")]
        if not equals or not name or any(number is None for number in numbers):
            allowed = "NAME=VALUE with numbers or truth values, for example sr=16000 or sizes=1,80"
            raise UserError("is not a value of an input", key="--input", value=text, allowed=allowed)
        if name in values:
            raise UserError("is given twice", key="--input", value=name)
        known = [number for number in numbers if number is not None]
        values[name] = known[0] if len(known) == 1 else known
    return values


def _number(text: str) -> bool | float | None:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None
