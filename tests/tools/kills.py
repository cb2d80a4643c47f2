"""Kill runs with signal 9 at random times, resume them, and compare their files with those of a run left alone.

    python -m tests.tools.kills [--kills 50] [--seed 1] [--experiment FILE]

Every run is killed twice, the second time while it is being resumed, and then resumed to its end.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

BY_THE_CLOCK = {"manifest.json", "timing.csv", "run.log", ".lock"}
ROOT = Path(__file__).parents[2]
EXPERIMENT = f"""
problem = {str(ROOT / "problems" / "quickstart.toml")!r}
seeds = [1]
threads = 1

[optimiser]
name = "nsga2"
population = 100

[budget]
evaluations = 4000
"""


def lasting_files(folder: Path) -> dict[str, bytes]:
    """Path below `folder` -> content, of the files that a run owes to its inputs alone; figures left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in BY_THE_CLOCK and path.suffix not in (".png", ".svg")
    }


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "imcevo", *map(str, arguments), "--quiet"]


def finish(*arguments: str | Path) -> float:
    """Run a command to its end and return its seconds; anything but exit code 0 is an error."""
    started = time.monotonic()
    done = subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stderr}")
    return time.monotonic() - started


def kill(delay_s: float, *arguments: str | Path) -> bool:
    """Start a command and kill it, with all it started, after `delay_s`; False if it had ended before."""
    process = subprocess.Popen(
        command(*arguments), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        process.wait(delay_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    error = process.communicate()[1].decode()
    if process.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"{arguments} ended with {process.returncode}: {error}")
    return process.returncode != 0


def kill_and_resume(experiment: Path, folder: Path, longest_s: float, rng: np.random.Generator) -> int:
    """One run, killed up to twice and finished; the number of kills that struck."""
    struck = int(kill(rng.uniform(0.0, longest_s), "run", experiment, "--out", folder))
    begun = (folder / "experiment.toml").exists()
    arguments: tuple[str | Path, ...] = ("resume", folder) if begun else ("run", experiment, "--out", folder)
    struck += kill(rng.uniform(0.0, longest_s), *arguments)
    begun = (folder / "experiment.toml").exists()
    finish(*(("resume", folder) if begun else ("run", experiment, "--out", folder)))
    return struck


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--experiment", type=Path)
    chosen = parser.parse_args()
    rng = np.random.default_rng(chosen.seed)
    with tempfile.TemporaryDirectory() as place:
        experiment = chosen.experiment or Path(place) / "kills.toml"
        if chosen.experiment is None:
            experiment.write_text(EXPERIMENT)
        finish("run", experiment, "--out", Path(place) / "warm")
        longest_s = finish("run", experiment, "--out", Path(place) / "straight")
        straight = lasting_files(Path(place) / "straight")
        kills = runs = 0
        while kills < chosen.kills:
            folder = Path(place) / f"killed {runs}"
            kills += kill_and_resume(experiment, folder, longest_s, rng)
            runs += 1
            killed = lasting_files(folder)
            names = killed.keys() | straight.keys()
            differing = sorted(name for name in names if killed.get(name) != straight.get(name))
            if differing:
                sys.exit(f"run {runs}, {kills} kills: {', '.join(differing)} differ")
        print(f"{kills} kills in {runs} runs of {longest_s:.1f} s: all files byte-identical")


if __name__ == "__main__":
    main()
