"""Error ratios kept on disk: one checksummed file per source of statistics, replaced as a whole.

A file that is damaged, of another version or not ours is ignored. Processes that write at once may lose each other's
newest entries, never the file: what is missing is computed again, to the same bits.
"""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import cache_folder

_MAGIC = b"imcevo error ratios 1\n"
_DIGEST_BYTES = 32


def file_of(digest: str) -> Path | None:
    """The file of a source, None without a folder that can be written.

    The folder changes with every source file of the kernels.
    """
    folder = cache_folder("snr")
    if folder is None:
        return None
    name = hashlib.sha256(digest.encode()).hexdigest()[:32]
    return folder / f"{name}.bin"


def read_entries(file: Path | None, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """Entries of a file ``[n]``; none if there is no such file or it is not whole."""
    nothing = np.empty(0, dtype=dtype)
    if file is None:
        return nothing
    try:
        content = file.read_bytes()
        body = content[len(_MAGIC) + _DIGEST_BYTES :]
        if content[: len(_MAGIC)] != _MAGIC:
            return nothing
        if content[len(_MAGIC) : len(_MAGIC) + _DIGEST_BYTES] != hashlib.sha256(body).digest():
            return nothing
        entries = np.load(io.BytesIO(body), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return nothing
    whole = isinstance(entries, np.ndarray) and entries.dtype == dtype and entries.ndim == 1
    return entries if whole else nothing


def write_entries(file: Path | None, entries: NDArray[np.void]) -> None:
    """Replace a file; nothing happens where that is not possible."""
    if file is None:
        return
    body = io.BytesIO()
    np.save(body, entries, allow_pickle=False)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(_MAGIC + hashlib.sha256(body.getvalue()).digest() + body.getvalue())
        temporary.replace(file)
    except OSError:
        temporary.unlink(missing_ok=True)
