"""Feed mutated files to the program: exit code 0 or 2 with one line, no traceback, no hang, no file elsewhere.

    python -m tests.tools.fuzz [--configs 10000] [--commands 200] [--folders 1000] [--seed 1] [--jobs 1]

Runs that a mutated file leaves possible are short, and only every fifth of them draws its figures, which take longer
than all the rest. `--jobs` shares the work out to processes with seeds of their own.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from unittest import mock

import numpy as np

from imcevo.cli import main as imcevo
from tests.tools.kills import ROOT

LONGEST_S = 60
FIGURES_EVERY = 5
LARGEST_BUDGET, LARGEST_POPULATION = 500, 5000  # larger ones are allowed, and take their time
EXPERIMENT = """
problem = "problem.toml"
seeds = [1]
threads = 1

[optimiser]
name = "nsga2"
population = 8

[islands]
count = 2
interval = 2

[budget]
evaluations = 40
"""
DESIGN = """
cell = "sram_analog_8t"
node_nm = 22
voltage_V = 0.8
bits_per_cell = 1
rows = 128
cols = 256
adc_bits = 5
cols_per_adc = 16
dac_bits = 1
macros_per_tile = 8
tiles_per_group = 8
router_groups = 16
input_buffer_B = 4096
output_buffer_B = 4096
glb_depth = 4096
digital_lanes = 128
"""
VALUES = (
    "0", "-1", "1", "2", "1e308", "-1e308", "1e-308", "nan", "inf", "true", "''", "'../../../etc/passwd'",
    "'/dev/zero'",
    "'/etc/passwd'", "'..'", "'.'", "'~'", "[]", "{}", "[[]]", "[1, 'a']", "9223372036854775807",
    "-9223372036854775808",
    "9" * 400, "'" + "a" * 5000 + "'", "'\\u0000'", "\"\\u0000\"", "\"\\n\"", "1979-05-27", "[" * 500 + "]" * 500,
    "[" + "1," * 5000 + "]", "{a = {b = {c = 1}}}", "'nsga3'", "'exhaustive'", "'random'", "'published'", "'physical'",
    "'resident'", "'swapped'", "'streamed'", "'mean'", "'max'", "'none'", "'flash'", "['sar', 'flash']", "0.5", "64",
    "1024", "4096", "16777216", "'$(touch pwned)'", "'!!python/object:os.system'", "'{problem}'", "'%s'",
)  # fmt: skip
LINES = (
    "[budget]", "[islands]", "[x]", "[[objectives]]", "x = 1", "= 1", '"""', "[", "]", "a.b.c.d = 1", "\x00", "é = 1",
)  # fmt: skip
FILES = ("problem.toml", "experiment.toml", "design.toml")


class HungError(BaseException):
    """A command took too long."""


