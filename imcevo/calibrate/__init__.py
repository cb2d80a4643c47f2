"""Calibration: unit costs fitted to reference figures, with the held-out error beside."""

from imcevo.calibrate.fit import Calibration, fit_unit_costs

__all__ = ["Calibration", "fit_unit_costs"]
