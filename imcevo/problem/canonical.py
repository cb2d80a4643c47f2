"""Canonical genomes: of all rows that mean the same design after repair, one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.hardware import DesignSpace, DesignTable
from imcevo.simulator.interface import Simulator


class Canonicaliser:
    """Maps hardware genomes to canonical ones and to their repaired designs.

    A repaired value that the space lists becomes its index. Where the space does not list it (no ADC in a
    digital cell) the gene is inert: the smallest index that repairs to the same design stands for all,
    usually 0.
    """

    def __init__(self, space: DesignSpace, simulator: Simulator) -> None:
        self._space, self._simulator = space, simulator
        self._genes = space.genes

    def __call__(self, X: NDArray[np.int64]) -> tuple[NDArray[np.int64], DesignTable]:
        """Canonical genomes ``[n, n_genes]`` and the repaired designs they stand for."""
        drawn = self._space.decode(X)
        designs = self._simulator.repair(drawn)
        canonical = X.copy()
        inert = np.zeros(X.shape, dtype=bool)
        for position, gene in enumerate(self._genes):
            if designs[gene] is drawn[gene]:  # repair leaves most columns alone
                continue
            index = self._index(gene, designs)
            inert[:, position] = index < 0
            np.copyto(canonical[:, position], index, where=index >= 0)
        rows = np.flatnonzero(inert.any(axis=1))
        if len(rows):
            canonical[rows] = self._lowest(canonical[rows], inert[rows], designs.take(rows))
        return canonical, designs

    def canonical(self, X: NDArray[np.int64]) -> NDArray[np.int64]:
        """Canonical genomes ``[n, n_genes]``."""
        return self(X)[0]

    def repaired(self, X: NDArray[np.int64]) -> DesignTable:
        """The designs that genomes ``[n, n_genes]`` stand for."""
        return self._simulator.repair(self._space.decode(X))

    def _index(self, gene: str, designs: DesignTable) -> NDArray[np.int64]:
        """Index of the repaired values in the gene's list, -1 where it does not list them ``[n]``."""
        listed = self._space.values[gene]
        if gene in designs.names:
            codes = [listed.index(name) if name in listed else -1 for name in designs.names[gene]]
            return np.array(codes, dtype=np.int64)[designs[gene]]
        values = np.array(listed)  # ascending
        nearest = np.minimum(np.searchsorted(values, designs[gene]), len(values) - 1)
        return np.where(values[nearest] == designs[gene], nearest, -1)

    def _lowest(
        self, X: NDArray[np.int64], inert: NDArray[np.bool_], designs: DesignTable
    ) -> NDArray[np.int64]:
        """`X` with its inert genes at the smallest indices that still mean `designs`."""
        zeroed = np.where(inert, 0, X)
        same = _equal(self.repaired(zeroed), designs)
        best = np.where(same[:, None], zeroed, X)
        for position in np.flatnonzero(inert[~same].any(axis=0)):
            pending = ~same & inert[:, position]
            for index in range(int(X[pending, position].max(initial=0))):
                rows = np.flatnonzero(pending & (X[:, position] > index))
                if len(rows) == 0:
                    break
                trial = best[rows]
                trial[:, position] = index
                found = rows[_equal(self.repaired(trial), designs.take(rows))]
                best[found, position] = index
                pending[found] = False
        return best


def _equal(these: DesignTable, those: DesignTable) -> NDArray[np.bool_]:
    """Which rows of two tables of one repair (so with equal codes of names) are the same design ``[n]``."""
    same = np.ones(these.n_designs, dtype=bool)
    for key in these:
        same &= these[key] == those[key]
    return same
