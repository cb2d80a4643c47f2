"""What a finished search leaves for reading: ``front.csv`` and ``breakdown.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.hardware import DesignTable
from imcevo.mapping.factors import FACTORS
from imcevo.mapping.kernel_records import Records
from imcevo.optimise import Front
from imcevo.problem import CodesignProblem
from imcevo.runs.files import write_atomically

FRONT = "front.csv"
BREAKDOWN = "breakdown.csv"
MAPPINGS = "mappings.npz"
_PIECE = 512  # as many as the simulator takes at once, so that each is mapped once


def write_results(problem: CodesignProblem, front: Front, folder: Path) -> None:
    """Tables with a row per design of the front, sorted by the objectives, and the designs' mappings.

    ``front.csv``: ``design`` (number in order of evaluation, from 0), design values, objectives, results per
    network. ``breakdown.csv``: ``design``, ``energy_J.<network>.<component>``,
    ``latency_s.<network>.<resource>``, ``area_m2.<component>``. ``mappings.npz`` (physical profile, bits not
    genes): ``design``; an int32 array ``[n_designs, n_layers]`` per factor; ``network`` and ``count`` of the layers.
    """
    order = np.lexsort((front.number, *front.F.T[::-1]))
    number, X = front.number[order], front.X[order]
    if len(X) == 0:  # the header alone: of any design, its row dropped
        X = np.zeros((1, problem.n_var), dtype=np.int64)
    simulator = problem.simulator
    tables, parts, factors = [], [], []
    for start in range(0, len(X), _PIECE):
        piece = X[start : start + _PIECE]
        designs = problem.decode(piece)
        with simulator.keeping_mappings():
            tables.append(problem.frame(piece).drop(columns=["feasible", "violations"]))
            parts.append(breakdown_of(problem, designs))
            mapping = simulator.mapped(designs)
            if mapping is not None:
                factors.append(mapping.factors)
    _write(pd.concat(tables), number, folder / FRONT)
    _write(pd.concat(parts), number, folder / BREAKDOWN)
    if simulator.layers is not None:
        write_atomically(folder / MAPPINGS, _mappings(simulator.layers, factors, number))


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


def _mappings(layers: Records, factors: Sequence[Records], number: NDArray[np.int64]) -> bytes:
    columns: dict[str, Any] = {"design": number, "network": layers["network"], "count": layers["count"]}
    columns |= {name: np.concatenate([piece[name] for piece in factors])[: len(number)] for name in FACTORS}
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **columns)
    return file.getvalue()


def _write(table: pd.DataFrame, number: NDArray[np.int64], path: Path) -> None:
    columns = {"design": number.tolist()} | {name: table[name].tolist()[: len(number)] for name in table}
    file = io.StringIO()
    # Floats are written as the shortest text that reads back as the same float.
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_atomically(path, file.getvalue())
