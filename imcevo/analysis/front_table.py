"""A table of non-dominated designs, and which of them stand out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.analysis.labels import MINUS, quantity
from imcevo.analysis.pareto import ends, knee
from imcevo.technology.exposure_field import too_large_for_one_die


class FrontTable(ABC):
    """Designs as rows: ``design``, the values that describe it, the objectives, further results."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What the designs answer."""

    @property
    @abstractmethod
    def objectives(self) -> tuple[str, ...]:
        """Columns of `front` that are minimised."""

    @property
    @abstractmethod
    def front(self) -> pd.DataFrame:
        """The designs."""

    @cached_property
    def design_values(self) -> tuple[str, ...]:
        """Columns of `front` that describe the design: those before the objectives."""
        columns = list(self.front.columns)
        return tuple(columns[2 if "run" in columns else 1 : min(columns.index(name) for name in self.objectives)])

    @property
    def warnings(self) -> list[str]:
        """What a reader must be told beside the numbers of `front`."""
        warning = too_large_for_one_die(self.front["area_m2"]) if len(self.front) else None
        return [] if warning is None else [warning]

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
            if column.startswith(MINUS):
                kind = "highest"
            named.setdefault(row, {})[f"{kind} {quantity(column).name}".strip()] = None
        return {row: tuple(names) for row, names in named.items()}
