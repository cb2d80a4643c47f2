"""A suite of networks at one precision under one deployment, as mapping and counting read it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imcevo.mapping.kernel_records import layer_records
from imcevo.simulator.deployment import Deployment
from imcevo.simulator.pipelined_layers import in_flight_bits
from imcevo.workload import Network, Precision, layer_table


class BoundSuite:
    """What does not depend on designs.

    Attributes:
        networks: their names.
        macs: of one inference of every network ``[n_networks]``.
        layers: records ``[n_layers]`` of one batch, equal layers of a network as one row.
        stored_bits: weights of every network ``[n_networks]``.
        in_flight_bits: activations that a pipeline of its layers holds ``[n_networks]``.
        pipelined: layers whose weights stay on chip work at once.
    """

    def __init__(self, networks: Sequence[Network], precision: Precision, deployment: Deployment) -> None:
        self.networks = tuple(network.name for network in networks)
        self.macs = np.array([network.macs for network in networks], dtype=np.float64)
        self.precision, self.deployment = precision, deployment
        batched = [network.batched(deployment.batch) for network in networks]
        self.layers = layer_records(layer_table(batched, precision))
        stored = np.where(self.layers["dynamic"] == 1, 0.0, self.layers["stored"] * self.layers["operand_bits"])
        self.stored_bits = np.bincount(self.layers["network"], weights=stored, minlength=len(networks))
        self.in_flight_bits = in_flight_bits(self.layers, len(networks))
        self.pipelined = deployment.execution == "pipelined"
