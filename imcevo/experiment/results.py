"""What a finished search leaves for reading: ``front.csv`` and ``breakdown.csv``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.experiment.files import write_atomically
from imcevo.hardware import DesignTable
from imcevo.optimise import Front
from imcevo.problem import CodesignProblem

FRONT = "front.csv"
BREAKDOWN = "breakdown.csv"


def write_results(problem: CodesignProblem, front: Front, folder: Path) -> None:
    """Both tables, a row per design of the front, sorted by the objectives.

    ``front.csv``: ``design`` (number in order of evaluation, from 0), design values, objectives, results per
    network. ``breakdown.csv``: ``design``, ``energy_J.<network>.<component>``,
    ``latency_s.<network>.<resource>``, ``area_m2.<component>``.
    """
    order = np.lexsort((front.number, *front.F.T[::-1]))
    number, X = front.number[order], front.X[order]
    if len(X) == 0:  # the header alone: of any design, its row dropped
        X = np.zeros((1, problem.n_var), dtype=np.int64)
    table = problem.frame(X).drop(columns=["feasible", "violations"])
    _write(table, number, folder / FRONT)
    _write(breakdown_of(problem, problem.decode(X)), number, folder / BREAKDOWN)


def breakdown_of(problem: CodesignProblem, designs: DesignTable) -> pd.DataFrame:
    """Components of repaired designs, a row each; columns as in ``breakdown.csv`` without ``design``."""
    parts = problem.simulator.breakdown(designs)
    columns: dict[str, NDArray[np.float64]] = {}
    for index, network in enumerate(problem.networks):
        for quantity, components, values in (
            ("energy_J", parts.energy_components, parts.energy_J),
            ("latency_s", parts.latency_components, parts.latency_s),
        ):
            columns |= {f"{quantity}.{network}.{c}": values[:, index, k] for k, c in enumerate(components)}
    columns |= {f"area_m2.{c}": parts.area_m2[:, k] for k, c in enumerate(parts.area_components)}
    return pd.DataFrame(columns)


def _write(table: pd.DataFrame, number: NDArray[np.int64], path: Path) -> None:
    table = table.iloc[: len(number)]
    table.insert(0, "design", number)
    # pandas writes the shortest text that reads back as the same float.
    write_atomically(path, table.to_csv(index=False, lineterminator="\n"))
