"""Designs: one as a dictionary of values, many as a table of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.hardware.parameters import PARAMETERS, Value

Design = Mapping[str, Value]


@dataclass(frozen=True)
class DesignTable:
    """Many designs as columns.

    Attributes:
        columns: design key -> array ``[n_designs]``; int64 for integers, float64 for reals, and for names int64
            codes into `names` of that key.
        names: key of a ``name`` parameter -> the names that its codes stand for.
        mapping_genes: what a mapping policy reads beside the design ``[n_designs, n_genes]``; None is its start value.
    """

    columns: Mapping[str, NDArray[Any]]
    names: Mapping[str, tuple[str, ...]]
    mapping_genes: NDArray[np.int64] | None = None

    @property
    def n_designs(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, key: str) -> NDArray[Any]:
        return self.columns[key]

    def __contains__(self, key: object) -> bool:
        return key in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def real(self, key: str) -> NDArray[np.float64]:
        """A numeric column as float64."""
        return np.ascontiguousarray(self.columns[key], dtype=np.float64)

    def named(self, key: str) -> NDArray[np.object_]:
        """A name column as an array of strings."""
        return np.array(self.names[key], dtype=object)[self.columns[key]]

    def codes(self, key: str) -> NDArray[np.int64]:
        """The codes that occur in a name column, ascending (NumPy's `unique` hashes or sorts all of them)."""
        return np.flatnonzero(np.bincount(self.columns[key]))

    def looked_up(self, key: str, value: Callable[[str], Any]) -> NDArray[Any]:
        """`value` of the name that each design has in a name column ``[n_designs]``, or ``[n_designs, ...]``."""
        return np.array([value(name) for name in self.names[key]])[self.columns[key]]

    def take(self, index: NDArray[Any] | slice) -> DesignTable:
        """The designs at `index` (positions or a mask)."""
        columns = {key: np.ascontiguousarray(column[index]) for key, column in self.columns.items()}
        genes = None if self.mapping_genes is None else self.mapping_genes[index]
        return DesignTable(columns, self.names, genes)

    def with_mapping(self, genes: NDArray[np.int64]) -> DesignTable:
        """The same designs with mapping genes ``[n_designs, n_genes]``."""
        return DesignTable(self.columns, self.names, genes)

    def replace(self, **columns: NDArray[Any]) -> DesignTable:
        """The same designs with other columns."""
        return DesignTable({**self.columns, **columns}, self.names, self.mapping_genes)

    def design(self, index: int) -> dict[str, Value]:
        """One design as plain Python values, names as strings."""
        return {
            key: self.names[key][int(column[index])] if key in self.names else column[index].item()
            for key, column in self.columns.items()
        }


def table_of(designs: Sequence[Design], names: Mapping[str, Sequence[str]] | None = None) -> DesignTable:
    """Designs (all with the same keys) as a table.

    Args:
        designs: at least one; values already checked against their parameters.
        names: the name lists to code against; those that occur, sorted, where a key has none.
    """
    columns: dict[str, NDArray[Any]] = {}
    used: dict[str, tuple[str, ...]] = {}
    for key in designs[0]:
        values = [design[key] for design in designs]
        if PARAMETERS[key].kind == "name":
            known = tuple((names or {}).get(key) or sorted({str(value) for value in values}))
            used[key] = known
            columns[key] = np.array([known.index(str(value)) for value in values], dtype=np.int64)
        else:
            kind = np.int64 if PARAMETERS[key].kind == "integer" else np.float64
            columns[key] = np.array(values, dtype=kind)
    return DesignTable(columns, used)
