"""Searches that must come out to the byte, here and under other choices of code by processor."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__  # type: ignore[attr-defined]

from tests.portable.golden import DIGESTS, FRONT, HERE, OPTIMISERS, digest, search

X86 = platform.machine() in ("x86_64", "AMD64")


def without_vectors() -> dict[str, str]:
    """As on the oldest processor that NumPy supports: none of the code that it chooses when it is loaded."""
    chosen = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(chosen), "OPENBLAS_CORETYPE": "Prescott" if X86 else "ARMV8"}


def test_front_of_nsga2(tmp_path: Path) -> None:
    assert search(tmp_path)["front.csv"].decode() == FRONT.read_text()


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_front_of_every_optimiser_without_vector_code(optimiser: str, tmp_path: Path) -> None:
    """The golden results were made on a processor with AVX-512."""
    found = search(tmp_path, optimiser, environment=without_vectors())
    assert digest(found["front.csv"]) == json.loads(DIGESTS.read_text())[optimiser]


@pytest.mark.skipif(not X86, reason="the names of processors are those of x86-64")
@pytest.mark.parametrize("features", ["+avx2,+fma", ""], ids=["haswell", "x86-64"])
def test_compiled_for_another_processor(features: str, tmp_path: Path) -> None:
    """All kernels compiled anew: greedy mappings on plain chips, so that it stays a matter of seconds."""
    text = (HERE / "problem.toml").read_text()
    for line in ('digital_cell = "sram_digital"\n', "digital_groups = [0, 1, 2, 4, 9]\n"):
        assert line in text
        text = text.replace(line, "")
    text = text.replace('policy = "exact"', 'policy = "greedy"').replace('"sram_charge_10t1c"]', '"sram_digital"]')
    problem = tmp_path / "problem.toml"
    problem.write_text(text)
    here = search(tmp_path / "here", problem=problem)
    other = {"NUMBA_CPU_NAME": "haswell" if features else "x86-64", "NUMBA_CPU_FEATURES": features}
    assert search(tmp_path / "other", problem=problem, environment={**other, **without_vectors()}) == here
    assert search(tmp_path / "threads", problem=problem, threads=2) == here
