"""Optimisers side by side: hypervolumes of the runs of one experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from imcevo.analysis.run import Run
from imcevo.errors import UserError
from imcevo.runs.config import RunSpec
from imcevo.runs.files import write_atomically

COMPARISON = "comparison.csv"
RUNS = "runs.csv"


def run_table(runs: Sequence[tuple[RunSpec, Run]]) -> pd.DataFrame:
    """A row per run: ``optimiser seed evaluations front_size hypervolume``.

    Raises:
        UserError: the runs answer different questions.
    """
    hashes = {run.layout.problem_hash for _, run in runs}
    if len(hashes) > 1:
        raise UserError("runs of different problems cannot be compared", file=runs[0][1].path.parent)
    return pd.DataFrame([
        {
            "optimiser": spec.optimiser,
            "seed": spec.seed,
            "evaluations": run.manifest.evaluations,
            "front_size": int(run.history["front_size"].iloc[-1]),
            "hypervolume": float(run.history["hypervolume"].iloc[-1]),
        }
        for spec, run in runs
    ])  # fmt: skip


def comparison_table(table: pd.DataFrame) -> pd.DataFrame:
    """A row per optimiser, in their order of appearance: number of runs, median and range of the hypervolume
    over seeds, and ``seeds_below``, on how many seeds the first optimiser's run has the larger
    hypervolume."""
    rows = []
    first = table[table["optimiser"] == table["optimiser"].iloc[0]].set_index("seed")["hypervolume"]
    for optimiser, group in table.groupby("optimiser", sort=False):
        hypervolume = group["hypervolume"]
        rows.append({
            "optimiser": optimiser,
            "runs": len(group),
            "evaluations": int(group["evaluations"].max()),
            "hypervolume_median": float(hypervolume.median()),
            "hypervolume_min": float(hypervolume.min()),
            "hypervolume_max": float(hypervolume.max()),
            "seeds_below": int((group.set_index("seed")["hypervolume"].reindex(first.index) < first).sum()),
        })
    return pd.DataFrame(rows)


def write_comparison(folder: Path, runs: Sequence[tuple[RunSpec, Run]]) -> pd.DataFrame:
    """Write ``runs.csv`` and ``comparison.csv`` into `folder`; returns the latter."""
    table = run_table(runs)
    summary = comparison_table(table)
    for name, content in ((RUNS, table), (COMPARISON, summary)):
        write_atomically(folder / name, content.to_csv(index=False, lineterminator="\n"))
    return summary
