"""How far a mapping is from the best possible one, layer by layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.mapping.factors import Mapping
from imcevo.mapping.kernel_records import Records
from imcevo.mapping.memo import MappingMemo
from imcevo.mapping.price import Prices, network_totals


def least_energy_latency(layers: Records, geometry: Records, prices: Prices) -> NDArray[np.float64]:
    """The least energy x latency of every streamed layer on its own ``[n_designs, n_layers]``, in Js.

    A product of two is least at a mapping that is not dominated. Infinite for layers of the digital unit.
    """
    memo = MappingMemo(layers, prices.sum_bits)
    least = np.full((len(geometry), len(layers)), np.inf)
    for d in range(len(geometry)):
        one = slice(d, d + 1)
        energy, latency = memo.priced(geometry[one], prices.take(one))
        first = memo.mappings(geometry[one]).first
        mapped = np.diff(first) > 0
        if mapped.any():
            least[d, mapped] = np.minimum.reduceat((energy * latency)[0], first[:-1][mapped])
    return least


def energy_latency(layers: Records, geometry: Records, prices: Prices, mapping: Mapping) -> NDArray[np.float64]:
    """Energy x latency of every layer under a mapping ``[n_designs, n_layers]``, in Js."""
    alone = layers.copy()
    alone["network"] = np.arange(len(layers))
    energy, latency = network_totals(alone, geometry, len(alone), prices, mapping)
    return energy * latency
