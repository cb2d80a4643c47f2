"""What node and supply give every circuit: gate delay, clock, wires, and the scale from published operating points."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.equation import Real, equation
from imcevo.hardware import DesignTable
from imcevo.portable.arrays import power
from imcevo.technology import Node, Technology
from imcevo.technology.circuits import Stated

Array = NDArray[np.float64]


@equation(
    name="gate delay (fan-out of 4)",
    formula="nominal_delay_s * voltage_V/nominal_V * ((nominal_V - threshold_V)/(voltage_V - threshold_V))^alpha",
    unit="s",
    source="alpha-power law: Sakurai & Newton, IEEE JSSC 25 (1990) 584",
)
def gate_delay(nominal_delay_s: Real, voltage_V: Real, nominal_V: Real, threshold_V: Real, alpha: Real) -> Real:
    overdrive = (nominal_V - threshold_V) / (voltage_V - threshold_V)
    return nominal_delay_s * voltage_V / nominal_V * power(overdrive, alpha)


@equation(
    name="clock period of digital circuits", formula="gate_delay_s * logic_depth", unit="s",
    source="logic depth in FO4: circuits.toml, cmos.logic_depth",
)  # fmt: skip
def clock_period(gate_delay_s: Real, logic_depth: Real) -> Real:
    return gate_delay_s * logic_depth


@equation(
    name="drive resistance of the reference inverter", formula="gate_delay_s / (.69 * 5 * gate_F)", unit="ohm",
    source="derived: FO4 = .69 R (4 C + C), output parasitic equal to the input capacitance",
)  # fmt: skip
def gate_resistance(gate_delay_s: Real, gate_F: Real) -> Real:
    return gate_delay_s / (0.69 * 5 * gate_F)


@equation(
    name="wire resistance per length", formula="resistivity_ohm_m / (width_m^2 * aspect_ratio)", unit="ohm/m",
    source="resistivity with size effects: ITRS interconnect, as in NeuroSim V1.3",
)  # fmt: skip
def wire_resistance(resistivity_ohm_m: Real, width_m: Real, aspect_ratio: Real) -> Real:
    return resistivity_ohm_m / (width_m**2 * aspect_ratio)


@equation(
    name="switching energy scale",
    formula="capacitance/reference_capacitance * (voltage_V/reference_V)^2",
    unit="1",
    source="C V^2 with capacitances of Stillmaker & Baas, Integration 58 (2017) 74",
)
def energy_scale(capacitance: Real, reference_capacitance: Real, voltage_V: Real, reference_V: Real) -> Real:
    return capacitance / reference_capacitance * (voltage_V / reference_V) ** 2


class Scale(NamedTuple):
    """Factors from the operating point at which a circuit is published to each design's ``[n_designs]``."""

    energy: Array
    area: Array
    delay: Array


class Supply(NamedTuple):
    """Node and supply of each design ``[n_designs]``.

    Attributes:
        nominal_V: of the node.
        gate_delay_s: fan-out-of-4 inverter.
        clock_s: period of digital circuits.
        feature_m: F.
        sram_cell_m2: area of a 6T cell.
        wire_F_per_m, wire_ohm_per_m: of the array's wires; long wires are wider.
        gate_F, gate_ohm: input capacitance and drive resistance of the reference inverter.
        gates, circuits: scale from the gate set, and from the 32 nm circuits.
        capacitance, gate_area: relative, of the node.
    """

    voltage_V: Array
    nominal_V: Array
    gate_delay_s: Array
    clock_s: Array
    feature_m: Array
    sram_cell_m2: Array
    wire_F_per_m: Array
    wire_ohm_per_m: Array
    gate_F: Array
    gate_ohm: Array
    gates: Scale
    circuits: Scale
    capacitance: Array
    gate_area: Array


def supply_of(designs: DesignTable, technology: Technology) -> Supply:
    """Node and supply of every design."""
    node = _node_table(technology).take(_node_index(designs, technology), axis=1)
    (feature, nominal, threshold, delay, capacitance, area, cell, width, resistivity, aspect, wire_F) = node
    voltage = designs.real("voltage_V")
    cmos, gates = technology.circuits.cmos, technology.circuits.gates
    fo4 = np.asarray(gate_delay(delay, voltage, nominal, threshold, cmos.velocity_saturation.si))
    gate_scale = _scale(technology, gates, voltage, fo4, capacitance, area)
    gate_F = gates.nand_capacitance.si * capacitance / technology.node(gates.node_nm).switching_energy.si
    return Supply(
        voltage, nominal, fo4, np.asarray(clock_period(fo4, cmos.logic_depth.si)), feature, cell * feature**2, wire_F,
        np.asarray(wire_resistance(resistivity, width, aspect)), gate_F, np.asarray(gate_resistance(fo4, gate_F)),
        gate_scale, _scale(technology, technology.circuits.buffer, voltage, fo4, capacitance, area), capacitance, area,
    )  # fmt: skip


def check_voltage(designs: DesignTable, technology: Technology) -> NDArray[np.bool_]:
    """Whether each design's supply is one that its node allows ``[n_designs]``."""
    low, high = _supply_ranges(technology).take(_node_index(designs, technology), axis=1)
    voltage = designs.real("voltage_V")
    allowed: NDArray[np.bool_] = (voltage >= low) & (voltage <= high)
    return allowed


def reference_delay(node: Node, voltage_V: float, technology: Technology) -> float:
    """Gate delay of a node at a supply: what published delays are scaled from."""
    law = gate_delay.__wrapped__  # type: ignore[attr-defined]  # a constant, no term of the design
    alpha = technology.circuits.cmos.velocity_saturation.si
    return float(law(node.gate_delay.si, voltage_V, node.nominal_voltage.si, node.threshold_voltage.si, alpha))


def _scale(
    technology: Technology, stated: Stated, voltage: Array, fo4: Array, capacitance: Array, area: Array
) -> Scale:
    node, at = technology.node(stated.node_nm), stated.reference_voltage.si
    energy = energy_scale(capacitance, node.switching_energy.si, voltage, at)
    return Scale(np.asarray(energy), area / node.logic_area.si, fo4 / reference_delay(node, at, technology))


@lru_cache(maxsize=8)
def _supply_ranges(technology: Technology) -> Array:
    """Lowest and highest supply ``[2, n_nodes]``, nodes in the technology's order."""
    return np.array([node.voltage_range_V for node in technology.nodes.values()]).T


def _node_index(designs: DesignTable, technology: Technology) -> NDArray[np.int64]:
    sizes = np.fromiter(technology.nodes, dtype=np.int64)
    order = np.argsort(sizes, kind="stable")
    place = np.minimum(np.searchsorted(sizes[order], designs["node_nm"]), len(sizes) - 1)
    index = order[place]
    if (sizes[index] != designs["node_nm"]).any():
        technology.node(int(designs["node_nm"][sizes[index] != designs["node_nm"]][0]))
    return index


@lru_cache(maxsize=8)
def _node_table(technology: Technology) -> Array:
    """``[n_quantities, n_nodes]`` in SI units, nodes in the technology's order."""
    return np.array([
        [
            quantity.si for quantity in (
                node.feature_size, node.nominal_voltage, node.threshold_voltage, node.gate_delay,
                node.switching_energy, node.logic_area, node.sram_cell_area, node.wire_width,
                node.wire_resistivity, node.wire_aspect_ratio, node.wire_capacitance,
            )
        ]
        for node in technology.nodes.values()
    ]).T  # fmt: skip
