"""`imcevo run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from imcevo.cli.options import Quiet, Scheduler, Workers


def run(
    experiment: Annotated[Path, typer.Argument(metavar="EXPERIMENT.toml", help="Experiment file.")],
    seed: Annotated[int | None, typer.Option(help="Run this seed instead of the file's.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Run folder [results/runs/<experiment>/<seed>].")
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    quiet: Quiet = False,
) -> None:
    """Search a problem; the last line printed is the run folder.

    With several seeds or baselines every run has its own folder; the last line is the one that holds them.
    """
    from imcevo.runs.certify import is_exhaustive

    if is_exhaustive(experiment):
        from imcevo.cli._certify import run_exhaustive

        run_exhaustive(experiment, seed=seed, out=out, quiet=quiet)
        return
    from imcevo.cli._runs import conclude, progress_on_stderr
    from imcevo.runs import load_experiment, run_experiment

    plan = load_experiment(experiment, seeds=None if seed is None else [seed])
    folder = run_experiment(plan, out=out, progress=progress_on_stderr(quiet), workers=workers, scheduler=scheduler)
    conclude(folder, quiet=quiet)
    typer.echo(str(folder))
