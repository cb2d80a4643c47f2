"""The data files of the published profile: dense tables over a grid, and named constants with unit and source."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError, listed
from imcevo.hardware import DesignTable

_FOLDER = resources.files("imcevo") / "technology" / "data" / "published"


class Table:
    """Columns of values over a complete grid of axes; no interpolation.

    Attributes:
        axes: key -> its values, ascending.
    """

    def __init__(self, name: str, rows: Sequence[Mapping[str, str]], keys: Sequence[str]) -> None:
        """From the rows of a CSV, every combination of the axes `keys` exactly once.

        Raises:
            ValueError: a combination is missing or repeated.
        """
        self.axes = {key: np.unique([float(row[key]) for row in rows]) for key in keys}
        at = self.at({key: np.array([float(row[key]) for row in rows]) for key in keys})
        if not np.array_equal(np.sort(at), np.arange(np.prod([len(axis) for axis in self.axes.values()]))):
            raise ValueError(f"{name} does not fill its grid of {listed(keys)}")
        order = np.argsort(at, kind="stable")
        columns = [column for column in rows[0] if column not in (*keys, "origin")]
        self._values = {column: np.array([float(row[column]) for row in rows])[order] for column in columns}

    def __getitem__(self, column: str) -> NDArray[np.float64]:
        """A column of values, in the order of `positions`."""
        return self._values[column]

    def positions(self, designs: DesignTable) -> NDArray[np.int64]:
        """Where the designs stand in the columns ``[n_designs]``.

        Raises:
            UserError: a value that is not on the grid.
        """
        return self.at({key: designs[key] for key in self.axes})

    def at(self, given: Mapping[str, NDArray[Any]], told: Mapping[str, str] | None = None) -> NDArray[np.int64]:
        """Positions ``[n]`` of values ``[n]`` of all axes; raises as `positions`.

        Args:
            told: axis -> the design key it is called in messages, where they differ.
        """
        position: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        for key, axis in self.axes.items():
            # Half a step in the last digit that a voltage is given with, so that .1 + .2 is .3.
            nearest = np.minimum(np.searchsorted(axis, given[key] - 1e-9), len(axis) - 1)
            wrong = np.abs(axis[nearest] - given[key]) > 1e-9
            if wrong.any():
                value = given[key][wrong][0].item()
                name = (told or {}).get(key, key)
                raise UserError("has no published data", key=name, value=value, allowed=listed(f"{v:g}" for v in axis))
            position = position * len(axis) + nearest
        return position


@cache
def read_table(name: str, keys: tuple[str, ...]) -> Table:
    """A shipped CSV with the axes `keys` as a table."""
    lines = (_FOLDER / name).read_text("utf-8").splitlines()
    return Table(name, list(csv.DictReader(line for line in lines if not line.startswith("#"))), keys)


@cache
def read_constants(section: str) -> dict[str, float]:
    """The values of a section of ``unit_costs.toml``, in SI units."""
    return {name: float(entry["value"]) for name, entry in _section(section).items()}


@cache
def read_sources(section: str) -> dict[str, str]:
    """Where they come from."""
    return {name: str(entry["source"]) for name, entry in _section(section).items()}


def _section(section: str) -> dict[str, dict[str, Any]]:
    data = tomllib.loads((_FOLDER / "unit_costs.toml").read_text("utf-8"))
    return dict(data[section])
