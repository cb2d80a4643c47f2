"""A small search per optimiser whose front.csv must come out to the byte on every host.

After a change of results: ``python -m tests.portable.golden`` writes them anew, and the commit says what moved.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
FRONT, DIGESTS = HERE / "nsga2_front.csv", HERE / "digests.json"
OPTIMISERS = ("nsga2", "nsga2_mnn", "nsga3", "sms_emoa", "age_moea2", "random")
# The files that decide or tell what was found.
DECIDING = ("front.csv", "history.csv", "evaluations.bin")
_EXPERIMENT = """problem = {problem}
seeds = [1]
threads = {threads}

[optimiser]
name = "{optimiser}"
population = 16

[budget]
evaluations = {evaluations}
"""


def search(
    folder: Path, optimiser: str = "nsga2", *, problem: Path = HERE / "problem.toml", evaluations: int = 112,
    threads: int = 1, environment: Mapping[str, str] | None = None,
) -> dict[str, bytes]:  # fmt: skip
    """The deciding files of a search in a process of its own, under `environment` besides the present one."""
    folder.mkdir(parents=True, exist_ok=True)
    experiment = folder / "experiment.toml"
    experiment.write_text(_EXPERIMENT.format(
        problem=json.dumps(str(problem)), optimiser=optimiser, evaluations=evaluations, threads=threads
    ))  # fmt: skip
    command = [sys.executable, "-m", "imcevo", "run", str(experiment), "--out", str(folder / "run"), "--quiet"]
    root = str(HERE.parents[2])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, "PYTHONPATH": paths, **(environment or {})}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name: (folder / "run" / name).read_bytes() for name in DECIDING}


def digest(content: bytes) -> str:
    """Of a file."""
    return hashlib.sha256(content).hexdigest()
