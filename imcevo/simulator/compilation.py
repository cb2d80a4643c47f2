"""The large kernels of the physical profile, each compiled on its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from imcevo.hardware import DesignTable
from imcevo.mapping.exact_designs import map_exactly
from imcevo.mapping.factors import Mapping
from imcevo.mapping.greedy import map_greedily
from imcevo.mapping.kernel_records import plain_factors
from imcevo.mapping.policies import EvolvedPolicy, ExactPolicy, MappingPolicy
from imcevo.simulator.snr import SnrModel
from imcevo.simulator.stages import Stages


def kernels_of(policy: MappingPolicy, *, snr: bool) -> tuple[str, ...]:
    """Names of the kernels that simulating needs, the one that takes longest to compile first.

    Args:
        snr: compute-SNR is asked for.
    """
    exact, evolved = isinstance(policy, ExactPolicy), isinstance(policy, EvolvedPolicy)
    wanted = {"exact": exact, "snr": snr, "greedy": not evolved, "evolved": evolved, "count": True}
    return tuple(name for name in _USES if wanted[name])


def compile_kernel(stages: Stages, snr: SnrModel, designs: DesignTable, name: str) -> None:
    """Use a kernel once, on repaired designs whose mapping is neither read nor good."""
    _USES[name](stages, snr, designs)


def _exact(stages: Stages, snr: SnrModel, designs: DesignTable) -> object:
    geometry, suite = stages.geometry(designs), stages.suite
    weights = np.ones((len(geometry), len(suite.networks), 2))
    return map_exactly(suite.layers[:1], geometry, stages.prices(stages.unit_costs(designs)), weights)


def _snr(stages: Stages, snr: SnrModel, designs: DesignTable) -> object:
    return snr.of_designs(designs, stages.geometry(designs), _on_one_cell(stages, designs))


def _count(stages: Stages, snr: SnrModel, designs: DesignTable) -> object:
    return stages.count(stages.geometry(designs), stages.unit_costs(designs).rates, _on_one_cell(stages, designs))


def _greedy(stages: Stages, snr: SnrModel, designs: DesignTable) -> object:
    return map_greedily(stages.suite.layers, stages.geometry(designs), len(stages.suite.networks))


def _evolved(stages: Stages, snr: SnrModel, designs: DesignTable) -> object:
    return stages.map(designs, stages.geometry(designs), stages.unit_costs(designs))


_USES: dict[str, Callable[[Stages, SnrModel, DesignTable], object]] = {
    "exact": _exact, "snr": _snr, "evolved": _evolved, "greedy": _greedy, "count": _count,
}  # fmt: skip


def _on_one_cell(stages: Stages, designs: DesignTable) -> Mapping:
    """Every layer on one cell, all the rest in time: legal on every design."""
    factors = plain_factors(designs.n_designs, len(stages.suite.layers))
    factors["order"] = 0
    return Mapping(factors, np.zeros((designs.n_designs, len(stages.suite.networks)), dtype=np.int64))
