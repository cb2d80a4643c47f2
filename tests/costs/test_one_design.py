"""Two designs at 28 nm and .9 V priced by hand, where the gate set needs no scaling: is everything put together right?

Numbers are the published ones of the data files, written out again.
"""

from __future__ import annotations

from math import hypot, log, log2, sqrt

from imcevo.costs import unit_costs
from imcevo.costs.terms import ACTIONS, AREA_COMPONENTS
from imcevo.technology import load_technology
from tests.costs.designs import action, area, close, design_of, rate, table

FF, FJ, PS, UM2 = 1e-15, 1e-15, 1e-12, 1e-12
V, F = 0.9, 28e-9
FO4 = 8.01 * PS
CLOCK = 100 * FO4
MACROS, TILES, GROUPS = 4 * 8 * 8, 4 * 8, 4
ROWS, COLS, CONVERTERS, BITS = 128, 128, 16, 2
WIRE_OHM_PER_M = 3.81e-8 / (49.7e-9**2 * 1.83)
LOAD, WIRE_F_PER_M = 0.35 * FF, 2e-10
AREA_32, ENERGY_32 = 0.802, 0.2815 / 0.3202
CLOCK_32 = 8.36 * PS
SCALES = load_technology().calibration
CHARGE, RESISTIVE, DIGITAL = (getattr(SCALES, f"{name}_energy").value for name in ("charge", "resistive", "digital"))
CURRENT, ADC = SCALES.current_energy.value, SCALES.adc_energy.value


def line(cells: int, pitch: float) -> tuple[float, float]:
    return cells * (LOAD + WIRE_F_PER_M * pitch), cells * pitch * WIRE_OHM_PER_M


def driven(C: float, R: float) -> float:
    return FO4 * max(1.0, log2(C / (0.7 * FF)) / 2) + 0.38 * R * C


def converter(bits: int) -> float:
    """A SAR conversion, joules: matching capacitors of .03 fF."""
    return ADC * 0.03 * 4**bits * FF * V**2


def sensing(sense_FO4: float, row: tuple[float, float], column: tuple[float, float]) -> float:
    return driven(*row) + sense_FO4 * FO4 + 0.38 * column[0] * column[1]


def test_effective_capacitance() -> None:
    """sqrt(nm^2 + 5.7^2) at every node, 28 nm as the gates."""
    for nm, node in load_technology().nodes.items():
        assert node.switching_energy.value == close(0.2815 * hypot(nm, 5.7) / hypot(28, 5.7), rel=1e-3)


