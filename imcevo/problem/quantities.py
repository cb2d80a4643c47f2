"""What objectives and constraints are about: one declaration per quantity, which everything else derives from.

A further quantity is one more `Quantity` in `QUANTITIES` (or `register_quantity` in a program of one's own) beside
whatever computes it: problem files, columns of results, conditions, labels and figures then know it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.simulator.results import Metrics
from imcevo.units import unit_suffix

Aggregate = Literal["max", "mean", "weighted_mean", "geometric_mean", "weighted_geometric_mean", "min"]
AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
# The worst network is the one with the most of a cost, and with the least of a gain.
_OF_COSTS: tuple[Aggregate, ...] = tuple(how for how in AGGREGATES if how != "min")
_OF_GAINS: tuple[Aggregate, ...] = ("min", *_OF_COSTS[1:])
Values = NDArray[np.float64]
# Turns values of networks [n_designs, n_networks] into those of designs [n_designs].
Over = Callable[[Values], Values]


@dataclass(frozen=True)
class Quantity:
    """One quantity of a chip, or of every network on it.

    Attributes:
        name: as in problem files and columns, its SI unit as suffix.
        value: ``[n_designs]`` from metrics; `over` says what becomes of the networks: an aggregate, the worst, one.
        label: in tables and figures.
        of: ``network``: an aggregate makes it an objective; ``chip``: there is one value.
        more_is_better: it is maximised, and a plain number bounds it from below.
        aggregates: those that make sense.
        bounded: by a constraint: of ``each`` network, of the ``worst`` one, of the worst or of ``some`` by name (only
            from the better side), or of the ``chip``.
        worth_having: more than this is no gain to an objective.
        column: results of designs have a column of it per network, whatever the problem asks for.
    """

    name: str
    value: Callable[[Metrics, Over], Values]
    label: str
    of: Literal["network", "chip"] = "network"
    more_is_better: bool = False
    aggregates: tuple[Aggregate, ...] = _OF_COSTS
    bounded: Literal["each", "worst", "some", "chip"] = "each"
    worth_having: float = inf
    column: bool = False

    @property
    def unit(self) -> str:
        """The suffix of its name; empty where it has none."""
        return unit_suffix(self.name)

    def objective(self, metrics: Metrics, over: Over) -> Values:
        """What is minimised ``[n_designs]``."""
        if self.worth_having < inf:
            values = self.value(metrics, lambda of_networks: over(np.minimum(of_networks, self.worth_having)))
        else:
            values = self.value(metrics, over)
        return -values if self.more_is_better else values

    def worst(self, of_networks: Values) -> Values:
        """Over networks ``[n_designs]``: the least of what more is better of, else the largest."""
        return of_networks.min(axis=1) if self.more_is_better else of_networks.max(axis=1)

    def of_network(self, metrics: Metrics, index: int) -> Values:
        """Its value of one network ``[n_designs]``."""
        return self.value(metrics, lambda of_networks: of_networks[:, index])


def _product(metrics: Metrics, over: Over) -> Values:
    """Product of aggregates, not aggregate of products: the convention of arXiv 2603.03880."""
    return over(metrics.energy_J) * over(metrics.latency_s)


def _gain(name: str, value: Callable[[Metrics, Over], Values], label: str) -> Quantity:
    return Quantity(name, value, label, more_is_better=True, aggregates=_OF_GAINS, column=True)


QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity("energy_J", lambda m, over: over(m.energy_J), "energy"),
        Quantity("latency_s", lambda m, over: over(m.latency_s), "latency"),
        Quantity("area_m2", lambda m, over: m.area_m2, "area", of="chip", bounded="chip"),
        Quantity("edp_Js", _product, "EDP"),
        Quantity("edap_Jsm2", lambda m, over: _product(m, over) * m.area_m2, "EDAP"),
        Quantity("cost", lambda m, over: m.known_cost(), "cost", of="chip", bounded="chip"),
        # Decibels may be negative: no geometric mean.
        Quantity(
            "snr_dB", lambda m, over: over(m.known_snr_dB()), "SNR", more_is_better=True, aggregates=("min", "mean"),
            bounded="some", worth_having=40.0,
        ),
        _gain("throughput_per_s", lambda m, over: over(m.throughput_per_s), "throughput"),
        _gain("TOPS", lambda m, over: over(m.TOPS), "TOPS"),
        _gain("TOPS_per_W", lambda m, over: over(m.TOPS_per_W), "TOPS/W"),
        _gain("TOPS_per_mm2", lambda m, over: over(m.TOPS_per_mm2), "TOPS/mm2"),
        Quantity("power_W", lambda m, over: over(m.power_W), "power", bounded="worst", column=True),
        Quantity(
            "power_density_W_per_m2", lambda m, over: over(m.power_density_W_per_m2), "power density", bounded="worst",
            column=True,
        ),
    )
}  # fmt: skip


def register_quantity(quantity: Quantity) -> None:
    """Make a quantity of one's own known to problem files, results and figures of this process.

    Raises:
        UserError: the name is taken.
    """
    if quantity.name in QUANTITIES:
        raise UserError("is the name of a quantity already", value=quantity.name, allowed="another name")
    QUANTITIES[quantity.name] = quantity


def of_networks() -> tuple[Quantity, ...]:
    """Those that results have a column of for every network, beside energy, latency and compute-SNR."""
    return tuple(quantity for quantity in QUANTITIES.values() if quantity.column)


def is_maximised(name: str) -> bool:
    """Whether more of a quantity is better; False of what is none."""
    return name in QUANTITIES and QUANTITIES[name].more_is_better
