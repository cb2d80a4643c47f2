"""The network on chip: routers in a square mesh, one per group, the global buffer at the middle of one edge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from imcevo.costs.equation import Real, equation
from imcevo.costs.scaling import Array, Supply
from imcevo.technology import Technology


@equation(
    name="routers passed from the global buffer to a group",
    formula="(sqrt(groups) + 1)/2 + (sqrt(groups) - 1/sqrt(groups))/4",
    unit="1",
    source="derived: mean Manhattan route from the middle of an edge to a node of a k x k mesh",
)
def routers_passed(groups: Real) -> Real:
    k = np.sqrt(groups)
    return (k + 1) / 2 + (k - 1 / k) / 4


@equation(
    name="wire from the global buffer to a group",
    formula="sqrt(group_m2) * (sqrt(groups)/2 + (sqrt(groups) - 1/sqrt(groups))/4)",
    unit="m",
    source="derived: the same route between the centres of groups",
)
def trunk_length(groups: Real, group_m2: Real) -> Real:
    k = np.sqrt(groups)
    return np.sqrt(group_m2) * (k / 2 + (k - 1 / k) / 4)


@equation(
    name="wire from a group's router to a tile",
    formula="sqrt(group_m2) / 2",
    unit="m",
    source="derived: mean Manhattan distance from the centre of a square to a point of it",
)
def local_length(group_m2: Real) -> Real:
    return np.sqrt(group_m2) / 2


@equation(
    name="one bit over a wire",
    formula="activity * (1 + repeaters) * wire_F_per_m * length_m * voltage_V^2",
    unit="J",
    source="repeated wire (Bakoglu 1990)",
)
def wire_energy(
    activity: Real, repeaters: Real, wire_F_per_m: Real, length_m: Real, voltage_V: Real
) -> Real:
    return activity * (1 + repeaters) * wire_F_per_m * length_m * voltage_V**2


@equation(
    name="one bit from the global buffer to a group",
    formula="routers * router_J/flit_bits + wire_J",
    unit="J",
    source="router of ISAAC (Shafiee et al., ISCA 2016) and the wire between",
)
def trunk_energy(routers: Real, router_J: Real, flit_bits: Real, wire_J: Real) -> Real:
    return routers * router_J / flit_bits + wire_J


class LinkEnergies(NamedTuple):
    """Joules per bit ``[n_designs]``: global buffer to a group's router, and router to one of its tiles.

    A word for several tiles of a group crosses the trunk once.
    """

    trunk: Array
    local: Array


def links_of(groups: Array, group_m2: Array, supply: Supply, technology: Technology) -> LinkEnergies:
    """Energies of the chip's links."""
    data, cmos = technology.circuits.network, technology.circuits.cmos

    def wire(length_m: Real) -> Real:
        return wire_energy(
            cmos.wire_activity.si, cmos.repeater_capacitance.si, supply.wire_F_per_m, length_m, supply.voltage_V
        )

    trunk = trunk_energy(
        routers_passed(groups), supply.circuits.energy * data.router_energy.si, data.flit_width.si,
        wire(trunk_length(groups, group_m2)),
    )  # fmt: skip
    return LinkEnergies(np.asarray(trunk), np.asarray(wire(local_length(group_m2))))
