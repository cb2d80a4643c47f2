"""Which part of a hybrid chip runs which layer: first by what is cheaper, then by noise, then by room."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.mapping.records import Records
from imcevo.workload.table import MATRIX

_LEAST_COST = 1e-12  # a layer that moves for nothing goes first


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
    change of the network's energy x latency. In this order:

    1. every layer goes where it costs less;
    2. while a network's summed error exceeds `most_error`, the analog layer with the most error per added cost
       goes to the digital part;
    3. while the analog part lacks tiles, the layer that frees the most per added cost goes to the digital part;
    4. while the digital part lacks tiles, the layer that frees the most per added cost goes back, its error as a share
       of `most_error` counted as cost.

    What cannot be had at once is left to the shortfalls of the design.

    Args:
        layers: ``[n_layers]``; rows of equal shape are one and stay together.
        most_error: of every network ``[n_networks]``, infinite where nothing is asked.
    """
    network = layers["network"]
    extra = np.zeros(analog.energy_J.shape)  # what the digital part costs more
    for here, there in ((analog.energy_J, digital.energy_J), (analog.latency_s, digital.latency_s)):
        least = np.stack([
            np.minimum(here, there)[:, network == n].sum(axis=1) for n in range(len(most_error))
        ], axis=1)  # fmt: skip
        extra += (there - here) / least[:, network]
    on_digital = (layers["kind"] == MATRIX) & (extra < 0.0)
    for n, most in enumerate(most_error):
        own = np.flatnonzero(network == n)
        error = np.where(on_digital[:, own], 0.0, analog.error[:, own])
        on_digital[:, own] |= _moved(error, extra[:, own], error.sum(axis=1) - most)
    tiles = np.where(on_digital, 0, analog.tiles)
    on_digital |= _moved(tiles, extra, tiles.sum(axis=1) - analog.room)
    tiles = np.where(on_digital, digital.tiles, 0)
    back = analog.error / most_error[network] - extra
    return on_digital & ~_moved(tiles, back, tiles.sum(axis=1) - digital.room)


def _moved(
    amount: NDArray[np.float64] | NDArray[np.int64], cost: NDArray[np.float64], needed: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """The layers with the most `amount` per `cost`, as many as add up to `needed` ``[n_designs, n_layers]``."""
    order = np.argsort(-amount / np.maximum(cost, _LEAST_COST), axis=1, kind="stable")
    sorted_amount = np.take_along_axis(amount, order, axis=1)
    before = np.cumsum(sorted_amount, axis=1) - sorted_amount
    taken = (before < needed[:, None]) & (sorted_amount > 0)
    moved = np.zeros(amount.shape, dtype=np.bool_)
    np.put_along_axis(moved, order, taken, axis=1)
    return moved
