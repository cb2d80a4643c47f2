"""The frame of the command line: exit codes, one-line errors, nothing heavy at import."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

import imcevo
from imcevo import cli


def python(script, *argv):
    command = [sys.executable, "-c", script, *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_help_imports_nothing_heavy():
    heavy = ("numpy", "numba", "pandas", "pymoo", "pydantic_core", "matplotlib", "scipy")
    done = python(
        "import sys; from imcevo.cli import main; code = main(['--help']);"
        f"print([name for name in {heavy} if name in sys.modules], code)"
    )
    assert done.stdout.splitlines()[-1] == "[] 0"
    assert "evaluate" in done.stdout


def test_version_and_bare_call(run):
    assert run("--version") == (0, f"imcevo {imcevo.__version__}\n", "")
    code, out, _ = run()
    assert code == 0
    assert "evaluate" in out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["evaluat"], "No such command 'evaluat'"),
        (["evaluate"], "Missing"),
        (["evaluate", "p.toml"], "--design"),
        (["evaluate", "p.toml", "--desing", "d.toml"], "--desing"),
        (["workloads", "shwo"], "shwo"),
    ],
)
def test_wrong_arguments_are_one_line(run, argv, said):
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert err.startswith("imcevo: error: ")
    assert err.count("\n") == 1
    assert said in err


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(errno.ENOSPC, "No space left on device", "runs/a"), 2, "runs/a: No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "/out"), 2, "/out: Permission denied"),
        (FileNotFoundError(errno.ENOENT, "No such file", "data.toml"), 1, "defect"),
        (RuntimeError("unforeseen"), 1, "defect"),
    ],
)
def test_what_a_command_may_raise(run, files, monkeypatch, raised, code, said):
    def fails(path):
        raise raised

    monkeypatch.setattr("imcevo.problem.load_problem", fails)
    problem, design = files()
    got, out, err = run("evaluate", problem, "--design", design)
    assert (got, out) == (code, "")
    assert said in err.splitlines()[-1]
    assert ("Traceback" in err) == (code == cli.DEFECT)


def test_a_closed_pipe_is_no_error():
    script = "import sys; from imcevo.cli import main; sys.exit(main(['--help']))"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) in (0, cli.PIPE_CLOSED)


def test_a_mistake_through_a_real_process(tmp_path):
    script = "import sys; from imcevo.cli import main; sys.exit(main())"
    absent = tmp_path / "absent.toml"
    done = python(script, "evaluate", absent, "--design", tmp_path / "d.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"imcevo: error: {absent}: no such file, expected a problem file\n"
