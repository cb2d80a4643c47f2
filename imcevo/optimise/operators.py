"""Selection and variation of integer genomes, whole generations at a time.

The genes are indices of short lists of values, ordered (rows, voltage) or not (cell), so recombination
exchanges genes instead of averaging them, and mutation mixes steps to neighbouring values with draws of any
other value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def binary_tournament(
    rank: NDArray[np.int64], crowding: NDArray[np.float64], n: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """`n` parents by Deb's crowded comparison: the lower rank of two wins, then the less crowded one.

    Deb, Pratap, Agarwal, Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE TEC
    6(2), 2002, section III-B; equals are decided by the draw.

    Args:
        rank, crowding: of the population ``[n_population]``; infeasible designs have the higher ranks.

    Returns:
        Indices into the population ``[n]``.
    """
    a, b = rng.integers(0, len(rank), size=(2, n))
    b_wins = (rank[b] < rank[a]) | ((rank[b] == rank[a]) & (crowding[b] > crowding[a]))
    return np.where(b_wins, b, a)


def uniform_crossover(
    parents: NDArray[np.int64], probability: float, linkage: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Children ``[2 n_pairs, n_var]`` of pairs ``[2, n_pairs, n_var]``.

    A pair recombines with `probability`; each gene then changes sides with probability 1/2 (Syswerda,
    "Uniform crossover in genetic algorithms", ICGA 1989), genes of equal `linkage` ``[n_var]`` together.
    """
    first, second = parents
    swap = rng.random((len(first), int(linkage.max()) + 1)) < 0.5
    swap &= rng.random((len(first), 1)) < probability
    swap = swap[:, linkage]
    return np.concatenate([np.where(swap, second, first), np.where(swap, first, second)])


def mutate(
    X: NDArray[np.int64],
    upper: NDArray[np.int64],
    per_child: float,
    step_share: float,
    linkage: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """`X` ``[n, n_var]`` with on average `per_child` genes of every row changed.

    Genes that share their `linkage` ``[n_var]`` with others (the mapping of one layer) do not count: one such block of
    every row is picked, and on average `per_child` genes in it changed.

    A share `step_share` of the changes steps to a neighbouring value (at an end of the list: inwards), the
    others draw any other value of the gene's list.
    """
    size = np.bincount(linkage)
    alone = size[linkage] == 1
    chosen = rng.random(X.shape) < min(1.0, per_child / max(1, alone.sum()))
    blocks = np.flatnonzero(size > 1)
    if len(blocks):
        picked = linkage == rng.choice(blocks, size=(len(X), 1))
        chosen = np.where(alone, chosen, picked & (rng.random(X.shape) < np.minimum(1.0, per_child / size[linkage])))
    step = np.where(rng.random(X.shape) < 0.5, -1, 1)
    stepped = X + step
    stepped = np.where((stepped < 0) | (stepped > upper), X - step, stepped)
    # Any value but the present one: an offset of 1 .. upper, modulo the number of values.
    drawn = (X + rng.integers(1, np.maximum(upper, 1) + 1, size=X.shape)) % (upper + 1)
    return np.where(chosen, np.where(rng.random(X.shape) < step_share, stepped, drawn), X)
