"""Designs for the tests of the cost model."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.costs import UnitCosts
from imcevo.costs.terms import ACTIONS, AREA_COMPONENTS, RATES
from imcevo.hardware import DesignTable, Value, table_of

BASE: dict[str, Value] = {
    "cell": "rram_1t1r", "node_nm": 32, "voltage_V": 0.9, "bits_per_cell": 2, "rows": 128, "cols": 128,
    "adc_type": "sar", "adc_bits": 8, "cols_per_adc": 8, "dac_bits": 1, "macros_per_tile": 8, "tiles_per_group": 8,
    "router_groups": 4, "input_buffer_B": 8192, "output_buffer_B": 8192, "glb_depth": 4096, "dram": "lpddr4",
    "digital_lanes": 64,
}  # fmt: skip
CELLS: dict[str, dict[str, Value]] = {
    "rram_1t1r": {},
    "flash_nor": {},
    "sram_analog_8t": {"bits_per_cell": 1},
    "sram_charge_10t1c": {"bits_per_cell": 1},
    "sram_current_12t": {"bits_per_cell": 1},
    "sram_digital": {"bits_per_cell": 1, "adc_type": "none", "adc_bits": 0},
}


def design_of(**changes: Value) -> dict[str, Value]:
    """The base design of a cell with some values changed."""
    cell = str(changes.get("cell", BASE["cell"]))
    return {**BASE, **CELLS.get(cell, {}), **changes}


def table(*designs: dict[str, Value]) -> DesignTable:
    return table_of(designs)


def random_designs(n: int, seed: int) -> list[dict[str, Value]]:
    """Designs of all cells, nodes, ADC types and sizes."""
    rng = np.random.default_rng(seed)

    def pick(*values: Value) -> Value:
        return values[int(rng.integers(len(values)))]

    designs = []
    for _ in range(n):
        cell = str(pick(*CELLS))
        design = design_of(
            cell=cell, node_nm=pick(130, 90, 65, 45, 32, 28, 22, 16, 14, 10, 7), voltage_V=pick(0.5, 0.7, 0.9),
            rows=pick(16, 64, 128, 512), cols=pick(16, 100, 256), cols_per_adc=pick(1, 8, 16),
            macros_per_tile=pick(1, 8, 32), tiles_per_group=pick(1, 4, 16), router_groups=pick(1, 2, 9, 16),
            input_buffer_B=pick(64, 4096, 2**20), glb_depth=pick(512, 4096, 65536), dram=pick("lpddr4", "hbm2"),
            digital_lanes=pick(1, 256),
        )  # fmt: skip
        if cell != "sram_digital":
            design |= {"adc_type": pick("sar", "flash"), "adc_bits": pick(1, 4, 8, 10), "dac_bits": pick(1, 2, 4)}
        if cell == "rram_1t1r":
            design["bits_per_cell"] = pick(1, 2, 4)
        designs.append(design)
    return designs


def action(costs: UnitCosts, name: str, design: int = 0) -> float:
    return float(costs.energy_J[design, ACTIONS.index(name)])


def area(costs: UnitCosts, name: str, design: int = 0) -> float:
    return float(costs.area_m2[design, AREA_COMPONENTS.index(name)])


def rate(costs: UnitCosts, name: str, design: int = 0) -> float:
    return float(costs.rates[design, RATES.index(name)])


def close(value: object, rel: float = 1e-6) -> object:
    """`pytest.approx` without its absolute tolerance, which at 1e-12 accepts any femtojoule or picosecond."""
    return pytest.approx(value, rel=rel, abs=0)
