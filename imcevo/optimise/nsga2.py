"""NSGA-II, with two measures of crowding."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from imcevo.optimise.evolution import Evolution
from imcevo.optimise.ranking import Survivors, crowded


class Nsga2(Evolution):
    """NSGA-II (Deb, Pratap, Agarwal, Meyarivan, IEEE TEC 6(2), 2002)."""

    measure: ClassVar[str] = "cd"

    def _best(self, F: NDArray[np.float64], n: int) -> Survivors:
        return crowded(F, n, self.rng, self.measure)


class Nsga2Mnn(Nsga2):
    """NSGA-II with crowding by the product of the distances to the nearest neighbours, found again after each removal.

    Kukkonen, Deb, "A fast and effective method for pruning of non-dominated solutions in many-objective problems", PPSN
    IX, 2006, as implemented in pymoo.
    """

    measure: ClassVar[str] = "mnn"
