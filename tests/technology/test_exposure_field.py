from __future__ import annotations

import pytest

from imcevo.technology.exposure_field import exposure_field_m2, too_large_for_one_die


def test_the_field_is_26_by_33_mm():
    assert exposure_field_m2() == pytest.approx(26e-3 * 33e-3)


def test_chips_that_one_exposure_prints_need_no_warning():
    assert too_large_for_one_die([1e-6, exposure_field_m2()]) is None
    assert too_large_for_one_die(exposure_field_m2()) is None


def test_larger_ones_are_counted_and_the_largest_is_named():
    assert too_large_for_one_die(4350e-6) == (
        "the chip's 4,350 mm2 are more than one exposure field (858 mm2): no single die"
    )
    told = too_large_for_one_die([1e-4, 900e-6, 4350e-6])
    assert told is not None
    assert told.startswith("2 of 3 designs are larger than one exposure field (858 mm2), up to 4,350 mm2")
