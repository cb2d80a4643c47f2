"""Calibration of the physical profile: its scales fitted to measured chips."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from imcevo.technology import load_technology
from imcevo.validate.survey.compare import compare_points, figures_of
from imcevo.validate.survey.data import Survey
from imcevo.validate.survey.fit import ScaleFit, chips_held_out
from imcevo.validate.survey.model import above_threshold, survey_technology

DIGITS = 3


class SurveyCalibration(NamedTuple):
    """Fitted scales of `imcevo.technology.Calibration`.

    Attributes:
        scales: name -> value, rounded to `DIGITS` significant digits.
        spread: name -> smallest and largest value when one chip is left out.
        fitted, held_out: figures of merit on the fitted points, and with every chip predicted without itself.
    """

    scales: dict[str, float]
    spread: dict[str, tuple[float, float]]
    fitted: dict[str, float | None]
    held_out: dict[str, float | None]


def calibrate_survey(survey: Survey) -> SurveyCalibration:
    """Fit the scales of the physical profile to the energies of measured chips (`ScaleFit.fit`)."""
    technology = load_technology()
    survey = above_threshold(survey, technology)
    fit = ScaleFit(survey, survey_technology(survey, technology))
    scales = fit.fit(np.ones(len(survey), dtype=bool))
    others = [fit.fit(~held_out) for held_out in chips_held_out(survey)]
    return SurveyCalibration(
        {name: float(f"{value:.{DIGITS}g}") for name, value in scales.items()},
        {name: (min(o[name] for o in others), max(o[name] for o in others)) for name in scales},
        figures_of(compare_points(survey, fit.predict(scales))),
        figures_of(compare_points(survey, fit.without_own_chip())),
    )
