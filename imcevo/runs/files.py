"""Files of a run folder: atomic writes, a lock, and the operating system's refusals as users' errors."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from imcevo.errors import UserError

LOCK = ".lock"


@contextmanager
def os_errors_told(path: Path, doing: str = "be written") -> Iterator[None]:
    """Turn an `OSError` (full disk, no permission, no folder) into a `UserError` that names the path."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot {doing}: {error.strerror or error}", file=error.filename or path) from error


def make_folder(folder: Path) -> None:
    """Create a folder and its parents.

    Raises:
        UserError: a file stands in the way, or no permission.
    """
    with os_errors_told(folder, "be created as a folder"):
        folder.mkdir(parents=True, exist_ok=True)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader, a crash or a full disk never sees half of it: the old content or the
    new.

    Raises:
        UserError: the operating system refused; the old content is intact.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.tmp")
    with os_errors_told(path):
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for this process. The lock is the operating system's and dies with the process that holds
    it.

    Raises:
        UserError: another process is working on the folder, or it cannot be written.
    """
    with os_errors_told(folder / LOCK):
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError("another process is working on this run folder", file=folder) from None
        yield
    finally:
        os.close(handle)


def write_companions(companions: Mapping[str, str | bytes], folder: Path) -> None:
    """The users' files that the text of a problem refers to, by their path in `folder`."""
    for name, content in companions.items():
        make_folder((folder / name).parent)
        write_atomically(folder / name, content)
