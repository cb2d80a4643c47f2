"""The one decorator for compiled kernels, with a cache that cannot serve stale physics.

numba keys its on-disk cache per source file: an edit in a called function of another file, in a constant of another
module or in the field order of a record would go unnoticed (numba issue 1833). Here the cache folder is named by
a hash of every source file of the floors that kernels live on and the versions that compile it, so any edit starts
an empty cache.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

# Idle OpenMP threads sleep instead of spinning: three times faster where cores are shared with other work. The
# runtime reads this when numba first loads it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numba
from numba.core.caching import FunctionCache

_PACKAGE = Path(__file__).parent
# Everything a kernel can call or be typed by; the floors above never reach into compiled code.
_KERNEL_SOURCES = (
    "kernels.py", "accuracy", "costs", "hardware", "mapping", "optimise", "portable", "simulator", "workload",
)  # fmt: skip
_KEPT_CACHES = 4

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def source_hash(package: Path = _PACKAGE) -> str:
    """Hash of the Python sources that compiled code depends on, the numba version and the machine's architecture."""
    digest = hashlib.sha256(f"{numba.__version__} {platform.python_version()} {platform.machine()}".encode())
    places = [package / name for name in _KERNEL_SOURCES]
    for source in sorted(f for place in places for f in ([place] if place.is_file() else place.rglob("*.py"))):
        digest.update(str(source.relative_to(package)).encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def cache_root() -> Path:
    """Where compiled kernels are kept: ``$IMCEVO_CACHE_DIR``, or the user's cache folder."""
    chosen = os.environ.get("IMCEVO_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imcevo"


@cache
def cache_folder(kind: str) -> Path | None:
    """The folder for what this very source made, created, old ones pruned; None where it cannot be written."""
    try:
        root = cache_root() / kind
        folder = root / source_hash()
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
        older = sorted((f for f in root.iterdir() if f != folder), key=lambda f: f.stat().st_mtime)
        for stale in older[: max(0, len(older) - _KEPT_CACHES)]:
            shutil.rmtree(stale, ignore_errors=True)
        return folder
    except (OSError, RuntimeError):
        return None


class _DispensableCache(FunctionCache):
    """A kernel's compiled code on disk; what cannot be read is compiled, what cannot be written is not kept.

    A disk that fills up, or a limit on file sizes, during a run costs the next process compilation and nothing else.
    """

    _REFUSALS = (OSError, EOFError, pickle.UnpicklingError)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except self._REFUSALS:
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(*self._REFUSALS):
            super().save_overload(sig, data)


def kernel(
    *, parallel: bool = False, entry: bool = False, inline: bool = True, inner: bool = False
) -> Callable[[FunctionT], FunctionT]:
    """Compile a function with numba, cached on disk under the hash of all sources; never fastmath.

    `parallel` kernels, and `entry` kernels on one thread, are entered from Python; all others are their parts and are
    inlined into them, except large ones with many callers (`inline=False`), whose copies would take long to compile.
    `inner` kernels cannot be called from Python at all, which spares the compilation of an entry that unpacks their
    arguments. Without fastmath LLVM neither reorders nor contracts floating-point operations, so that a kernel which
    calls no function of the C library gives the same bits on every host (`imcevo.portable`).
    """
    folder = cache_folder("kernels")
    if folder is not None:
        # Set before the first cache below is made: numba reads it then.
        numba.config.CACHE_DIR = str(folder)

    def decorate(function: FunctionT) -> FunctionT:
        compiled = numba.njit(
            function,
            parallel=parallel,
            forceinline=inline and not (parallel or entry),
            fastmath=False,
            error_model="numpy",
            no_cpython_wrapper=inner,
            no_cfunc_wrapper=True,
        )
        if (parallel or entry) and folder is not None:
            compiled._cache = _DispensableCache(function)  # what `cache=True` does, with a cache of ours
        return compiled

    return decorate
