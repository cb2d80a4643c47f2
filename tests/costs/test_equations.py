"""Each published equation against numbers worked out by hand from its source."""

from __future__ import annotations

import itertools
from math import log, sqrt

import numpy as np
import pytest

from imcevo.costs import adc, chip, lines, logic, macro, memory, network, resistive, scaling, sram_current, sram_digital
from imcevo.costs.equation import equation, tracing
from tests.costs.designs import close


def test_scaling() -> None:
    # 1.4^1.3 = 1.54870
    assert scaling.gate_delay(10e-12, 0.8, 1.0, 0.3, 1.3) == close(12.3896e-12, rel=1e-4)
    assert scaling.clock_period(8.36e-12, 100) == close(836e-12)
    assert scaling.gate_resistance(3.45e-12, 1e-15) == close(1000)
    # 32 nm: 3.70e-8 / (56 nm)^2 / 1.8 = 6.555 ohm per um
    assert scaling.wire_resistance(3.70e-8, 56e-9, 1.8) == close(6.555e6, rel=1e-3)
    assert scaling.energy_scale(0.5, 1.0, 0.45, 0.9) == close(0.125)


def test_lines() -> None:
    # 128 cells of .35 fF and .384 um at .2 fF/um
    assert lines.line_capacitance(128, 0.35e-15, 2e-10, 0.384e-6) == close(54.63e-15, rel=1e-3)
    assert lines.line_resistance(128, 0.384e-6, 6.555e6) == close(322.2, rel=1e-3)
    # 64 times the gate is three stages of four; .38 * 1 kohm * 64 fF = 24.32 ps
    assert lines.driven_line_delay(10e-12, 64e-15, 1e-15, 1000.0) == close(54.32e-12)
    assert lines.driven_line_delay(10e-12, 1e-15, 1e-15, 0.0) == close(10e-12)
    assert lines.column_settling(7, 6000.0, 200.0, 50e-15) == close(8 * log(2) * 6100 * 50e-15)
    assert lines.line_energy(4 / 3, 54e-15, 0.9) == close(58.32e-15)
    # kT = 4.142e-21 J: 12 kT 4^8 = 3.257 fJ, and .7 fF at .9 V
    assert lines.sampling_energy(4.142e-21, 8, 0.7e-15, 0.9) == close(3.824e-15, rel=1e-3)


def test_adc() -> None:
    # 8 bits: .03 fF * 65536 * .7225 V^2; a cheaper general-purpose converter is taken instead
    assert adc.sar_energy(0.03e-15, 8, 0.85, 1.0) == close(1.4205e-12, rel=1e-4)
    assert adc.sar_energy(0.03e-15, 8, 0.85, 1e-12) == close(1e-12)
    # Andrulis et al. at 32 nm, 100 MS/s: 8 bits 1.714 pJ, 10 bits 3.31 pJ
    fit = (1.48491e-11, 1e8, 0.66128, -2.8291, 32, 1.88, 0.9, 0.9)
    assert adc.general_purpose_energy(5.23702e-3, 1.9055, 8.0, *fit) == close(1.714e-12, rel=1e-3)
    assert adc.general_purpose_energy(5.23702e-3, 1.9055, 10.0, *fit) == close(3.31e-12, rel=1e-2)
    # 10^.9108 * 256 um2
    assert adc.conversion_energy(0.5, 2e-13) == close(1e-13)
    assert adc.sar_area(1.206, 0.0369, 8, 28e-9, 28e-9, 0.99328) == close(2084.7e-12, rel=1e-3)
    assert adc.sar_time(8, 1e-9) == close(9e-9)
    # NeuroSim V1.3, 32 nm, 5 bits: 31 comparators
    assert adc.flash_energy(5, 3.0875e-15) == close(95.71e-15, rel=1e-4)
    assert adc.flash_area(5, 23.1e-12) == close(716.1e-12)


