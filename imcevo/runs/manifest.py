"""``manifest.json``: where, when and with what a run was made, and whether it is finished."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from imcevo import __version__
from imcevo.config import StrictModel, read_text, validated
from imcevo.errors import UserError
from imcevo.kernels import source_hash
from imcevo.runs.files import os_errors_told, write_atomically

FILE = "manifest.json"
FORMAT = 1
_PACKAGES = ("numpy", "numba", "pymoo", "moocore", "pandas")


class Stretch(StrictModel):
    """One uninterrupted stretch of work on a run: start (UTC), seconds, threads used."""

    started: str
    seconds: float
    threads: int


class Manifest(StrictModel):
    """The file's content.

    Attributes:
        model: hash of the simulator's sources and the compiler: a run is continued only by the code that
            began it.
        search: `RunSpec.search_hash`, None in runs made before it was kept.
        files: once finished, name -> SHA-256 (hex) of the tables that analyses read.
        evaluations, exhausted: once finished, the distinct designs evaluated, and whether the space has no
            more.
        work: stretches, more than one if the run was interrupted.
    """

    format: int
    status: Literal["running", "finished"]
    imcevo: str
    model: str
    problem: str
    problem_hash: str
    optimiser: str
    search: str | None = None
    seed: int
    evaluations: int = Field(ge=0)
    exhausted: bool = False
    python: str
    packages: dict[str, str]
    git_revision: str | None
    cpu: str
    cores: int
    files: dict[str, str] = Field(default_factory=dict)
    work: list[Stretch] = Field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Write it into a run folder."""
        write_atomically(folder / FILE, json.dumps(self.model_dump(), indent=2) + "\n")


def new_manifest(*, problem: str, problem_hash: str, optimiser: str, search: str, seed: int) -> Manifest:
    """The manifest of a run that starts here and now."""
    return Manifest(
        format=FORMAT,
        status="running",
        imcevo=__version__,
        model=source_hash(),
        problem=problem,
        problem_hash=problem_hash,
        optimiser=optimiser,
        search=search,
        seed=seed,
        evaluations=0,
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES},
        git_revision=_git_revision(),
        cpu=_cpu(),
        cores=available_cores(),
    )


def load_manifest(folder: Path) -> Manifest:
    """The manifest of a run folder.

    Raises:
        UserError: not a run folder, corrupted, or of another format version.
    """
    path = folder / FILE
    if not folder.is_dir():
        raise UserError("is not a folder" if folder.exists() else "no such run folder", file=folder)
    if not path.exists():
        raise UserError(f"is not a run folder: it has no {FILE}", file=folder)
    try:
        data: Any = json.loads(read_text(path, what="the manifest of a run"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"is not valid JSON: {error}", file=path) from None
    found = data.get("format") if isinstance(data, dict) else None
    if isinstance(found, int) and found != FORMAT:
        problem = "is of another format version"
        raise UserError(problem, file=path, key="format", value=found, allowed=str(FORMAT))
    return validated(data, Manifest, file=path)


def file_hash(path: Path) -> str:
    """SHA-256 (hex) of a file.

    Raises:
        UserError: it cannot be read.
    """
    with os_errors_told(path, "be read"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def now() -> str:
    """The time in UTC, to the second, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _git_revision() -> str | None:
    """Revision of the checkout that the package runs from, None for an installed wheel."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
