"""The design space: the values each hardware parameter may take, and the genome's encoding of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError, listed
from imcevo.hardware.design import Design, DesignTable
from imcevo.hardware.parameters import Value, parameter, require_keys


@dataclass(frozen=True)
class DesignSpace:
    """Ordered parameters with their values. A parameter with one value is fixed, with several it is a gene.

    A hardware genome is a row of integer indices, one per gene, in the order of `genes`.
    """

    values: Mapping[str, tuple[Value, ...]]

    @classmethod
    def from_lists(cls, given: Mapping[str, Any], *, file: object = None, key: str = "design_space") -> DesignSpace:
        """From a problem file's table: ``rows = [64, 128]`` (a gene) or ``node_nm = 28`` (fixed).

        Raises:
            UserError: unknown parameter, empty list, repeated value, wrong type or out of range.
        """
        where = None if file is None else str(file)
        checked: dict[str, tuple[Value, ...]] = {}
        for name, entry in given.items():
            place = f"{key}.{name}"
            known = parameter(name, file=file, key=place)
            entries = entry if isinstance(entry, list) else [entry]
            if not entries:
                raise UserError("has no values", file=where, key=place, value=entry, allowed=known.allowed)
            checked[name] = tuple(known.checked(value, file=file, key=place) for value in entries)
            if len(set(checked[name])) != len(entries):
                raise UserError("lists a value twice", file=where, key=place, value=entry)
        return cls(checked)

    @cached_property
    def genes(self) -> tuple[str, ...]:
        """Names of the parameters that vary."""
        return tuple(name for name, values in self.values.items() if len(values) > 1)

    @property
    def upper(self) -> NDArray[np.int64]:
        """Largest index of every gene ``[n_genes]`` (the smallest is 0)."""
        return np.array([len(self.values[name]) - 1 for name in self.genes], dtype=np.int64)

    @cached_property
    def _arrays(self) -> Mapping[str, NDArray[Any]]:
        """The values of numeric parameters."""
        return {name: np.array(values) for name, values in self.values.items() if not isinstance(values[0], str)}

    @property
    def size(self) -> int:
        """Number of genomes (before repair merges those that mean the same design)."""
        return prod(len(values) for values in self.values.values())

    def decode(self, X: NDArray[np.integer]) -> DesignTable:
        """Genomes ``[n_designs, n_genes]`` as designs."""
        columns: dict[str, NDArray[Any]] = {}
        names: dict[str, tuple[str, ...]] = {}
        position = {name: index for index, name in enumerate(self.genes)}
        for name, values in self.values.items():
            picked = X[:, position[name]].astype(np.int64) if name in position else np.zeros(len(X), dtype=np.int64)
            if isinstance(values[0], str):
                names[name] = tuple(str(value) for value in values)
                columns[name] = picked
            else:
                columns[name] = self._arrays[name][picked]
        return DesignTable(columns, names)

    def encode(self, design: Design, *, file: object = None) -> NDArray[np.int64]:
        """One design as a genome ``[n_genes]``.

        Raises:
            UserError: a key too many or too few, or a value that is not in the space.
        """
        require_keys(design, self.values, file=file)
        row = []
        for name, values in self.values.items():
            value = design[name]
            match = next((i for i, known in enumerate(values) if _same(known, value)), None)
            if match is None:
                where = None if file is None else str(file)
                raise UserError("is not in the design space", file=where, key=name, value=value, allowed=listed(values))
            if len(values) > 1:
                row.append(match)
        return np.array(row, dtype=np.int64)


def _same(known: Value, value: Value) -> bool:
    if isinstance(known, float) and isinstance(value, int | float):
        return abs(known - value) <= 1e-9 * max(abs(known), 1e-300)
    return known == value


