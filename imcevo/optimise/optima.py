"""Scalar objectives of arXiv 2603.03880, by the names it gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import unknown_name
from imcevo.simulator.results import Metrics


class Scalar(NamedTuple):
    """A minimised number per design; with E energy and L latency per network, A area; cost as
    in `Metrics`, for profiles that know it.

    Attributes:
        equation: as told to users.
        unit: SI.
        of: values ``[n_designs]``; never rises when an E, an L or A falls.
    """

    equation: str
    unit: str
    of: Callable[[Metrics], NDArray[np.float64]]


def _largest(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values.max(axis=1))


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    # Network after network: the same sum in every batch.
    return sum(values.T, np.zeros(len(values))) / values.shape[1]


def _product(values: NDArray[np.float64]) -> NDArray[np.float64]:
    result = np.ones(len(values))
    for column in values.T:
        result = result * column
    return result


SCALARS: Mapping[str, Scalar] = {
    "ela": Scalar("max E x max L x A", "J s m2", lambda m: _largest(m.energy_J) * _largest(m.latency_s) * m.area_m2),
    "ela_mean": Scalar("mean E x mean L x A", "J s m2", lambda m: _mean(m.energy_J) * _mean(m.latency_s) * m.area_m2),
    "ela_all": Scalar(
        "A x product of all E x product of all L", "J^n s^n m2",
        lambda m: m.area_m2 * _product(m.energy_J) * _product(m.latency_s),
    ),
    "el": Scalar("max E x max L", "J s", lambda m: _largest(m.energy_J) * _largest(m.latency_s)),
    "el_cost": Scalar(
        "max E x max L x cost", "J s", lambda m: _largest(m.energy_J) * _largest(m.latency_s) * m.known_cost()
    ),
    "el_mean": Scalar("mean E x mean L", "J s", lambda m: _mean(m.energy_J) * _mean(m.latency_s)),
}  # fmt: skip


def scalar(name: str, *, file: object = None, key: str | None = None) -> Scalar:
    """The scalar objective of that name.

    Raises:
        UserError: unknown name; the nearest valid one is suggested.
    """
    if name not in SCALARS:
        raise unknown_name("scalar objective", name, SCALARS, file=None if file is None else str(file), key=key)
    return SCALARS[name]
