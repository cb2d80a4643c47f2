"""Unit costs of whole chips: areas, then wire lengths, then rates, then energies per action and leakage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.dram import DramCosts, dram_of
from imcevo.costs.equation import Real, Term, equation, tracing
from imcevo.costs.families import MacroCosts
from imcevo.costs.grouping import check_designs, macros_of
from imcevo.costs.logic import DigitalUnit, GateCosts, accumulate_energy, digital_unit_of, gates_of
from imcevo.costs.memory import BufferCosts, buffer_of, long_wire_delay
from imcevo.costs.network import LinkEnergies, links_of
from imcevo.costs.scaling import Array, Supply, supply_of
from imcevo.costs.terms import ACTIONS, AREA_COMPONENTS, RATES, UnitCosts
from imcevo.hardware import GLB_WIDTH_BITS, Design, DesignTable, table_of
from imcevo.portable.arrays import log2
from imcevo.technology import Technology

# Parts outside the router groups, and parts whose leakage is counted per bit or, for the DRAM interface, not at all.
OUTSIDE_GROUPS = ("global_buffer", "digital_unit", "dram_interface")
_NOT_LOGIC = ("cells", "input_buffer", "output_buffer", "global_buffer", "dram_interface")


@equation(
    name="leakage",
    formula="voltage_V * (logic_A_per_m2 * logic_m2 + cell_A * cells + bit_A * buffer_bits)",
    unit="W",
    source="NeuroSim V1.3, low-standby-power devices (circuits.toml: cmos.logic_leakage, buffer.bit_leakage)",
)
def leakage_power(
    voltage_V: Real, logic_A_per_m2: Real, logic_m2: Real, cell_A: Real, cells: Real, bit_A: Real, buffer_bits: Real,
) -> Real:  # fmt: skip
    return voltage_V * (logic_A_per_m2 * logic_m2 + cell_A * cells + bit_A * buffer_bits)


class Sizes(NamedTuple):
    """How many of everything a chip has ``[n_designs]``."""

    rows: Array
    cols: Array
    shift_add_bits: Array  # width of a shift-add
    columns_per_sum: Array  # columns whose results are one number: those of a weight behind an adder tree, else 1
    weights: Array  # side by side in one macro, slices together
    converters: Array  # of one macro
    macros: Array  # of the chip, as the following
    tiles: Array
    groups: Array
    lanes: Array
    input_bits: Array  # of one tile's buffer
    output_bits: Array
    global_bits: Array
    port_bits: Array  # width of a tile buffer's port


class Parts(NamedTuple):
    """The circuits of each design, before they are assembled ``[n_designs]``."""

    sizes: Sizes
    supply: Supply
    gate: GateCosts
    macro: MacroCosts
    cell_A: Array
    input_buffer: BufferCosts
    output_buffer: BufferCosts
    global_buffer: BufferCosts
    digital: DigitalUnit
    dram: DramCosts


def unit_costs(designs: DesignTable, technology: Technology) -> UnitCosts:
    """Prices of designs; they depend on the hardware alone, and not on the other designs of the table.

    Raises:
        UserError: a cell, node, DRAM or ADC type without data, a supply that the node forbids, or an analog cell
            without ADC. Designs that went through the simulator's `repair` have none of the last two.
    """
    check_designs(designs, technology)
    order = np.argsort(designs["cell"], kind="stable")  # equal cells side by side, as `macros_of` wants them
    if (order[1:] > order[:-1]).all():
        return _unit_costs(designs, technology)
    return UnitCosts(*(_put_back(part, order) for part in _unit_costs(designs.take(order), technology)))


def _unit_costs(designs: DesignTable, technology: Technology) -> UnitCosts:
    parts = _parts(designs, technology)
    area = _areas(parts, technology)
    group_m2 = sum(area[part] for part in AREA_COMPONENTS if part not in OUTSIDE_GROUPS) / parts.sizes.groups
    links = links_of(parts.sizes.groups, group_m2, parts.supply, technology)
    return UnitCosts(
        _stacked(_energies(parts, links, technology), ACTIONS),
        _stacked(area, AREA_COMPONENTS),
        _leakage(parts, area, technology),
        _stacked(_rates(parts, technology), RATES),
    )


def _put_back(values: Array, order: NDArray[np.intp]) -> Array:
    """Rows that were sorted by `order` as they were before."""
    unsorted = np.empty_like(values)
    unsorted[order] = values
    return unsorted


def explain_costs(design: Design, technology: Technology) -> list[Term]:
    """Every equation behind one design's unit costs, in the order they are evaluated, with inputs and value.

    Raises:
        UserError: as `unit_costs`.
    """
    with tracing() as terms:
        unit_costs(table_of([design]), technology)
    return terms


def _parts(designs: DesignTable, technology: Technology) -> Parts:
    circuits = technology.circuits
    sizes = _sizes(designs, technology)
    supply = supply_of(designs, technology)
    gate = gates_of(supply, circuits.gates)
    macro, cell_A = macros_of(designs, supply, gate, technology)
    wire = long_wire_delay(supply, technology)
    glb_port = np.full_like(sizes.port_bits, GLB_WIDTH_BITS)
    return Parts(
        sizes, supply, gate, macro, cell_A,
        buffer_of(sizes.input_bits, sizes.port_bits, supply, wire, technology),
        buffer_of(sizes.output_bits, sizes.port_bits, supply, wire, technology),
        buffer_of(sizes.global_bits, glb_port, supply, wire, technology),
        digital_unit_of(gate, technology), dram_of(designs, technology),
    )  # fmt: skip


def _sizes(designs: DesignTable, technology: Technology) -> Sizes:
    cols, per_tile, groups = (designs.real(key) for key in ("cols", "macros_per_tile", "router_groups"))
    tiles = designs.real("tiles_per_group") * groups
    width = technology.circuits.gates.register_weight_width.si
    return Sizes(
        rows=designs.real("rows"), cols=cols, shift_add_bits=_shift_add_bits(designs, width),
        columns_per_sum=np.where(designs["adc_bits"] > 0, 1.0, width),
        weights=np.ceil(cols * designs.real("bits_per_cell") / width),
        converters=np.ceil(cols / designs.real("cols_per_adc")),
        macros=tiles * per_tile, tiles=tiles, groups=groups, lanes=designs.real("digital_lanes"),
        input_bits=designs.real("input_buffer_B") * 8, output_bits=designs.real("output_buffer_B") * 8,
        global_bits=designs.real("glb_depth") * GLB_WIDTH_BITS,
        port_bits=per_tile * technology.circuits.buffer.port_width_per_macro.si,
    )  # fmt: skip


def _shift_add_bits(designs: DesignTable, weight_bits: float) -> Array:
    """Bits of a column's result, and as many more as slices of a weight shift it."""
    result = np.where(designs["adc_bits"] > 0, designs.real("adc_bits"), np.ceil(log2(designs.real("rows") + 1)))
    return np.asarray(result + weight_bits)


