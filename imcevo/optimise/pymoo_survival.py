"""SMS-EMOA and NSGA-III: pymoo's survival on our arrays, variation and random generator; and AGE-MOEA-II.

pymoo's own loops over these break ties between infeasible parents by an unseeded generator (pymoo issue 794) and cannot
be pickled; here the survival alone is theirs, and what it remembers is kept as arrays.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from math import comb
from typing import Any

import moocore
import numpy as np
from numpy.typing import NDArray
from pymoo.algorithms.moo.nsga3 import HyperplaneNormalization, ReferenceDirectionSurvival, get_extreme_points_c
from pymoo.algorithms.moo.sms import LeastHypervolumeContributionSurvival
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.survival import Survival

from imcevo.optimise.age import age_survivors
from imcevo.optimise.base import SearchProblem, Seed
from imcevo.optimise.evolution import Evolution, EvolutionOptions
from imcevo.optimise.ranking import Survivors, crowded
from imcevo.portable.arrays import solved

_LEAST = 1e-6  # of an intercept and of the extent of an objective


class _PymooSurvival(Evolution):
    """Evolution whose feasible survivors pymoo chooses."""

    _survival: Survival

    def _best(self, F: NDArray[np.float64], n: int) -> Survivors:
        if F.shape[1] == 1:  # nothing but the rank to go by, and pymoo does not expect it
            return crowded(F, n, self.rng)
        population = Population.new(F=F.copy())
        population.set("place", np.arange(len(F)))
        # pymoo switches warnings off for good and divides by zero where objectives coincide.
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            kept = self._survival.do(
                Problem(n_var=1, n_obj=F.shape[1]), population, n_survive=n, random_state=self.rng
            )
        rank, crowding = self._merit(kept)
        return Survivors(kept.get("place").astype(np.intp), rank, crowding)

    def _merit(self, kept: Population) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """What tournaments between survivors go by: rank, then crowding."""
        return kept.get("rank").astype(np.int64), np.zeros(len(kept))


class SmsEmoa(_PymooSurvival):
    """SMS-EMOA (Beume, Naujoks, Emmerich, EJOR 181(3), 2007), a whole generation at a time.

    Of the last front that fits in part, the design that contributes least to the hypervolume leaves, again and again.
    Its time grows steeply beyond three objectives.
    """

    def __init__(self, problem: SearchProblem, options: EvolutionOptions, *, seed: Seed) -> None:
        super().__init__(problem, options, seed=seed)
        self._survival = LeastHypervolumeContributionSurvival()


class AgeMoea2(Evolution):
    """AGE-MOEA-II (Panichella, GECCO 2022): distances along a front whose curvature is estimated, `age_survivors`.

    A first front on which an objective is constant has no such shape: there, crowding distances decide.
    """

    def _best(self, F: NDArray[np.float64], n: int) -> Survivors:
        first = F[moocore.is_nondominated(F, keep_weakly=True)]
        if F.shape[1] == 1 or (first.min(axis=0) == first.max(axis=0)).any():
            return crowded(F, n, self.rng)
        return age_survivors(F, n, self.rng)


class _Normalisation(HyperplaneNormalization):
    """Intercepts of the plane through the extreme points by elimination in a stated order instead of by BLAS."""

    ideal_point: NDArray[np.float64]
    worst_point: NDArray[np.float64]
    extreme_points: NDArray[np.float64] | None
    nadir_point: NDArray[np.float64] | None

    def update(self, F: NDArray[np.float64], nds: NDArray[np.intp] | None = None) -> None:
        front = F if nds is None else F[nds]
        self.ideal_point = np.minimum(self.ideal_point, F.min(axis=0))
        self.worst_point = np.maximum(self.worst_point, F.max(axis=0))
        self.extreme_points = get_extreme_points_c(front, self.ideal_point, extreme_points=self.extreme_points)
        plane = solved(self.extreme_points - self.ideal_point, np.ones(F.shape[1]))
        nadir = front.max(axis=0)
        if plane is not None and np.isfinite(plane).all() and (plane > 0).all() and (1.0 / plane > _LEAST).all():
            nadir = np.minimum(self.ideal_point + 1.0 / plane, self.worst_point)
        small = nadir - self.ideal_point <= _LEAST
        nadir[small] = F.max(axis=0)[small]
        self.nadir_point = nadir


class Nsga3(_PymooSurvival):
    """NSGA-III (Deb, Jain, IEEE TEC 18(4), 2014): survivors spread over reference directions.

    The directions are the finest simplex lattice (Das, Dennis, 1998) of not more than `population` points.
    """

    _REMEMBERED = ("ideal_point", "worst_point", "nadir_point", "extreme_points")

    def __init__(self, problem: SearchProblem, options: EvolutionOptions, *, seed: Seed) -> None:
        super().__init__(problem, options, seed=seed)
        self._survival = ReferenceDirectionSurvival(directions(problem.n_obj, options.population))
        self._survival.norm = _Normalisation(problem.n_obj)

    def _merit(self, kept: Population) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        # Feasible parents are drawn at random, section IV-F of the paper.
        return np.zeros(len(kept), dtype=np.int64), np.zeros(len(kept))

    def _arrays(self) -> Mapping[str, NDArray[Any]]:
        norm = self._survival.norm
        known = {name: getattr(norm, name) for name in self._REMEMBERED if getattr(norm, name) is not None}
        return {**super()._arrays(), **known}

    def _take(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        super()._take(arrays)
        n_obj = self.F.shape[1]
        for name in self._REMEMBERED:
            value = arrays.get(name)
            expected = (n_obj, n_obj) if name == "extreme_points" else (n_obj,)
            if value is not None and (value.dtype != np.float64 or value.shape != expected):
                raise ValueError(f"{name} is {value.dtype}{value.shape}, expected {expected}")
            if value is not None or name in ("nadir_point", "extreme_points"):
                setattr(self._survival.norm, name, value)


def directions(n_obj: int, most: int) -> NDArray[np.float64]:
    """The finest simplex lattice ``[n <= most, n_obj]``; with one objective its one direction."""
    from pymoo.util.ref_dirs import get_reference_directions  # loads autograd: only where it is used

    partitions = 1
    while n_obj > 1 and comb(partitions + n_obj, n_obj - 1) <= most:
        partitions += 1
    return np.asarray(get_reference_directions("das-dennis", n_obj, n_partitions=partitions))
