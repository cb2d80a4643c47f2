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
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Leave unknown operators out, and say so in the file.")
    ] = False,
    json: Json = False,
) -> None:
    """Import an ONNX model: write its layers as a network file that problems can name."""
    from imcevo.workload import write_network_csv
    from imcevo.workload.onnx_import import import_onnx

    imported = import_onnx(model, dims=_sizes(dim or []), allow_unknown=allow_unknown)
    file = out or Path(f"{imported.network.name}.csv")
    if file.suffix != ".csv":
        raise UserError("is no network file", key="--out", value=str(file), allowed="a name that ends in .csv")
    if out is None and file.exists():
        raise UserError("exists already", file=file, allowed="--out FILE.csv names another, or this one to replace it")
    write_network_csv(imported.network, file)
    if json:
        print_json({**summary_of(imported.network), "left_out": list(imported.left_out), "file": str(file)})
        return
    print_network(imported.network)
    for node in imported.left_out:
        typer.echo(f"left out: {node}")
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
