"""Results of other simulators as CSV files, and how far a model is from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.config import read_text
from imcevo.errors import UserError, did_you_mean, listed, unknown_name
from imcevo.validate.csv_rows import numbered_rows, require_full_rows

_LARGEST_FILE_BYTES = 2**24


class Column(NamedTuple):
    """What a column may hold.

    Attributes:
        kind: ``name``, ``integer`` or ``number``; numbers are above 0.
        known: the allowed values, if they are few.
        most: the largest number otherwise.
        scope: the allowed values are those the model has data for: designs with others are left out and reported, not
            refused.
    """

    kind: str
    known: tuple[Any, ...] = ()
    most: float = math.inf
    scope: bool = False


@dataclass(frozen=True)
class PeerData:
    """Columns ``[n]`` of a file: names as str, everything else as float64.

    Attributes:
        left_out: designs of the file outside the model's scope, each with line, column and value.
    """

    columns: Mapping[str, NDArray[Any]]
    left_out: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def read_peer_data(path: Path | str | None, sample: str, columns: Mapping[str, Column]) -> PeerData:
    """`columns` of a CSV, or of the shipped `sample` if `path` is None.

    Other columns are ignored; lines that begin with # are comments.

    Raises:
        UserError: unreadable file, a column missing, or a value that is wrong, with its line and column.
    """
    if path is None:
        text = (resources.files("imcevo") / "validate" / "data" / sample).read_text("utf-8")
    else:
        text = read_text(path, what="a CSV of simulated designs", largest_bytes=_LARGEST_FILE_BYTES)
    file = sample if path is None else path
    allowed = f"a header with {listed(columns)}, and designs"
    rows = numbered_rows(text, file, empty="holds no design", allowed=allowed)
    header = [name.strip() for name in rows[0][1]]
    for name in columns:
        if header.count(name) != 1:
            problem = "is missing" + did_you_mean(name, header) if name not in header else "is there twice"
            raise UserError(problem, file=file, key="header", value=name, allowed=listed(columns))
    require_full_rows(rows, file)
    designs = [(number, dict(zip(header, map(str.strip, row), strict=True))) for number, row in rows[1:]]
    outside = {number: said for number, design in designs if (said := _outside(columns, design, file, number))}
    inside = [(number, design) for number, design in designs if number not in outside]
    if not inside:
        raise UserError(f"holds no design within the model's scope: {next(iter(outside.values()))}", file=file)
    read = {
        name: _column(name, column, [design[name] for _, design in inside], [number for number, _ in inside], file)
        for name, column in columns.items()
    }
    return PeerData(read, tuple(outside.values()))


def _outside(columns: Mapping[str, Column], design: Mapping[str, str], file: Path | str, number: int) -> str | None:
    """What puts a design outside the model's scope, if anything does."""
    for name, column in columns.items():
        if column.scope:
            anything = Column(column.kind, known=(design[name],) if column.kind == "name" else ())
            value = _value(anything, design[name], file, f"line {number}: {name}")
            if value not in column.known if column.known else float(value) > column.most:
                return f"line {number}: {name} = {design[name]} (known: {_allowed(column)})"
    return None


def _column(name: str, column: Column, texts: Sequence[str], lines: Sequence[int], file: Path | str) -> NDArray[Any]:
    values = [_value(column, text, file, f"line {line}: {name}") for line, text in zip(lines, texts, strict=True)]
    return np.array(values) if column.kind == "name" else np.array(values, dtype=np.float64)


def _value(column: Column, text: str, file: Path | str, key: str) -> str | float:
    if column.kind == "name":
        if text not in column.known:
            raise unknown_name("value of this column", text, column.known, file=file, key=key)
        return text
    allowed = _allowed(column)
    try:
        value = float(text)
    except ValueError:
        raise UserError("is not a number", file=file, key=key, value=text, allowed=allowed) from None
    whole = column.kind != "integer" or value.is_integer()
    if not (value in column.known if column.known else 0 < value <= column.most and math.isfinite(value) and whole):
        raise UserError("is not allowed here", file=file, key=key, value=text, allowed=allowed)
    return value


def _allowed(column: Column) -> str:
    largest = f" to {column.most:g}" if column.most < math.inf else ""
    return listed(column.known) if column.known else f"above 0{largest}"


def compare(
    errors: Mapping[str, NDArray[np.float64]],
    energies_J: tuple[NDArray[np.float64], NDArray[np.float64]],
    targets: Mapping[str, float],
    left_out: Sequence[str] = (),
) -> dict[str, Any]:
    """A report, ready for JSON.

    Args:
        errors: relative errors ``[n]`` by quantity, model / simulator - 1.
        energies_J: of the model and of the simulator, ``[n]`` each.
        targets: by figure: the largest error, or for rank correlations the least.
        left_out: see `PeerData`.

    Returns:
        ``points``; ``left_out``; ``<quantity>_median`` and ``<quantity>_p95`` of the absolute errors, as fractions;
        ``energy_spearman`` (None where it has no meaning); ``targets`` with ``target`` and ``passed`` by figure;
        ``passed``.
    """
    report: dict[str, Any] = {"points": len(energies_J[0]), "left_out": list(left_out)}
    for quantity, error in errors.items():
        report[f"{quantity}_median"] = float(np.median(np.abs(error)))
        report[f"{quantity}_p95"] = float(np.quantile(np.abs(error), 0.95))
    report["energy_spearman"] = spearman(*energies_J)
    report["targets"] = {
        name: {"target": target, "passed": _reached(name, report[name], target)} for name, target in targets.items()
    }
    report["passed"] = all(verdict["passed"] for verdict in report["targets"].values())
    return report


def _reached(name: str, figure: float | None, target: float) -> bool:
    if figure is None:
        return False
    return figure >= target if name.endswith("_spearman") else figure <= target


def spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Rank correlation; None where one side does not vary."""
    from scipy.stats import spearmanr

    return None if min(np.ptp(a), np.ptp(b)) == 0 else float(spearmanr(a, b).statistic)
