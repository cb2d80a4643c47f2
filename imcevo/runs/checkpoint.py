"""``checkpoint.npz``: where a search stands, as arrays and JSON. Opening one runs no code."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.optimise import OptimiserState
from imcevo.runs.files import os_errors_told, write_atomically

FILE = "checkpoint.npz"
FORMAT = 1
_JSON = "checkpoint.json"
_STATE = "optimiser."
_LARGEST_UNPACKED_BYTES = 2**30
# What damaged bytes raise on their way through zip, npy headers, JSON and keys.
_GARBAGE = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, EOFError, SyntaxError, RuntimeError,
    MemoryError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


class Checkpoint(NamedTuple):
    """A search between two generations.

    Attributes:
        generation, evaluations: done so far.
        log_length: bytes of ``evaluations.bin`` that belong to it.
        history: ``[n_rows, n_columns]``, the columns of `imcevo.runs.history`.
        state: of the optimiser.
    """

    generation: int
    evaluations: int
    log_length: int
    history: NDArray[np.float64]
    state: OptimiserState


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint of a run folder atomically; equal checkpoints are equal bytes."""
    facts = {
        "format": FORMAT,
        "generation": checkpoint.generation,
        "evaluations": checkpoint.evaluations,
        "log_length": checkpoint.log_length,
        "values": checkpoint.state.values,
    }
    arrays: dict[str, NDArray[Any]] = {_STATE + name: a for name, a in checkpoint.state.arrays.items()}
    arrays["history"] = checkpoint.history
    arrays[_JSON] = np.frombuffer(json.dumps(facts, sort_keys=True).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_atomically(folder / FILE, buffer.getvalue())


def load_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint of a run folder.

    Raises:
        UserError: unreadable, corrupted, or of another format version.
    """
    path = folder / FILE
    broken = UserError(
        "is not a readable checkpoint; delete it and `imcevo resume` rebuilds it from evaluations.bin",
        file=path,
    )
    try:
        with os_errors_told(path, "be read"):
            data = path.read_bytes()
        _check_sizes(data)
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays: Mapping[str, NDArray[Any]] = {name: stored[name] for name in stored.files}
        facts = json.loads(arrays[_JSON].astype(np.uint8).tobytes())
        if facts["format"] != FORMAT:
            found = facts["format"]
            raise UserError("is of another format version", file=path, value=found, allowed=str(FORMAT))
        generation, evaluations, log_length = (
            facts[key] for key in ("generation", "evaluations", "log_length")
        )
        history = arrays["history"]
        if not all(isinstance(number, int) and number >= 0 for number in (generation, evaluations, log_length)):
            raise broken
        if history.ndim != 2 or history.dtype != np.float64 or not isinstance(facts["values"], dict):
            raise broken
    except _GARBAGE:
        raise broken from None
    state = {name.removeprefix(_STATE): array for name, array in arrays.items() if name.startswith(_STATE)}
    return Checkpoint(generation, evaluations, log_length, history, OptimiserState(state, facts["values"]))


def _check_sizes(data: bytes) -> None:
    """A stranger's checkpoint must not unpack to more than memory holds."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > _LARGEST_UNPACKED_BYTES:
            raise ValueError("too large")
