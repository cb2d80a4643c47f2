"""Kernels compiled side by side: what helpers compiled is read, not compiled again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from imcevo.problem import load_problem

SHIPPED = Path(__file__).parents[2] / "problems"
SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from imcevo.runs.compilation import compile_side_by_side
from imcevo.mapping.count import count_layers
from imcevo.mapping.greedy import _map_designs
from imcevo.problem import load_problem

if __name__ == "__main__":
    file = Path(sys.argv[1])
    problem = load_problem(file, policy="greedy")
    compile_side_by_side(problem, file)
    problem.evaluate(problem.sample(2, np.random.default_rng(1)))
    kernels = (_map_designs, count_layers)
    print(*(sum(getattr(kernel.stats, name).values()) for name in ("cache_hits", "cache_misses") for kernel in kernels))
"""


def test_the_kernels_of_a_policy() -> None:
    file = SHIPPED / "sram_streamed4.toml"
    for policy in ("greedy", "exact", "evolved"):
        named = load_problem(file, policy=policy).simulator.kernels(snr=True)
        assert (policy in named, "snr" in named, "count" in named) == (True, True, True)
    assert load_problem(SHIPPED / "published_rram4.toml").simulator.kernels(snr=False) == ()


def test_helpers_compile_for_this_process(tmp_path: Path) -> None:
    text = (SHIPPED / "sram_streamed4.toml").read_text()
    file, script = tmp_path / "problem.toml", tmp_path / "script.py"
    kept = [line for line in text.splitlines() if not line.startswith("snr_dB")]
    file.write_text("\n".join('policy = "greedy"' if line.startswith("policy") else line for line in kept))
    script.write_text(SCRIPT)
    environment = {**os.environ, "IMCEVO_CACHE_DIR": str(tmp_path / "cache")}

    def hits_and_misses() -> list[int]:
        command = [sys.executable, str(script), str(file)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)
        return [int(number) for number in done.stdout.split()]

    first, second = hits_and_misses(), hits_and_misses()
    assert sum(first[2:]) == (1 if len(os.sched_getaffinity(0)) > 1 else 2)  # its own share
    assert second == [1, 1, 0, 0]
