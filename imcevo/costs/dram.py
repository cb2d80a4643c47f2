"""Off-chip memory and its interface."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from imcevo.costs.equation import Real, equation
from imcevo.costs.scaling import Array
from imcevo.hardware import DesignTable
from imcevo.technology import Technology
from imcevo.technology.circuits import Dram


@equation(
    name="bandwidth of the off-chip memory", formula="pins * pin_bps", unit="bit/s",
    source="all data pins at their rate: circuits.toml, dram",
)  # fmt: skip
def dram_bandwidth(pins: Real, pin_bps: Real) -> Real:
    return pins * pin_bps


@equation(
    name="interface of the off-chip memory", formula="interface_m2 * pins/interface_pins", unit="m2",
    source="published physical layer, as wide as the memory: circuits.toml, dram",
)  # fmt: skip
def dram_interface_area(interface_m2: Real, pins: Real, interface_pins: Real) -> Real:
    return interface_m2 * pins / interface_pins


class DramCosts(NamedTuple):
    """The off-chip memory of each design ``[n_designs]``: joules per bit, bits per second, m2 on the chip."""

    access_J: Array
    bandwidth_bps: Array
    interface_m2: Array


def dram_of(designs: DesignTable, technology: Technology) -> DramCosts:
    """The off-chip memory that each design names.

    Raises:
        UserError: a name without data.
    """
    access, rate, width, area, area_width = designs.looked_up("dram", lambda name: _quantities(technology.dram(name))).T
    return DramCosts(
        access, np.asarray(dram_bandwidth(width, rate)), np.asarray(dram_interface_area(area, width, area_width))
    )


def _quantities(kind: Dram) -> list[float]:
    used = kind.access_energy, kind.pin_rate, kind.width, kind.interface_area, kind.interface_width
    return [quantity.si for quantity in used]
