"""Kernels that nothing has compiled yet, compiled side by side before a run begins.

numba compiles one function at a time in a process; the first run of an installation would wait for one core.
"""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np

from imcevo.kernels import cache_folder
from imcevo.problem import CodesignProblem, load_problem
from imcevo.runs.manifest import available_cores


def compile_side_by_side(problem: CodesignProblem, file: Path) -> None:
    """See to it that the kernels of a problem are on disk; what fails here is compiled where it is first used.

    Args:
        file: a file of the same problem, for other processes.
    """
    folder = cache_folder("kernels")
    if folder is None:
        return
    missing = [name for name in problem.simulator.kernels(snr=problem.needs_snr) if not _done(folder, name)]
    others = missing[:-1][: available_cores() - 1]  # the last, quickest ones are left to this process
    context = multiprocessing.get_context("spawn")
    helpers = [context.Process(target=_compile_from, args=(file, name), daemon=True) for name in others]
    for helper in helpers:
        helper.start()
    for name in missing[len(others) :]:
        _compile(problem, name, folder)
    for helper in helpers:
        helper.join()


def _done(folder: Path, name: str) -> bool:
    return (folder / f"{name}.compiled").exists()


def _compile_from(file: Path, name: str) -> None:
    folder = cache_folder("kernels")
    if folder is not None:
        _compile(load_problem(file), name, folder)


def _compile(problem: CodesignProblem, name: str, folder: Path) -> None:
    problem.simulator.compile_kernel(problem.decode(np.zeros((1, problem.n_var), dtype=np.int64)), name)
    (folder / f"{name}.compiled").touch()
