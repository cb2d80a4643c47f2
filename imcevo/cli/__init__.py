"""The command line. Commands import what they need when they run, so that help appears at once."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from imcevo import __version__
from imcevo.cli.bench import bench
from imcevo.cli.calibrate import calibrate
from imcevo.cli.compare import compare
from imcevo.cli.evaluate import evaluate
from imcevo.cli.front import front
from imcevo.cli.map import map_
from imcevo.cli.plot import plot
from imcevo.cli.problems import problems
from imcevo.cli.resume import resume
from imcevo.cli.run import run
from imcevo.cli.validate import validate
from imcevo.cli.workloads import workloads
from imcevo.errors import UserError

DEFECT, MISTAKE, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
ISSUES = "please report it, with the lines above, to the project's issue tracker"

# What the file system may refuse on a path that the user chose.
_REFUSALS = frozenset({
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EISDIR,
    errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP,
})  # fmt: skip

# typer's own exception for wrong arguments; where it lives differs between the supported versions.
_ArgumentError: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="imcevo", add_completion=False, pretty_exceptions_enable=False, invoke_without_command=True,
    help="Co-design in-memory-computing accelerators for many networks.",
)  # fmt: skip


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"imcevo {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for _command in (run, resume, front, plot, compare, evaluate, problems, bench):
    app.command()(_command)
app.command(name="map")(map_)
for _name, _group in (("workloads", workloads), ("validate", validate), ("calibrate", calibrate)):
    app.add_typer(_group, name=_name)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done. 1: a defect of ours, with its traceback. 2: a user's mistake, one line on stderr.
    130: interrupted. 141: the reader of our output went away.
    """
    try:
        # Not through `app(...)`, which prints usage errors over several lines and exits by itself.
        command = typer.main.get_command(app)
        with command.make_context("imcevo", list(sys.argv[1:] if argv is None else argv)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as stop:
        return stop.exit_code
    except UserError as mistake:
        return _tell(str(mistake))
    except _ArgumentError as mistake:
        # Without a message where a group of commands was named alone: its help has been printed.
        return _tell(mistake.format_message() or "a command is missing")  # type: ignore[attr-defined]
    except (KeyboardInterrupt, typer.Abort) as stop:
        return _tell(str(stop) or "interrupted", INTERRUPTED)
    except (BrokenPipeError, SystemExit):
        # rich leaves by SystemExit when the pipe breaks. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        if error.errno not in _REFUSALS:
            return _report()
        where = f"{error.filename}: " if error.filename is not None else ""
        return _tell(f"{where}{error.strerror}")
    except Exception:
        return _report()
    return 0


def _tell(message: str, code: int = MISTAKE) -> int:
    print("imcevo: error: " + " ".join(message.split()), file=sys.stderr)
    return code


def _report() -> int:
    traceback.print_exc()
    return _tell(f"this is a defect of imcevo {__version__}: {ISSUES}", DEFECT)
