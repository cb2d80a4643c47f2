"""Constraints: bounds, their scale, and contradictions."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.problem.constraints import build_constraints
from imcevo.simulator.results import Metrics

NETWORKS = ("a", "b")
METRICS = Metrics(
    energy_J=np.array([[1.0, 4.0], [2.0, 8.0]]),
    latency_s=np.array([[2.0, 1.0], [0.5, 2.0]]),
    area_m2=np.array([10.0, 100.0]),
    shortfalls={"capacity_bits": np.array([-5.0, 1e6]), "adc_bits": np.array([3.0, 4.0])},
    cost=np.array([20.0, 50.0]),
    spacing_s=np.array([[1.0, 1.0], [0.5, 0.25]]),
    macs=np.array([1e12, 2e12]),
)


def build(given, required=("capacity_bits",), **more):
    return build_constraints(
        given,
        networks=NETWORKS,
        required=required,
        shortfalls=lambda: ("capacity_bits", "adc_bits"),
        file="p.toml",
        **more,
    )


@pytest.mark.parametrize(
    ("given", "missed"),
    [
        ({"area_m2": 40.0}, {"area_m2": [-30, 60]}),
        ({"area_m2": {"min": 20, "max": 40}}, {"area_m2": [-30, 60], "area_m2_min": [10, -80]}),
        ({"cost": 30}, {"cost": [-10, 20]}),
        ({"power_W": 4}, {"power_W": [0, 28]}),
        ({"throughput_per_s": 2}, {"throughput_per_s_min.a": [1, 0], "throughput_per_s_min.b": [1, -2]}),
        ({"TOPS": {"b": 10}}, {"TOPS_min.b": [6, -6]}),
        ({"TOPS_per_W": {"a": {"min": 3, "max": 4}}}, {"TOPS_per_W.a": [-2, -3], "TOPS_per_W_min.a": [1, 2]}),
        ({"energy_J": 3}, {"energy_J.a": [-2, -1], "energy_J.b": [1, 5]}),
        ({"latency_s": {"b": 1.5}}, {"latency_s.b": [-0.5, 0.5]}),
        ({"latency_s": {"b": {"min": 1.5}}}, {"latency_s_min.b": [0.5, -0.5]}),
        ({"latency_s": {"min": 1.0}}, {"latency_s_min.a": [-1, 0.5], "latency_s_min.b": [0, -1]}),
        ({"adc_bits": 3}, {"adc_bits": [0, 1]}),
        ({}, {}),
    ],
)
def test_amounts_missed(given, missed):
    built = build(given)
    found = {constraint.name: constraint.missed(METRICS).tolist() for constraint in built}
    assert found == {**missed, "capacity_bits": [-5, 1e6]}


def test_power_density_is_of_the_hottest_network():
    np.testing.assert_allclose(build({"power_density_W_per_m2": 0.5})[0].missed(METRICS), [-0.1, -0.18])


def test_scale_is_relative_and_keeps_the_sign():
    area, capacity = build({"area_m2": 40.0})
    np.testing.assert_allclose(area.scaled(area.missed(METRICS)), [-0.75, 1.5])
    np.testing.assert_allclose(capacity.scaled(capacity.missed(METRICS)), [-np.log(6), np.log1p(1e6)])
    assert capacity.scaled(np.array([0.0]))[0] == 0


def test_a_required_shortfall_may_be_asked_for_more_strictly():
    (capacity,) = build({"capacity_bits": -100})
    assert capacity.missed(METRICS).tolist() == [95, 1e6 + 100]


def test_sentence_names_value_bound_and_shortfall():
    energy = build({"energy_J": {"b": 3e-6}})[0]
    assert energy.sentence(1e-6) == "energy_J of b is 4 uJ, at most 3 uJ is allowed: missed by 1 uJ"
    low = build({"area_m2": {"min": 4e-6}})[0]
    slow = build({"throughput_per_s": {"a": 2500}})[0]
    assert slow.sentence(500) == "throughput_per_s of a is 2 k/s, at least 2.5 k/s is allowed: missed by 500 /s"
    hot = build({"power_density_W_per_m2": 1e6})[0]
    assert hot.sentence(5e5) == (
        "power_density_W_per_m2 is 1.5 W/mm2, at most 1 W/mm2 is allowed: missed by 500 mW/mm2"
    )
    assert low.sentence(1e-6) == "area_m2 is 3 mm2, at least 4 mm2 is allowed: missed by 1 mm2"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"area_m2": {"min": 2.0, "max": 1.0}}, r"constraints.area_m2.min: 2.0 contradicts max = 1.0"),
        ({"latency_s": {"a": {"min": 2, "max": 1}}}, "latency_s.a.min"),
        ({"area_m2": -1}, "contradicts that area_m2 is positive"),
        ({"area_m2": 0}, "contradicts that area_m2 is positive"),
        ({"area_m2": "small"}, "not a number"),
        ({"area_m2": True}, "not a number"),
        ({"area_m2": [1, 2]}, "not a number"),
        ({"area_m2": {}}, "no bound"),
        ({"TOPS_per_W": 0}, "contradicts that TOPS_per_W is positive"),
        ({"TOPS_per_w": 1}, "did you mean 'TOPS_per_W'"),
        ({"area_m2": {"maximum": 1}}, "did you mean 'max'"),
        ({"area_mm2": 1}, "did you mean 'area_m2'"),
        ({"adc_bit": 1}, "did you mean 'adc_bits'"),
        ({"latency_s": {"c": 1}}, "not a known network"),
        ({"capacity_bits": 5}, "always requires"),
        ({"capacity_bits": {"min": 5}}, "always requires"),
        # energy >= 4 J within at most 1 s is at least 4 W
        (
            {"energy_J": {"min": 4}, "latency_s": 1, "power_W": 3},
            "power_W: 3.0 contradicts .* of a: .* at least 4 W",
        ),
        ({"energy_J": 1, "latency_s": {"min": 2}, "power_W": {"min": 1}}, "at most 0.5 W"),
    ],
)
def test_mistakes(given, said):
    with pytest.raises(UserError, match=said):
        build(given)


@pytest.mark.parametrize("given", [{"energy_J": 1, "latency_s": {"min": 2}, "power_W": {"min": 1}}])
def test_overlapping_inferences_may_take_more_power_than_energy_over_latency(given):
    assert build(given, overlapping=True)


@pytest.mark.parametrize(
    "given",
    [
        {"energy_J": {"min": 4}, "latency_s": 1, "power_W": 4},
        {"energy_J": {"a": 1}, "latency_s": {"min": 2}, "power_W": {"min": 1}},
        {"energy_J": {"min": 4}, "power_W": 3},
    ],
)
def test_tight_but_possible_bounds_are_accepted(given):
    assert build(given)
