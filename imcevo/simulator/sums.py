"""What counts of actions and rows amount to: joules by component, ADC bits short."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.costs import UnitCosts
from imcevo.costs.terms import COMPONENT_OF_ACTION, ENERGY_COMPONENTS
from imcevo.hardware import DesignTable
from imcevo.portable.arrays import log2


def missing_adc_bits(designs: DesignTable, rows_summed: NDArray[np.int64]) -> NDArray[np.float64]:
    """ADC bits short of a lossless conversion ``[n_designs]``; 0 without an ADC.

    A column sums up to rows_summed * (2^b - 1) * (2^d - 1) levels at b bits per cell and d DAC bits; full-scale
    conversion loses nothing with 2^B >= levels + 1.
    """
    levels = rows_summed * (np.ldexp(1.0, designs["bits_per_cell"]) - 1) * (np.ldexp(1.0, designs["dac_bits"]) - 1)
    return np.where(designs["adc_bits"] > 0, np.ceil(log2(levels + 1)) - designs["adc_bits"], 0.0)


def energy_by_component(
    counts: NDArray[np.float64], costs: UnitCosts, seconds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Joules ``[n_designs, n_rows, n_energy_components]`` with leakage over `seconds` as the last component."""
    by_action = counts * costs.energy_J[:, None, :]
    energy = np.zeros((*by_action.shape[:2], len(ENERGY_COMPONENTS)))
    for action, component in enumerate(COMPONENT_OF_ACTION):
        energy[:, :, component] += by_action[:, :, action]
    energy[:, :, -1] = costs.leakage_W[:, None] * seconds
    return energy