def test_rram() -> None:
    costs = unit_costs(table(design_of(cell="rram_1t1r", node_nm=28, voltage_V=V, dac_bits=2)), load_technology())
    row_C, row_R = line(COLS, 12 * F)
    column_C, column_R = line(ROWS, 4 * F)
    settling = sensing(92, (row_C, row_R), (column_C, column_R))
    wires = (row_R + column_R) / 2
    on, off = 1 / (6000 + wires), 1 / (900e3 + wires)

    # 8 bits of matching capacitors (1.59 pJ) would cost more than a general-purpose converter at 28 nm and .9 V.
    rate_Hz = 1 / (9 * 0.3e-9 * FO4 / CLOCK_32)
    pJ = max(5.23702e-3 * 1.9055**8, 1.48491e-11 * 4**8 * rate_Hz**0.66128)
    general_converter = ADC * pJ * 1e-12 * 8**-2.8291 * 28**1.88
    assert general_converter < converter(8)

    prices = {
        "cell_read": 0,
        "cell_read_x": RESISTIVE * 2 * settling * V * 0.5 * off,
        "cell_read_w": 0,
        "cell_read_xw": RESISTIVE * 2 * settling * V * 0.5 * (on - off),
        "row_drive": 2 * 1.701 * FJ,
        "row_drive_x": 2 * 1.3333 * row_C * V**2,
        "column_read": 12 * 1.380649e-23 * 300 * 4**8 + 0.7 * FF * V**2,
        "adc_conversion": general_converter,
        "adder_tree_sum": 0,
        "shift_add": (8 + 8) * 0.5 * 3 * 1.701 * FJ,
        "accumulate": 24 * 0.5 * 3 * 1.701 * FJ,
        "dram": 8e-12,
        "cell_write": 8.52 * 4 * (50e-9 * (on + off) / 2 + column_C),
        "row_write": 8.52 * 1.3333 * row_C * 4,
        "digital_mac": (64 * 0.2835 + (88 + 48) * 1.701) * FJ,
        "digital_op": 32 * 4 * 1.701 * FJ,
    }
    for bits, name in ((8192 * 8, "input_buffer"), (8192 * 8, "output_buffer"), (4096 * 2048, "glb")):
        width = 2048 if name == "glb" else 8 * 32
        depth = bits / width / 128
        prices[f"{name}_read"] = ENERGY_32 * 0.02259e-12 * (width / 128) ** 0.278 * depth**0.578
        prices[f"{name}_write"] = ENERGY_32 * 0.03576e-12 * (width / 128) ** 0.235 * depth**0.571

    areas = {
        "cells": MACROS * ROWS * COLS * 48 * F**2,
        "drivers": MACROS * ROWS * (37.2 * AREA_32 + 2 * 3.684) * UM2,
        "column_periphery": MACROS * COLS * 39.2 * AREA_32 * UM2,
        "adc": MACROS * CONVERTERS * 10 ** (1.206 - 0.0369 * 8) * 2**8 * UM2,
        "adder_tree": 0,
        "shift_add": MACROS * (8 + 8) * (CONVERTERS * 4.789 + COLS * BITS / 8 * 3.684) * UM2,
        "accumulators": MACROS * 24 * (4.789 + 3.684) * UM2,
        "input_buffer": TILES * 65536 * 160 * F**2 / 0.6,
        "output_buffer": TILES * 65536 * 160 * F**2 / 0.6,
        "interconnect": GROUPS * 150000 * AREA_32 * UM2,
        "global_buffer": 4096 * 2048 * 160 * F**2 / 0.6,
        "digital_unit": 64 * (64 * 0.614 + 88 * 4.789 + 96 * 3.684) * UM2,
        "dram_interface": 4 * 0.57e-6,
    }
    outside = ("global_buffer", "digital_unit", "dram_interface")
    group = sum(value for name, value in areas.items() if name not in outside) / GROUPS
    per_m = 0.25 * 2.05 * WIRE_F_PER_M * V**2
    prices["trunk"] = 1.875 * ENERGY_32 * 20.74e-12 / 256 + per_m * sqrt(group) * (1 + 1.5 / 4)
    prices["local_link"] = per_m * sqrt(group) / 2

    assert set(prices) == set(ACTIONS)
    for name, value in prices.items():
        assert action(costs, name) == close(value, rel=1e-6), name
    assert set(areas) == set(AREA_COMPONENTS)
    for name, value in areas.items():
        assert area(costs, name) == close(value, rel=1e-6), name

    # Gate delays of the 32 nm bit cycle (8.36 ps at nominal supply) and of the 28 nm gates.
    conversion = 9 * 0.3e-9 * FO4 / CLOCK_32
    cycle = 2 * settling + 8 * (conversion + 47.8 * PS) + 3 * CLOCK
    assert rate(costs, "input_cycle_s") == close(cycle, rel=1e-6)
    assert rate(costs, "row_write_s") == close(8.52 * (50e-9 + driven(row_C, row_R)), rel=1e-6)
    per_m = 1.52 * sqrt(FO4 * WIRE_OHM_PER_M / 16 * WIRE_F_PER_M)
    port = CLOCK + 2 * sqrt(areas["input_buffer"] / TILES) * per_m
    assert rate(costs, "input_buffer_bps") == close(256 / port, rel=1e-6)
    assert rate(costs, "output_buffer_bps") == close(256 / port, rel=1e-6)
    glb_port = CLOCK + 2 * sqrt(areas["global_buffer"]) * per_m
    assert rate(costs, "glb_bps") == close(2048 / glb_port, rel=1e-6)
    assert rate(costs, "router_bps") == close(256 / CLOCK, rel=1e-6)
    assert rate(costs, "dram_bps") == close(64 * 4266e6)
    assert rate(costs, "digital_ops_per_s") == close(64 / CLOCK, rel=1e-6)

    memories = ("cells", "input_buffer", "output_buffer", "global_buffer", "dram_interface")
    logic = sum(value for name, value in areas.items() if name not in memories)
    bits = TILES * 2 * 65536 + 4096 * 2048
    assert costs.leakage_W[0] == close(V * (16.1e-6 * 1e6 * logic + 10e-12 * bits), rel=1e-6)


