"""Selection and variation of integer genomes, whole generations at a time.

The genes are indices of short lists of values, ordered (rows, voltage) or not (cell), so recombination
exchanges genes instead of averaging them, and mutation mixes steps to neighbouring values with draws of any
other value.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.portable.arrays import exp2, row_sums


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
    blocks = Blocks.of(linkage)
    alone = np.flatnonzero(blocks.alone)
    mutated = X.copy()
    chosen = rng.random((len(X), len(alone))) < min(1.0, per_child / max(1, len(alone)))
    draws = _Draws.of(chosen.shape, upper[alone], rng)
    rows, places = np.nonzero(chosen)
    genes = alone[places]
    mutated[rows, genes] = draws.at((rows, places)).other_values(X[rows, genes], upper[genes], step_share)
    if len(blocks.first):
        block = rng.integers(0, len(blocks.first), size=(len(X), 1))
        place = np.arange(blocks.size.max())
        chosen = rng.random((len(X), len(place))) < per_child / blocks.size[block]
        rows, places = np.nonzero(chosen & (place < blocks.size[block]))
        genes = blocks.genes[blocks.first[block[rows, 0]] + places]
        mutated[rows, genes] = _other_values(X[rows, genes], upper[genes], step_share, rng)
    return mutated


def mutate_blocks(
    X: NDArray[np.int64],
    donors: NDArray[np.int64],
    upper: NDArray[np.int64],
    step_share: float,
    linkage: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """`X` ``[n, n_var]`` with every block of linked genes another one: candidates for `best_blocks`.

    With probability 1/2 a block comes from the same row of `donors`, else one gene of it, and with probability 1/2 a
    second one, is changed as `mutate` does.
    """
    blocks = Blocks.of(linkage)
    given = rng.random((len(X), int(linkage.max()) + 1)) < 0.5
    trial = np.where((given[:, linkage] & ~blocks.alone), donors, X)
    rows = np.arange(len(X))[:, None]
    for share in (1.0, 0.5):
        place = (rng.random((len(X), len(blocks.first))) * blocks.size).astype(np.int64)
        genes = blocks.genes[blocks.first + place]
        changed = ~given[rows, linkage[genes]] & (rng.random(genes.shape) < share)
        values = trial[rows, genes]
        trial[rows, genes] = np.where(changed, _other_values(values, upper[genes], step_share, rng), values)
    return trial


def best_blocks(
    candidates: NDArray[np.int64], costs: NDArray[np.float64], linkage: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """One row ``[n, n_var]`` out of `candidates` ``[n_candidates, n, n_var]``: of every block the one that costs least.

    Objectives that are sums over blocks credit every block with its own share, which selection of whole designs
    cannot: optimal mixing with partial evaluations (Bouter, Alderliesten, Witteveen, Bosman, "Exploiting linkage
    information in real-valued optimization with the real-valued gene-pool optimal mixing evolutionary algorithm",
    GECCO 2017). Two costs are weighed, each as a share of the first candidate's total, by 1 and by 2^u, u uniform from
    -3 to 3, so that the whole trade-off is searched. Of equals the first candidate's.

    Args:
        costs: of every block, numbered by `linkage` from 0, further ones are of no block
            ``[n_candidates, n, n_blocks or more, 2]``.
    """
    weights = exp2(6.0 * rng.random((candidates.shape[1], 1)) - 3.0)
    total = np.maximum(row_sums(costs[0].swapaxes(1, 2)), np.finfo(float).tiny)
    weighed = costs[..., 0] / total[:, None, 0] + weights * costs[..., 1] / total[:, None, 1]
    least = weighed.argmin(axis=0)[:, linkage]
    return np.take_along_axis(candidates, least[None], axis=0)[0]


class Blocks(NamedTuple):
    """Genes that share their linkage with others.

    Attributes:
        alone: which genes are in no block ``[n_var]``.
        genes: by block ``[n_linked]``.
        first, size: of every block, its place in `genes` and how many ``[n_blocks]``.
    """

    alone: NDArray[np.bool_]
    genes: NDArray[np.intp]
    first: NDArray[np.intp]
    size: NDArray[np.intp]

    @classmethod
    def of(cls, linkage: NDArray[np.int64]) -> Blocks:
        """Of the variables' `linkage` ``[n_var]``."""
        count = np.bincount(linkage)
        alone = count[linkage] == 1
        linked = np.flatnonzero(~alone)
        size = count[count > 1]
        return cls(
            alone, linked[np.argsort(linkage[linked], kind="stable")], np.cumsum(size) - size, size.astype(np.intp)
        )


class _Draws(NamedTuple):
    """What decides on another value of each gene; arrays of one shape.

    Attributes:
        direction: of a step, below 1/2 downwards.
        offset: from the value to any other one of the gene's list: 1 to its largest index, cyclically.
        kind: a step where it is below the share of steps.
    """

    direction: NDArray[np.float64]
    offset: NDArray[np.int64]
    kind: NDArray[np.float64]

    @classmethod
    def of(cls, shape: tuple[int, ...], upper: NDArray[np.int64], rng: np.random.Generator) -> _Draws:
        """For genes with these largest indices, of the same `shape` or of its last axis."""
        return cls(rng.random(shape), rng.integers(1, np.maximum(upper, 1) + 1, size=shape), rng.random(shape))

    def at(self, index: tuple[NDArray[np.intp], ...]) -> _Draws:
        return _Draws(self.direction[index], self.offset[index], self.kind[index])

    def other_values(
        self, values: NDArray[np.int64], upper: NDArray[np.int64], step_share: float
    ) -> NDArray[np.int64]:
        """Another value for every gene, as `mutate` says; arrays of one shape, or `upper` of the last axis."""
        step = np.where(self.direction < 0.5, -1, 1)
        stepped = values + step
        stepped = np.where((stepped < 0) | (stepped > upper), values - step, stepped)
        drawn = (values + self.offset) % (upper + 1)
        return np.where(self.kind < step_share, stepped, drawn)


def _other_values(
    values: NDArray[np.int64], upper: NDArray[np.int64], step_share: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Another value for every gene, drawn here and now."""
    return _Draws.of(values.shape, upper, rng).other_values(values, upper, step_share)
