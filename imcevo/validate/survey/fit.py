"""Scales of the physical profile fitted to measured chips, and the regression that physics has to beat."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from imcevo.technology import Technology
from imcevo.validate.survey.data import CELLS, Survey
from imcevo.validate.survey.model import SCALES, Prediction, predict

# Errors beyond exp(.5) count linearly: chips with unreported sparsity must not decide.
_ROBUST_FROM = 0.5
# A scale of e costs as much as an error of exp(.4) on one chip: sourced circuits are trusted until chips disagree.
_TRUST_IN_SOURCES = 0.4


class ScaleFit:
    """The model's energies as a linear function of the scales, so that a fit needs no further simulation.

    Args:
        survey: the measured points.
        technology: from `survey_technology`.
    """

    def __init__(self, survey: Survey, technology: Technology) -> None:
        self.survey = survey
        unscaled = technology.uncalibrated()
        self._at_one = predict(survey, unscaled)
        slopes = [
            predict(survey, unscaled.with_scales(**{name: 2.0})).energy_J - self._at_one.energy_J
            for name in SCALES
        ]
        self._terms = np.stack(slopes, axis=1)
        self._rest = self._at_one.energy_J - self._terms.sum(axis=1)

    def fit(self, chosen: NDArray[np.bool_]) -> dict[str, float]:
        """All scales, from the `chosen` points ``[n_points]``; every chip counts once, however many points it has.

        Least squares of logarithms with a soft-L1 loss, drawn towards 1.
        """
        _, chip, points = np.unique(self.survey["chip"][chosen], return_inverse=True, return_counts=True)
        weight = 1.0 / np.sqrt(points[chip])
        rest, terms = self._rest[chosen], self._terms[chosen]
        measured_J = self.survey.energy_per_step_J[chosen]

        def residuals(logs: NDArray[np.float64]) -> NDArray[np.float64]:
            errors = weight * np.log((rest + terms @ np.exp(logs)) / measured_J)
            return np.concatenate([_soft(errors), _TRUST_IN_SOURCES * logs])

        logs = least_squares(residuals, np.zeros(len(SCALES)), xtol=1e-12, ftol=1e-12, gtol=1e-12).x
        return dict(zip(SCALES, np.exp(logs).tolist(), strict=True))

    def predict(self, scales: dict[str, float]) -> Prediction:
        """The model with other scales, the same as simulating again."""
        energy = self._rest + self._terms @ np.array([scales[name] for name in SCALES])
        return self._at_one._replace(energy_J=energy)

    def without_own_chip(self) -> Prediction:
        """Every point predicted with scales that were fitted without its chip."""
        energy = np.empty(len(self.survey))
        for held_out in chips_held_out(self.survey):
            energy[held_out] = self.predict(self.fit(~held_out)).energy_J[held_out]
        return self._at_one._replace(energy_J=energy)


def chips_held_out(survey: Survey) -> Iterator[NDArray[np.bool_]]:
    """The points of each chip in turn ``[n_points]``."""
    for chip in np.unique(survey["chip"]):
        yield survey["chip"] == chip


def regression_energy(fitted: Survey, predicted: Survey) -> NDArray[np.float64]:
    """Energy per 1-bit operation of `predicted` by a log-linear regression on `fitted`, joules ``[n_points]``.

    Regressors: a constant per compute model (QS-QR with QS; resistive apart), the logarithms of node, supply, length
    of the dot product, input bits and weight bits, and the ADC bits. Least squares with a small ridge against
    compute models that `fitted` does not have.
    """
    design, target = _regressors(fitted), np.log(fitted["energy_per_one_bit_op_fJ"] * 1e-15)
    centre = target.mean()
    ridge = 1e-3 * np.eye(design.shape[1])
    slopes = np.linalg.solve(design.T @ design + ridge, design.T @ (target - centre))
    return np.asarray(np.exp(_regressors(predicted) @ slopes + centre))


def _regressors(survey: Survey) -> NDArray[np.float64]:
    families = sorted({*CELLS.values(), "rram_1t1r"})
    cell = np.where(survey.cell == "flash_nor", "rram_1t1r", survey.cell)
    logs = ("node_nm", "voltage_V", "dot_product_length", "input_bits_per_step", "weight_bits_per_step")
    return np.stack(
        [(cell == family).astype(float) for family in families]
        + [np.log(survey[name]) for name in logs]
        + [np.where(cell == "sram_digital", 0.0, np.nan_to_num(survey["adc_bits"]))],
        axis=1,
    )


def _soft(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Residuals whose squares are the soft-L1 loss."""
    ratio = errors / _ROBUST_FROM
    return np.asarray(np.sign(errors) * _ROBUST_FROM * np.sqrt(2 * (np.sqrt(1 + ratio**2) - 1)))
