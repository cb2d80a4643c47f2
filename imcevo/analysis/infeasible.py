"""When a search finds no feasible design: which constraints stood in the way, and who came closest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from imcevo.analysis.run import Run


class Infeasibility(NamedTuple):
    """Of all designs of a run.

    Attributes:
        missed: constraint -> number of designs that miss it, most often missed first.
        closest: number (order of evaluation) of the design with the smallest sum of violations.
    """

    missed: dict[str, int]
    closest: int


def infeasibility(run: Run) -> Infeasibility:
    """Why designs are infeasible, for a run with at least one design."""
    counts = np.zeros(len(run.layout.constraints), dtype=np.int64)
    closest, least, number = 0, np.inf, 0
    for block in run.blocks():
        counts += (block.G > 0).sum(axis=0)
        violation = np.maximum(block.G, 0.0).sum(axis=1)
        best = int(violation.argmin())
        if violation[best] < least:
            closest, least = number + best, violation[best]
        number += len(violation)
    order = np.argsort(-counts, kind="stable")
    missed = {run.layout.constraints[i]: int(counts[i]) for i in order if counts[i]}
    return Infeasibility(missed, closest)
