"""The large kernels of the physical profile, each compiled on its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from imcevo.costs import unit_costs
from imcevo.hardware import DesignTable
from imcevo.mapping.exact_designs import map_exactly
from imcevo.mapping.factors import Mapping
from imcevo.mapping.greedy import map_greedily
from imcevo.mapping.policies import EvolvedPolicy, ExactPolicy
from imcevo.mapping.records import plain_factors
from imcevo.simulator.physical import PhysicalSimulator


def kernels_of(simulator: object, *, snr: bool) -> tuple[str, ...]:
    """Names of the kernels that simulating needs, the one that takes longest to compile first.

    Args:
        snr: compute-SNR is asked for.
    """
    if not isinstance(simulator, PhysicalSimulator):
        return ()
    exact, evolved = isinstance(simulator.policy, ExactPolicy), isinstance(simulator.policy, EvolvedPolicy)
    wanted = {"exact": exact, "snr": snr, "greedy": not evolved, "evolved": evolved, "count": True}
    return tuple(name for name in _USES if wanted[name])


def compile_kernel(simulator: PhysicalSimulator, designs: DesignTable, name: str) -> None:
    """Use a kernel once, on repaired designs whose mapping is neither read nor good."""
    _USES[name](simulator, designs)


def _exact(simulator: PhysicalSimulator, designs: DesignTable) -> object:
    geometry, costs = simulator.geometry(designs), unit_costs(designs, simulator.technology)
    weights = np.ones((len(geometry), len(simulator.networks), 2))
    return map_exactly(simulator.layers[:1], geometry, simulator.prices(costs), weights)


def _snr(simulator: PhysicalSimulator, designs: DesignTable) -> object:
    return simulator.snr.of_designs(designs, simulator.geometry(designs), _on_one_cell(simulator, designs))


def _count(simulator: PhysicalSimulator, designs: DesignTable) -> object:
    costs = unit_costs(designs, simulator.technology)
    return simulator.count(simulator.geometry(designs), costs.rates, _on_one_cell(simulator, designs))


def _greedy(simulator: PhysicalSimulator, designs: DesignTable) -> object:
    return map_greedily(simulator.layers, simulator.geometry(designs), len(simulator.networks))


def _evolved(simulator: PhysicalSimulator, designs: DesignTable) -> object:
    return simulator.map(designs, simulator.geometry(designs), unit_costs(designs, simulator.technology))


_USES: dict[str, Callable[[PhysicalSimulator, DesignTable], object]] = {
    "exact": _exact, "snr": _snr, "evolved": _evolved, "greedy": _greedy, "count": _count,
}  # fmt: skip


def _on_one_cell(simulator: PhysicalSimulator, designs: DesignTable) -> Mapping:
    """Every layer on one cell, all the rest in time: legal on every design."""
    factors = plain_factors(designs.n_designs, len(simulator.layers))
    factors["order"] = 0
    return Mapping(factors, np.zeros((designs.n_designs, len(simulator.networks)), dtype=np.int64))
