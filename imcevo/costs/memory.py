"""SRAM buffers and their ports."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from imcevo.costs.equation import Real, equation
from imcevo.costs.scaling import Array, Supply
from imcevo.portable.arrays import power
from imcevo.technology import Technology

_BUFFER_FIT = "power law in width and depth fitted to CACTI at 32 nm (errors in circuits.toml, buffer)"


@equation(
    name="buffer access per bit",
    formula="reference_J * (width/reference_width)^width_exponent * (depth/reference_depth)^depth_exponent",
    unit="J",
    source=_BUFFER_FIT,
)
def buffer_energy(
    reference_J: Real, width: Real, reference_width: Real, width_exponent: Real,
    depth: Real, reference_depth: Real, depth_exponent: Real,
) -> Real:  # fmt: skip
    by_width, by_depth = power(width / reference_width, width_exponent), power(depth / reference_depth, depth_exponent)
    return reference_J * by_width * by_depth


@equation(
    name="buffer area", formula="bits * cell_m2 / array_efficiency", unit="m2",
    source="6T cells over the array efficiency of CACTI's macros",
)  # fmt: skip
def buffer_area(bits: Real, cell_m2: Real, array_efficiency: Real) -> Real:
    return bits * cell_m2 / array_efficiency


@equation(
    name="delay per length of a repeated wire",
    formula="factor * sqrt(gate_delay_s * wire_ohm_per_m * wire_F_per_m)",
    unit="s/m",
    source="optimum repeaters: Bakoglu 1990; factor derived in docs/reference/model_costs.md",
)
def repeated_wire_delay(factor: Real, gate_delay_s: Real, wire_ohm_per_m: Real, wire_F_per_m: Real) -> Real:
    return factor * np.sqrt(gate_delay_s * wire_ohm_per_m * wire_F_per_m)


@equation(
    name="cycle of a buffer's port", formula="clock_s + 2 * sqrt(area_m2) * wire_s_per_m", unit="s",
    source="one clock for decoder, cell and sensing, and the wire to the farthest cell and back",
)  # fmt: skip
def port_cycle(clock_s: Real, area_m2: Real, wire_s_per_m: Real) -> Real:
    return clock_s + 2 * np.sqrt(area_m2) * wire_s_per_m


def long_wire_delay(supply: Supply, technology: Technology) -> Array:
    """Seconds per metre of a repeated wire on upper metal ``[n_designs]``."""
    cmos = technology.circuits.cmos
    ohm = supply.wire_ohm_per_m / cmos.global_wire_width.si**2
    return np.asarray(
        repeated_wire_delay(cmos.repeated_wire_delay.si, supply.gate_delay_s, ohm, supply.wire_F_per_m)
    )


class BufferCosts(NamedTuple):
    """One buffer of each design ``[n_designs]``: joules per bit, m2, bits per second at its port."""

    read_J: Array
    write_J: Array
    area_m2: Array
    port_bps: Array


def buffer_of(bits: Array, width: Array, supply: Supply, wire_s_per_m: Array, technology: Technology) -> BufferCosts:
    """A buffer of `bits` behind one port of `width` bits."""
    data = technology.circuits.buffer
    depth, scale = bits / width, supply.circuits.energy
    fits = (
        (data.read_energy, data.read_width_exponent, data.read_depth_exponent),
        (data.write_energy, data.write_width_exponent, data.write_depth_exponent),
    )
    read, write = (
        buffer_energy(
            scale * energy.si, width, data.reference_width.si, by_width.si, depth, data.reference_depth.si, by_depth.si
        )
        for energy, by_width, by_depth in fits
    )
    area = buffer_area(bits, supply.sram_cell_m2, data.array_efficiency.si)
    cycle = port_cycle(supply.clock_s, area, wire_s_per_m)
    return BufferCosts(np.asarray(read), np.asarray(write), np.asarray(area), width / cycle)
