"""Slices recombine to the values they were cut from."""

import numpy as np
import pytest

from imcevo.accuracy.slicing import Slicing
from imcevo.errors import UserError
from tests.accuracy.cases import SLICINGS


@pytest.mark.parametrize("cut", SLICINGS, ids=str)
def test_slices_recombine(cut):
    codes = np.arange(2**cut.input_bits)
    half = 2 ** (cut.weight_bits - 1)
    weights = np.arange(1 - half if cut.coding == "differential" else -half, half)
    x, u = cut.slice_inputs(codes), cut.slice_weights(weights)
    assert (cut.input_significance @ x == codes).all()
    assert (cut.weight_significance @ u - cut.weight_offset == weights).all()
    assert x.max() <= cut.largest_input
    assert u.max() <= cut.largest_cell


def test_the_sign_has_a_slice_of_its_own_under_twos_complement():
    cut = Slicing(8, 8, bits_per_cell=2, coding="twos_complement")
    assert cut.weight_significance.tolist() == [1, 4, 16, 64, -128]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"coding": "gray"}, "coding"), ({"weight_bits": 1, "coding": "differential"}, "weight_bits"),
        ({"dac_bits": 0}, "dac_bits"),
    ],
)
def test_bad_slicings_are_named(change, word):
    with pytest.raises(UserError, match=word):
        Slicing(**{"input_bits": 8, "weight_bits": 8, **change})


def test_values_out_of_range_are_refused():
    cut = Slicing(4, 4, coding="differential")
    with pytest.raises(UserError, match="inputs"):
        cut.slice_inputs(np.array([16]))
    with pytest.raises(UserError, match="weights"):
        cut.slice_weights(np.array([-8]))
