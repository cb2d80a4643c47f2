"""Reference points of the published design space: (design, network) -> energy, latency, area."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imcevo.config import read_text
from imcevo.costs.published import MEMORIES, NODES
from imcevo.errors import UserError, listed, unknown_name
from imcevo.hardware import DesignTable, parameter
from imcevo.simulator.published import PublishedSimulator
from imcevo.validate.csv_rows import numbered_rows, require_full_rows
from imcevo.workload.published import PUBLISHED_NETWORKS

SAMPLE = "published_points_sample.csv"
_LARGEST_FILE_BYTES = 2**26
_RESULTS = ("energy_J", "latency_s", "area_m2")
_NAMES = {"memory": MEMORIES, "network": PUBLISHED_NETWORKS}
_DESIGN = PublishedSimulator.keys
_COLUMNS = (*_NAMES, *_DESIGN, *_RESULTS)


@dataclass(frozen=True)
class ReferencePoints:
    """Points as columns, all ``[n_points]``."""

    memory: NDArray[np.str_]
    network: NDArray[np.str_]
    designs: DesignTable
    energy_J: NDArray[np.float64]
    latency_s: NDArray[np.float64]
    area_m2: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.network)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> ReferencePoints:
        """The points at `rows` (positions or a mask)."""
        return ReferencePoints(self.memory[rows], self.network[rows], self.designs.take(rows), self.energy_J[rows],
                               self.latency_s[rows], self.area_m2[rows])  # fmt: skip

    def of(self, memory: str, node_nm: int) -> ReferencePoints:
        """The points of a memory at a node."""
        return self.take((self.memory == memory) & (self.designs["node_nm"] == node_nm))

    def design_numbers(self) -> NDArray[np.int64]:
        """Points of one design share a number; its clock does not matter."""
        columns = [self.designs[key] for key in _DESIGN if key != "cycle_s"]
        return np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)[1].ravel()


def sample_points() -> ReferencePoints:
    """The shipped points: a sample of the published designs of both memories."""
    file = resources.files("imcevo") / "validate" / "data" / SAMPLE
    return _parsed(file.read_text("utf-8"), SAMPLE)


def read_points(path: Path | str) -> ReferencePoints:
    """Points from a CSV with the columns of the shipped sample, in any order; lines that begin with # are comments.

    Raises:
        UserError: unreadable, a column missing or unknown, or a value that is wrong or out of range.
    """
    return _parsed(read_text(path, what="a CSV of reference points", largest_bytes=_LARGEST_FILE_BYTES), path)


def _parsed(text: str, file: Path | str) -> ReferencePoints:
    allowed = f"a header with {listed(_COLUMNS)}, and points"
    (_, header), *points = rows = numbered_rows(text, file, empty="holds no reference point", allowed=allowed)
    _check_header(header, file)
    require_full_rows(rows, file)
    numbers = [number for number, _ in points]
    columns = {name: [row[i].strip() for _, row in points] for i, name in enumerate(header)}
    for name, known in _NAMES.items():
        for line, value in zip(numbers, columns[name], strict=True):
            if value not in known:
                raise unknown_name(name, value, known, file=file, key=f"line {line}: {name}")
    values = {name: _numbers(name, columns[name], numbers, file) for name in (*_DESIGN, *_RESULTS)}
    designs = DesignTable({key: values[key] for key in _DESIGN}, {})
    energy_J, latency_s, area_m2 = (values[name].astype(np.float64) for name in _RESULTS)
    return ReferencePoints(
        np.array(columns["memory"]), np.array(columns["network"]), designs, energy_J, latency_s, area_m2
    )


def _check_header(header: Sequence[str], file: Path | str) -> None:
    for name in header:
        if name not in _COLUMNS:
            raise unknown_name("column of reference points", name, _COLUMNS, file=file, key="header")
    missing = [name for name in _COLUMNS if name not in header]
    if missing or len(set(header)) != len(header):
        problem = f"misses {listed(missing)}" if missing else "names a column twice"
        raise UserError(problem, file=file, key="header", allowed=listed(_COLUMNS))


def _numbers(name: str, texts: Sequence[str], lines: Sequence[int], file: Path | str) -> NDArray[np.generic]:
    """A column as int64 or float64, every value checked."""
    integer = name not in _RESULTS and parameter(name).kind == "integer"
    values = np.empty(len(texts), dtype=np.int64 if integer else np.float64)
    for index, text in enumerate(texts):
        key = f"line {lines[index]}: {name}"
        try:
            value = float(text)
        except ValueError:
            raise UserError("is not a number", file=file, key=key, value=text) from None
        if not math.isfinite(value) or (name in _RESULTS and value <= 0):
            raise UserError("is not a positive number", file=file, key=key, value=text, allowed="above 0")
        values[index] = value if name in _RESULTS else parameter(name).checked(value, file=file, key=key)
        if name == "node_nm" and value not in NODES:
            raise UserError("has no published data", file=file, key=key, value=int(value), allowed=listed(NODES))
    return values