def test_logic() -> None:
    assert logic.accumulate_energy(24, 0.5, 3.402e-15, 1.701e-15) == close(61.24e-15, rel=1e-3)
    # D (B + 1) - (B + log2 D + 1) with D = 32, B = 1
    assert logic.adder_tree_adders(32.0, 1) == close(57)
    # 8-bit weights: 32 * 9 - 14 adders for eight columns
    assert logic.adder_tree_adders(32.0, 8) == close(34.25)
    assert logic.adder_tree_energy(0.5, 57, 0.5, 3.402e-15) == close(48.48e-15, rel=1e-3)
    assert logic.adder_tree_delay(32.0, 229e-12, 95.6e-12) == close(1623e-12)
    # 64 products, 56 + 32 half-active adders, 48 registers
    expected = 64 * 0.2835 + 88 * 1.701 + 48 * 1.701
    assert logic.mac_energy(8, 32, 0.2835e-15, 0.5, 3.402e-15, 1.701e-15) == close(expected * 1e-15)
    assert logic.operation_energy(32, 0.5, 3.402e-15, 1.701e-15) == close(32 * 4 * 1.701e-15)
    expected = 64 * 0.614 + 88 * 4.789 + 96 * 3.684
    assert logic.lane_area(8, 32, 0.614e-12, 4.789e-12, 3.684e-12) == close(expected * 1e-12)


def test_adder_tree_by_building_one() -> None:
    """Count the full adders of a tree that adds pairs of equally wide numbers, one half adder less per sum."""
    for rows, bits in itertools.product((2, 8, 64, 256), (1, 4, 8)):
        adders, inputs, width = 0, rows, bits
        while inputs > 1:
            inputs //= 2
            adders += inputs * width
            width += 1
        assert logic.adder_tree_adders(float(rows), bits) == close(adders / bits)


# CACTI at 32 nm, pJ per access: (width in bits, depth, read, write). Rows of the 51 that the fit was made on.
@pytest.mark.parametrize(
    ("width", "depth", "read", "write"),
    [(128, 128, 2.05835, 4.05794), (64, 256, 1.49433, 2.28736), (256, 256, 6.36884, 14.5556),
     (32, 64, 0.350301, 0.588474), (2048, 8192, 1023.57, 1455.75), (2048, 131072, 6750.7, 7617.8)],
)  # fmt: skip
def test_buffer_fit_against_cacti(width: int, depth: int, read: float, write: float) -> None:
    fits = ((0.02259e-12, 0.278, 0.578, read), (0.03576e-12, 0.235, 0.571, write))
    for reference, by_width, by_depth, published in fits:
        per_bit = memory.buffer_energy(reference, width, 128, by_width, depth, 128, by_depth)
        assert abs(log(per_bit * width / (published * 1e-12))) < log(1.9)


def test_memory() -> None:
    assert memory.buffer_energy(0.02259e-12, 128, 128, 0.278, 128, 128, 0.578) == close(0.02259e-12)
    assert memory.buffer_energy(1.0, 256, 128, 0.5, 512, 128, 0.5) == close(2 * sqrt(2))
    # 160 F2 at 32 nm over .6: .273 um2 per bit
    assert memory.buffer_area(1.0, 160 * (32e-9) ** 2, 0.6) == close(0.273e-12, rel=1e-3)
    assert memory.repeated_wire_delay(1.5, 1e-11, 4e5, 2e-10) == close(1.5 * sqrt(8e-16))
    assert memory.port_cycle(1e-9, 4e-6, 5e-8) == close(1.2e-9)


def test_optimum_repeaters() -> None:
    """The two derived wire constants, by minimising the delay of a repeated wire over repeater size and distance."""
    R0, C0, Rw, Cw = 5e3, 1e-15, 5e5, 2e-10
    size, distance = np.meshgrid(np.geomspace(1, 1e3, 800), np.geomspace(1e-5, 1e-2, 800))
    drive = 0.69 * R0 / size * (2 * size * C0 + Cw * distance)
    per_length = (drive + 0.38 * Rw * Cw * distance**2 + 0.69 * Rw * distance * size * C0) / distance
    best = np.unravel_index(per_length.argmin(), per_length.shape)
    fo4 = 0.69 * R0 * 5 * C0
    assert per_length[best] == close(memory.repeated_wire_delay(1.52, fo4, Rw, Cw), rel=0.01)
    assert 2 * size[best] * C0 / (Cw * distance[best]) == close(1.05, rel=0.03)


