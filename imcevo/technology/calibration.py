"""The few scales that measured chips put on the sourced circuit models."""

from __future__ import annotations

from imcevo.config import StrictModel
from imcevo.technology import quantity as q


class Calibration(StrictModel):
    """Scales of the physical profile; each enters one equation, which `--explain` shows with its value.

    Attributes:
        charge_energy: charge of a cell's share of a bit line, or of its capacitor (analog and charge SRAM).
        current_energy: current through a cell while it is sensed (current-summing SRAM).
        resistive_energy: the same through a resistive cell.
        digital_energy: adder trees.
        adc_energy: conversions.
    """

    charge_energy: q.Number
    current_energy: q.Number
    resistive_energy: q.Number
    digital_energy: q.Number
    adc_energy: q.Number
