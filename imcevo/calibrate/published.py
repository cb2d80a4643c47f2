"""Calibration of the published profile: its unit costs refitted to reference points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.calibrate.fit import Calibration, fit_unit_costs
from imcevo.costs.published import Memory, PublishedCosts
from imcevo.costs.published_actions import ACTIONS
from imcevo.errors import UserError, listed
from imcevo.simulator.published import PublishedSimulator
from imcevo.validate.published.points import ReferencePoints

# Known from the framework's public configuration, the same at every node; it cannot be told from cell writes.
KNOWN = ("dram_J_per_bit",)
# Points beyond this relative error after a first fit are misses of the published search, not of the unit costs.
_OUTLIER = 0.2


class PublishedCalibration(NamedTuple):
    """A refit of one memory and node.

    Attributes:
        energy: unit costs of energy.
        left_out: points that the fit leaves out because the published search missed its own optimum there.
        errors: relative errors of all points, left out ones included ``[n_points]``.
    """

    energy: Calibration
    left_out: int
    errors: NDArray[np.float64]


def calibrate_published(points: ReferencePoints, memory: Memory, node_nm: int) -> PublishedCalibration:
    """Refit the unit costs of energy to the points of one memory and node.

    Streamed weights: loops are placed at the shipped prices.

    Raises:
        UserError: too few points or designs, or a design that the published tables do not hold.
    """
    chosen = points.of(memory, node_nm)
    if len(chosen) == 0:
        known = sorted({(str(m), int(n)) for m, n in zip(points.memory, points.designs["node_nm"], strict=True)})
        there = listed(f"{m} at {n} nm" for m, n in known)
        raise UserError(f"there are no points of {memory} at {node_nm} nm", key="memory", allowed=there)
    names, terms, known_J = _terms(chosen, memory, node_nm)
    groups = chosen.design_numbers()
    first = fit_unit_costs(names, terms, chosen.energy_J, groups, known=known_J)
    kept = np.abs(first.errors) <= _OUTLIER
    fit = fit_unit_costs(names, terms[kept], chosen.energy_J[kept], groups[kept], known=known_J[kept])
    costs = np.array([fit.unit_costs[name] for name in names])
    errors = (terms @ costs + known_J) / chosen.energy_J - 1.0
    return PublishedCalibration(fit, int((~kept).sum()), errors)


def _terms(
    points: ReferencePoints, memory: Memory, node_nm: int
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Names of the unit costs, what each is multiplied by ``[n_points, n_terms]``, and the known energy."""
    networks = sorted(set(points.network.tolist()))
    costs = PublishedCosts(memory, node_nm)
    simulator = PublishedSimulator(networks, memory)
    network = np.searchsorted(networks, points.network)
    counts = simulator.action_counts(points.designs)[np.arange(len(points)), network]
    prices = costs.price_terms(points.designs)
    columns = {name: counts[:, ACTIONS.index(action)] * factor for name, (action, factor) in prices.items()}
    known_J = sum((columns[k] * costs.constants[k] for k in KNOWN if k in columns), np.zeros(len(points)))
    names = [name for name in columns if name not in KNOWN]
    return names, np.stack([columns[name] for name in names], axis=1), known_J
