"""A finished run as tables. Nothing here simulates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.analysis.labels import quantity
from imcevo.analysis.pareto import ends, knee
from imcevo.errors import UserError
from imcevo.experiment.config import RunSpec, load_experiment
from imcevo.experiment.evaluations import Layout, read_blocks, read_layout
from imcevo.experiment.history import COLUMNS
from imcevo.experiment.history import FILE as HISTORY
from imcevo.experiment.manifest import FILE as MANIFEST
from imcevo.experiment.manifest import Manifest, load_manifest
from imcevo.experiment.results import BREAKDOWN, FRONT
from imcevo.experiment.runs import EXPERIMENT, PROBLEM
from imcevo.experiment.session import EVALUATIONS
from imcevo.problem import CodesignProblem, load_problem


class Evaluations(NamedTuple):
    """Designs of a run in order of evaluation: X ``[n, n_var]``, F ``[n, n_obj]``, G ``[n, n_constr]``."""

    X: NDArray[np.unsignedinteger]
    F: NDArray[np.float64]
    G: NDArray[np.float64]

    @property
    def feasible(self) -> NDArray[np.bool_]:
        return np.asarray((self.G <= 0).all(axis=1))


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run; its tables are read when first used.

    Attributes:
        path: the run folder.
        layout: names of variables, objectives and constraints.
    """

    path: Path
    manifest: Manifest
    layout: Layout

    @property
    def objectives(self) -> tuple[str, ...]:
        return self.layout.objectives

    @cached_property
    def front(self) -> pd.DataFrame:
        """``front.csv``: feasible non-dominated designs, sorted by the objectives."""
        return self._table(FRONT, ("design", *self.objectives))

    @cached_property
    def history(self) -> pd.DataFrame:
        """``history.csv``."""
        return self._table(HISTORY, COLUMNS)

    @cached_property
    def breakdown(self) -> pd.DataFrame:
        """``breakdown.csv``: by component, the designs of `front` in its order."""
        return self._table(BREAKDOWN, ("design",))

    @cached_property
    def evaluations(self) -> Evaluations:
        """Every design of the run, as arrays."""
        blocks = list(self._blocks())
        empty = np.empty(0, dtype=self.layout.dtype)
        X, F, G = (
            np.concatenate([empty[name], *(getattr(block, name) for block in blocks)])
            for name in ("X", "F", "G")
        )
        return Evaluations(X, F, G)

    @cached_property
    def design_values(self) -> tuple[str, ...]:
        """Columns of `front` that describe the design: those before the objectives."""
        columns = list(self.front.columns)
        return tuple(columns[1 : min(columns.index(name) for name in self.objectives)])

    @cached_property
    def objective_values(self) -> NDArray[np.float64]:
        """Objectives of `front` ``[n, n_obj]``."""
        return self.front[list(self.objectives)].to_numpy(dtype=np.float64)

    @cached_property
    def remarkable(self) -> dict[str, int]:
        """Rows of `front` by name: ``knee``, then ``lowest <objective>``; empty if the front is."""
        if len(self.front) == 0:
            return {}
        F = self.objective_values
        lowest = zip(self.objectives, ends(F), strict=True)
        return {"knee": knee(F), **{f"lowest {name}": int(row) for name, row in lowest}}

    @cached_property
    def distinctions(self) -> dict[int, tuple[str, ...]]:
        """`remarkable` the other way round, in short words: row -> e.g. ``("knee", "lowest energy")``."""
        named: dict[int, dict[str, None]] = {}
        for name, row in self.remarkable.items():
            kind, _, column = name.partition(" ")
            named.setdefault(row, {})[f"{kind} {quantity(column).name}".strip()] = None
        return {row: tuple(names) for row, names in named.items()}

    @cached_property
    def problem(self) -> CodesignProblem:
        """The problem of the run, as stored with it.

        Raises:
            UserError: it changed, or the models and data behind it did.
        """
        problem = load_problem(self.path / PROBLEM)
        if problem.hash != self.layout.problem_hash:
            raise UserError(
                f"asks another question than the run in {EVALUATIONS} answers: the file, or data shipped "
                "with imcevo, has changed since",
                file=self.path / PROBLEM,
            )
        return problem

    def frames(self) -> Iterator[pd.DataFrame]:
        """Every evaluated design, generation by generation: ``design``, design values, objectives,
        ``constraint.<name>`` (<= 0 is met) and ``feasible``."""
        keys = self.problem.space.genes
        number = 0
        for block in self._blocks():
            designs = self.problem.decode(block.X.astype(np.int64))
            columns: dict[str, NDArray[Any]] = {"design": np.arange(number, number + len(block.X))}
            columns |= {key: designs.named(key) if key in designs.names else designs[key] for key in keys}
            columns |= dict(zip(self.objectives, block.F.T, strict=True))
            columns |= {f"constraint.{n}": g for n, g in zip(self.layout.constraints, block.G.T, strict=True)}
            columns["feasible"] = (block.G <= 0).all(axis=1)
            number += len(block.X)
            yield pd.DataFrame(columns)

    def _blocks(self) -> Iterator:
        path, count = self.path / EVALUATIONS, 0
        for block in read_blocks(path):
            count += len(block.X)
            yield block
        if count != self.manifest.evaluations:
            problem = f"is damaged after {count} of {self.manifest.evaluations} designs"
            raise UserError(problem, file=path)

    def _table(self, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
        path = self.path / name
        try:
            table = pd.read_csv(path)
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise UserError(f"cannot be read: {reason}", file=path) from None
        missing = [column for column in columns if column not in table]
        if missing:
            raise UserError("is damaged: column missing", file=path, value=missing[0])
        numeric = [column for column in columns if not pd.api.types.is_numeric_dtype(table[column])]
        if numeric and len(table):
            raise UserError("is damaged: column is not numeric", file=path, value=numeric[0])
        return table


def load_run(path: Path | str) -> Run:
    """The finished run in a folder.

    Raises:
        UserError: no such folder, several runs in it, not finished, corrupted, or of another format version.
    """
    folder = Path(path)
    if folder.is_dir() and not (folder / MANIFEST).exists() and (folder / EXPERIMENT).exists():
        inside = ", ".join(run.folder for run in load_experiment(folder / EXPERIMENT).runs())
        raise UserError("holds several runs", file=folder, allowed=f"one of the folders in it: {inside}")
    manifest = load_manifest(folder)
    if manifest.status != "finished":
        raise UserError(f"this run is not finished; continue it with `imcevo resume {folder}`", file=folder)
    return Run(folder, manifest, read_layout(folder / EVALUATIONS))


def load_runs(path: Path | str) -> list[tuple[RunSpec, Run]]:
    """The finished runs of an experiment with several of them, in the order they were made.

    Raises:
        UserError: as `load_run`; not the folder of such an experiment.
    """
    folder = Path(path)
    experiment = load_experiment(folder / EXPERIMENT)
    return [(spec, load_run(folder / spec.folder)) for spec in experiment.runs()]
