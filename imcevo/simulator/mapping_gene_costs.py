"""What the layers of every unique shape cost on their own: credit for the mapping genes of one shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.costs import UnitCosts
from imcevo.hardware import DesignTable
from imcevo.mapping.evolved import shapes_of
from imcevo.mapping.kernel_records import STREAMED
from imcevo.mapping.price import network_totals
from imcevo.simulator.stages import Stages


def layer_shape_costs(
    stages: Stages, designs: DesignTable, genes: NDArray[np.int64]
) -> NDArray[np.float64]:  # fmt: skip
    """Joules (leakage included) and seconds of the layers of every shape of `shapes_of`, last of what has no shape.

    They add up to the suite's energy and latency. 0 where weights stay on chip: layers share its tiles there, so that
    none has a cost of its own.

    Args:
        designs: repaired; their own mapping genes are not read.
        genes: several mappings of every design ``[n_mappings, n_designs, n_genes]``.

    Returns:
        ``[n_mappings, n_designs, n_shapes + 1, 2]``.
    """
    row = np.tile(np.arange(designs.n_designs), len(genes))
    costs = UnitCosts(*(values[row] for values in stages.unit_costs(designs)))
    geometry = stages.geometry(designs)[row]
    mapping = stages.map(designs.take(row).with_mapping(genes.reshape(len(row), -1)), geometry, costs)
    layers = stages.suite.layers
    by_shape, shapes = layers.copy(), shapes_of(layers)
    n_shapes = int(shapes.max(initial=-1)) + 1
    by_shape["network"] = np.where(shapes < 0, n_shapes, shapes)
    totals = network_totals(by_shape, geometry, n_shapes + 1, stages.prices(costs), mapping)
    known = np.where((geometry["deployment"] == STREAMED)[:, None, None], np.stack(totals, axis=2), 0.0)
    return known.reshape(len(genes), designs.n_designs, n_shapes + 1, 2)