def _areas(parts: Parts, technology: Technology) -> dict[str, Array]:
    """m2 of the whole chip by component."""
    sizes, macro = parts.sizes, parts.macro
    word = technology.circuits.gates.partial_sum_width.si
    adder, register = word * parts.gate.adder_m2, word * parts.gate.register_m2
    adders = sizes.converters / sizes.columns_per_sum * parts.gate.adder_m2
    registers = sizes.weights * parts.gate.register_m2
    router = parts.supply.circuits.area * technology.circuits.network.router_area.si
    return {
        "cells": sizes.macros * macro.cells_m2,
        "drivers": sizes.macros * macro.drivers_m2,
        "column_periphery": sizes.macros * macro.column_periphery_m2,
        "adc": sizes.macros * macro.adc_m2,
        "adder_tree": sizes.macros * macro.adder_tree_m2,
        # One adder per converter, one register per weight.
        "shift_add": sizes.macros * sizes.shift_add_bits * (adders + registers),
        # One adder and register per word of a tile buffer's port, that is per macro.
        "accumulators": sizes.macros * (adder + register),
        "input_buffer": sizes.tiles * parts.input_buffer.area_m2,
        "output_buffer": sizes.tiles * parts.output_buffer.area_m2,
        "interconnect": sizes.groups * router,
        "global_buffer": parts.global_buffer.area_m2,
        "digital_unit": sizes.lanes * parts.digital.lane_m2,
        "dram_interface": parts.dram.interface_m2,
    }


