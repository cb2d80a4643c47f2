"""Baselines of arXiv 2603.03880: designs found for one network, or stage by stage instead of jointly.

Every choice is exhaustive, so that what a baseline loses is the baseline's fault and not a search's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.optimise.exhaustive import ExhaustiveSearch
from imcevo.optimise.optima import SCALARS
from imcevo.portable.arrays import row_sums
from imcevo.problem import CodesignProblem

# Device, circuit, architecture, system: each stage keeps what the stages before it chose.
STAGES: tuple[tuple[str, ...], ...] = (
    ("bits_per_cell", "voltage_V"),
    ("rows", "cols", "cycle_s"),
    ("macros_per_tile", "tiles_per_group", "router_groups"),
    ("glb_depth",),
)


def specialised(problem: CodesignProblem, network: str, objective: str) -> NDArray[np.int64]:
    """The certified optimum for one network of a published problem, as a genome ``[n_var]``.

    Raises:
        UserError: the problem is not on the published profile, or no design can run the network.
    """
    simulator = problem.simulator.restricted_to([network])
    if simulator is None:
        raise UserError("is not on the published profile", file=problem.file, key="model.profile")
    alone = replace(problem, simulator=simulator)
    search = ExhaustiveSearch(alone, [objective])
    while not search.done:
        search.step()
    if objective not in search.decided.best:
        raise UserError(f"has no feasible design for {network}", file=problem.file)
    return np.asarray(search.genomes(np.array([search.decided.best[objective].design]))[0])


def sequential(
    problem: CodesignProblem,
    objective: str,
    start: Literal["middle", "largest"],
    stages: Sequence[Sequence[str]] = STAGES,
) -> NDArray[np.int64]:
    """The design of staged optimisation, as a genome ``[n_var]``; perhaps not feasible.

    Every stage tries all values of its genes with the others as they are, and takes the best feasible design; where
    none is feasible, the one that misses its constraints least.
    """
    genes = problem.space.genes
    genome = (problem.upper // 2 if start == "middle" else problem.upper).copy()
    for stage in stages:
        columns = [genes.index(key) for key in stage if key in genes]
        if not columns:
            continue
        values = np.array(list(np.ndindex(*(problem.upper[columns] + 1))), dtype=np.int64)
        X = np.tile(genome, (len(values), 1))
        X[:, columns] = values
        genome = X[_best(problem, X, objective)]
    return genome


def _best(problem: CodesignProblem, X: NDArray[np.int64], objective: str) -> int:
    metrics = problem.simulator.simulate(problem.decode(X))
    missed = row_sums(np.maximum(problem.violations(metrics), 0.0))
    return int(np.lexsort((SCALARS[objective].of(metrics), missed))[0])
