"""Layers on the parts of a hybrid chip: the stated rule, on random offers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imcevo.mapping.kernel_records import LAYER_DTYPE, Records
from imcevo.mapping.placement import Offer, place_layers
from imcevo.workload.table import ELEMENTWISE, MATRIX

N_DESIGNS, N_LAYERS = 40, 12


def suite() -> Records:
    layers = np.zeros(N_LAYERS, dtype=LAYER_DTYPE)
    layers["network"] = np.arange(N_LAYERS) // 6
    layers["kind"] = np.where(np.arange(N_LAYERS) % 6 == 5, ELEMENTWISE, MATRIX)
    return layers


def offers(rng: np.random.Generator, digital_stays: bool) -> tuple[Offer, Offer]:
    made = []
    for error, stays in ((0.05, True), (0.0, digital_stays)):
        energy, latency = rng.uniform(1, 2, (2, N_DESIGNS, N_LAYERS))
        tiles = rng.integers(1, 9, (N_DESIGNS, N_LAYERS)) * stays
        made.append(Offer(energy, latency, error * rng.random((N_DESIGNS, N_LAYERS)), tiles, np.full(N_DESIGNS, 20)))
    return made[0], made[1]


def gains(layers: Records, analog: Offer, digital: Offer) -> NDArray[np.float64]:
    """E/E0 + T/T0 that the digital part costs more, layer by layer."""
    gain = np.empty((N_DESIGNS, N_LAYERS))
    for i, network in enumerate(layers["network"]):
        own = layers["network"] == network
        gain[:, i] = sum(
            (there[:, i] - here[:, i]) / np.minimum(here[:, own], there[:, own]).sum(axis=1)
            for here, there in ((analog.energy_J, digital.energy_J), (analog.latency_s, digital.latency_s))
        )
    return gain


@pytest.mark.parametrize("most", [np.inf, 0.05, 0.02])
def test_analog_tiles_get_what_pays_and_fits_and_nothing_more_would(most: float) -> None:
    layers, most_error = suite(), np.array([most, 2 * most])
    analog, digital = offers(np.random.default_rng(5), digital_stays=False)
    on_digital, gain = place_layers(layers, analog, digital, most_error), gains(layers, analog, digital)
    matrix = layers["kind"] == MATRIX
    assert not on_digital[:, ~matrix].any()
    assert on_digital[(gain < 0) & matrix].all()
    refused = 0
    for d in range(N_DESIGNS):
        here = matrix & ~on_digital[d]
        left = analog.room[d] - analog.tiles[d, here].sum()
        allowed = [most_error[n] - analog.error[d, here & (layers["network"] == n)].sum() for n in (0, 1)]
        assert left >= 0
        assert min(allowed) >= -1e-12
        for i in np.flatnonzero(on_digital[d] & (gain[d] > 0)):
            refused += 1
            assert analog.tiles[d, i] > left or analog.error[d, i] > allowed[layers["network"][i]]
    assert refused > N_DESIGNS // 2


def test_with_room_for_all_every_layer_goes_where_it_costs_less() -> None:
    layers = suite()
    analog, digital = offers(np.random.default_rng(6), digital_stays=False)
    analog = analog._replace(room=np.full(N_DESIGNS, 999))
    on_digital = place_layers(layers, analog, digital, np.full(2, np.inf))
    assert (on_digital == ((gains(layers, analog, digital) < 0) & (layers["kind"] == MATRIX))).all()


def test_of_two_layers_that_do_not_fit_together_the_one_that_gains_more_per_claim_stays() -> None:
    layers = suite()[:2]
    energy = np.array([[1.0, 1.0]])
    analog = Offer(energy, energy, np.zeros((1, 2)), np.array([[8, 6]]), np.array([10]))
    digital = Offer(1.3 * energy, energy, np.zeros((1, 2)), np.zeros((1, 2), dtype=np.int64), np.array([10]))
    assert place_layers(layers, analog, digital, np.full(1, np.inf)).tolist() == [[True, False]]
    noisy = analog._replace(error=np.array([[0.0, 0.5]]))
    assert place_layers(layers, noisy, digital, np.ones(1)).tolist() == [[False, True]]


def test_a_full_digital_part_sends_layers_back() -> None:
    layers = suite()
    analog, digital = offers(np.random.default_rng(7), digital_stays=True)
    free = place_layers(layers, analog, digital._replace(room=np.full(N_DESIGNS, 999)), np.full(2, 0.05))
    tight = place_layers(layers, analog, digital, np.full(2, 0.05))
    over = np.where(free, digital.tiles, 0).sum(axis=1) > 20
    assert over.sum() > 0
    assert (np.where(tight, digital.tiles, 0).sum(axis=1) <= 20).all()
    assert (tight[~over] == free[~over]).all()
    assert (tight <= free).all()


def test_the_layer_that_loses_least_goes_back_first() -> None:
    layers, energy, tiles = suite()[:2], np.array([[1.0, 1.0]]), np.array([[4, 4]])
    analog = Offer(energy, energy, np.zeros((1, 2)), tiles, np.array([10]))
    digital = Offer(np.array([[0.5, 0.9]]), energy, np.zeros((1, 2)), tiles, np.array([4]))
    assert place_layers(layers, analog, digital, np.ones(1)).tolist() == [[True, False]]
    noisy = analog._replace(error=np.array([[0.0, 0.9]]))
    assert place_layers(layers, noisy, digital, np.ones(1)).tolist() == [[False, True]]
