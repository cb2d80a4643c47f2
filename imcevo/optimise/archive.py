"""The unbounded archive of feasible non-dominated designs."""

from __future__ import annotations

from typing import NamedTuple

import moocore
import numpy as np
from numpy.typing import NDArray

_SMALLEST_MERGE = 2048


class Front(NamedTuple):
    """Feasible designs that no other evaluated design dominates, in order of evaluation.

    Attributes:
        number: of the design in order of evaluation, from 0 ``[n]``.
        X: canonical genomes ``[n, n_var]``.
        F: objectives ``[n, n_obj]``.
    """

    number: NDArray[np.int64]
    X: NDArray[np.int64]
    F: NDArray[np.float64]

    def thinned(self, most: int) -> NDArray[np.int64]:
        """Genomes of at most so many designs ``[<= most, n_var]``, evenly along the first objective."""
        order = np.argsort(self.F[:, 0], kind="stable")
        return self.X[order[np.unique(np.linspace(0, len(order) - 1, min(most, len(order))).astype(int))]]


class ParetoArchive:
    """Every feasible non-dominated design seen so far; designs with equal objectives are all kept.

    Newcomers wait in a list and are merged when they outnumber the front, so that the cost per design stays
    flat; the front is a set in order of evaluation and does not depend on when merges happened.
    """

    def __init__(self, n_var: int, n_obj: int) -> None:
        self._front = Front(np.empty(0, np.int64), np.empty((0, n_var), np.int64), np.empty((0, n_obj)))
        self._waiting: list[Front] = []
        self._n_waiting = 0
        self.n_evaluated = 0
        self.n_feasible = 0

    def add(self, X: NDArray[np.integer], F: NDArray[np.float64], G: NDArray[np.float64]) -> None:
        """Evaluated designs in order of evaluation: ``[n, n_var]``, ``[n, n_obj]``, ``[n, n_constr]``."""
        feasible = np.flatnonzero((G <= 0).all(axis=1))
        if len(feasible):
            number = self.n_evaluated + feasible
            self._waiting.append(Front(number, X[feasible].astype(np.int64), F[feasible]))
            self._n_waiting += len(feasible)
        self.n_evaluated += len(X)
        self.n_feasible += len(feasible)
        if self._n_waiting > max(_SMALLEST_MERGE, len(self._front.number)):
            self._merge()

    def front(self) -> Front:
        """The front of everything added."""
        self._merge()
        return self._front

    def _merge(self) -> None:
        if not self._waiting:
            return
        number, X, F = (np.concatenate(parts) for parts in zip(self._front, *self._waiting, strict=True))
        best = moocore.is_nondominated(F, keep_weakly=True)
        self._front = Front(number[best], X[best], F[best])
        self._waiting, self._n_waiting = [], 0
