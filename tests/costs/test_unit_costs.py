"""Prices of whole designs: what must rise, what must fall, what must be zero, and nothing depends on the company."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from imcevo.costs import UnitCosts, check_voltage, explain_costs, unit_costs
from imcevo.costs.terms import ACTIONS, AREA_COMPONENTS, RATES
from imcevo.errors import UserError
from imcevo.hardware import Value
from imcevo.technology import Technology, load_technology
from tests.costs.designs import CELLS, action, area, close, design_of, random_designs, rate, table

ANALOG = ("rram_1t1r", "flash_nor", "sram_analog_8t", "sram_charge_10t1c", "sram_current_12t")
NODES = (130, 90, 65, 45, 32, 28, 22, 16, 14, 10, 7)


@pytest.fixture(scope="module")
def technology() -> Technology:
    return load_technology()


def sweep(technology: Technology, key: str, values: tuple[Value, ...], **fixed: Value) -> UnitCosts:
    """Designs that differ in one value."""
    return unit_costs(table(*(design_of(**{**fixed, key: value}) for value in values)), technology)


def rising(values: np.ndarray) -> bool:
    return bool((np.diff(values) > 0).all())


def column(costs: UnitCosts, name: str) -> np.ndarray:
    if name in ACTIONS:
        return costs.energy_J[:, ACTIONS.index(name)]
    if name in AREA_COMPONENTS:
        return costs.area_m2[:, AREA_COMPONENTS.index(name)]
    return costs.rates[:, RATES.index(name)]


def test_shapes_and_signs(technology: Technology) -> None:
    designs = random_designs(300, seed=1)
    costs = unit_costs(table(*designs), technology)
    assert costs.energy_J.shape == (300, len(ACTIONS))
    assert costs.area_m2.shape == (300, len(AREA_COMPONENTS))
    assert costs.rates.shape == (300, len(RATES))
    assert costs.leakage_W.shape == (300,)
    for array in costs:
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        assert np.isfinite(array).all()
        assert (array >= 0).all()
    assert (costs.rates > 0).all()
    assert (costs.leakage_W > 0).all()
    digital = np.array([design["cell"] == "sram_digital" for design in designs])
    for index, part in enumerate(AREA_COMPONENTS):
        absent = digital if part == "adc" else ~digital if part == "adder_tree" else np.zeros(300, dtype=bool)
        assert (costs.area_m2[absent, index] == 0).all(), part
        assert (costs.area_m2[~absent, index] > 0).all(), part


def test_prices_do_not_depend_on_the_other_designs(technology: Technology) -> None:
    designs = random_designs(80, seed=2)
    together = unit_costs(table(*designs), technology)
    for index, design in enumerate(designs):
        alone = unit_costs(table(design), technology)
        for whole, single in zip(together, alone, strict=True):
            assert np.array_equal(whole[index], single[0])


def test_what_a_family_lacks_is_exactly_zero(technology: Technology) -> None:
    costs = unit_costs(table(*(design_of(cell=cell) for cell in CELLS)), technology)
    for index, cell in enumerate(CELLS):
        analog = cell in ANALOG
        assert (action(costs, "adc_conversion", index) > 0) == analog
        assert (area(costs, "adc", index) > 0) == analog
        assert (action(costs, "adder_tree_sum", index) > 0) == (not analog)
        assert (area(costs, "adder_tree", index) > 0) == (not analog)
    digital = list(CELLS).index("sram_digital")
    assert action(costs, "adc_conversion", digital) == 0 == area(costs, "adc", digital)


@pytest.mark.parametrize("adc_type", ["sar", "flash"])
@pytest.mark.parametrize("cell", ANALOG)
@pytest.mark.parametrize("node", NODES)
def test_more_adc_bits_are_never_cheaper(technology: Technology, adc_type: str, cell: str, node: int) -> None:
    costs = sweep(technology, "adc_bits", tuple(range(1, 15)), adc_type=adc_type, cell=cell, node_nm=node)
    assert rising(column(costs, "adc_conversion"))
    assert rising(column(costs, "adc"))
    # All comparators of a flash converter decide at once.
    cycle = np.diff(column(costs, "input_cycle_s"))
    assert (cycle > 0).all() if adc_type == "sar" or cell == "sram_charge_10t1c" else (cycle == 0).all()


@pytest.mark.parametrize("cell", CELLS)
def test_larger_arrays(technology: Technology, cell: str) -> None:
    for key in ("rows", "cols"):
        costs = sweep(technology, key, (32, 64, 128, 256, 512), cell=cell)
        assert rising(costs.area_m2.sum(axis=1))
        assert rising(column(costs, "cells"))
        assert rising(column(costs, "drivers")) == (key == "rows")
        assert rising(costs.leakage_W)
    rows = sweep(technology, "rows", (32, 64, 128, 256, 512), cell=cell)
    cols = sweep(technology, "cols", (32, 64, 128, 256, 512), cell=cell)
    assert rising(column(cols, "row_drive_x"))
    assert rising(column(rows, "input_cycle_s"))
    assert rising(column(rows, "cell_write"))
    assert rising(column(cols, "row_write"))


def test_larger_buffers(technology: Technology) -> None:
    for key, name in (("input_buffer_B", "input_buffer"), ("output_buffer_B", "output_buffer")):
        costs = sweep(technology, key, (1024, 8192, 65536, 2**20))
        assert rising(column(costs, name))
        assert rising(column(costs, f"{name}_read"))
        assert rising(column(costs, f"{name}_write"))
        assert rising(-column(costs, f"{name}_bps"))
        assert rising(costs.leakage_W)
    costs = sweep(technology, "glb_depth", (512, 4096, 65536))
    for name in ("global_buffer", "glb_read", "glb_write"):
        assert rising(column(costs, name))
    assert rising(-column(costs, "glb_bps"))


def test_larger_chips_have_longer_links(technology: Technology) -> None:
    assert rising(column(sweep(technology, "router_groups", (1, 4, 16, 64)), "trunk"))
    for link in ("trunk", "local_link"):
        assert rising(column(sweep(technology, "tiles_per_group", (4, 16, 64)), link))
    lanes = sweep(technology, "digital_lanes", (1, 64, 4096))
    assert rising(column(lanes, "digital_unit"))
    assert rising(column(lanes, "digital_ops_per_s"))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("node", NODES)
def test_lower_supply_saves_energy_and_costs_time(technology: Technology, cell: str, node: int) -> None:
    costs = sweep(technology, "voltage_V", (0.5, 0.6, 0.7, 0.8, 0.9), cell=cell, node_nm=node)
    for name in ("row_drive", "row_drive_x", "shift_add", "accumulate", "input_buffer_read", "glb_write", "trunk",
                 "digital_mac", "digital_op", "column_read"):  # fmt: skip
        assert rising(column(costs, name)), name
    for name in ("router_bps", "glb_bps", "input_buffer_bps", "digital_ops_per_s"):
        assert rising(column(costs, name)), name
    assert rising(-column(costs, "input_cycle_s"))
    assert rising(costs.leakage_W)
    # Switching energy is quadratic in the supply.
    ratio = column(costs, "digital_mac")[-1] / column(costs, "digital_mac")[0]
    assert ratio == close((0.9 / 0.5) ** 2)


@pytest.mark.parametrize("cell", CELLS)
def test_smaller_nodes_are_smaller_and_cheaper(technology: Technology, cell: str) -> None:
    costs = sweep(technology, "node_nm", tuple(sorted(NODES)), cell=cell, voltage_V=0.7)
    assert rising(costs.area_m2.sum(axis=1))
    for name in ("digital_mac", "shift_add", "glb_read", "trunk", "local_link"):
        assert rising(column(costs, name)), name


@pytest.mark.parametrize(("coding", "slots"), [("pulses", (1, 3, 15)), ("phases", (1, 2, 4)), ("amplitude", (1, 1, 1))])
def test_input_coding(technology: Technology, coding: str, slots: tuple[int, ...]) -> None:
    """An input slice of d bits is 2^d - 1 pulses, d phases, or one amplitude behind a DAC."""
    changed = technology.cell("rram_1t1r").model_copy(update={"input_coding": coding})
    other = replace(technology, cells={"rram_1t1r": changed})
    costs = sweep(other, "dac_bits", (1, 2, 4))
    for name in ("cell_read_x", "cell_read_xw", "row_drive_x"):
        energy = column(costs, name)
        assert energy / energy[0] == close(slots)
    cycle = column(costs, "input_cycle_s")
    assert cycle[2] - cycle[0] == close((slots[2] - slots[0]) * (cycle[1] - cycle[0]) / max(slots[1] - slots[0], 1))
    drive = column(costs, "row_drive")
    assert (drive[2] / drive[0] > 4.01) == (coding == "amplitude")


def test_each_scale_enters_one_price(technology: Technology) -> None:
    """Prices are linear in the scales, and each scale moves exactly the price of its circuit."""
    moved = {
        "charge_energy": {("sram_analog_8t", "cell_read"), ("sram_charge_10t1c", "cell_read_xw")},
        "current_energy": {("sram_current_12t", "cell_read")},
        "resistive_energy": {(c, a) for c in ("rram_1t1r", "flash_nor") for a in ("cell_read_x", "cell_read_xw")},
        "digital_energy": {("sram_digital", "adder_tree_sum")},
        "adc_energy": {(cell, "adc_conversion") for cell in ANALOG},
    }
    designs = table(*(design_of(cell=cell) for cell in CELLS))
    one = unit_costs(designs, technology.uncalibrated())
    for scale, expected in moved.items():
        three = unit_costs(designs, technology.uncalibrated().with_scales(**{scale: 3.0}))
        changed = {(cell, ACTIONS[i]) for row, cell in enumerate(CELLS)
                   for i in np.flatnonzero(three.energy_J[row] != one.energy_J[row])}  # fmt: skip
        assert changed == expected, scale
        for cell, action_name in expected:
            row = list(CELLS).index(cell)
            assert action(three, action_name, row) / action(one, action_name, row) == close(3)
        assert (three.area_m2 == one.area_m2).all()
        assert (three.rates == one.rates).all()


def test_sharing_a_converter_trades_area_for_time(technology: Technology) -> None:
    for cell in CELLS:
        costs = sweep(technology, "cols_per_adc", (2, 4, 8, 16), cell=cell)
        assert rising(column(costs, "input_cycle_s"))
        assert rising(-(column(costs, "adc") + column(costs, "adder_tree")))
        assert np.ptp(column(costs, "adc_conversion")) == 0


def test_multi_level_cells_need_program_and_verify(technology: Technology) -> None:
    costs = sweep(technology, "bits_per_cell", (1, 2, 4))
    written = column(costs, "cell_write")
    assert written[1] / written[0] == close(8.52)
    assert written[2] == written[1]
    assert rate(costs, "row_write_s", 1) / rate(costs, "row_write_s", 0) == close(8.52)


def test_plausible_macros(technology: Technology) -> None:
    """8-bit operations per joule of a 128 x 128 macro at mean input .3 and mean cell level .3: no absurd values."""

    def tops_per_watt(**changes: Value) -> float:
        design = design_of(**changes)
        costs = unit_costs(table(design), technology)
        rows, cols = float(design["rows"]), float(design["cols"])
        cells = action(costs, "cell_read_x") * 0.3 + action(costs, "cell_read_xw") * 0.09
        row = action(costs, "row_drive") + action(costs, "row_drive_x") * 0.3
        names = ("column_read", "adc_conversion", "adder_tree_sum", "shift_add")
        per_column = sum(action(costs, name) for name in names)
        cycle = rows * cols * cells + rows * row + cols * per_column
        return 2 * rows * cols / (8 / float(design["bits_per_cell"])) / (8 * cycle) / 1e12

    assert 1 < tops_per_watt(cell="rram_1t1r", node_nm=32) < 30
    assert 5 < tops_per_watt(cell="sram_digital", node_nm=28, voltage_V=0.7) < 100
    assert 3 < tops_per_watt(cell="sram_analog_8t", node_nm=28, adc_bits=5) < 200


def test_refusals(technology: Technology) -> None:
    bad: tuple[tuple[dict[str, Value], str], ...] = (
        ({"voltage_V": 0.35}, r"voltage_V: 0.35 is no supply for 32 nm \(allowed: 0.397 to 1.17 V\)"),
        ({"node_nm": 20}, "node_nm: 20 is not a CMOS node with data"),
        ({"cell": "rram"}, "did you mean 'rram_1t1r'"),
        ({"adc_type": "sarr"}, "did you mean 'sar'"),
        ({"adc_bits": 0}, "adc_bits: 0 is no ADC, and analog cells need one"),
        ({"adc_type": "none"}, "is no ADC, and analog cells need one"),
    )
    for changes, message in bad:
        with pytest.raises(UserError, match=message):
            unit_costs(table(design_of(), design_of(**changes)), technology)


def test_check_voltage(technology: Technology) -> None:
    designs = table(*(design_of(voltage_V=voltage) for voltage in (0.35, 0.397, 0.9, 1.17, 1.2)))
    assert check_voltage(designs, technology).tolist() == [False, True, True, True, False]


# Names that the formulas use besides their inputs.
FORMULA_NAMES = {
    "sqrt": math.sqrt, "log2": math.log2, "log4": lambda x: math.log2(x) / 2, "ln": math.log, "max": max, "min": min,
}  # fmt: skip


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("adc_type", ["sar", "flash"])
def test_explanation_is_what_was_computed(technology: Technology, cell: str, adc_type: str) -> None:
    """Every printed formula, evaluated with the printed inputs, gives the printed value."""
    changes: dict[str, Value] = {} if cell == "sram_digital" else {"adc_type": adc_type}
    terms = explain_costs(design_of(cell=cell, dac_bits=1, **changes), technology)
    assert len(terms) > 25
    for term in terms:
        text = re.sub(r"\^", "**", term.equation)
        value = eval(text, {"__builtins__": {}}, {**FORMULA_NAMES, **term.inputs})
        assert value == close(term.value, rel=1e-12), term.name
        assert term.unit
        assert term.source
    named = {term.name: term.value for term in terms}
    costs = unit_costs(table(design_of(cell=cell, **changes)), technology)
    conversion = {"sar": "energy of a SAR converter", "flash": "energy of a flash converter"}
    if cell == "sram_digital":
        assert not set(conversion.values()) & set(named)
        assert named["one sum of an adder tree"] == action(costs, "adder_tree_sum")
    else:
        assert conversion[adc_type] in named
        assert named["energy of a conversion"] == action(costs, "adc_conversion")
    assert named["leakage"] == costs.leakage_W[0]
    assert named["one bit from the global buffer to a group"] == action(costs, "trunk")
