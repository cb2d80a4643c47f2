"""A small constrained three-objective problem on integers whose exact front is known by enumeration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.problem import Evaluation


class LinearScale:
    """The hypervolume box of the problem: objectives as they are."""

    def normalised(self, F: NDArray[np.float64]) -> NDArray[np.float64]:
        return F


class Synthetic:
    """Four objectives' worth of trade-off in six genes; gene 5 is inert wherever gene 0 is 0.

    `evaluated` collects every row that was ever evaluated.
    """

    n_obj, n_constr = 3, 2
    box = LinearScale()

    def __init__(self, upper: tuple[int, ...] = (2, 5, 4, 4, 3, 3)) -> None:
        self.upper = np.array(upper, dtype=np.int64)
        self.linkage = np.arange(len(upper))
        self.evaluated: list[NDArray[np.int64]] = []

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.integers(0, self.upper + 1, size=(n, len(self.upper)), dtype=np.int64)

    initial = sample

    def canonical(self, X: NDArray[np.int64]) -> NDArray[np.int64]:
        X = X.copy()
        X[X[:, 0] == 0, 5] = 0
        return X

    def evaluate(self, X: NDArray[np.int64]) -> Evaluation:
        X = self.canonical(X)
        self.evaluated.append(X)
        u = X / self.upper
        kind, a, b, c, d, e = u.T
        F = np.stack(
            [
                1 + a + 0.5 * b + kind * (0.3 + 0.2 * e),
                2 - a * (0.5 + 0.5 * c) + 0.2 * d,
                1 + (1 - b) ** 2 + (1 - c) + kind * (1 - d) * (1 - e),
            ],
            axis=1,
        )
        G = np.stack([a + c - 1.6, 0.4 - b - d], axis=1)
        return Evaluation(X, F, G)

    def everything(self) -> NDArray[np.int64]:
        """Every canonical genome once."""
        grid = np.stack(np.meshgrid(*(np.arange(u + 1) for u in self.upper), indexing="ij"), axis=-1)
        return np.unique(self.canonical(grid.reshape(-1, len(self.upper))), axis=0)


def brute_force_front(F: NDArray[np.float64], G: NDArray[np.float64]) -> set[int]:
    """Rows that are feasible and dominated by no feasible row, by the definition."""
    feasible = np.flatnonzero((G <= 0).all(axis=1))
    P = F[feasible]

    def dominated(p: NDArray[np.float64]) -> bool:
        return bool(((p >= P).all(axis=1) & (p > P).any(axis=1)).any())

    return {int(i) for i, p in zip(feasible, P, strict=True) if not dominated(p)}


class Blocks:
    """Two objectives that are sums over `n` blocks of three linked genes; every block is best at one value, its own.

    A gene apart multiplies both. What is above 1 is how far the blocks are from their best, on average.
    """

    n_obj, n_constr = 2, 0
    box = LinearScale()

    def __init__(self, n: int = 40) -> None:
        self.upper = np.array([3, *([5, 5, 5] * n)], dtype=np.int64)
        self.linkage = np.array([0, *np.repeat(np.arange(1, n + 1), 3)])
        self.best = np.random.default_rng(1).integers(0, 6, size=3 * n)

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.integers(0, self.upper + 1, size=(n, len(self.upper)), dtype=np.int64)

    initial = sample

    def canonical(self, X: NDArray[np.int64]) -> NDArray[np.int64]:
        return X.copy()

    def block_costs(self, candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        *rows, n_var = candidates.shape
        away = np.abs(candidates[..., 1:] - self.best).reshape(*rows, n_var // 3, 3)
        costs = np.zeros((*rows, n_var // 3 + 2, 2))
        costs[..., 1:-1, :] = (1.0 + away @ np.array([[3.0, 1.0], [1.0, 1.0], [1.0, 3.0]])) / (n_var // 3)
        return costs * (1.0 + candidates[..., :1, None])

    def evaluate(self, X: NDArray[np.int64]) -> Evaluation:
        return Evaluation(X, self.block_costs(X).sum(axis=1), np.empty((len(X), 0)))
