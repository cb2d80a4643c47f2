"""The co-design problem: genomes in, minimised objectives and constraints out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imcevo.hardware import DesignSpace, DesignTable
from imcevo.problem.canonical import Canonicaliser
from imcevo.problem.constraints import SNR, Constraint
from imcevo.problem.genome import HARDWARE, MAPPING, Genome
from imcevo.problem.hypervolume import HypervolumeBox
from imcevo.problem.objectives import Objective
from imcevo.problem.quantities import QUANTITIES, Quantity, of_networks
from imcevo.problem.tabulated import TabulatedCanonicaliser, canonicaliser_of
from imcevo.simulator import Metrics, Simulator

if TYPE_CHECKING:
    import pandas as pd


# Of every network, from its energy and interval, the chip's area and the MACs.


class Evaluation(NamedTuple):
    """Results of a batch, row by row.

    Attributes:
        X: canonical genomes int64 ``[n, n_var]``.
        F: objectives, minimised ``[n, n_obj]``.
        G: constraints ``[n, n_constr]``, feasible where <= 0, scaled as `Constraint.scaled` says.
    """

    X: NDArray[np.int64]
    F: NDArray[np.float64]
    G: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CodesignProblem:
    """A scientific question, made from a problem file by `load_problem`.

    A genome is a row of whole numbers, variable i from 0 to ``upper[i]``. Rows that repair turns into the
    same design share one canonical row. Results of a row do not depend on the batch it stands in.

    Attributes:
        file: the problem file.
        hash: SHA-256 (hex) of everything that determines results: equal hashes, comparable runs.
        space: the design space; its genes are in the order of the simulator's keys.
        box: where hypervolumes are measured.
        text: see `resolved_toml`.
        companions: see `companion_files`.
    """

    name: str
    description: str
    file: Path
    hash: str
    space: DesignSpace
    simulator: Simulator
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    box: HypervolumeBox
    text: str
    companions: Mapping[str, str | bytes]

    @cached_property
    def genome(self) -> Genome:
        """The layout of a row."""
        return Genome.of(self.space, self.simulator.mapping_genes)

    @cached_property
    def upper(self) -> NDArray[np.int64]:
        """Largest value of every variable ``[n_var]``."""
        return self.genome.upper

    @cached_property
    def linkage(self) -> NDArray[np.int64]:
        """Which variables recombination exchanges together: equal numbers ``[n_var]``."""
        return self.genome.linkage

    @cached_property
    def _canonicaliser(self) -> Canonicaliser | TabulatedCanonicaliser:
        return canonicaliser_of(self.space, self.simulator)

    @property
    def n_var(self) -> int:
        return len(self.upper)

    @property
    def variable_names(self) -> tuple[str, ...]:
        return self.genome.variables

    @property
    def n_obj(self) -> int:
        return len(self.objectives)

    @property
    def objective_names(self) -> tuple[str, ...]:
        return tuple(objective.name for objective in self.objectives)

    @property
    def n_constr(self) -> int:
        return len(self.constraints)

    @property
    def constraint_names(self) -> tuple[str, ...]:
        return tuple(constraint.name for constraint in self.constraints)

    @property
    def needs_snr(self) -> bool:
        """Whether an objective or a constraint asks for compute-SNR."""
        asked = [*(o.metric for o in self.objectives), *(c.quantity for c in self.constraints)]
        return SNR in asked

    @property
    def networks(self) -> tuple[str, ...]:
        return self.simulator.networks

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`n` genomes drawn uniformly ``[n, n_var]``, not yet canonical."""
        return rng.integers(0, self.upper + 1, size=(n, self.n_var), dtype=np.int64)

    def initial(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`n` genomes to begin a search with ``[n, n_var]``: as `sample`, but in every row a share of
        the layers, drawn from 0 to 1/10, is mapped at random and the others by the greedy rule."""
        X = self.sample(n, rng)
        mapping = self.simulator.mapping_genes
        if mapping.names:
            greedy = rng.random((n, int(mapping.linkage.max()) + 1)) >= 0.1 * rng.random((n, 1))
            place = self.genome.place(MAPPING)
            X[:, place] = np.where(greedy[:, mapping.linkage], mapping.start, X[:, place])
        return X

    def mapped_greedily(self) -> CodesignProblem | None:
        """The same question with layers mapped by the greedy rule; None unless they are mapped exactly."""
        simulator = self.simulator.mapped_greedily()
        return None if simulator is None else replace(self, simulator=simulator)

    def canonical(self, X: ArrayLike) -> NDArray[np.int64]:
        """The canonical genomes of `X` ``[n, n_var]``: equal rows are equal designs; idempotent."""
        rows = self._checked(X)
        hardware = self.genome.place(HARDWARE)
        rows[:, hardware] = self._canonicaliser.canonical(rows[:, hardware])
        return rows

    def decode(self, X: ArrayLike) -> DesignTable:
        """The repaired designs of genomes `X` ``[n, n_var]``."""
        return self._resolved(X)[1]

    def evaluate(self, X: ArrayLike, *, canonical: bool = False) -> Evaluation:
        """Objectives and constraints of genomes ``[n, n_var]``; each distinct design is simulated once.

        Args:
            canonical: `X` are distinct canonical genomes, as `Optimiser.ask` gives them: not found out again.

        Raises:
            ValueError: wrong shape, not whole numbers, or out of range.
        """
        if canonical:
            return self._simulated(self._checked(X))
        rows, designs = self._resolved(X)
        if len(rows) == 0:
            return Evaluation(rows, np.empty((0, self.n_obj)), np.empty((0, self.n_constr)))
        first, inverse = _distinct(rows)
        metrics = self.simulator.simulate(designs.take(first), snr=self.needs_snr)
        return Evaluation(rows, self.objective_values(metrics)[inverse], self.violations(metrics)[inverse])

    def _simulated(self, rows: NDArray[np.int64]) -> Evaluation:
        """Distinct canonical genomes, at least one, evaluated."""
        designs = self._canonicaliser.repaired(rows[:, self.genome.place(HARDWARE)])
        designs = designs.with_mapping(rows[:, self.genome.place(MAPPING)])
        metrics = self.simulator.simulate(designs, snr=self.needs_snr)
        return Evaluation(rows, self.objective_values(metrics), self.violations(metrics))

    def block_costs(self, candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        """What each block of linked genes adds to the suite's energy and latency, in J and s.

        Args:
            candidates: genomes ``[n_candidates, n, n_var]``; the candidates of a row share their hardware.

        Returns:
            ``[n_candidates, n, n_blocks + 1, 2]``, blocks as `linkage` numbers them, the last for what belongs to none;
            0 where blocks have no costs of their own.
        """
        n_blocks = int(self.linkage.max()) + 1
        costs = np.zeros((*candidates.shape[:2], n_blocks + 1, 2))
        if self.simulator.mapping_genes.names:
            designs = self._canonicaliser.repaired(candidates[0][:, self.genome.place(HARDWARE)])
            known = self.simulator.mapping_gene_costs(designs, candidates[:, :, self.genome.place(MAPPING)])
            if known is not None:
                costs[:, :, -known.shape[2] :] = known
        return costs

    def objective_values(self, metrics: Metrics) -> NDArray[np.float64]:
        """F ``[n_designs, n_obj]`` of simulated designs."""
        F = np.stack([objective.of(metrics) for objective in self.objectives], axis=1)
        if not np.isfinite(F).all():
            raise FloatingPointError(
                f"the simulator gave objectives that are not finite: {F[~np.isfinite(F).all(axis=1)][0]}"
            )
        return F

    def violations(self, metrics: Metrics) -> NDArray[np.float64]:
        """G ``[n_designs, n_constr]`` of simulated designs."""
        G = np.empty((len(metrics.area_m2), self.n_constr))
        for column, constraint in enumerate(self.constraints):
            G[:, column] = constraint.scaled(constraint.missed(metrics))
        return G

    def frame(self, X: ArrayLike) -> pd.DataFrame:
        """Genomes ``[n, n_var]`` as a table of repaired designs and their results, see `frame_of`."""
        designs = self.decode(X)
        if designs.n_designs == 0:
            return self.frame(np.zeros((1, self.n_var), dtype=np.int64)).iloc[:0]
        # Explicit mapping genes are many and mean nothing without the layer: runs store their factors instead.
        return self.frame_of(designs, self.simulator.simulate(designs), keys=self.space.genes)

    def frame_of(self, designs: DesignTable, metrics: Metrics, *, keys: Sequence[str]) -> pd.DataFrame:
        """Repaired designs and their results, one row each.

        Columns: the design `keys`; the objectives; ``energy_J.<network>`` and ``latency_s.<network>``, and
        ``snr_dB.<network>`` where the profile models it; ``area_m2``; those of `of_networks`; ``feasible``;
        ``violations``, the missed constraints as ``name=amount``, each in its own unit.
        """
        import pandas as pd

        columns: dict[str, Any] = {
            key: designs.named(key) if key in designs.names else designs[key] for key in keys
        }
        columns |= dict(zip(self.objective_names, self.objective_values(metrics).T, strict=True))
        measured = ("energy_J", "latency_s", *((SNR,) if metrics.snr_dB is not None else ()))
        columns |= self._by_network(metrics, [QUANTITIES[name] for name in measured])
        columns["area_m2"] = metrics.area_m2
        columns |= self._by_network(metrics, of_networks())
        missed = np.array([constraint.missed(metrics) for constraint in self.constraints])
        missed = missed.reshape(self.n_constr, designs.n_designs).T
        columns["feasible"] = (missed <= 0).all(axis=1)
        columns["violations"] = np.array([self._told(row) for row in missed], dtype=object)
        return pd.DataFrame(columns)

    def _by_network(self, metrics: Metrics, quantities: Sequence[Quantity]) -> dict[str, NDArray[np.float64]]:
        """``<quantity>.<network>`` -> values ``[n_designs]``."""
        return {
            f"{quantity.name}.{name}": quantity.of_network(metrics, index)
            for quantity in quantities for index, name in enumerate(self.networks)
        }  # fmt: skip

    def _told(self, missed: NDArray[np.float64]) -> str:
        return " ".join(
            f"{name}={amount:.6g}"
            for name, amount in zip(self.constraint_names, missed, strict=True)
            if amount > 0
        )

    def resolved_toml(self) -> str:
        """A problem file that asks the same question from any folder that also holds `companion_files`."""
        return self.text

    def companion_files(self) -> dict[str, str | bytes]:
        """Relative path -> content of the users' network and statistics files that `resolved_toml` refers to."""
        return dict(self.companions)

    def _resolved(self, X: ArrayLike) -> tuple[NDArray[np.int64], DesignTable]:
        """Canonical genomes and the repaired designs they stand for."""
        rows = self._checked(X)
        hardware = self.genome.place(HARDWARE)
        rows[:, hardware], designs = self._canonicaliser(rows[:, hardware])
        return rows, designs.with_mapping(rows[:, self.genome.place(MAPPING)])

    def _checked(self, X: ArrayLike) -> NDArray[np.int64]:
        rows = np.asarray(X)
        if rows.ndim != 2 or rows.shape[1] != self.n_var:
            raise ValueError(f"genomes have shape {rows.shape}, expected [n, {self.n_var}]")
        if not np.issubdtype(rows.dtype, np.integer):
            raise ValueError(f"genomes are {rows.dtype}, expected whole numbers")
        rows = rows.astype(np.int64)
        if ((rows < 0) | (rows > self.upper)).any():
            row, column = np.argwhere((rows < 0) | (rows > self.upper))[0]
            raise ValueError(
                f"genome {row}: variable {self.variable_names[column]!r} is {rows[row, column]}, "
                f"expected 0 to {self.upper[column]}"
            )
        return rows


def _distinct(rows: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First occurrence of each distinct row, and which of these each row is."""
    rows = np.ascontiguousarray(rows)
    keys = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first, inverse
