"""Ranks and crowding of a set of evaluated designs, on arrays."""

from __future__ import annotations

import moocore
import numpy as np
from numpy.typing import NDArray
from pymoo.operators.survival.rank_and_crowding.metrics import get_crowding_function

_CROWDING = get_crowding_function("cd")


def violation(G: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of what `G` ``[n, n_constr]`` exceeds 0 by ``[n]``; 0 is feasible."""
    return np.maximum(G, 0.0).sum(axis=1)


def rank_and_crowding(
    F: NDArray[np.float64], violated: NDArray[np.float64], n_needed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Non-domination rank and crowding distance with constraint domination (Deb et al. 2002, section VI).

    Feasible designs are ranked by dominance; each infeasible design ranks behind all feasible ones, by its
    violation.

    Args:
        F: objectives ``[n, n_obj]`` on the scale in which crowding is to be measured.
        violated: ``[n]`` from `violation`.
        n_needed: crowding is computed for the best fronts that together hold so many designs, and 0
            elsewhere.

    Returns:
        Rank ``[n]``, from 0, and crowding distance ``[n]`` (infinite at the ends of a front, 0 if
        infeasible).
    """
    feasible = np.flatnonzero(violated == 0)
    rank = np.zeros(len(F), dtype=np.int64)
    crowding = np.zeros(len(F))
    n_fronts = 0
    if len(feasible):
        rank[feasible] = moocore.pareto_rank(F[feasible])
        n_fronts = int(rank[feasible].max()) + 1
    infeasible = np.flatnonzero(violated > 0)
    rank[infeasible] = n_fronts + np.unique(violated[infeasible], return_inverse=True)[1]
    covered = 0
    for front_number in range(n_fronts):
        if covered >= n_needed:
            break
        front = feasible[rank[feasible] == front_number]
        crowding[front] = _CROWDING.do(F[front])
        covered += len(front)
    return rank, crowding
