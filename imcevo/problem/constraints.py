"""Constraints: bounds on metrics and on the simulator's named shortfalls, checked against contradictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.accuracy.closed_form import LAYER_CAP_dB
from imcevo.errors import UserError, listed, unknown_name
from imcevo.portable.arrays import log1p
from imcevo.problem.quantities import QUANTITIES, is_maximised
from imcevo.simulator.results import Metrics
from imcevo.units import engineering, unit_suffix

SNR = "snr_dB"


@dataclass(frozen=True)
class Constraint:
    """One bound: ``quantity <= bound`` (sense 1) or ``quantity >= bound`` (sense -1).

    Attributes:
        quantity: one of `QUANTITIES` (of the worst network, or of `network`), or the name of a shortfall.
        network: position and name for the quantities of one network.
        cost_unit: of the profile, for a bound on ``cost``, whose name has none.
    """

    quantity: str
    bound: float
    sense: int = 1
    network: tuple[int, str] | None = None
    cost_unit: str = ""

    @property
    def name(self) -> str:
        """``area_m2``, ``latency_s.resnet18``, ``latency_s_min.resnet18``."""
        side = "" if self.sense > 0 or self.quantity == SNR else "_min"  # SNR is only bounded from below
        return f"{self.quantity}{side}" + (f".{self.network[1]}" if self.network else "")

    @property
    def unit(self) -> str:
        """The suffix of the quantity; empty where it has none."""
        return self.cost_unit if self.quantity == "cost" else unit_suffix(self.quantity)

    def missed(self, metrics: Metrics) -> NDArray[np.float64]:
        """By how much the bound is missed ``[n_designs]``, in the quantity's unit; <= 0 is met."""
        quantity = QUANTITIES.get(self.quantity)
        if quantity is None:
            value = metrics.shortfalls[self.quantity]
        elif self.network is None:
            value = quantity.value(metrics, quantity.worst)
        else:
            value = quantity.of_network(metrics, self.network[0])
        return self.sense * (np.asarray(value, dtype=np.float64) - self.bound)

    def scaled(self, missed: NDArray[np.float64]) -> NDArray[np.float64]:
        """`missed` on a scale on which constraints can be added up.

        Relative to the bound. A bound of 0 has no scale of its own: there log(1 + amount), sign kept.
        """
        if self.bound == 0:
            return np.copysign(log1p(np.abs(missed)), missed)
        return missed / abs(self.bound)

    def sentence(self, missed: float) -> str:
        """One sentence for a missed bound, for designers."""
        whose = f"{self.quantity} of {self.network[1]}" if self.network else self.quantity
        bound, value = self.bound, self.bound + self.sense * missed
        kind = "at most" if self.sense > 0 else "at least"
        return (
            f"{whose} is {engineering(value, self.unit)}, {kind} {engineering(bound, self.unit)} is allowed: "
            f"missed by {engineering(missed, self.unit)}"
        )


def build_constraints(
    given: Mapping[str, Any],
    *,
    networks: Sequence[str],
    required: Sequence[str],
    shortfalls: Callable[[], Sequence[str]],
    overlapping: bool = False,
    cost_unit: str = "",
    file: object = None,
) -> tuple[Constraint, ...]:
    """The constraints of a problem file, and after them the profile's `required` shortfalls (<= 0).

    Args:
        given: ``[constraints]``: quantity -> number (upper bound; lower where more is better), ``{min, max}``, or for
            what networks have a table of such per network; ``snr_dB`` -> least value of every network, or a table of
            such per network.
        shortfalls: gives the names of the simulator's shortfalls; called only where a name is not a metric.
        cost_unit: of the profile; see `imcevo.simulator.interface.Simulator`.
        overlapping: inferences run together, so that the interval between them may be below the latency.

    Raises:
        UserError: unknown quantity or network, a wrong type, bounds that no design can satisfy.
    """
    where = None if file is None else str(file)
    built: list[Constraint] = []
    for quantity, entry in given.items():
        key = f"constraints.{quantity}"
        bounded = QUANTITIES[quantity].bounded if quantity in QUANTITIES else None
        if bounded == "some":
            built += _snr(entry, networks, where, key)
        elif bounded == "each":
            built += _per_network(quantity, entry, networks, where, key)
        elif bounded is not None:
            built += _bounds(quantity, entry, None, where, key)
        else:
            known = tuple(shortfalls())
            if quantity not in known:
                raise unknown_name("constraint", quantity, (*QUANTITIES, *known), file=where, key=key)
            built += _bounds(quantity, entry, None, where, key)
    _check_power(built, networks, overlapping, where)
    asked = [c.quantity for c in built if c.sense > 0]
    _check_required([c for c in built if c.quantity in required], where)
    built += [Constraint(name, 0.0) for name in required if name not in asked]
    return tuple(replace(bound, cost_unit=cost_unit) if bound.quantity == "cost" else bound for bound in built)


def least_snr_dB(constraints: Sequence[Constraint], networks: Sequence[str]) -> list[float]:
    """The compute-SNR that constraints ask of every network, dB; -inf where they ask for none."""
    least = [-inf] * len(networks)
    for constraint in constraints:
        if constraint.quantity == SNR:
            asked = range(len(networks)) if constraint.network is None else [constraint.network[0]]
            for index in asked:
                least[index] = max(least[index], constraint.bound)
    return least


