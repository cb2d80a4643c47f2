"""From the counts of a chip's parts to its time and energy: what a part does is counted once, what it costs after."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from imcevo.costs import UnitCosts
from imcevo.costs.terms import COMPONENT_OF_ACTION, ENERGY_COMPONENTS
from imcevo.portable.arrays import sums_at_prices
from imcevo.simulator.bound_suite import BoundSuite
from imcevo.simulator.parts import Counts, Part
from imcevo.simulator.pipelined_layers import initiation_interval_s


def binding_times_s(counts: Sequence[Counts]) -> NDArray[np.float64]:
    """Seconds of one batch by binding resource ``[n_designs, n_rows, n_resources]``.

    Layers run one after another, on one part or the other.
    """
    return reduce(np.add, [one.times for one in counts])


def interval_s(
    suite: BoundSuite, parts: Sequence[Part], counts: Sequence[Counts], latency_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean seconds between finished inferences ``[n_designs, n_networks]``; `latency_s` of a batch."""
    batches = latency_s
    if suite.pipelined:  # chips of one part
        pipelined = parts[0].tiles.geometry["pipelined"][:, None] == 1
        batches = np.where(pipelined, initiation_interval_s(counts[0].stages), batches)
    return batches / suite.deployment.batch


def energy_J(
    suite: BoundSuite, parts: Sequence[Part], counts: Sequence[Counts], interval: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Joules per inference ``[n_designs, n_networks]``: actions at their prices, and the chip's leakage over time."""
    switched = reduce(np.add, [
        sums_at_prices(one.actions, part.tiles.costs.energy_J) / suite.deployment.batch
        for part, one in zip(parts, counts, strict=True)
    ])  # fmt: skip
    return switched + parts[0].tiles.costs.leakage_W[:, None] * interval


def energy_by_component_J(
    suite: BoundSuite, parts: Sequence[Part], counts: Sequence[Counts], interval: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`energy_J` as ``[n_designs, n_networks, n_energy_components]``."""
    # Leakage of the whole chip is booked with the first part.
    seconds = [interval, *(np.zeros_like(interval) for _ in parts[1:])]
    return reduce(np.add, [
        by_component_J(one.actions / suite.deployment.batch, part.tiles.costs, own)
        for part, one, own in zip(parts, counts, seconds, strict=True)
    ])  # fmt: skip


def by_component_J(
    actions: NDArray[np.float64], costs: UnitCosts, seconds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Joules ``[n_designs, n_rows, n_energy_components]`` with leakage over `seconds` as the last component."""
    by_action = actions * costs.energy_J[:, None, :]
    energy = np.zeros((*by_action.shape[:2], len(ENERGY_COMPONENTS)))
    for action, component in enumerate(COMPONENT_OF_ACTION):
        energy[:, :, component] += by_action[:, :, action]
    energy[:, :, -1] = costs.leakage_W[:, None] * seconds
    return energy
