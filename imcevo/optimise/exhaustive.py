"""Exhaustive search: every design of a space decided, in chunks, with bounded memory.

The result is the exact set of non-dominated feasible designs and the optimum of scalar objectives. Designs are
numbered in the order of the genome, last gene fastest; chunks are ranges of these numbers, so that results do not
depend on how the range is cut. Where a gene's lowest value is proven never to be worse, only that value is evaluated
and the designs with its other values count as decided, even where they would tie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import NamedTuple

import moocore
import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.optimise.optima import SCALARS
from imcevo.problem import CodesignProblem

_MONOTONE_METRICS = frozenset({"energy_J", "latency_s", "area_m2", "edp_Js", "edap_Jsm2", "cost"})
# Bounds on these say nothing about the clock, so that all designs that differ in it alone are feasible or none is.
_CLOCKLESS_BOUNDS = frozenset({"energy_J", "area_m2"})


class Best(NamedTuple):
    """The optimum of one scalar objective: its value and the number of the first design that has it."""

    value: float
    design: int


@dataclass
class Decided:
    """What is known after the first designs of a space; all of it needed to go on.

    Attributes:
        next: number of the first design not yet looked at, in the order of what has to be evaluated.
        evaluated, feasible: designs evaluated, and those of them that are feasible.
        front: numbers of the non-dominated feasible designs, ascending ``[n_front]``; designs with equal objectives
            are all in it.
        front_F: their objectives ``[n_front, n_obj]``.
        best: scalar objective -> its optimum, without entry while nothing is feasible.
    """

    front: NDArray[np.int64]
    front_F: NDArray[np.float64]
    next: int = 0
    evaluated: int = 0
    feasible: int = 0
    best: dict[str, Best] = field(default_factory=dict)


class ExhaustiveSearch:
    """Decides a problem's whole design space.

    Args:
        optima: names of scalar objectives (`imcevo.optimise.optima.SCALARS`).
        chunk: designs per evaluation; bounds the memory, changes no result.

    Raises:
        UserError: the problem's genome holds more than hardware.
    """

    def __init__(self, problem: CodesignProblem, optima: Sequence[str] = (), *, chunk: int = 65536) -> None:
        if problem.n_var != len(problem.space.genes):
            raise UserError("has variables beside the hardware: the space cannot be enumerated", file=problem.file)
        self.problem, self.optima, self.chunk = problem, tuple(optima), chunk
        self.proven_genes = proven_genes(problem)
        sizes = {gene: len(problem.space.values[gene]) for gene in problem.space.genes}
        self._shape = tuple(sizes.values())
        self._evaluated_shape = tuple(1 if gene in self.proven_genes else size for gene, size in sizes.items())
        self.decided = Decided(np.empty(0, dtype=np.int64), np.empty((0, problem.n_obj)))

    @property
    def n_designs(self) -> int:
        """Designs of the space."""
        return prod(self._shape)

    @property
    def n_to_evaluate(self) -> int:
        """Designs that no proof excludes."""
        return prod(self._evaluated_shape)

    @property
    def n_proven(self) -> int:
        """Designs decided by proof so far: those that differ from an evaluated one in a proven gene alone."""
        return self.decided.evaluated * (self.n_designs // self.n_to_evaluate - 1)

    @property
    def n_repeated(self) -> int:
        """Genomes among those looked at that repair makes a design of another genome."""
        return (self.decided.next - self.decided.evaluated) * (self.n_designs // self.n_to_evaluate)

    @property
    def n_feasible(self) -> int:
        """Feasible designs among the decided ones; those excluded by proof are as feasible as their representative."""
        return self.decided.feasible * (self.n_designs // self.n_to_evaluate)

    @property
    def done(self) -> bool:
        return self.decided.next >= self.n_to_evaluate

    def genomes(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Genomes ``[n, n_var]`` of evaluated designs by number."""
        return np.stack(np.unravel_index(numbers, self._evaluated_shape), axis=1).astype(np.int64)

    def step(self) -> None:
        """Decide the next chunk."""
        known = self.decided
        numbers = np.arange(known.next, min(known.next + self.chunk, self.n_to_evaluate))
        X = self.genomes(numbers)
        # Two genomes that repair makes the same design would be evaluated twice: the canonical one stands for both.
        kept = (self.problem.canonical(X) == X).all(axis=1)
        numbers, X = numbers[kept], X[kept]
        if len(X):
            designs = self.problem.decode(X)
            metrics = self.problem.simulator.simulate(designs)
            feasible = np.asarray((self.problem.violations(metrics) <= 0).all(axis=1))
            F = self.problem.objective_values(metrics)
            for name in self.optima:
                self._improve(name, SCALARS[name].of(metrics), feasible, numbers)
            self._merge(F[feasible], numbers[feasible])
            known.feasible += int(feasible.sum())
        known.evaluated += len(X)
        known.next = min(known.next + self.chunk, self.n_to_evaluate)

    def _improve(
        self, name: str, values: NDArray[np.float64], feasible: NDArray[np.bool_], numbers: NDArray[np.int64]
    ) -> None:
        if not feasible.any():
            return
        first = int(np.where(feasible, values, np.inf).argmin())
        # Chunks come in ascending order: an equal value later does not displace the first design.
        if name not in self.decided.best or values[first] < self.decided.best[name].value:
            self.decided.best[name] = Best(float(values[first]), int(numbers[first]))

    def _merge(self, F: NDArray[np.float64], numbers: NDArray[np.int64]) -> None:
        known = self.decided
        candidate = moocore.is_nondominated(F, keep_weakly=True) if len(F) else np.empty(0, dtype=bool)
        F, numbers = np.concatenate([known.front_F, F[candidate]]), np.concatenate([known.front, numbers[candidate]])
        if len(F):
            stay = moocore.is_nondominated(F, keep_weakly=True)
            known.front_F, known.front = F[stay], numbers[stay]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The state as arrays, for a checkpoint."""
        known = self.decided
        names = [name for name in self.optima if name in known.best]
        return {
            "progress": np.array([known.next, known.evaluated, known.feasible], dtype=np.int64),
            "front": known.front,
            "front_F": known.front_F,
            "best_names": np.array(names, dtype=np.str_),
            "best_values": np.array([known.best[name].value for name in names], dtype=np.float64),
            "best_designs": np.array([known.best[name].design for name in names], dtype=np.int64),
        }

    def restore(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state of `arrays`.

        Raises:
            KeyError, ValueError, TypeError: not a state of this search.
        """
        done, evaluated, n_feasible = (int(value) for value in arrays["progress"])
        front, front_F = arrays["front"].astype(np.int64), arrays["front_F"].astype(np.float64)
        names = [str(name) for name in arrays["best_names"]]
        if not set(names) <= set(self.optima) or front_F.shape != (len(front), self.problem.n_obj):
            raise ValueError("not a state of this search")
        if len(front) and not (front.min() >= 0 and front.max() < self.n_to_evaluate):
            raise ValueError("the front holds designs that are not of this space")
        best = {
            name: Best(float(value), int(design))
            for name, value, design in zip(names, arrays["best_values"], arrays["best_designs"], strict=True)
        }
        self.decided = Decided(front, front_F, done, evaluated, n_feasible, best)


def proven_genes(problem: CodesignProblem) -> tuple[str, ...]:
    """Genes whose lowest value is never worse, whatever the rest of the design, and decides nothing else.

    The simulator says for which keys energy, area and requirements stay the same and latency never falls. That carries
    over to objectives that never rise when energy, latency or area fall (not power: it falls with a slower clock) and
    to constraints that do not see latency.
    """
    claimed = problem.simulator.proven_lowest
    monotone = all(objective.metric in _MONOTONE_METRICS for objective in problem.objectives)
    required = problem.simulator.required
    clockless = all(c.quantity in _CLOCKLESS_BOUNDS or c.quantity in required for c in problem.constraints)
    return tuple(gene for gene in problem.space.genes if gene in claimed) if monotone and clockless else ()