def _per_network(
    quantity: str, entry: Any, networks: Sequence[str], where: str | None, key: str
) -> list[Constraint]:
    if not isinstance(entry, dict) or set(entry) <= {"min", "max"}:
        entry = dict.fromkeys(networks, entry)
    built: list[Constraint] = []
    for name, bound in entry.items():
        if name not in networks:
            raise unknown_name("network of this problem", name, networks, file=where, key=f"{key}.{name}")
        built += _bounds(quantity, bound, (list(networks).index(name), name), where, f"{key}.{name}")
    return built


def _snr(entry: Any, networks: Sequence[str], where: str | None, key: str) -> list[Constraint]:
    """Lower bounds: of the worst network, or of some networks by name."""
    of: dict[str | None, Any] = dict(entry) if isinstance(entry, dict) else {None: entry}
    built = []
    for name, bound in of.items():
        place = key if name is None else f"{key}.{name}"
        if name is not None and name not in networks:
            raise unknown_name("network of this problem", name, networks, file=where, key=place)
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise UserError("is not a number", file=where, key=place, value=bound, allowed="the least SNR_tot, dB")
        if not bound <= LAYER_CAP_dB:
            raise UserError(
                "contradicts that a layer's SNR counts up to its cap", file=where, key=place, value=bound,
                allowed=f"{LAYER_CAP_dB:g} or less",
            )  # fmt: skip
        built.append(Constraint(SNR, float(bound), -1, None if name is None else (list(networks).index(name), name)))
    if not built:
        raise UserError("sets no bound", file=where, key=key, value=entry, allowed="a number, or one per network")
    return built


def _bounds(
    quantity: str, entry: Any, network: tuple[int, str] | None, where: str | None, key: str
) -> list[Constraint]:
    sides = entry if isinstance(entry, dict) else {"min" if is_maximised(quantity) else "max": entry}
    if not sides:
        raise UserError(
            "sets no bound", file=where, key=key, value=entry, allowed="a number, or {min = .., max = ..}"
        )
    for side, bound in sides.items():
        place = f"{key}.{side}" if isinstance(entry, dict) else key
        if side not in ("min", "max"):
            raise unknown_name("bound", side, ("min", "max"), file=where, key=place)
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise UserError(
                "is not a number",
                file=where,
                key=place,
                value=bound,
                allowed="a number, or {min = .., max = ..}",
            )
        if quantity in QUANTITIES and bound <= 0:
            raise UserError(
                f"contradicts that {quantity} is positive",
                file=where,
                key=place,
                value=bound,
                allowed="numbers above 0",
            )
    if sides.get("min", -inf) > sides.get("max", inf):
        raise UserError(
            f"contradicts max = {sides['max']!r}: no design can satisfy both",
            file=where, key=f"{key}.min", value=sides["min"], allowed="min <= max",
        )  # fmt: skip
    return [
        Constraint(quantity, float(sides[s]), sense, network)
        for s, sense in (("max", 1), ("min", -1))
        if s in sides
    ]


def _check_required(bounds: Sequence[Constraint], where: str | None) -> None:
    for bound in bounds:
        if bound.bound > 0:
            raise UserError(
                "contradicts the profile, which always requires 0 or less",
                file=where, key=f"constraints.{bound.quantity}", value=bound.bound, allowed="0 or less",
            )  # fmt: skip


def _check_power(
    bounds: Sequence[Constraint], networks: Sequence[str], overlapping: bool, where: str | None
) -> None:
    """Power is energy / interval, at most the latency: bounds on two of them may leave the third no room."""
    lowest, highest = [], []
    for index in range(len(networks)):
        energy, latency = (_interval(bounds, quantity, index) for quantity in ("energy_J", "latency_s"))
        lowest.append(energy[0] / latency[1])
        highest.append(energy[1] / latency[0] if latency[0] > 0 and not overlapping else inf)
    least, most = _interval(bounds, "power_W", None)
    for network, low in zip(networks, lowest, strict=True):
        # More than a rounding error: equal bounds are a legitimate way to pin a value.
        if low > most * (1 + 1e-9):
            raise UserError(
                f"contradicts the bounds on energy_J and latency_s of {network}: these imply "
                f"at least {low:.4g} W",
                file=where, key="constraints.power_W", value=most, allowed=f"{low:.4g} or more",
            )  # fmt: skip
    if max(highest) < least * (1 - 1e-9):
        raise UserError(
            f"contradicts the bounds on energy_J and latency_s of {listed(networks)}, which imply at most "
            f"{max(highest):.4g} W",
            file=where, key="constraints.power_W.min", value=least, allowed=f"{max(highest):.4g} or less",
        )  # fmt: skip


def _interval(bounds: Sequence[Constraint], quantity: str, network: int | None) -> tuple[float, float]:
    low, high = 0.0, inf
    for bound in bounds:
        if bound.quantity == quantity and (bound.network is None or bound.network[0] == network):
            low, high = (low, bound.bound) if bound.sense > 0 else (bound.bound, high)
    return low, high
