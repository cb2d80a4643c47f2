"""What sets the newer bit cells apart: low ratio, programming current, no current at all, refresh."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pytest

from imcevo.costs import gain_cell, resistive, unit_costs
from imcevo.costs.lines import lines_of
from imcevo.costs.scaling import supply_of
from imcevo.technology import GainCell, Quantity, ResistiveCell, Technology, load_technology
from tests.costs.designs import action, close, design_of, rate, table

TECHNOLOGY = load_technology()
NON_VOLATILE = ("pcm_1t1r", "fefet_1f1r", "stt_mram", "rram_1t1r")


def column_F(cell: str, rows: int) -> float:
    designs = table(design_of(cell=cell, rows=rows, bits_per_cell=1))
    supply = supply_of(designs, TECHNOLOGY)
    lines = lines_of(np.array([float(rows)]), np.array([128.0]), supply, TECHNOLOGY.cell(cell), TECHNOLOGY)
    return float(lines.column_F[0])


def test_non_volatile_cells_hold_weights_and_others_do_not() -> None:
    assert all(not TECHNOLOGY.cell(name).volatile for name in NON_VOLATILE)
    assert TECHNOLOGY.cell("edram_gain_3t").volatile
    # Wei et al., ISSCC 2019: magnetoresistance 180 %
    assert TECHNOLOGY.cell("stt_mram").on_off_ratio == close(2.8, rel=1e-3)
    assert TECHNOLOGY.cell("stt_mram").max_bits_per_cell == 1


def test_phase_change_cells_are_programmed_at_their_current() -> None:
    # 2 V, 200 uA, 100 ns: 40 pJ and the column's charge; ten pulses for more than one bit
    load = 4 * column_F("pcm_1t1r", 128)
    costs = unit_costs(table(*(design_of(cell="pcm_1t1r", bits_per_cell=bits) for bits in (1, 2))), TECHNOLOGY)
    assert action(costs, "cell_write", 0) == close(40e-12 + load)
    assert action(costs, "cell_write", 1) == close(10 * (40e-12 + load))
    assert rate(costs, "row_write_s", 0) > 100e-9


def test_ferroelectric_cells_take_no_current() -> None:
    costs = unit_costs(table(design_of(cell="fefet_1f1r", bits_per_cell=1)), TECHNOLOGY)
    assert action(costs, "cell_write") == close(4.2**2 * column_F("fefet_1f1r", 128))
    assert resistive.driven_programming_energy(1.0, 2.0, 1e-4, 1e-7, 0.0) == close(20e-12)


def test_low_resistance_costs_energy_whatever_is_stored() -> None:
    """A junction that stores 0 conducts a third of one that stores 1: there is little to save by storing zeros."""
    mram, rram = (
        unit_costs(table(design_of(cell=cell, bits_per_cell=1)), TECHNOLOGY) for cell in ("stt_mram", "rram_1t1r")
    )
    assert action(mram, "cell_read_x") > 0.4 * action(mram, "cell_read_xw")
    assert action(rram, "cell_read_x") < 0.02 * action(rram, "cell_read_xw")


def test_refresh_equations() -> None:
    assert gain_cell.refresh_power(100.0, 50.0, 1e-15, 10e-15, 1e-4) == close(100 * 70e-15 / 1e-4)
    assert gain_cell.refreshed_read_time(10e-9, 100.0, 1e-9, 1e-6) == close(12e-9)


def test_refresh_is_standing_power_and_time() -> None:
    # 256 macros of 128 x 128
    designs = table(*(design_of(cell=cell, bits_per_cell=1) for cell in ("edram_gain_3t", "sram_analog_8t")))
    costs = unit_costs(designs, TECHNOLOGY)
    refresh = 256 * 128 * (128 * action(costs, "cell_write", 0) + 2 * action(costs, "row_write", 0)) / 77e-6
    leakless = unit_costs(designs, lasting(1e9))
    assert costs.leakage_W[0] - leakless.leakage_W[0] == close(refresh, rel=1e-6)
    assert costs.leakage_W[1] == leakless.leakage_W[1]
    assert rate(costs, "input_cycle_s", 0) > rate(leakless, "input_cycle_s", 0)


def lasting(factor: float) -> Technology:
    """The technology with gain cells that keep their data `factor` times as long."""
    cell = TECHNOLOGY.cell("edram_gain_3t")
    assert isinstance(cell, GainCell)
    longer = Quantity(value=cell.retention.value * factor, unit=cell.retention.unit, source="given")
    cells = {**TECHNOLOGY.cells, "edram_gain_3t": cell.model_copy(update={"retention": longer})}
    return dataclasses.replace(TECHNOLOGY, cells=MappingProxyType(cells))


def test_refresh_power_against_a_measured_macro() -> None:
    """65 nm, 1.0 V, 1.25 ms, 64 kb arrays: 91.3 uW per Mb (Chun et al., JSSC 46 (2011) 1495).

    Its read lines hardly swing, ours swing fully: the model must lie above, by no more than three.
    """
    design = design_of(
        cell="edram_gain_3t", bits_per_cell=1, node_nm=65, voltage_V=1.0, rows=256, cols=256, macros_per_tile=1,
        tiles_per_group=16, router_groups=1,
    )  # fmt: skip
    as_long, forever = (unit_costs(table(design), lasting(factor)).leakage_W[0] for factor in (1250 / 77, 1e9))
    assert 1 < (as_long - forever) / 91.3e-6 < 3


@pytest.mark.parametrize("name", sorted(TECHNOLOGY.cells))
def test_every_cell_has_prices_at_every_node(name: str) -> None:
    cell = TECHNOLOGY.cell(name)
    adc = {"adc_type": "sar", "adc_bits": 6} if cell.has_adc else {"adc_type": "none", "adc_bits": 0}
    designs = [
        design_of(cell=name, bits_per_cell=1, node_nm=nm, voltage_V=node.nominal_voltage.si, **adc)
        for nm, node in TECHNOLOGY.nodes.items()
    ]
    costs = unit_costs(table(*designs), TECHNOLOGY)
    for array in costs:
        assert np.isfinite(array).all()
        assert (array >= 0).all()
    assert (costs.rates > 0).all()
    if isinstance(cell, ResistiveCell):
        assert cell.off_resistance.si > cell.on_resistance.si
