"""``history.csv``: how the search went: a row per generation, in long runs one per percent of growth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FILE = "history.csv"
COLUMNS = ("generation", "evaluations", "feasible_share", "hypervolume", "front_size")
_WHOLE = ("generation", "evaluations", "front_size")
_GROWTH = 1.01


class History:
    """Rows of `COLUMNS`; which generations get one depends on the number of evaluations alone."""

    def __init__(self, rows: NDArray[np.float64] | None = None) -> None:
        """Empty, or continued from the array of an earlier one."""
        self._rows: list[list[float]] = [] if rows is None else rows.tolist()

    @property
    def last(self) -> tuple[float, ...]:
        """The last row."""
        return tuple(self._rows[-1])

    def due(self, evaluations: int) -> bool:
        """Whether a generation that ends at so many evaluations gets a row."""
        return not self._rows or evaluations >= _GROWTH * self._rows[-1][1]

    def add(self, *row: float) -> None:
        """A row in the order of `COLUMNS`; the one of the same generation is replaced."""
        if self._rows and self._rows[-1][0] == row[0]:
            self._rows.pop()
        self._rows.append([float(value) for value in row])

    def array(self) -> NDArray[np.float64]:
        """``[n_rows, n_columns]``."""
        return np.array(self._rows, dtype=np.float64).reshape(-1, len(COLUMNS))

    def csv(self) -> str:
        """The file: whole numbers as such, the others in full precision."""
        lines = [",".join(COLUMNS)]
        for row in self._rows:
            named = zip(COLUMNS, row, strict=True)
            lines.append(",".join(repr(int(v)) if name in _WHOLE else repr(v) for name, v in named))
        return "\n".join(lines) + "\n"
