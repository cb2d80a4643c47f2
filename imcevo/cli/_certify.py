"""What `run` and `resume` do for exhaustive experiments. Imported inside commands only: it loads the heavy floors."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TextIO

import typer

from imcevo.cli.output import print_table
from imcevo.errors import UserError
from imcevo.runs.certify import (
    SUMMARY,
    Progress,
    Status,
    certify,
    load_certification,
    resume_certification,
)


def run_exhaustive(experiment: Path, *, seed: int | None, out: Path | None, quiet: bool) -> None:
    """`imcevo run` of an exhaustive experiment.

    Raises:
        UserError: as `imcevo.runs.certify`, or a seed, which an exhaustive run has no use for.
    """
    if seed is not None:
        raise UserError("has no meaning: an exhaustive run draws nothing", key="--seed", value=seed)
    folder = certify(load_certification(experiment), out=out, progress=_progress(quiet))
    _conclude(folder, quiet=quiet)


def resume_exhaustive(folder: Path, *, quiet: bool) -> None:
    """`imcevo resume` of an exhaustive run; raises as `imcevo.runs.certify`."""
    if not resume_certification(folder, progress=_progress(quiet)) and not quiet:
        typer.echo("nothing to resume: the run is finished")
    _conclude(folder, quiet=quiet)


def _conclude(folder: Path, *, quiet: bool) -> None:
    summary = json.loads((folder / SUMMARY).read_text("utf-8"))
    if not quiet:
        rows = [
            [name, f"{best['value']:.6g} {best['unit']}", " ".join(f"{k}={v:g}" for k, v in best["design"].items())]
            for name, best in summary["best"].items()
        ]
        print_table(f"Certified optima of {summary['problem']}", ["objective", "value", "design"], rows, text_columns=3)
        repeated = f", {summary['repeated']:,} repaired to one of these" if summary["repeated"] else ""
        typer.echo(
            f"{summary['designs']:,} designs decided in {summary['seconds']:.1f} s: "
            f"{summary['evaluated']:,} evaluated, "
            f"{summary['proven']:,} by proof ({', '.join(summary['proven_by'])}){repeated}; "
            f"{summary['feasible']:,} feasible, {summary['front']:,} in the exact front"
        )
    typer.echo(str(folder))


def _progress(quiet: bool) -> Progress | None:
    return None if quiet else _Line(sys.stderr)


class _Line:
    """A line rewritten on a terminal, a line every few seconds elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._live = stream, stream.isatty()
        self._shown = float("-inf")

    def __call__(self, status: Status) -> None:
        now, done = time.monotonic(), status.decided >= status.to_decide
        if not done and now - self._shown < (0.1 if self._live else 5.0):
            return
        self._shown = now
        text = f"exhaustive: {status}"
        self._stream.write("\r" + text.ljust(100) + ("\n" if done else "") if self._live else text + "\n")
        self._stream.flush()
