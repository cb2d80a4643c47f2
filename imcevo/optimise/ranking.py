"""Ranks and crowding of a set of evaluated designs, on arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import moocore
import numpy as np
from numpy.typing import NDArray
from pymoo.operators.survival.rank_and_crowding.metrics import get_crowding_function

from imcevo.portable.arrays import log, row_sums

_MNN = get_crowding_function("mnn")


def violation(G: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of what `G` ``[n, n_constr]`` exceeds 0 by ``[n]``; 0 is feasible."""
    return row_sums(np.maximum(G, 0.0))


class Survivors(NamedTuple):
    """Designs that live on, the best first.

    Attributes:
        chosen: their places among the designs given ``[n_survivors]``.
        rank: non-domination rank, from 0 ``[n_survivors]``.
        crowding: crowding distance, infinite at the ends of a front ``[n_survivors]``.
    """

    chosen: NDArray[np.intp]
    rank: NDArray[np.int64]
    crowding: NDArray[np.float64]


def survivors(
    F: NDArray[np.float64],
    violated: NDArray[np.float64],
    n: int,
    infeasible_share: float,
    rng: np.random.Generator,
    best_of: Callable[[NDArray[np.float64], int], Survivors],
) -> Survivors:
    """The `n` designs that live on.

    Feasible designs come first, as `best_of` ranks them, and infeasible ones by their violation (Deb et al. 2002,
    sections III and VI), unless a share of the places is kept for infeasible designs: then these are ranked among
    themselves with the violation as one more objective (Ray, Singh, Isaacs, Smith, "Infeasibility driven evolutionary
    algorithm for constrained optimization", 2009), so that a kind of design whose feasible region is small is not lost
    before it gets there.

    Args:
        F: objectives ``[n_designs, n_obj]`` on the scale in which crowding is to be measured.
        violated: ``[n_designs]`` from `violation`.
        best_of: objectives of feasible designs, and how many of them survive -> the survivors.
    """
    feasible, infeasible = np.flatnonzero(violated == 0), np.flatnonzero(violated > 0)
    reserved = min(len(infeasible), int(infeasible_share * n))
    n_feasible = min(len(feasible), n - reserved)
    best = best_of(F[feasible], n_feasible) if n_feasible else crowded(F[:0], 0, rng)
    amount = log(violated[infeasible])[:, None]
    compared = np.hstack([F[infeasible], amount]) if infeasible_share > 0 else amount
    rest = crowded(compared, min(len(infeasible), n - n_feasible), rng)
    behind = 0 if infeasible_share > 0 or n_feasible == 0 else int(best.rank.max()) + 1
    return Survivors(
        np.concatenate([feasible[best.chosen], infeasible[rest.chosen]]),
        np.concatenate([best.rank, rest.rank + behind]),
        np.concatenate([best.crowding, rest.crowding]),
    )


def crowded(F: NDArray[np.float64], n: int, rng: np.random.Generator, crowding: str = "cd") -> Survivors:
    """The best `n` rows of `F` ``[n_designs, n_obj]`` by non-domination rank, then crowding; ties are drawn.

    Args:
        crowding: pymoo's name of the measure, ``cd`` or ``mnn``.
    """
    rank = moocore.pareto_rank(F) if len(F) else np.zeros(0, dtype=np.int64)
    distance = np.zeros(len(F))
    covered, front_number = 0, 0
    while covered < n:
        front = np.flatnonzero(rank == front_number)
        covered += len(front)
        with np.errstate(divide="ignore", invalid="ignore"):  # where all designs of a front share a value
            if crowding == "cd":
                distance[front] = crowding_distance(F[front])
            else:
                distance[front] = _MNN.do(F[front], n_remove=max(0, covered - n))
        front_number += 1
    kept = np.lexsort((rng.random(len(F)), -distance, rank))[:n]
    return Survivors(kept, rank[kept].astype(np.int64), distance[kept])


def crowding_distance(F: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the objectives of the distance between a design's two neighbours, as a share of the range ``[n]``.

    Deb et al. 2002, section III-B, to the bit as pymoo computes it up to seven objectives; infinite at the ends.

    Args:
        F: objectives of one front ``[n, n_obj]``.
    """
    n, n_obj = F.shape
    if n <= 2:
        return np.full(n, np.inf)
    columns = np.ascontiguousarray(F.T)
    rows, order = np.arange(n_obj)[:, None], np.argsort(columns, axis=1, kind="stable")
    padded = np.empty((n_obj, n + 2))
    padded[:, 0], padded[:, -1] = -np.inf, np.inf
    ascending = padded[:, 1:-1]
    ascending[:] = columns[rows, order]
    extent = ascending[:, -1:] - ascending[:, :1]
    extent[extent == 0] = np.nan
    gaps = np.diff(padded, axis=1) / extent
    gaps[np.isnan(gaps)] = 0.0  # all designs share the value
    between = np.empty((n, n_obj))
    between.T[rows, order] = gaps[:, :-1] + gaps[:, 1:]
    return row_sums(between) / n_obj
