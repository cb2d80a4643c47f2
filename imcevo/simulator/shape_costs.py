"""What the layers of every unique shape cost on their own: credit for the mapping genes of one shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.costs import unit_costs
from imcevo.hardware import DesignTable
from imcevo.mapping.evolved import shapes_of
from imcevo.mapping.price import network_totals
from imcevo.mapping.records import STREAMED
from imcevo.simulator.physical import PhysicalSimulator


def shape_costs(simulator: PhysicalSimulator, designs: DesignTable) -> NDArray[np.float64]:
    """Joules (leakage included) and seconds of the layers of every shape of `shapes_of`, last of what has no shape.

    They add up to the suite's energy and latency. 0 where weights stay on chip: layers share its tiles there, so that
    none has a cost of its own.

    Args:
        designs: repaired, with their mapping genes.

    Returns:
        ``[n_designs, n_shapes + 1, 2]``.
    """
    costs, geometry = unit_costs(designs, simulator.technology), simulator.geometry(designs)
    mapping = simulator.map(geometry, costs, designs.mapping_genes)
    by_shape, shapes = simulator.layers.copy(), shapes_of(simulator.layers)
    n_shapes = int(shapes.max(initial=-1)) + 1
    by_shape["network"] = np.where(shapes < 0, n_shapes, shapes)
    totals = network_totals(by_shape, geometry, n_shapes + 1, simulator.prices(costs), mapping)
    return np.where((geometry["deployment"] == STREAMED)[:, None, None], np.stack(totals, axis=2), 0.0)