@contextlib.contextmanager
def time_limit() -> Iterator[None]:
    def hung(signum: int, frame: FrameType | None) -> None:
        raise HungError

    before = signal.signal(signal.SIGALRM, hung)
    signal.alarm(LONGEST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def mutated(text: str, rng: np.random.Generator) -> str:
    """`text` with one to three mistakes that people, editors or attackers make."""
    for _ in range(int(rng.integers(1, 4))):
        lines = text.split("\n")
        row = int(rng.integers(len(lines)))
        action = rng.integers(8)
        if action <= 2 and "=" in lines[row]:
            lines[row] = lines[row].split("=")[0] + "= " + str(rng.choice(VALUES))
        elif action == 3:
            del lines[row]
        elif action == 4:
            lines.insert(row, lines[int(rng.integers(len(lines)))])
        elif action == 5:
            lines.insert(row, str(rng.choice(LINES)))
        elif action == 6 and (numbers := list(re.finditer(r"-?\d+\.?\d*(e-?\d+)?", lines[row]))):
            place = numbers[int(rng.integers(len(numbers)))]
            lines[row] = lines[row][: place.start()] + str(rng.choice(VALUES[:10])) + lines[row][place.end() :]
        elif lines[row]:
            at = int(rng.integers(len(lines[row])))
            lines[row] = lines[row][:at] + chr(int(rng.integers(1, 0x2FF))) + lines[row][at + 1 :]
        text = "\n".join(lines)
    return text


def is_short(folder: Path) -> bool:
    """Whether the experiment in `folder` asks for little work."""
    try:
        data = tomllib.loads((folder / "experiment.toml").read_text())
        budget, population = data["budget"]["evaluations"], data["optimiser"].get("population", 100)
        seeds, baselines = len(data["seeds"]), len(data.get("baselines", []))
        return budget <= LARGEST_BUDGET and population <= LARGEST_POPULATION and seeds * (1 + baselines) <= 3
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return data.get("optimiser") is None if "data" in locals() and isinstance(data, dict) else True


@contextlib.contextmanager
def without_figures() -> Iterator[None]:
    """Commands of this process draw none."""
    with (
        mock.patch("imcevo.cli._runs.write_figures", return_value=[]),
        mock.patch("imcevo.cli._runs.write_comparison_figure", return_value=[]),
    ):
        yield


def called(arguments: list[str]) -> tuple[int, str]:
    """Exit code and error output of a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), time_limit():
        code = imcevo(arguments)
    return code, err.getvalue()


class Place:
    """A folder of mutated files with everything that must not change around it."""

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self.folder, self.rng = folder, rng
        self.work = folder / "inner" / "work"
        self.work.mkdir(parents=True)
        (folder / "inner" / "untouched.txt").write_text("untouched")
        self.problems = [path.read_text() for path in sorted((ROOT / "problems").glob("*.toml"))]

    def warm(self) -> None:
        """Compile what the commands need, which takes longer on a busy machine than a command may."""
        (self.work / "problem.toml").write_text((ROOT / "problems" / "sram_streamed4.toml").read_text())
        (self.work / "experiment.toml").write_text(EXPERIMENT)
        arguments = ["run", str(self.work / "experiment.toml"), "--out", str(self.work / "run"), "--quiet"]
        with contextlib.redirect_stdout(io.StringIO()):
            assert imcevo([*arguments, "--workers", "1"]) == 0

    def around(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and self.work not in path.parents
        }

    def write(self) -> None:
        """Fresh files, one of them mutated."""
        problem = self.problems[int(self.rng.integers(len(self.problems)))]
        texts = {"problem.toml": problem, "experiment.toml": EXPERIMENT, "design.toml": DESIGN}
        name = FILES[int(self.rng.choice(3, p=[0.5, 0.35, 0.15]))]
        texts[name] = mutated(texts[name], self.rng)
        shutil.rmtree(self.work / "run", ignore_errors=True)
        for file, text in texts.items():
            (self.work / file).write_text(text, encoding="utf-8")

    def command(self) -> list[str]:
        if self.rng.random() < 0.6:
            return ["evaluate", str(self.work / "problem.toml"), "--design", str(self.work / "design.toml"), "--json"]
        return ["run", str(self.work / "experiment.toml"), "--out", str(self.work / "run"), "--quiet", "--workers", "1"]


def complaint(code: int, error: str) -> str | None:
    """What is wrong with the end of a command, if anything."""
    if code not in (0, 2):
        return f"exit code {code}: {error[-1500:]}"
    if "Traceback" in error or (code == 2 and error.count("\n") != 1):
        return f"not one line: {error[-1500:]}"
    return None


def fuzz_configs(count: int, rng: np.random.Generator, *, by_command: bool = False) -> list[str]:
    """Mutated problem, experiment and design files; returns what went wrong."""
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        place = Place(Path(name), rng)
        place.warm()
        before = place.around()
        for index in range(count):
            place.write()
            arguments = place.command()
            if arguments[0] == "run" and not is_short(place.work):
                arguments = ["evaluate", *arguments[1:2], "--design", str(place.work / "design.toml")]
            figures = by_command or index % FIGURES_EVERY == 0
            try:
                with contextlib.nullcontext() if figures else without_figures():
                    found = complaint(*(called_outside(arguments, place.work) if by_command else called(arguments)))
            except HungError:
                found = "hung"
            if place.around() != before:
                found = f"files outside the folder: {sorted(place.around().keys() ^ before.keys())}"
            if found:
                files = {file: (place.work / file).read_text() for file in FILES}
                wrong.append(f"{index} {arguments[0]}: {found}\n{files}")
                print("-" * 60, wrong[-1], sep="\n", flush=True)
            if (index + 1) % 100 == 0:
                print(f"{index + 1} of {count} configs, {len(wrong)} wrong", flush=True)
    return wrong


def called_outside(arguments: list[str], cwd: Path) -> tuple[int, str]:
    """Exit code and error output of the command, which may use 4 GB."""
    limit = 4 * 2**30
    done = subprocess.run(
        [sys.executable, "-m", "imcevo", *arguments], cwd=cwd, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        timeout=2 * LONGEST_S, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip
    return done.returncode, done.stderr


def fuzz_folders(count: int, rng: np.random.Generator) -> list[str]:
    """Mutated run folders; returns what went wrong."""
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        place = Place(Path(name), rng)
        (place.work / "problem.toml").write_text((ROOT / "problems" / "quickstart.toml").read_text())
        islands = EXPERIMENT[EXPERIMENT.index("[islands]") : EXPERIMENT.index("[budget]")]
        templates = []
        for kind, text in (("plain", EXPERIMENT.replace(islands, "")), ("islands", EXPERIMENT)):
            (place.work / "experiment.toml").write_text(text)
            folder = place.work / kind
            assert called(["run", str(place.work / "experiment.toml"), "--out", str(folder), "--quiet"])[0] == 0
            templates.append(folder)
            stopped = place.work / f"{kind} stopped"
            shutil.copytree(folder, stopped)
            manifest = stopped / "manifest.json"
            manifest.write_text(manifest.read_text().replace('"finished"', '"running"'))
            templates.append(stopped)
        before = place.around()
        for index in range(count):
            folder = place.work / "run"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(templates[int(rng.integers(len(templates)))], folder)
            files = sorted(path for path in folder.iterdir() if path.suffix not in (".png", ".svg", ".log"))
            target = files[int(rng.integers(len(files)))]
            _damage(target, rng)
            commands = (
                ["resume", str(folder), "--quiet", "--workers", "1"],
                ["front", str(folder), "--json"],
                ["front", str(folder), "--all"],
            )
            arguments = commands[int(rng.integers(len(commands)))]
            if not is_short(folder):
                arguments = commands[1]
            try:
                found = complaint(*called(arguments))
            except HungError:
                found = "hung"
            if place.around() != before:
                found = "files outside the folder"
            if found:
                wrong.append(f"{index} {arguments[0]} {target.name}: {found}")
                print("-" * 60, wrong[-1], sep="\n", flush=True)
            if (index + 1) % 100 == 0:
                print(f"{index + 1} of {count} run folders, {len(wrong)} wrong", flush=True)
    return wrong


def _damage(path: Path, rng: np.random.Generator) -> None:
    data = bytearray(path.read_bytes())
    action = rng.integers(6)
    if action == 0:
        path.unlink()
        return
    if action == 1 and path.suffix in (".toml", ".json", ".csv"):
        path.write_text(mutated(path.read_text(), rng), encoding="utf-8")
        return
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(len(data) + 1))
        if action == 2:
            del data[at:]
        elif action == 3:
            data[at:at] = rng.bytes(int(rng.integers(1, 64)))
        elif at < len(data):
            data[at] = int(rng.integers(256))
    path.write_bytes(data)


def side_by_side(*counts: int, seed: int, jobs: int) -> int:
    """Share of the counts (configs, commands, folders) in each of several processes; the highest exit code."""
    processes = []
    for job in range(jobs):
        own = [count // jobs + (job < count % jobs) for count in counts]
        options = zip(("--configs", "--commands", "--folders", "--seed"), (*own, seed + job), strict=True)
        arguments = [str(part) for option in options for part in option]
        processes.append(subprocess.Popen([sys.executable, "-m", "tests.tools.fuzz", *arguments], cwd=ROOT))
    return max(process.wait() for process in processes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configs", type=int, default=10_000)
    parser.add_argument("--commands", type=int, default=200)
    parser.add_argument("--folders", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    chosen = parser.parse_args()
    if chosen.jobs > 1:
        sys.exit(side_by_side(chosen.configs, chosen.commands, chosen.folders, seed=chosen.seed, jobs=chosen.jobs))
    rng = np.random.default_rng(chosen.seed)
    wrong = fuzz_configs(chosen.configs, rng)
    print(f"{chosen.configs} configs in process: {len(wrong)} wrong", flush=True)
    outside = fuzz_configs(chosen.commands, rng, by_command=True)
    print(f"{chosen.commands} configs by command: {len(outside)} wrong", flush=True)
    folders = fuzz_folders(chosen.folders, rng)
    print(f"{chosen.folders} run folders: {len(folders)} wrong", flush=True)
    sys.exit(1 if wrong or outside or folders else 0)


if __name__ == "__main__":
    main()
