"""Designs grouped by bit cell, priced group by group, and put back in their order."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

# Importing a family's module registers it.
from imcevo.costs import gain_cell, resistive, sram_analog, sram_charge, sram_current, sram_digital  # noqa: F401
from imcevo.costs.adc import ADC_TYPES
from imcevo.costs.families import MacroCosts, MacroDesigns, macro_model
from imcevo.costs.lines import lines_of
from imcevo.costs.logic import GateCosts
from imcevo.costs.scaling import Array, Supply, check_voltage
from imcevo.errors import UserError, unknown_name
from imcevo.hardware import DesignTable
from imcevo.hardware.forbidden import NO_ADC
from imcevo.technology import Technology

RecordT = TypeVar("RecordT", bound=tuple[Any, ...])


def macros_of(
    designs: DesignTable, supply: Supply, gate: GateCosts, technology: Technology
) -> tuple[MacroCosts, Array]:
    """One macro of every design, and the leakage current of one of its cells ``[n_designs]``.

    Args:
        designs: those of equal cells side by side.
    """
    every = MacroDesigns(
        rows=designs.real("rows"), cols=designs.real("cols"), bits_per_cell=designs.real("bits_per_cell"),
        adc_bits=designs.real("adc_bits"), flash=designs["adc_type"] == _code(designs, "flash"),
        cols_per_adc=designs.real("cols_per_adc"), dac_bits=designs.real("dac_bits"), supply=supply, gate=gate,
    )  # fmt: skip
    priced = np.empty((len(MacroCosts._fields), designs.n_designs))
    leakage = np.empty(designs.n_designs)
    codes = designs["cell"]
    bounds = [0, *(np.flatnonzero(codes[1:] != codes[:-1]) + 1), designs.n_designs]
    for first, end in pairwise(bounds):
        cell = technology.cell(designs.names["cell"][codes[first]])
        own = slice(first, end)
        group = _take(every, own)
        lines = lines_of(group.rows, group.cols, group.supply, cell, technology)
        for row, part in zip(priced, macro_model(cell.family)(group, lines, cell, technology), strict=True):
            row[own] = part
        leakage[own] = cell.leakage.si
    return MacroCosts(*priced), leakage


def check_designs(designs: DesignTable, technology: Technology) -> None:
    """Refuse designs that have no price.

    Raises:
        UserError: a node, cell or ADC type without data, a supply that the node forbids, or an analog cell without
            ADC.
    """
    allowed = check_voltage(designs, technology)
    if not allowed.all():
        first = int(np.flatnonzero(~allowed)[0])
        node, voltage = int(designs["node_nm"][first]), float(designs["voltage_V"][first])
        low, high = technology.node(node).voltage_range_V
        problem = f"is no supply for {node} nm"
        raise UserError(problem, key="voltage_V", value=voltage, allowed=f"{low:g} to {high:g} V")
    known = (*ADC_TYPES, NO_ADC)
    for code in designs.codes("adc_type"):
        name = designs.names["adc_type"][code]
        if name not in known:
            raise unknown_name("ADC type", name, known, key="adc_type")
    has_adc = np.zeros(designs.n_designs, dtype=bool)
    for code in designs.codes("cell"):
        has_adc |= (designs["cell"] == code) & technology.cell(designs.names["cell"][code]).has_adc
    missing = has_adc & ((designs["adc_bits"] < 1) | (designs["adc_type"] == _code(designs, NO_ADC)))
    if missing.any():
        bits = int(designs["adc_bits"][missing][0])
        needed = f"1 bit or more of type {' or '.join(ADC_TYPES)}"
        raise UserError("is no ADC, and analog cells need one", key="adc_bits", value=bits, allowed=needed)


def _take(record: RecordT, index: slice) -> RecordT:
    """The designs at `index` of a (nested) NamedTuple of arrays."""
    fields = (_take(value, index) if isinstance(value, tuple) else value[index] for value in record)
    return type(record)(*fields)


def _code(designs: DesignTable, adc_type: str) -> int:
    names = designs.names["adc_type"]
    return names.index(adc_type) if adc_type in names else -1
