"""A finished run as tables. Nothing here simulates."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.analysis.front_table import FrontTable
from imcevo.errors import UserError
from imcevo.problem import CodesignProblem, load_problem
from imcevo.runs.config import RunSpec, load_experiment
from imcevo.runs.evaluations import Block, Layout, read_blocks, read_layout
from imcevo.runs.history import COLUMNS
from imcevo.runs.history import FILE as HISTORY
from imcevo.runs.launch import EXPERIMENT, PROBLEM
from imcevo.runs.manifest import FILE as MANIFEST
from imcevo.runs.manifest import Manifest, file_hash, load_manifest
from imcevo.runs.recorder import EVALUATIONS
from imcevo.runs.results import BREAKDOWN, FRONT


@dataclass(frozen=True, eq=False)
class Run(FrontTable):
    """A finished run; its tables are read when first used.

    Attributes:
        path: the run folder.
        layout: names of variables, objectives and constraints.
    """

    path: Path
    manifest: Manifest
    layout: Layout

    @property
    def title(self) -> str:
        return self.manifest.problem

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
        for block in self.blocks():
            designs = self.problem.decode(block.X.astype(np.int64))
            columns: dict[str, NDArray[Any]] = {"design": np.arange(number, number + len(block.X))}
            columns |= {key: designs.named(key) if key in designs.names else designs[key] for key in keys}
            columns |= dict(zip(self.objectives, block.F.T, strict=True))
            columns |= {f"constraint.{n}": g for n, g in zip(self.layout.constraints, block.G.T, strict=True)}
            columns["feasible"] = block.feasible
            number += len(block.X)
            yield pd.DataFrame(columns)

    def last_feasible(self, most: int) -> NDArray[np.float64]:
        """Objectives of the last `most` feasible designs evaluated, or of all if there are fewer ``[n, n_obj]``."""
        kept: deque[NDArray[np.float64]] = deque([np.empty((0, len(self.objectives)))])
        n = 0
        for block in self.blocks():
            kept.append(block.F[block.feasible])
            n += len(kept[-1])
            while n - len(kept[0]) >= most:
                n -= len(kept.popleft())
        return np.concatenate(kept)[-most:]

    def blocks(self) -> Iterator[Block]:
        """Every design of the run as arrays, generation by generation; memory holds one.

        Raises:
            UserError: the file is damaged.
        """
        path, count = self.path / EVALUATIONS, 0
        for block in read_blocks(path):
            count += len(block.X)
            yield block
        if count != self.manifest.evaluations:
            problem = f"is damaged after {count} of {self.manifest.evaluations} designs"
            raise UserError(problem, file=path)

    def _table(self, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
        path = self.path / name
        if self.manifest.files.get(name) not in (None, file_hash(path)):
            raise UserError("was changed since the run ended: it is not what the search found", file=path)
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
