"""How a design reads columns: active rows, converter, and what is not ideal about its cells and wires."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imcevo.errors import UserError

BOLTZMANN_J_PER_K = 1.380649e-23  # exact since the SI of 2019

READOUT_DTYPE = np.dtype([
    ("rows_active", np.float64), ("folds", np.float64), ("adc_bits", np.int64), ("calibrated", np.int64),
    ("cell_variation", np.float64), ("thermal_noise", np.float64), ("sampling_noise", np.float64),
    ("on_off_ratio", np.float64), ("wire_ratio", np.float64),
])  # fmt: skip
_RANGES = {
    "rows_active": (1, 2**20), "folds": (1, 2**20), "adc_bits": (1, 24), "calibrated": (0, 1),
    "cell_variation": (0, 10), "thermal_noise": (0, 1e6), "sampling_noise": (0, 100), "on_off_ratio": (1 + 1e-9, inf),
    "wire_ratio": (0, 1),
}  # fmt: skip


def readout_table(
    *, rows_active: ArrayLike, folds: ArrayLike, adc_bits: ArrayLike, calibrated: ArrayLike,
    cell_variation: ArrayLike = 0.0, thermal_noise: ArrayLike = 0.0, sampling_noise: ArrayLike = 0.0,
    on_off_ratio: ArrayLike = inf, wire_ratio: ArrayLike = 0.0,
) -> NDArray[np.void]:  # fmt: skip
    """Readouts ``[n_readouts]`` of `READOUT_DTYPE`; arguments are numbers or ``[n_readouts]``.

    Args:
        rows_active: rows read at once: what the converter's full scale is made for.
        folds: pieces the reduction falls into; each reads K / folds rows.
        adc_bits: resolution.
        calibrated: 1: the range follows the column's statistics; 0: it holds every sum that `rows_active` can give.
        cell_variation: standard deviation of a cell's conductance over its value, fixed when it is programmed.
        thermal_noise: standard deviation of one conversion, levels.
        sampling_noise: the same in converter steps, the range over 2^B: the swing is scaled to the range, so kT/C of
            the sampling capacitor is a fixed part of a step. Both kinds add up.
        on_off_ratio: largest over smallest conductance; the smallest one's part is subtracted digitally.
        wire_ratio: resistance of the wire of one cell over the resistance of the most conducting cell.

    Raises:
        UserError: a value out of range.
    """
    given = {
        "rows_active": rows_active, "folds": folds, "adc_bits": adc_bits, "calibrated": calibrated,
        "cell_variation": cell_variation, "thermal_noise": thermal_noise, "sampling_noise": sampling_noise,
        "on_off_ratio": on_off_ratio, "wire_ratio": wire_ratio,
    }  # fmt: skip
    columns = dict(zip(given, np.broadcast_arrays(*map(np.atleast_1d, given.values())), strict=True))
    table = np.empty(len(columns["folds"]), dtype=READOUT_DTYPE)
    for key, (low, high) in _RANGES.items():
        wrong = ~((columns[key] >= low) & (columns[key] <= high))
        if wrong.any():
            value = columns[key][wrong][0].item()
            raise UserError("is out of range", key=key, value=value, allowed=f"{low:g} to {high:g}")
        table[key] = columns[key]
    return table


def capacitive_noise(rows: float, unit_capacitance_F: float, voltage_V: float, temperature_K: float = 300.0) -> float:
    """kT/C noise of a charge-domain column of `rows` unit capacitors, in levels.

    sqrt(kT/(rows C_u)) volts over V/rows volts per level.
    """
    return sqrt(BOLTZMANN_J_PER_K * temperature_K * rows / unit_capacitance_F) / voltage_V
