"""Values that a bit cell or a node forbids, and what they are changed to: visible, never punished silently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.hardware import Design, DesignTable, table_of
from imcevo.simulator.results import Repair
from imcevo.technology import Technology

NO_ADC = "none"
FULL_SCALE, CALIBRATED = ADC_RANGES = ("full_scale", "calibrated")
_DEFAULT_ADC = "sar"

# What the repaired value of a key depends on beside itself; none of these is ever changed.
READS = {
    "rows_active": ("cell", "rows"), "bits_per_cell": ("cell",), "dac_bits": ("cell",), "adc_type": ("cell",),
    "adc_bits": ("cell",), "adc_range": ("cell",), "cols_per_adc": ("cols",), "voltage_V": ("node_nm",),
}  # fmt: skip

_REASONS = {
    "rows_active": "the array has fewer rows; an adder tree sums all of them",
    "bits_per_cell": "the cell stores fewer bits",
    "dac_bits": "the cell takes fewer input bits at once",
    "adc_type": "digital cells have no ADC; analog cells need one",
    "adc_bits": "digital cells have no ADC; analog cells need at least 1 bit",
    "adc_range": "digital cells have no ADC",
    "cols_per_adc": "the array has fewer columns",
    "voltage_V": "outside the node's supply range",
}


def repair_designs(designs: DesignTable, technology: Technology) -> DesignTable:
    """Designs with forbidden values replaced by the nearest allowed ones; idempotent."""
    has_adc = designs.looked_up("cell", lambda name: technology.cell(name).has_adc)
    most_bits = designs.looked_up("cell", lambda name: technology.cell(name).max_bits_per_cell)
    most_dac_bits = designs.looked_up("cell", lambda name: technology.cell(name).max_dac_bits)
    adc_names = tuple(dict.fromkeys((*designs.names["adc_type"], NO_ADC, _DEFAULT_ADC)))
    no_adc, default_adc = adc_names.index(NO_ADC), adc_names.index(_DEFAULT_ADC)
    adc_type = np.where(designs["adc_type"] == no_adc, default_adc, designs["adc_type"])
    range_names = tuple(dict.fromkeys((*designs.names["adc_range"], FULL_SCALE)))
    lowest, highest = _supply_range(designs["node_nm"], technology)
    repaired = designs.replace(
        rows_active=np.where(has_adc, np.minimum(designs["rows_active"], designs["rows"]), designs["rows"]),
        bits_per_cell=np.minimum(designs["bits_per_cell"], most_bits),
        dac_bits=np.minimum(designs["dac_bits"], most_dac_bits),
        adc_type=np.where(has_adc, adc_type, no_adc),
        adc_range=np.where(has_adc, designs["adc_range"], range_names.index(FULL_SCALE)),
        adc_bits=np.where(has_adc, np.maximum(designs["adc_bits"], 1), 0),
        cols_per_adc=np.minimum(designs["cols_per_adc"], designs["cols"]),
        voltage_V=np.clip(designs["voltage_V"], lowest, highest),
    )
    return DesignTable(repaired.columns, {**designs.names, "adc_type": adc_names, "adc_range": range_names})


def _supply_range(node_nm: NDArray[Any], technology: Technology) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, index = np.unique(node_nm, return_inverse=True)
    ranges = np.array([technology.node(int(node)).voltage_range_V for node in nodes]).reshape(-1, 2)
    return ranges[index, 0], ranges[index, 1]


def repairs_of(design: Design, technology: Technology) -> Sequence[Repair]:
    """What `repair_designs` changes in one design, with the reason."""
    used = repair_designs(table_of([design]), technology).design(0)
    return [
        Repair(key, design[key], used[key], reason) for key, reason in _REASONS.items() if used[key] != design[key]
    ]
