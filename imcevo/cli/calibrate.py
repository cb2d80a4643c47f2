"""`imcevo calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from imcevo.cli.options import Json

calibrate = typer.Typer(help="Fit unit costs to reference figures.", no_args_is_help=True)


@calibrate.command()
def published(
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV of points [default: the shipped sample].")
    ] = None,
    memory: Annotated[str, typer.Option(help="rram or sram.")] = "rram",
    node_nm: Annotated[int, typer.Option("--node-nm", help="Node of the points.")] = 32,
    json: Json = False,
) -> None:
    """Fit the energies of the published profile; every design is held out once."""
    import numpy as np

    from imcevo.calibrate.published import calibrate_published
    from imcevo.cli.output import print_json, print_table
    from imcevo.costs.published import MEMORIES
    from imcevo.errors import unknown_name
    from imcevo.validate.published.points import read_points, sample_points

    if memory not in MEMORIES:
        raise unknown_name("memory", memory, MEMORIES, key="--memory")
    points = sample_points() if data is None else read_points(data)
    result = calibrate_published(points, memory, node_nm)
    fit = result.energy
    errors = {
        kind: {"median": float(np.median(np.abs(e))), "p95": float(np.quantile(np.abs(e), 0.95))}
        for kind, e in (("fitted", fit.errors), ("held_out", fit.held_out_errors))
    }
    if json:
        report: dict[str, Any] = {"unit_costs": dict(fit.unit_costs), "shares": dict(fit.shares), "errors": errors}
        print_json({**report, "points": len(fit.errors), "left_out": result.left_out})
        return
    rows = [[name, f"{cost:.6g}", f"{100 * fit.shares[name]:.2f} %"] for name, cost in fit.unit_costs.items()]
    print_table(f"Unit costs, {memory} at {node_nm} nm", ["unit cost", "fitted", "share of energy"], rows)
    for kind, figures in errors.items():
        typer.echo(f"{kind.replace('_', ' ')} error: median {figures['median']:.2%}, 95 % {figures['p95']:.2%}")
    typer.echo(f"{len(fit.errors)} points fitted, {result.left_out} left out (the published search missed its optimum)")


@calibrate.command()
def survey(
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV of chips in the survey's form [default: the shipped half].")
    ] = None,
    json: Json = False,
) -> None:
    """Fit the scales of the physical profile to measured chips; every chip is held out once."""
    from imcevo.calibrate.survey import calibrate_survey
    from imcevo.cli.output import print_json, print_table
    from imcevo.validate.survey.data import read_survey

    points = read_survey(data)
    result = calibrate_survey(points)
    if json:
        print_json({**result._asdict(), "points": len(points), "left_out": len(points.left_out)})
        return
    rows = [
        [name, f"{scale:g}", f"{result.spread[name][0]:.3g} to {result.spread[name][1]:.3g}"]
        for name, scale in result.scales.items()
    ]
    print_table("Scales of the physical profile", ["scale", "fitted", "with one chip left out"], rows)
    for kind, figures in (("fitted", result.fitted), ("held out", result.held_out)):
        factor, within = figures["energy_median_factor"], figures["within_3x"]
        typer.echo(f"{kind}: median factor of energy per operation {factor:.2f}, within a factor of three {within:.0%}")
    typer.echo(f"{len(points)} points fitted, {len(points.left_out)} left out for what they say")
