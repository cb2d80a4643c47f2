"""The kernel cache: reused when nothing changed, never stale when anything did, optional."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import imcevo.kernels

KERNEL = """
import numba
from toy.kernels import kernel
from toy.mapping.callee import scaled

@kernel(parallel=True)
def total(values):
    s = 0.0
    for i in numba.prange(len(values)):
        s += scaled(values[i])
    return s
"""
CALLEE = """
from toy.kernels import kernel
from toy.costs.constant import FACTOR

@kernel()
def scaled(x):
    return FACTOR * x
"""
RUN = """
import numpy as np
from toy.simulator.entry import total
print(total(np.ones(4)), sum(total.stats.cache_hits.values()))
"""


def toy_package(folder: Path) -> Path:
    """A package with a cached kernel, its callee and a constant in three files, under our decorator."""
    package = folder / "toy"
    for floor in ("", "simulator", "mapping", "costs"):
        (package / floor).mkdir()
        (package / floor / "__init__.py").touch()
    shutil.copy(Path(imcevo.kernels.__file__), package / "kernels.py")
    (package / "simulator" / "entry.py").write_text(KERNEL)
    (package / "mapping" / "callee.py").write_text(CALLEE)
    (package / "costs" / "constant.py").write_text("FACTOR = 1.0\n")
    return package


def run(folder: Path, cache: Path, script: str = RUN) -> tuple[float, int]:
    env = {**os.environ, "PYTHONPATH": str(folder), "IMCEVO_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    arguments = [sys.executable, "-c", script]
    done = subprocess.run(arguments, env=env, capture_output=True, text=True, check=True, timeout=120)
    value, hits = done.stdout.split()
    return float(value), int(hits)


def test_an_edited_constant_or_callee_in_another_file_is_never_served_stale(tmp_path: Path) -> None:
    package = toy_package(tmp_path)
    cache = tmp_path / "cache"
    assert run(tmp_path, cache) == (4.0, 0)
    assert run(tmp_path, cache) == (4.0, 1)
    (package / "costs" / "constant.py").write_text("FACTOR = 2.0\n")
    assert run(tmp_path, cache) == (8.0, 0)
    (package / "mapping" / "callee.py").write_text(CALLEE.replace("FACTOR * x", "FACTOR * x + 1.0"))
    assert run(tmp_path, cache) == (12.0, 0)


def test_an_unwritable_cache_folder_only_costs_compilation(tmp_path: Path) -> None:
    toy_package(tmp_path)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert run(tmp_path, blocked / "cache") == (4.0, 0)


def test_a_cache_that_breaks_or_cannot_grow_only_costs_compilation(tmp_path: Path) -> None:
    toy_package(tmp_path)
    cache = tmp_path / "cache"
    limited = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
    assert run(tmp_path, cache, limited + RUN) == (4.0, 0)  # not one file could be kept
    assert run(tmp_path, cache) == (4.0, 0)
    assert run(tmp_path, cache) == (4.0, 1)
    for index in cache.rglob("*.nbi"):
        index.write_bytes(index.read_bytes()[:3])
    assert run(tmp_path, cache) == (4.0, 0)


def test_old_caches_are_pruned(tmp_path: Path) -> None:
    toy_package(tmp_path)
    kernels = tmp_path / "cache" / "kernels"
    for number in range(10):
        (kernels / f"old{number}").mkdir(parents=True)
    run(tmp_path, tmp_path / "cache")
    assert len(list(kernels.iterdir())) == 5
