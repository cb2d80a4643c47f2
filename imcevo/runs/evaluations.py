"""``evaluations.bin``: every distinct design of a run, once, append-only.

Layout, little endian: the 8 bytes ``imcevo\\x00\\x01``; the length of the header (uint32) and its CRC32
(uint32); the header (JSON: what a row is made of, and the problem's hash); then one block per generation:
``GEN1``, generation number from 1, number of rows, CRC32 of number, count and rows (three uint32), rows. A
row is the genome as the narrowest unsigned integers that hold every variable, then F and G as float64.

The file is the run's journal: a run is rebuilt from a checkpoint and the blocks after it, or from the blocks
alone.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.runs.files import os_errors_told

MAGIC = b"imcevo\x00\x01"
_BLOCK = struct.Struct("<4sIII")
_BLOCK_MAGIC = b"GEN1"
_LARGEST_HEADER = 2**22
_GENE_TYPES = ("<u1", "<u2", "<u4")


class Block(NamedTuple):
    """A generation: number from 1, X ``[n, n_var]``, F ``[n, n_obj]``, G ``[n, n_constr]``, end in bytes."""

    generation: int
    X: NDArray[np.unsignedinteger[Any]]
    F: NDArray[np.float64]
    G: NDArray[np.float64]
    end: int

    @property
    def feasible(self) -> NDArray[np.bool_]:
        """Which designs meet every constraint ``[n]``."""
        return np.asarray((self.G <= 0).all(axis=1))


@dataclass(frozen=True)
class Layout:
    """What a row of the file is made of.

    Attributes:
        problem_hash: hash of the problem that the designs answer.
        variables, objectives, constraints: names, in the order of X, F and G.
        upper: largest value of each variable.
    """

    problem_hash: str
    variables: tuple[str, ...]
    upper: tuple[int, ...]
    objectives: tuple[str, ...]
    constraints: tuple[str, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Structured type of one row: fields X, F, G."""
        gene = next(kind for kind in _GENE_TYPES if max(self.upper, default=0) <= np.iinfo(kind).max)
        return np.dtype([
            ("X", gene, (len(self.variables),)), ("F", "<f8", (len(self.objectives),)),
            ("G", "<f8", (len(self.constraints),)),
        ])  # fmt: skip

    def rows(self, X: NDArray[np.int64], F: NDArray[np.float64], G: NDArray[np.float64]) -> NDArray[np.void]:
        """Designs ``[n, n_var]``, ``[n, n_obj]``, ``[n, n_constr]`` as they are stored ``[n]`` of `dtype`."""
        rows = np.empty(len(X), dtype=self.dtype)
        rows["X"], rows["F"], rows["G"] = X, F, G
        return rows

    def header(self) -> bytes:
        """The start of a file with this layout."""
        text = json.dumps(vars(self), sort_keys=True).encode()
        return MAGIC + struct.pack("<II", len(text), zlib.crc32(text)) + text


class EvaluationLog:
    """Appends generations to the file; the operating system's refusals are `UserError`."""

    def __init__(self, path: Path, layout: Layout, *, keep: int | None = None) -> None:
        """Open a new file, or, with `keep`, an existing one cut to its first `keep` bytes."""
        self.path = path
        with os_errors_told(path):
            self._file: BinaryIO = path.open("xb" if keep is None else "r+b", buffering=0)
            try:
                if keep is None:
                    _write_all(self._file, layout.header())
                else:
                    self._file.truncate(keep)
                    self._file.seek(keep)
            except OSError:
                self._file.close()
                raise
            self.length = self._file.tell()

    def append(self, generation: int, rows: NDArray[np.void]) -> None:
        """One generation, as `Layout.rows` gives it."""
        data = rows.tobytes()
        block = _BLOCK.pack(_BLOCK_MAGIC, generation, len(rows), _checksum(generation, len(rows), data)) + data
        with os_errors_told(self.path):
            _write_all(self._file, block)
        self.length += len(block)

    def sync(self) -> None:
        """Make all that was appended durable."""
        with os_errors_told(self.path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def read_layout(path: Path) -> Layout:
    """The header of a file.

    Raises:
        UserError: missing, unreadable, not such a file, of another version, or corrupted.
    """
    return _open(path)[0]


def read_blocks(path: Path) -> Iterator[Block]:
    """The intact generations from the start, one by one; stops at the first that is cut off or damaged.

    Raises:
        UserError: as `read_layout`.
    """
    layout, start = _open(path)
    dtype = layout.dtype
    with os_errors_told(path, "be read"), path.open("rb") as file:
        size = path.stat().st_size
        file.seek(start)
        expected, end = 1, start
        while len(head := file.read(_BLOCK.size)) == _BLOCK.size:
            magic, generation, count, checksum = _BLOCK.unpack(head)
            end += _BLOCK.size + count * dtype.itemsize
            if magic != _BLOCK_MAGIC or generation != expected or end > size:
                return
            data = file.read(count * dtype.itemsize)
            if _checksum(generation, count, data) != checksum:
                return
            rows = np.frombuffer(data, dtype=dtype)
            yield Block(generation, rows["X"], rows["F"], rows["G"], end)
            expected += 1


def _open(path: Path) -> tuple[Layout, int]:
    """Layout, and the position of the first block."""
    what = "the evaluations of an imcevo run"
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC) + 8)
            if start[: len(MAGIC) - 1] != MAGIC[:-1] or len(start) < len(MAGIC) + 8:
                raise UserError(f"is not {what}", file=path)
            if start[: len(MAGIC)] != MAGIC:
                found, known = start[len(MAGIC) - 1], str(MAGIC[-1])
                raise UserError("is of another format version", file=path, value=found, allowed=known)
            length, checksum = struct.unpack("<II", start[len(MAGIC) :])
            text = file.read(length) if length <= _LARGEST_HEADER else b""
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"cannot be read ({reason}), expected {what}", file=path) from None
    if len(text) != length or zlib.crc32(text) != checksum:
        raise UserError("is corrupted: its header fails its checksum", file=path)
    try:
        fields = json.loads(text)
        upper = tuple(int(value) for value in fields["upper"])
        names = {key: tuple(map(str, fields[key])) for key in ("variables", "objectives", "constraints")}
        layout = Layout(problem_hash=str(fields["problem_hash"]), upper=upper, **names)
        layout.dtype  # noqa: B018  a layout that no row type fits is not one of ours
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError):
        raise UserError("is corrupted: its header is not a row layout", file=path) from None
    return layout, len(MAGIC) + 8 + length


def _checksum(generation: int, count: int, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(struct.pack("<II", generation, count)))


def _write_all(file: BinaryIO, data: bytes) -> None:
    """An unbuffered write may take only a part, e.g. when the disk runs full."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
