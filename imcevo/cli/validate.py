"""`imcevo validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

validate = typer.Typer(help="Compare the model with reference figures.", no_args_is_help=True)


@validate.callback()
def _group() -> None:
    """Keep `published` a subcommand while it is the only one."""


@validate.command()
def published(
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV of points [default: the shipped sample].")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The published profile against evaluated points of arXiv 2603.03880."""
    from imcevo.cli.output import print_json
    from imcevo.validate.published import validate_published
    from imcevo.validate.published_points import read_points, sample_points

    points = sample_points() if data is None else read_points(data)
    report = validate_published(points, file=data)
    if json:
        print_json(report)
    else:
        _print(report)


def _print(report: dict[str, Any]) -> None:
    from imcevo.cli.output import print_table

    rows = []
    for name, figures in report.items():
        if name.endswith("_nodes"):
            rows += [_row(f"{name.removesuffix('_nodes')}, {node} nm", other) for node, other in figures.items()]
            continue
        rows.append(_row(f"{name}, 32 nm", figures))
        rows += [_row(f"  {network}", other) for network, other in figures["networks"].items()]
        missed = figures["published_optimum_missed"]
        if missed["points"]:
            rows.append(_row(f"  without {missed['points']} where the published search missed", missed["others"]))
    header = ["points of", "points", "latency exact", "area median", "95 %", "energy median", "95 %", "Spearman"]
    print_table("Published profile: relative errors", header, rows)


def _row(name: str, figures: dict[str, Any]) -> list[str]:
    shares = ("latency_exact_share", "area_median", "area_p95", "energy_median", "energy_p95")
    rank = figures["energy_spearman"]
    return [
        name, str(figures["points"]), *(f"{100 * figures[key]:.2f} %" for key in shares),
        "-" if rank is None else f"{rank:.4f}",
    ]  # fmt: skip
