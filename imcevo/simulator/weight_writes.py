"""How often cells are written, whether they endure the chip's lifetime, and what programming all weights costs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.hardware import DesignTable
from imcevo.mapping.kernel_records import STREAMED
from imcevo.mapping.loops import loads_per_inference
from imcevo.portable.arrays import sums_at_prices
from imcevo.simulator.bound_suite import BoundSuite
from imcevo.simulator.parts import Part
from imcevo.simulator.results import WeightLoading
from imcevo.simulator.stages import Stages
from imcevo.technology import Technology


def writes_per_inference(suite: BoundSuite, part: Part) -> NDArray[np.float64]:
    """Writes of the part's most written cell while one network runs alone ``[n_designs, n_networks]``."""
    geometry, deployment = part.tiles.geometry, suite.deployment
    loads = loads_per_inference(suite.layers, geometry, part.mapping.factors, len(suite.networks))
    streamed = geometry["deployment"][:, None] == STREAMED
    return np.where(streamed, loads / deployment.batch, deployment.programmings_per_inference)


def worn_out(
    writes: NDArray[np.float64], designs: DesignTable, lifetime: float, technology: Technology
) -> NDArray[np.float64]:
    """Writes over a lifetime relative to the cells' endurance, less one ``[n_designs]``; above 0 cells fail before.

    Args:
        writes: per inference ``[n_designs, n_networks]``; the most demanding network counts.
        lifetime: inferences of one network.
    """
    endurance = designs.looked_up("cell", lambda name: technology.cell(name).write_endurance)
    return writes.max(axis=1) * lifetime / endurance - 1


def weight_loading(stages: Stages, part: Part) -> dict[str, WeightLoading]:
    """Programming cost of each network's weights on one design ``[1]``, and the inferences that its cells endure."""
    suite, (tiles, mapping) = stages.suite, part
    writes = writes_per_inference(suite, part)[0]
    endurance = stages.technology.cell(str(tiles.designs.design(0)["cell"])).write_endurance
    lifetimes = [endurance / n if n else None for n in writes]
    if tiles.geometry["deployment"][0] == STREAMED:
        return {
            name: WeightLoading("per_inference", None, None, lifetime)
            for name, lifetime in zip(suite.networks, lifetimes, strict=True)
        }
    # The price of programming: what programming at every inference adds to never doing it.
    once, never = (stages.counted(tiles.geometry, tiles.costs.rates, mapping, writes) for writes in (1.0, 0.0))
    energy = sums_at_prices(once.actions - never.actions, tiles.costs.energy_J)[0]
    time = stages.programming_s(tiles.geometry, tiles.costs.rates)[0]
    how = "once"
    if suite.deployment.mode == "swapped":
        how = "per_switch"
    elif suite.deployment.inferences_per_programming:
        how = "per_programming"
    return {
        name: WeightLoading(how, float(energy[index]), float(time[index]), lifetimes[index])
        for index, name in enumerate(suite.networks)
    }
