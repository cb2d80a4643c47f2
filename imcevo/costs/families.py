"""Registry of cell families: which function prices a macro built from which kind of bit cell.

A new kind of physics is a new module with one function registered here and a data model in
`imcevo.technology.cells`; everything outside the macro is shared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.lines import Lines
from imcevo.costs.logic import GateCosts
from imcevo.costs.scaling import Array, Supply
from imcevo.errors import unknown_name
from imcevo.technology import MemoryCell, Technology


class MacroDesigns(NamedTuple):
    """Designs whose macros are built from one bit cell ``[n_designs]``."""

    rows: Array
    cols: Array
    bits_per_cell: Array
    adc_bits: Array
    flash: NDArray[np.bool_]
    cols_per_adc: Array
    dac_bits: Array
    supply: Supply
    gate: GateCosts

    @property
    def converters(self) -> Array:
        """ADCs (adder trees of digital cells) of one macro."""
        return np.ceil(self.cols / self.cols_per_adc)


class MacroCosts(NamedTuple):
    """One macro of each design ``[n_designs]``: areas in m2, energies in J per action, times in s.

    A part that a family does not have is exactly 0. What one count of an energy is: `imcevo.costs.terms`.
    """

    cells_m2: Array
    drivers_m2: Array
    column_periphery_m2: Array
    adc_m2: Array
    adder_tree_m2: Array
    cell_read_J: Array
    cell_read_x_J: Array
    cell_read_xw_J: Array
    row_drive_J: Array
    row_drive_x_J: Array
    column_read_J: Array
    adc_conversion_J: Array
    adder_tree_sum_J: Array
    cell_write_J: Array
    row_write_J: Array
    read_s: Array  # settling in every slot of the input slice, then every column of a mux group converted or summed
    row_write_s: Array
    standby_W: Array | float = 0.0  # beyond leakage: what keeping the data takes


MacroModel = Callable[[MacroDesigns, Lines, MemoryCell, Technology], MacroCosts]
MACRO_MODELS: dict[str, MacroModel] = {}


def cell_family(name: str) -> Callable[[MacroModel], MacroModel]:
    """Register the function that prices macros of a family of bit cells."""

    def register(model: MacroModel) -> MacroModel:
        MACRO_MODELS[name] = model
        return model

    return register


def macro_model(family: str) -> MacroModel:
    """The registered function of a family.

    Raises:
        UserError: no function is registered for it.
    """
    if family not in MACRO_MODELS:
        raise unknown_name("cell family with registered costs", family, MACRO_MODELS, key="family")
    return MACRO_MODELS[family]
