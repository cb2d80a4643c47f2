"""How often cells are written, and whether they endure the chip's lifetime."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.hardware import DesignTable
from imcevo.mapping.factors import Mapping
from imcevo.mapping.loops import loads_per_inference
from imcevo.mapping.records import STREAMED, Records
from imcevo.simulator.deployment import Deployment
from imcevo.technology import Technology


def writes_per_inference(
    layers: Records, geometry: Records, mapping: Mapping, n_networks: int, deployment: Deployment
) -> NDArray[np.float64]:
    """Writes of the most written cell while one network runs alone ``[n_designs, n_networks]``."""
    streamed = loads_per_inference(layers, geometry, mapping.factors, n_networks) / deployment.batch
    return np.where(geometry["deployment"][:, None] == STREAMED, streamed, deployment.programmings_per_inference)


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