def test_digital_sram() -> None:
    costs = unit_costs(table(design_of(cell="sram_digital", node_nm=28, voltage_V=V)), load_technology())
    cell = 1.667 * 160 * F**2
    row_C, row_R = line(COLS, sqrt(cell * 2.8))
    column_C, column_R = line(ROWS, sqrt(cell / 2.8))
    adders = (ROWS * 9 - (8 + 7 + 1)) / 8
    tree = 7 * (229 + 95.6) * PS

    assert action(costs, "cell_read_x") == 0
    assert action(costs, "cell_read_xw") == close(0.2835 * FJ)
    assert action(costs, "column_read") == close(ROWS * 0.5 * 0.2835 * FJ)
    assert action(costs, "adder_tree_sum") == close(DIGITAL * adders * 1.701 * FJ)
    assert action(costs, "shift_add") == close((8 + 8) / 8 * 0.5 * 3 * 1.701 * FJ)
    assert action(costs, "cell_write") == close(1.3333 * column_C * V**2)
    assert action(costs, "row_write") == close(1.3333 * row_C * V**2)
    assert area(costs, "cells") == close(MACROS * ROWS * COLS * cell)
    assert area(costs, "adder_tree") == close(MACROS * CONVERTERS * adders * 4.789 * UM2)
    periphery = COLS * 6.42 * AREA_32 + COLS * ROWS * 0.614
    assert area(costs, "column_periphery") == close(MACROS * periphery * UM2)
    cycle = driven(row_C, row_R) + 47.8 * PS + 8 * (tree + 47.8 * PS) + CLOCK
    assert rate(costs, "input_cycle_s") == close(cycle)
    assert rate(costs, "row_write_s") == close(driven(row_C, row_R) + driven(column_C, column_R) + CLOCK)
    # The cells leak here, unlike RRAM.
    leak = V * 10e-12 * MACROS * ROWS * COLS
    assert costs.leakage_W[0] > leak


def test_analog_sram() -> None:
    costs = unit_costs(table(design_of(cell="sram_analog_8t", node_nm=28, voltage_V=V)), load_technology())
    cell = 1.75 * 160 * F**2
    row_C, row_R = line(COLS, sqrt(cell * 2.8))
    column_C, column_R = line(ROWS, sqrt(cell / 2.8))
    settling = sensing(20, (row_C, row_R), (column_C, column_R))

    assert action(costs, "adc_conversion") < converter(8)
    six = unit_costs(table(design_of(cell="sram_analog_8t", node_nm=28, voltage_V=V, adc_bits=6)), load_technology())
    assert action(six, "adc_conversion") == close(converter(6))
    sample = 12 * 1.380649e-23 * 300 * 4**8 + 0.7 * FF * V**2
    assert action(costs, "column_read") == close(sample)
    assert action(costs, "cell_read") == close(CHARGE * 2 * column_C / ROWS * V**2)
    assert action(costs, "cell_read_xw") == 0
    conversion = 9 * 0.3e-9 * FO4 / CLOCK_32
    cycle = settling + 8 * (conversion + 47.8 * PS) + 3 * CLOCK
    assert rate(costs, "input_cycle_s") == close(cycle)
    assert area(costs, "cells") == close(MACROS * ROWS * COLS * cell)


def test_charge_sram() -> None:
    design = design_of(cell="sram_charge_10t1c", node_nm=28, voltage_V=V, dac_bits=4)
    costs = unit_costs(table(design), load_technology())
    cell = 3.64 * 160 * F**2
    row_C, row_R = line(COLS, sqrt(cell * 2.8))
    column_R = line(ROWS, sqrt(cell / 2.8))[1]
    unit = (1.2 + 2 * 0.7) * FF

    assert action(costs, "cell_read_xw") == close(CHARGE * unit * V**2)
    assert action(costs, "cell_read") == 0
    # A voltage DAC of 50 fF per bit and one drive of the line, whatever the input bits.
    assert action(costs, "row_drive") == close(4 * 1.701 * FJ + 50 * FF * 4 * V**2)
    assert action(costs, "row_drive_x") == close(1.3333 * row_C * V**2)
    inverter = FO4 / (0.69 * 5 * 0.7 * FF)
    settling = driven(row_C, row_R) + 9 * log(2) * (inverter + column_R / 2) * unit
    cycle = settling + 8 * (9 * 0.3e-9 * FO4 / CLOCK_32 + 47.8 * PS) + 3 * CLOCK
    assert rate(costs, "input_cycle_s") == close(cycle)
    drivers = 4.2 * AREA_32 + 4 * 3.684 + 4 * 26.8
    assert area(costs, "drivers") == close(MACROS * ROWS * drivers * UM2)


def test_current_sram() -> None:
    design = design_of(cell="sram_current_12t", node_nm=28, voltage_V=V, dac_bits=2)
    costs = unit_costs(table(design), load_technology())
    cell = 2 * 160 * F**2
    row, column = line(COLS, sqrt(cell * 2.8)), line(ROWS, sqrt(cell / 2.8))
    stack = 4 * FO4 / (0.69 * 5 * 0.7 * FF)

    assert action(costs, "cell_read") == close(CURRENT * 2 * 20 * FO4 * V**2 / stack)
    cycle = 2 * sensing(20, row, column) + 8 * (9 * 0.3e-9 * FO4 / CLOCK_32 + 47.8 * PS) + 3 * CLOCK
    assert rate(costs, "input_cycle_s") == close(cycle)
