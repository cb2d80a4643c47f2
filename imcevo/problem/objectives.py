"""Objectives: metrics of a chip, aggregated over the suite of networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError, listed, unknown_name
from imcevo.portable.arrays import exp, log
from imcevo.problem.config import ObjectiveConfig
from imcevo.problem.quantities import QUANTITIES, Aggregate
from imcevo.simulator.results import Metrics

WEIGHTED: tuple[Aggregate, ...] = ("weighted_mean", "weighted_geometric_mean")


@dataclass(frozen=True)
class Objective:
    """One minimised quantity; of what more is better, its negative.

    Attributes:
        metric: one of `QUANTITIES`.
        aggregate: what makes one value of the networks'; None for what belongs to the chip.
        weights: per network, summing to 1, for the weighted means (geometric: prod(x^w)).
    """

    metric: str
    aggregate: Aggregate | None
    weights: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """Column name, e.g. ``energy_J_mean`` or ``area_m2``; ``minus_snr_dB_min`` because it is minimised."""
        name = f"{self.metric}_{self.aggregate}" if self.aggregate else self.metric
        return f"minus_{name}" if QUANTITIES[self.metric].more_is_better else name

    def of(self, metrics: Metrics) -> NDArray[np.float64]:
        """Values ``[n_designs]``."""
        return QUANTITIES[self.metric].objective(metrics, self._aggregated)

    def _aggregated(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """``[n_designs, n_networks]`` over the networks."""
        # Network after network, so that a design's sum does not depend on the batch it stands in.
        columns = [np.ascontiguousarray(column) for column in values.T]
        if self.aggregate == "max":
            return np.maximum.reduce(columns)
        if self.aggregate == "min":
            return np.minimum.reduce(columns)
        if self.aggregate == "weighted_mean":
            return sum((w * c for w, c in zip(self.weights, columns, strict=True)), np.zeros(len(values)))
        if self.aggregate == "weighted_geometric_mean":
            logs = (w * log(c) for w, c in zip(self.weights, columns, strict=True))
            return exp(sum(logs, np.zeros(len(values))))
        if self.aggregate == "geometric_mean":
            return exp(sum((log(c) for c in columns), np.zeros(len(values))) / len(columns))
        return sum(columns, np.zeros(len(values))) / len(columns)


def build_objectives(
    configs: Sequence[ObjectiveConfig],
    weights: Mapping[str, float] | Sequence[float] | None,
    *,
    networks: Sequence[str],
    file: object = None,
) -> tuple[Objective, ...]:
    """The objectives of a problem file.

    Raises:
        UserError: none at all, one twice, a missing or superfluous aggregate, or weights that do not fit the
            suite or that nothing uses.
    """
    where = None if file is None else str(file)
    if not configs:
        raise UserError(
            "lists no objective", file=where, key="objectives", allowed="at least one [[objectives]] table"
        )
    shares = _shares(weights, networks, where)
    built: list[Objective] = []
    for index, config in enumerate(configs):
        key = f"objectives[{index}]"
        quantity = QUANTITIES[config.metric]
        if quantity.of == "chip" and config.aggregate is not None:
            raise UserError(
                f"has no place here: {config.metric.removesuffix('_m2')} is the chip's, not a network's",
                file=where, key=f"{key}.aggregate", value=config.aggregate, allowed="no aggregate",
            )  # fmt: skip
        allowed = quantity.aggregates
        if quantity.of == "network" and config.aggregate is None:
            raise UserError(
                "this key is missing", file=where, key=f"{key}.aggregate", allowed=listed(allowed)
            )
        if config.aggregate is not None and config.aggregate not in allowed:
            raise UserError(
                f"is no aggregate of {config.metric}",
                file=where, key=f"{key}.aggregate", value=config.aggregate, allowed=listed(allowed),
            )  # fmt: skip
        if config.aggregate in WEIGHTED and not shares:
            raise UserError(
                "is asked for, but the suite has no weights",
                file=where, key=f"{key}.aggregate", value=config.aggregate,
                allowed="workloads.weights to be given",
            )  # fmt: skip
        objective = Objective(config.metric, config.aggregate, shares)
        if objective.name in [other.name for other in built]:
            raise UserError("is listed twice", file=where, key=key, value=objective.name)
        built.append(objective)
    if shares and not any(objective.aggregate in WEIGHTED for objective in built):
        raise UserError(
            "are given, but no objective uses them",
            file=where, key="workloads.weights", value=weights,
            allowed=f"no weights, or an objective whose aggregate is one of {listed(WEIGHTED)}",
        )  # fmt: skip
    return tuple(built)


def _shares(
    weights: Mapping[str, float] | Sequence[float] | None, networks: Sequence[str], where: str | None
) -> tuple[float, ...]:
    """Weights in the order of the networks, summing to 1."""
    if weights is None:
        return ()
    key = "workloads.weights"
    if isinstance(weights, Mapping):
        for name in weights:
            if name not in networks:
                raise unknown_name("network of this problem", name, networks, file=where, key=key)
        missing = [name for name in networks if name not in weights]
        if missing:
            raise UserError(f"leaves out {listed(missing)}", file=where, key=key, allowed="a weight for every network")
        weights = [weights[name] for name in networks]
    if len(weights) != len(networks):
        raise UserError(
            f"has {len(weights)} weights for {len(networks)} networks",
            file=where, key=key, value=list(weights), allowed="one weight per network",
        )  # fmt: skip
    for weight in weights:
        if weight <= 0:
            raise UserError("is not positive", file=where, key=key, value=weight, allowed="weights above 0")
    total = sum(weights)
    return tuple(weight / total for weight in weights)
