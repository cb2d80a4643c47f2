"""Non-negative fits of unit costs."""

import numpy as np
import pytest

from imcevo.calibrate import fit_unit_costs
from imcevo.errors import UserError

NAMES = ["a_J", "b_J", "c_J"]


def points(noise=0.0, n=200):
    rng = np.random.default_rng(3)
    terms = rng.random((n, 3)) * [1e9, 1e3, 1.0]
    reference = terms @ [2e-12, 3e-6, 0.0] * (1 + noise * rng.standard_normal(n))
    return terms, reference, np.repeat(np.arange(n // 4), 4)


def test_exact_costs_are_found_whatever_their_magnitude():
    fit = fit_unit_costs(NAMES, *points())
    assert fit.unit_costs == pytest.approx({"a_J": 2e-12, "b_J": 3e-6, "c_J": 0.0}, rel=1e-9, abs=1e-12)
    assert np.abs(fit.held_out_errors).max() < 1e-9
    assert sum(fit.shares.values()) == pytest.approx(1)


def test_costs_are_never_negative():
    terms, reference, groups = points()
    fit = fit_unit_costs(NAMES, terms, reference - 0.02 * reference.min() * terms[:, 2], groups)
    assert fit.unit_costs["c_J"] == 0


def test_held_out_error_is_that_of_groups_not_seen():
    """Points of a group share an error that no term explains: only holding whole groups out shows it."""
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(25), 8)
    own = np.eye(25)[groups] * (1 + 0.5 * rng.random(25))
    fit = fit_unit_costs([f"t{i}" for i in range(25)], own, np.ones(200), groups)
    assert np.abs(fit.errors).max() < 1e-9
    assert np.abs(fit.held_out_errors).min() == pytest.approx(1)


def test_known_parts_are_not_fitted():
    terms, reference, groups = points()
    known = 0.3 * reference
    fit = fit_unit_costs(NAMES, terms, reference + known, groups, known=known)
    assert fit.unit_costs["a_J"] == pytest.approx(2e-12)


@pytest.mark.parametrize(
    ("n", "change", "message"),
    [(2, 1.0, "cannot determine"), (20, 1.0, "designs are too few"), (80, -1.0, "not positive")],
)
def test_what_cannot_be_fitted_is_refused(n, change, message):
    terms, reference, groups = (part[:n] for part in points())
    with pytest.raises(UserError, match=message):
        fit_unit_costs(NAMES, terms, change * reference, groups)
