"""What precision costs, as small CSV files.

``python -m experiments.reproduce.accuracy_study --out results/reference/accuracy`` from the root of a checkout writes

- ``fronts.csv``: the fronts of the same problem with and without its constraint on compute-SNR,
- ``spread.csv``: how these fronts spread over cells, ADC bits and rows, and what SNR they reach,
- ``digits.csv``: energy, SNR and measured accuracy of a trained network over ADC bits, active rows and bits per cell.

``python -m experiments.reproduce.accuracy_figure results/reference/accuracy`` draws them.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path

import pandas as pd

from experiments.reproduce.accuracy_digits import digits_table
from imcevo.errors import UserError
from imcevo.optimise import optimiser_options
from imcevo.problem import CodesignProblem, load_problem
from imcevo.problem.constraints import SNR
from imcevo.runs.config import RunSpec
from imcevo.runs.files import make_folder, write_atomically
from imcevo.runs.search_loop import SearchLoop

EVALUATIONS, _POPULATION, _SEED = 10_000, 100, 1
_DIGITS = 6


def without_snr(problem: CodesignProblem) -> CodesignProblem:
    """The same problem, free to compute as wrongly as it likes."""
    kept = tuple(constraint for constraint in problem.constraints if constraint.quantity != SNR)
    return dataclasses.replace(problem, constraints=kept, hash=f"{problem.hash}-without-snr")


def front_of(problem: CodesignProblem, evaluations: int = EVALUATIONS) -> pd.DataFrame:
    """The front of one search: designs and results."""
    run = RunSpec("nsga2", optimiser_options("nsga2", {"population": _POPULATION}), _SEED, str(_SEED))
    with (
        tempfile.TemporaryDirectory(prefix="imcevo-accuracy-") as folder,
        SearchLoop(problem, run, evaluations, Path(folder)) as session,
    ):
        front = session.work()
    return problem.frame(front.X).sort_values(list(problem.objective_names), ignore_index=True)


def fronts_table(problem: CodesignProblem, evaluations: int = EVALUATIONS) -> pd.DataFrame:
    """Both fronts, one design per row; column ``constrained``."""
    fronts = [front_of(asked, evaluations).assign(constrained=asked is problem)
              for asked in (problem, without_snr(problem))]  # fmt: skip
    table = pd.concat(fronts, ignore_index=True).drop(columns=["feasible", "violations"])
    snr = [column for column in table if str(column).startswith(f"{SNR}.")]
    table[SNR] = table[snr].min(axis=1)
    return table[["constrained", *[column for column in table if column != "constrained"]]]


def spread_table(fronts: pd.DataFrame) -> pd.DataFrame:
    """Per front and cell: designs, and range and number of distinct values of what precision depends on."""
    rows = []
    for (constrained, cell), front in fronts.groupby(["constrained", "cell"]):
        row: dict[str, object] = {"constrained": constrained, "cell": cell, "designs": len(front)}
        for key in ("adc_bits", "rows_active", "bits_per_cell", "dac_bits", SNR):
            row |= {f"{key}_least": front[key].min(), f"{key}_most": front[key].max()}
            if key != SNR:
                row[f"{key}_values"] = front[key].nunique()
        rows.append(row)
    return pd.DataFrame(rows)


def run_study(out: Path, problem: Path, evaluations: int = EVALUATIONS) -> None:
    """Write the tables into the folder `out`.

    Raises:
        UserError: the problem file is missing or wrong, or `out` cannot be written.
    """
    make_folder(out)
    fronts = fronts_table(load_problem(problem), evaluations)
    for name, table in (("fronts", fronts), ("spread", spread_table(fronts)), ("digits", digits_table())):
        text = table.to_csv(index=False, lineterminator="\n", float_format=f"%.{_DIGITS}g")
        write_atomically(out / f"{name}.csv", text)


def main() -> int:
    parser = argparse.ArgumentParser(description="What precision costs, as small CSV files.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--problem", type=Path, default=Path("problems/snr_analog.toml"))
    given = parser.parse_args()
    try:
        run_study(given.out, given.problem)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
