"""Repair and canonical genomes looked up: tables over the few genes that each value of a design depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.hardware import DesignSpace, DesignTable
from imcevo.problem.canonical import Canonicaliser
from imcevo.simulator.interface import Simulator

_LARGEST_TABLE = 2**16


class TabulatedCanonicaliser:
    """What `Canonicaliser` gives, where the repair of a value `reads` few others (`Simulator.repair_reads`)."""

    def __init__(self, space: DesignSpace, simulator: Simulator, reads: Mapping[str, Sequence[str]]) -> None:
        computed = Canonicaliser(space, simulator)
        place = {gene: index for index, gene in enumerate(space.genes)}
        keys = tuple(space.values)
        read = [[place[name] for name in (key, *reads.get(key, ())) if name in place] for key in keys]
        sizes = space.upper + 1
        tables = [computed(_every(genes, sizes)) for genes in read]
        first = np.cumsum([0, *(designs.n_designs for _, designs in tables[:-1])])
        self._designs = _Lookup.of(read, first, sizes)
        self._keys, self._names = keys, tables[0][1].names
        columns = [designs[key] for key, (_, designs) in zip(keys, tables, strict=True)]
        self._real = [row for row, column in enumerate(columns) if column.dtype == np.float64]
        self._values = np.concatenate([np.zeros(len(c), np.int64) if c.dtype == np.float64 else c for c in columns])
        self._reals = np.concatenate(columns).astype(np.float64)
        changed = [row for row, key in enumerate(keys) if key in place and key in reads]
        self._changed = [place[keys[row]] for row in changed]
        self._genes = _Lookup.of([read[row] for row in changed], first[changed], sizes)
        self._indices = np.concatenate([
            canonical[:, place[key]] if key in place else np.zeros(len(canonical), np.int64)
            for key, (canonical, _) in zip(keys, tables, strict=True)
        ])  # fmt: skip

    def __call__(self, X: NDArray[np.int64]) -> tuple[NDArray[np.int64], DesignTable]:
        """Canonical genomes ``[n, n_genes]`` and the repaired designs they stand for."""
        return self.canonical(X), self.repaired(X)

    def canonical(self, X: NDArray[np.int64]) -> NDArray[np.int64]:
        """Canonical genomes ``[n, n_genes]``."""
        canonical = X.copy()
        if self._changed:
            canonical[:, self._changed] = self._indices[self._genes.places(X)].T
        return canonical

    def repaired(self, X: NDArray[np.int64]) -> DesignTable:
        """The designs that genomes ``[n, n_genes]`` stand for."""
        places = self._designs.places(X)
        columns: dict[str, NDArray[np.int64] | NDArray[np.float64]]
        columns = dict(zip(self._keys, self._values[places], strict=True))
        for row, values in zip(self._real, self._reals[places[self._real]], strict=True):
            columns[self._keys[row]] = values
        return DesignTable(columns, self._names)


class _Lookup(NamedTuple):
    """Where each of some values stands in tables that lie one after the other.

    Attributes:
        first: of every value, its table's place ``[n_values, 1]``.
        steps: rounds of (values ``[m]``, a gene of each ``[m]``, how far its index goes in the table ``[m, 1]``).
    """

    first: NDArray[np.int64]
    steps: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]

    @classmethod
    def of(cls, read: Sequence[Sequence[int]], first: NDArray[np.int64], sizes: NDArray[np.int64]) -> _Lookup:
        """For values that each depend on the genes `read`, the last of which counts fastest."""
        steps = []
        for round_ in range(max(map(len, read), default=0)):
            values = [row for row, genes in enumerate(read) if len(genes) > round_]
            genes = [read[row][round_] for row in values]
            strides = [[prod(int(sizes[gene]) for gene in read[row][round_ + 1 :])] for row in values]
            steps.append((np.array(values), np.array(genes), np.array(strides)))
        return cls(first.reshape(-1, 1), steps)

    def places(self, X: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places ``[n_values, n]`` of genomes ``[n, n_genes]``."""
        genes = np.ascontiguousarray(X.T)
        places = np.repeat(self.first, len(X), axis=1)
        for values, gene, stride in self.steps:
            places[values] += genes[gene] * stride
        return places


def _every(genes: Sequence[int], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """All values of some genes, the last one's fastest, and 0 of the others ``[n, n_genes]``."""
    rows = np.zeros((prod(int(sizes[gene]) for gene in genes), len(sizes)), dtype=np.int64)
    for index, gene in zip(np.indices([int(sizes[gene]) for gene in genes]), genes, strict=True):
        rows[:, gene] = index.ravel()
    return rows


def canonicaliser_of(space: DesignSpace, simulator: Simulator) -> Canonicaliser | TabulatedCanonicaliser:
    """The faster one that knows the simulator's repair and this many values."""
    reads = simulator.repair_reads
    if reads is None:
        return Canonicaliser(space, simulator)
    sizes = [prod(len(space.values[name]) for name in (key, *reads.get(key, ()))) for key in space.values]
    if max(sizes) > _LARGEST_TABLE:
        return Canonicaliser(space, simulator)
    return TabulatedCanonicaliser(space, simulator, reads)