def _rates(parts: Parts, technology: Technology) -> dict[str, Array]:
    """Stage times and bandwidths in the units of `RATES`."""
    circuits, clock = technology.circuits, parts.supply.clock_s
    return {
        "input_cycle_s": parts.macro.read_s + clock,  # the shift-add takes one clock
        "row_write_s": parts.macro.row_write_s,
        "input_buffer_bps": parts.input_buffer.port_bps,
        "output_buffer_bps": parts.output_buffer.port_bps,
        "router_bps": circuits.network.flit_width.si / clock,
        "glb_bps": parts.global_buffer.port_bps,
        "dram_bps": parts.dram.bandwidth_bps,
        "digital_ops_per_s": parts.sizes.lanes / clock,
    }


def _energies(parts: Parts, links: LinkEnergies, technology: Technology) -> dict[str, Array]:
    """Joules per action."""
    macro, gates, none = parts.macro, technology.circuits.gates, np.zeros_like(links.trunk)
    shift_add, accumulate = (
        np.asarray(accumulate_energy(width, gates.adder_activity.si, parts.gate.adder_J, parts.gate.register_J))
        for width in (parts.sizes.shift_add_bits / parts.sizes.columns_per_sum, gates.partial_sum_width.si)
    )
    return {
        "cell_read": macro.cell_read_J,
        "cell_read_x": macro.cell_read_x_J,
        "cell_read_w": none,
        "cell_read_xw": macro.cell_read_xw_J,
        "row_drive": macro.row_drive_J,
        "row_drive_x": macro.row_drive_x_J,
        "column_read": macro.column_read_J,
        "adc_conversion": macro.adc_conversion_J,
        "adder_tree_sum": macro.adder_tree_sum_J,
        "shift_add": shift_add,
        "accumulate": accumulate,
        "input_buffer_read": parts.input_buffer.read_J,
        "input_buffer_write": parts.input_buffer.write_J,
        "output_buffer_read": parts.output_buffer.read_J,
        "output_buffer_write": parts.output_buffer.write_J,
        "trunk": links.trunk,
        "local_link": links.local,
        "glb_read": parts.global_buffer.read_J,
        "glb_write": parts.global_buffer.write_J,
        "dram": parts.dram.access_J,
        "cell_write": macro.cell_write_J,
        "row_write": macro.row_write_J,
        "digital_mac": parts.digital.mac_J,
        "digital_op": parts.digital.operation_J,
    }


def _leakage(parts: Parts, area: Mapping[str, Array], technology: Technology) -> Array:
    """Watts of the whole chip, standing power of the macros (refresh) with it."""
    sizes, circuits = parts.sizes, technology.circuits
    logic = sum(value for part, value in area.items() if part not in _NOT_LOGIC)
    cells = sizes.macros * sizes.rows * sizes.cols
    bits = sizes.tiles * (sizes.input_bits + sizes.output_bits) + sizes.global_bits
    leakage = leakage_power(
        parts.supply.voltage_V, circuits.cmos.logic_leakage.si, logic, parts.cell_A, cells,
        circuits.buffer.bit_leakage.si, bits,
    )  # fmt: skip
    return np.asarray(leakage + sizes.macros * parts.macro.standby_W)


def _stacked(named: Mapping[str, Array], order: tuple[str, ...]) -> Array:
    stacked = np.empty((len(named[order[0]]), len(order)))
    for column, name in enumerate(order):
        stacked[:, column] = named[name]
    return stacked
