"""Designs picked from the fronts of one run or several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from imcevo.analysis.front_table import FrontTable
from imcevo.analysis.pareto import nondominated
from imcevo.analysis.query import Columns, chosen, is_maximised, measured
from imcevo.analysis.run import Run
from imcevo.errors import UserError


class Selection(FrontTable):
    """Some non-dominated designs of one problem; see `FrontTable`."""

    def __init__(self, title: str, objectives: tuple[str, ...], front: pd.DataFrame) -> None:
        self._title, self._objectives, self._front = title, objectives, front

    @property
    def title(self) -> str:
        return self._title

    @property
    def objectives(self) -> tuple[str, ...]:
        return self._objectives

    @property
    def front(self) -> pd.DataFrame:
        return self._front

    def where(self, expression: str) -> Selection:
        """The designs that an expression of `imcevo.analysis.query` is true for.

        Raises:
            UserError: not such an expression.
        """
        if len(self.front) == 0:
            return self
        rows = chosen(expression, Columns(self.front, self.objectives), key="--where")
        return Selection(self.title, self.objectives, self.front[rows].reset_index(drop=True))

    def best(self, expression: str) -> Selection:
        """The one design with the lowest value of an expression, the first of equals; none of none.

        The highest, where the expression is the name of a quantity of which more is better.

        Raises:
            UserError: not such an expression.
        """
        if len(self.front) == 0:
            return self
        values = measured(expression, Columns(self.front, self.objectives), key="--best")
        row = int(np.argmax(values) if is_maximised(expression) else np.argmin(values))
        return Selection(self.title, self.objectives, self.front.iloc[row : row + 1].reset_index(drop=True))


def merged_front(runs: Sequence[Run]) -> Selection:
    """The non-dominated designs of all runs, sorted by the objectives; of several runs with a column ``run``.

    A design that several runs found is listed once, for the first of them.

    Raises:
        UserError: the runs answer different problems.
    """
    first = runs[0]
    for other in runs[1:]:
        if other.layout.problem_hash != first.layout.problem_hash:
            raise UserError(f"is of another problem than {first.path}: their fronts cannot be merged", file=other.path)
    if len(runs) == 1:
        return Selection(first.title, first.objectives, first.front)
    fronts = []
    for run in runs:
        front = run.front.copy()
        front.insert(1, "run", str(run.path))
        fronts.append(front)
    together = pd.concat([front for front in fronts if len(front)] or fronts[:1], ignore_index=True)
    if len(together):
        together = together.drop_duplicates([*first.design_values, *first.objectives], ignore_index=True)
        together = together[nondominated(together[list(first.objectives)].to_numpy(np.float64))]
        together = together.sort_values(list(first.objectives), kind="stable", ignore_index=True)
    return Selection(first.title, first.objectives, together)
