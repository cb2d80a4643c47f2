"""Refits of the published profile to the shipped sample."""

import numpy as np
import pytest

from imcevo.calibrate.published import calibrate_published
from imcevo.calibrate.published_areas import decompose_areas
from imcevo.errors import UserError
from imcevo.validate.published.points import sample_points


def test_refit_finds_the_shipped_unit_costs_and_holds_designs_out():
    result = calibrate_published(sample_points(), "rram", 32)
    assert np.median(np.abs(result.energy.held_out_errors)) <= 0.01
    assert np.quantile(np.abs(result.energy.held_out_errors), 0.95) <= 0.04
    assert result.energy.unit_costs["cell_read_xw_J"] == pytest.approx(2.556e-12, rel=0.02)
    assert result.left_out == 0


def test_refit_of_what_is_not_there_is_refused():
    with pytest.raises(UserError, match="no points of rram at 7 nm"):
        calibrate_published(sample_points(), "rram", 7)


def test_areas_decompose_exactly_and_predict_other_points():
    points = sample_points().of("sram", 32)
    tables = decompose_areas(points)
    assert tables.predict(points) == pytest.approx(points.area_m2, rel=1e-8)
    half = np.arange(len(points)) % 2 == 0
    errors = decompose_areas(points.take(half)).predict(points.take(~half)) / points.area_m2[~half] - 1
    known = ~np.isnan(errors)
    assert known.mean() > 0.5
    assert np.median(np.abs(errors[known])) < 1e-3
