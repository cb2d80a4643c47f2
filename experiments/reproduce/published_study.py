"""The study of the published design spaces, as small CSV files.

``python -m experiments.reproduce.published_study --out results/reference/published`` from the root of a checkout writes

- ``optima.csv``: the certified optimum of every space and objective,
- ``fronts/<space>.csv``: the exact fronts,
- ``refits.csv``: how the optima move over refits of the cost model,
- ``published_best.csv``: the best published designs under the same model,
- ``claims.csv``: joint design against the baselines,
- ``search.csv``: the published optimiser, NSGA-II and random search against the certified optima.

``python -m experiments.reproduce.published_figure results/reference/published`` draws them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from experiments.reproduce.published_claims import claims_table, published_best_table
from experiments.reproduce.published_refits import refits_table
from experiments.reproduce.published_searches import search_table
from experiments.reproduce.published_spaces import DIGITS, NODES_SPACE, SPACES, decide_all, front_table, optima_table
from imcevo.errors import UserError
from imcevo.runs.files import make_folder, write_atomically


def run_study(out: Path, problems: Path, *, seeds: int, refits: int, say: Callable[[str], None]) -> None:
    """Write the whole study into the folder `out`.

    Args:
        problems: folder of the published problem files.
        say: told what is done.

    Raises:
        UserError: a problem file is missing or wrong, or `out` cannot be written.
    """
    make_folder(out / "fronts")
    started = time.monotonic()

    def write(name: str, table: pd.DataFrame) -> None:
        write_atomically(out / name, table.to_csv(index=False, lineterminator="\n", float_format=f"%.{DIGITS}g"))
        say(f"{time.monotonic() - started:6.0f} s  {name}: {len(table)} rows")

    spaces = decide_all(problems)
    write("optima.csv", optima_table(list(spaces.values())))
    for name in (*SPACES, NODES_SPACE):
        write(f"fronts/{name}.csv", front_table(spaces[name]))
    write("published_best.csv", published_best_table(spaces))
    write("refits.csv", refits_table(spaces, refits))
    write("claims.csv", claims_table(spaces))
    write("search.csv", search_table(spaces, seeds))


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m experiments.reproduce.published_study", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the tables")
    parser.add_argument("--problems", type=Path, default=Path("problems"), metavar="DIR", help="its problem files")
    parser.add_argument("--seeds", type=int, default=20, help="seeds of every search")
    parser.add_argument("--refits", type=int, default=100, help="refits of the cost model")
    given = parser.parse_args()
    try:
        for option, count in (("--seeds", given.seeds), ("--refits", given.refits)):
            if count < 1:
                raise UserError("is out of range", key=option, value=count, allowed="1 or more")
        run_study(given.out, given.problems, seeds=given.seeds, refits=given.refits, say=print)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