@pytest.mark.parametrize("side", [1, 3, 5, 7])
def test_routes_by_walking_a_mesh(side: int) -> None:
    """Routers and wire from the middle of an edge to every node of a mesh, in steps of one group."""
    middle = (side - 1) / 2
    hops = [1 + row + abs(column - middle) for row in range(side) for column in range(side)]
    groups = float(side**2)
    assert network.routers_passed(groups) == close(np.mean(hops))
    # The port is half a group outside the first row.
    assert network.trunk_length(groups, 4.0) == close(2.0 * (np.mean(hops) - 0.5))


def test_link() -> None:
    # two routers at 20.74 pJ / 256 bits, 1 mm at .25 * 2.05 * .2 fF/um * .81 V^2
    wire = network.wire_energy(0.25, 1.05, 2e-10, 1e-3, 0.9)
    assert wire == close(83.03e-15, rel=1e-3)
    assert network.trunk_energy(2, 20.74e-12, 256, wire) == close(162.03e-15 + 83.03e-15, rel=1e-3)
    # from the centre of a 2 x 2 square: .5 in each direction on average
    assert network.local_length(4.0) == close(1.0)


def test_resistive() -> None:
    assert resistive.conductance(6000.0, 300.0, 100.0) == close(1 / 6200)
    # 10 ns at .5 V across 6 kohm, twice, from .8 V; scale 1.5
    assert resistive.read_energy(1.5, 2, 10e-9, 0.8, 0.5, 1 / 6000) == close(2e-12, rel=1e-3)
    assert resistive.programming_pulses(1, 8.52) == 1
    assert resistive.programming_pulses(2, 8.52) == 8.52
    # 2 V, 50 ns, mean of 1/6k and 1/900k, no line
    energy = resistive.programming_energy(1, 2.0, 50e-9, 1 / 6e3, 1 / 900e3, 0.0)
    assert energy == close(16.78e-12, rel=1e-3)
    assert resistive.programming_energy(3, 2.0, 0.0, 1.0, 1.0, 50e-15) == close(0.6e-12)


def test_sram() -> None:
    assert macro.cell_charge(3.0, 2, 0.5e-15, 0.8) == close(1.92e-15)
    # 20 FO4 of 8 ps at .9 V across 10 kohm
    assert sram_current.cell_current(0.5, 1, 20, 8e-12, 0.9, 1e4) == close(6.48e-15)
    assert macro.dac_energy(50e-15, 4, 0.9) == close(162e-15)
    assert macro.dac_energy(50e-15, 1, 0.9) == 0
    assert macro.sensing_time(1e-10, 20, 8e-12, 1000, 50e-15) == close(2.79e-10)
    assert sram_digital.column_select_energy(128, 0.5, 0.2835e-15, 4) == close(18.144e-15)
    assert sram_digital.column_select_energy(128, 0.5, 0.2835e-15, 1) == 0
    assert sram_digital.digital_read_time(1e-10, 5e-11, 4, 2e-9) == close(8.35e-9)
    assert macro.analog_read_time(1e-9, 3, 1e-9, 8, 9e-9, 1e-10) == close(77.8e-9)


def test_leakage() -> None:
    assert chip.leakage_power(0.9, 16.1, 1e-6, 10e-12, 1e6, 10e-12, 1e6) == close(0.9 * (16.1e-6 + 2e-5))


def test_tracing_records_only_inside_and_only_single_values() -> None:
    @equation(name="twice", formula="2 * value", unit="1", source="here")
    def twice(value: float) -> float:
        return 2 * value

    twice(1.0)
    with tracing() as terms:
        twice(3.0)
        twice(value=np.array([4.0]))
        with pytest.raises(ValueError, match="one design at a time, got 2"):
            twice(np.array([1.0, 2.0]))
    twice(5.0)
    assert [(term.name, dict(term.inputs), term.value) for term in terms] == [
        ("twice", {"value": 3.0}, 6.0), ("twice", {"value": 4.0}, 8.0),
    ]  # fmt: skip
