"""`imcevo resume`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from imcevo.cli.options import Quiet, Scheduler, Workers


def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, or one that holds several runs.")],
    evaluations: Annotated[int | None, typer.Option(help="Extend the budget to so many evaluations.")] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    quiet: Quiet = False,
) -> None:
    """Continue an interrupted run, or extend a finished one; its files become those of a run in one go."""
    from imcevo.errors import UserError
    from imcevo.runs.certify import is_exhaustive

    if (run / "experiment.toml").is_file() and is_exhaustive(run / "experiment.toml"):
        from imcevo.cli._certify import resume_exhaustive

        if evaluations is not None:
            raise UserError("has no meaning: an exhaustive run has no budget", key="--evaluations", value=evaluations)
        resume_exhaustive(run, quiet=quiet)
        return
    from imcevo.cli._runs import conclude, progress_on_stderr
    from imcevo.runs import resume_run

    worked = resume_run(
        run, evaluations=evaluations, progress=progress_on_stderr(quiet), workers=workers, scheduler=scheduler
    )
    if not worked and not quiet:
        typer.echo("nothing to resume: the run is finished")
    conclude(run, quiet=quiet)
    typer.echo(str(run))
