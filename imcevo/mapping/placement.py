"""Which part of a hybrid chip runs which layer: analog tiles where they pay, as far as noise and room allow."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.kernel_records import Records
from imcevo.portable.arrays import row_sums
from imcevo.workload.table import MATRIX

_LEAST = 1e-12  # of a claim or a cost, so that what is free goes first


class Offer(NamedTuple):
    """What one part of hybrid chips offers every layer, as mapped when the part runs the whole suite.

    Attributes:
        energy_J, latency_s: ``[n_designs, n_layers]`` of all layers merged in a row, leakage of the chip included.
        error: Var(error)/Var(y) that the layer adds to its network ``[n_designs, n_layers]``.
        tiles: that keep its weights, without duplicates ``[n_designs, n_layers]``; 0 where none do.
        room: tiles of the part ``[n_designs]``.
    """

    energy_J: NDArray[np.float64]
    latency_s: NDArray[np.float64]
    error: NDArray[np.float64]
    tiles: NDArray[np.int64]
    room: NDArray[np.int64]


def place_layers(
    layers: Records, analog: Offer, digital: Offer, most_error: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether the digital part runs a layer ``[n_designs, n_layers]``; always False for what is no matrix.

    A layer costs E/E0 + T/T0, with E0 and T0 the network's totals if every layer took the less: to first order the
    change of the network's energy x latency.

    1. Layers that cost less on the digital part go there.
    2. The others gain on the analog part, where they claim a share of its tiles and of the error that their network
       may have. In order of falling gain per claim (both shares added) each goes to the analog part if its tiles and
       its error still fit, else to the digital one.
    3. While the digital part lacks tiles, the layer that frees the most per added cost goes back, its error as a share
       of what is allowed counted as cost. What then does not fit is a shortfall of the design.

    Args:
        layers: ``[n_layers]``; rows of equal shape are one and stay together, and so do rows that share weights.
        most_error: that a network may have ``[n_networks]``, infinite where nothing is asked.
    """
    leads = layers["behind"] == 0
    if not leads.all():
        first = np.flatnonzero(leads)
        placed = place_layers(layers[leads], _together(analog, first), _together(digital, first), most_error)
        return placed[:, np.cumsum(leads) - 1]
    network = np.ascontiguousarray(layers["network"])
    gain = np.zeros(analog.energy_J.shape)
    for here, there in ((analog.energy_J, digital.energy_J), (analog.latency_s, digital.latency_s)):
        least = np.stack([
            row_sums(np.minimum(here, there)[:, network == n]) for n in range(len(most_error))
        ], axis=1)  # fmt: skip
        gain += (there - here) / least[:, network]
    error = analog.error / most_error[network]
    claim = error + analog.tiles / analog.room[:, None]
    matrix = layers["kind"] == MATRIX
    density = np.where(matrix & (gain >= 0.0), gain / np.maximum(claim, _LEAST), -np.inf)
    order = np.argsort(-density, axis=1, kind="stable")
    on_digital = np.tile(matrix, (len(gain), 1))
    _fill_analog(order, density, analog.tiles, analog.room, error, network, len(most_error), on_digital)
    tiles = np.where(on_digital, digital.tiles, 0)
    return on_digital & ~_freed(tiles, error - gain, tiles.sum(axis=1) - digital.room)


def _together(offer: Offer, first: NDArray[np.int64]) -> Offer:
    """The offer to rows that share weights as one, each group from `first` on."""
    energy, latency, error, tiles = (np.add.reduceat(each, first, axis=1) for each in offer[:-1])
    return Offer(energy, latency, error, tiles, offer.room)


@kernel(parallel=True)
def _fill_analog(
    order: NDArray[np.int64], density: NDArray[np.float64], tiles: NDArray[np.int64], room: NDArray[np.int64],
    error: NDArray[np.float64], network: NDArray[np.int64], n_networks: int, on_digital: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Take layers of finite density off `on_digital`, in `order`, while tiles and error (allowed: 1) last."""
    for d in numba.prange(len(order)):
        left, allowed = room[d], np.ones(n_networks)
        for i in order[d]:
            if density[d, i] == -np.inf:
                break
            if tiles[d, i] <= left and error[d, i] <= allowed[network[i]]:
                on_digital[d, i] = False
                left -= tiles[d, i]
                allowed[network[i]] -= error[d, i]


def _freed(tiles: NDArray[np.int64], cost: NDArray[np.float64], needed: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The layers with the most `tiles` per `cost`, as many as add up to `needed` ``[n_designs, n_layers]``."""
    order = np.argsort(-tiles / np.maximum(cost, _LEAST), axis=1, kind="stable")
    in_order = np.take_along_axis(tiles, order, axis=1)
    before = np.cumsum(in_order, axis=1) - in_order
    freed = np.zeros(tiles.shape, dtype=np.bool_)
    np.put_along_axis(freed, order, (before < needed[:, None]) & (in_order > 0), axis=1)
    return freed
