"""Make the files of ``results/reference`` again, all or some, and say what moved.

``python -m experiments.reproduce.reference`` from the root of a checkout runs every command that
``results/reference/README.md`` names, each in a folder of its own under ``--work``, and compares the files that are
committed with the ones it made. ``--only quickstart studies/workload_mix`` takes some; ``--update`` then replaces the
committed files; ``--table FILE`` writes the comparison as CSV.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

REFERENCE = Path("results") / "reference"


class Made(NamedTuple):
    """A folder below `REFERENCE`, and the commands that make its files in the folder ``{out}``."""

    folder: str
    commands: tuple[tuple[str, ...], ...]


def _imcevo(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "imcevo", *arguments)


def _script(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"experiments.reproduce.{name}", *arguments)


def _study(folder: str, name: str) -> Made:
    return Made(folder, (_imcevo("compare", f"experiments/{name}.toml", "--out", "{out}", "--quiet"),))


def _searches(folder: str, name: str) -> Made:
    return Made(folder, (_imcevo("run", f"experiments/{name}.toml", "--workers", "2", "--quiet", "--out", "{out}"),))


_PROBLEMS = ("quickstart", "rram_resident4", "sram_streamed4")
EVERY: tuple[Made, ...] = (
    Made("quickstart", (_imcevo("run", "experiments/quickstart.toml", "--quiet", "--out", "{out}"),)),
    *(_searches(f"nsga2_vs_random/{name}", f"nsga2_vs_random_{name}") for name in _PROBLEMS),
    *(_searches(f"optimisers/{name}", f"optimisers_{name}") for name in _PROBLEMS),
    _study("hybrid", "hybrid_diverse9"),
    *(
        _study(f"studies/{name}", name)
        for name in ("generalised_vs_specialised", "bitcell_technology", "unseen_networks", "workload_mix")
    ),
    Made("accuracy", (_script("accuracy_study", "--out", "{out}"), _script("accuracy_figure", "{out}"))),
    Made("validation", (_imcevo("validate", "all", "--out", "{out}"),)),
    Made("published", (_script("published_study", "--out", "{out}"), _script("published_figure", "{out}"))),
    Made("mapping", (_script("mapping_study", "--out", "{out}"), _script("mapping_figure", "{out}"))),
)


class Difference(NamedTuple):
    """How a file that was made again differs from the committed one.

    Attributes:
        values, moved: numbers in a CSV file, and those that differ; None of other files.
        largest: relative difference of these numbers; infinite where rows or names differ.
    """

    file: str
    equal_bytes: bool
    values: int | None = None
    moved: int | None = None
    largest: float | None = None


def difference(committed: Path, made: Path, name: str) -> Difference:
    """Compare one file, number by number where it is a table."""
    if not made.exists():
        return Difference(name, False, largest=np.inf)
    if committed.read_bytes() == made.read_bytes():
        return Difference(name, True)
    if committed.suffix != ".csv":
        return Difference(name, False)
    one, other = pd.read_csv(committed), pd.read_csv(made)
    if list(one) != list(other) or len(one) != len(other):
        return Difference(name, False, int(one.size), None, np.inf)
    numeric = [column for column in one if pd.api.types.is_numeric_dtype(one[column])]
    words = [column for column in one if column not in numeric]
    a, b = one[numeric].to_numpy(np.float64), other[numeric].to_numpy(np.float64)
    apart = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    scale = np.maximum(np.abs(a), np.abs(b))[apart]
    largest = float(np.max(np.abs(a - b)[apart] / scale, initial=0.0))
    if not one[words].equals(other[words]):
        largest = np.inf
    return Difference(name, False, int(a.size), int(apart.sum()), largest)


def make(entry: Made, out: Path) -> None:
    """Run an entry's commands; raises CalledProcessError where one fails."""
    for command in entry.commands:
        arguments = [part.replace("{out}", str(out)) for part in command]
        print("+", " ".join(arguments[1:]), file=sys.stderr, flush=True)
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)


def compared(entry: Made, out: Path) -> list[Difference]:
    """Every committed file of an entry beside the one in `out`."""
    folder = REFERENCE / entry.folder
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [difference(path, out / path.relative_to(folder), str(path.relative_to(REFERENCE))) for path in files]


def update(entry: Made, out: Path) -> None:
    """Replace the committed files of an entry by those made again."""
    folder = REFERENCE / entry.folder
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        shutil.copyfile(out / path.relative_to(folder), path)


def main(arguments: Sequence[str] | None = None) -> None:
    names = [entry.folder for entry in EVERY]
    parser = argparse.ArgumentParser(prog="python -m experiments.reproduce.reference", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="FOLDER", help=", ".join(names))
    parser.add_argument("--work", type=Path, help="where results are made [a new folder]; what is there is kept")
    parser.add_argument("--table", type=Path, help="CSV of what moved")
    parser.add_argument("--update", action="store_true", help="replace the committed files")
    given = parser.parse_args(arguments)
    work: Path = given.work or Path(tempfile.mkdtemp(prefix="reference-"))
    found: list[Difference] = []
    for entry in EVERY:
        if entry.folder not in given.only:
            continue
        out, started = work / entry.folder, time.monotonic()
        if not out.exists():
            out.parent.mkdir(parents=True, exist_ok=True)
            make(entry, out)
        found += compared(entry, out)
        seconds, same = time.monotonic() - started, sum(one.equal_bytes for one in found)
        print(f"{entry.folder}: {seconds:.0f} s; {same} of {len(found)} files equal so far", flush=True)
        if given.update:
            update(entry, out)
    table = pd.DataFrame(found)
    if given.table is not None:
        table.to_csv(given.table, index=False)
    print(table[~table["equal_bytes"]].to_string(index=False))


if __name__ == "__main__":
    main()
