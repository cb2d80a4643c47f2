"""What cell, node or array forbid, and what it becomes: the rules that parameters name in their declaration.

A rule gives the allowed values ``[n_designs]`` nearest to the designs' own; it reads the keys that its parameter lists,
which no rule changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.technology import Technology

Values = NDArray[Any]
Designs = Any  # `DesignTable`, whose columns are declared by the parameters that these rules belong to

NO_ADC, DEFAULT_ADC = "none", "sar"
FULL_SCALE, CALIBRATED = ADC_RANGES = ("full_scale", "calibrated")


class Forbidden(NamedTuple):
    """What forbids values of a parameter.

    Attributes:
        reads: the other keys that the rule depends on.
        rule: designs, technology -> allowed values ``[n_designs]``.
        reason: in words, for the designer whose value was changed.
        names: that the rule may set although the design space does not list them.
    """

    reads: tuple[str, ...]
    rule: Callable[[Designs, Technology], Values]
    reason: str
    names: tuple[str, ...] = ()


def has_adc(designs: Designs, technology: Technology) -> NDArray[np.bool_]:
    """Whether the cell's columns are converted ``[n_designs]``."""
    return np.asarray(designs.looked_up("cell", lambda name: technology.cell(name).has_adc))


def rows_active(designs: Designs, technology: Technology) -> Values:
    fewest = np.minimum(designs["rows_active"], designs["rows"])
    return np.where(has_adc(designs, technology), fewest, designs["rows"])


def bits_per_cell(designs: Designs, technology: Technology) -> Values:
    most = designs.looked_up("cell", lambda name: technology.cell(name).max_bits_per_cell)
    return np.minimum(designs["bits_per_cell"], most)


def dac_bits(designs: Designs, technology: Technology) -> Values:
    most = designs.looked_up("cell", lambda name: technology.cell(name).max_dac_bits)
    return np.minimum(designs["dac_bits"], most)


def adc_type(designs: Designs, technology: Technology) -> Values:
    none, default = (designs.names["adc_type"].index(name) for name in (NO_ADC, DEFAULT_ADC))
    some = np.where(designs["adc_type"] == none, default, designs["adc_type"])
    return np.where(has_adc(designs, technology), some, none)


def adc_bits(designs: Designs, technology: Technology) -> Values:
    return np.where(has_adc(designs, technology), np.maximum(designs["adc_bits"], 1), 0)


def adc_range(designs: Designs, technology: Technology) -> Values:
    full = designs.names["adc_range"].index(FULL_SCALE)
    return np.where(has_adc(designs, technology), designs["adc_range"], full)


def cols_per_adc(designs: Designs, technology: Technology) -> Values:
    return np.minimum(designs["cols_per_adc"], designs["cols"])


def voltage(designs: Designs, technology: Technology) -> Values:
    nodes, index = np.unique(designs["node_nm"], return_inverse=True)
    ranges = np.array([technology.node(int(node)).voltage_range_V for node in nodes]).reshape(-1, 2)
    return np.clip(designs["voltage_V"], ranges[index, 0], ranges[index, 1])
