"""How far a mapping is from the best possible one, layer by layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.mapping.exact_designs import map_exactly
from imcevo.mapping.factors import Mapping
from imcevo.mapping.price import Prices, network_totals
from imcevo.mapping.records import Records

_ROUNDS = 6


def least_energy_latency(layers: Records, geometry: Records, prices: Prices) -> NDArray[np.float64]:
    """The least energy x latency of every streamed layer on its own ``[n_designs, n_layers]``, in Js.

    The best product lies on the convex hull of energy and latency, where it minimises E + m L for m = E / L of itself.
    From both ends of the hull, m moves to E / L of what it found until nothing improves.
    """
    alone, n = layers.copy(), len(layers)
    alone["network"] = np.arange(n)
    best = np.full((len(geometry), n), np.inf)
    for start in ((1.0, 0.0), (0.0, 1.0)):
        weights = np.empty((len(geometry), n, 2))
        weights[...] = start
        for _ in range(_ROUNDS):
            energy, latency = _totals(alone, geometry, prices, map_exactly(alone, geometry, prices, weights))
            power = energy / latency
            improved = energy * latency < best * (1 - 1e-12)
            best = np.minimum(best, energy * latency)
            if not improved.any():
                break
            weights[..., 0], weights[..., 1] = 1.0, power
    return best


def energy_latency(layers: Records, geometry: Records, prices: Prices, mapping: Mapping) -> NDArray[np.float64]:
    """Energy x latency of every layer under a mapping ``[n_designs, n_layers]``, in Js."""
    alone = layers.copy()
    alone["network"] = np.arange(len(layers))
    energy, latency = _totals(alone, geometry, prices, mapping)
    return energy * latency


def _totals(
    alone: Records, geometry: Records, prices: Prices, mapping: Mapping
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return network_totals(alone, geometry, len(alone), prices, mapping)
