"""Rows of a user's CSV with the numbers of their lines, so that a wrong value can be told by its place."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from imcevo.errors import UserError

Row = tuple[int, list[str]]  # line number, cells


def numbered_rows(text: str, file: Path | str, *, empty: str, allowed: str) -> list[Row]:
    """Header and rows; blank lines and lines that begin with # are left out.

    Args:
        empty, allowed: the message where there is no row below the header.

    Raises:
        UserError: not CSV, or no row below the header.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    try:
        rows = list(csv.reader(io.StringIO("\n".join(line for _, line in lines)), strict=True))
    except csv.Error as error:
        raise UserError(f"is not valid CSV: {error}", file=file) from None
    if len(rows) < 2:
        raise UserError(empty, file=file, allowed=allowed)
    return [(number, row) for (number, _), row in zip(lines, rows, strict=False)]


def require_full_rows(rows: Sequence[Row], file: Path | str) -> None:
    """Check that every row is as long as the header.

    Raises:
        UserError: the first that is not.
    """
    width = len(rows[0][1])
    for number, row in rows:
        if len(row) != width:
            raise UserError(f"has {len(row)} values, the header names {width}", file=file, key=f"line {number}")
