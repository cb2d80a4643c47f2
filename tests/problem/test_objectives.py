"""Objectives against hand-computed aggregates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.problem.config import ObjectiveConfig
from imcevo.problem.objectives import build_objectives
from imcevo.simulator.results import Metrics

METRICS = Metrics(
    energy_J=np.array([[1.0, 4.0], [2.0, 8.0]]),
    latency_s=np.array([[3.0, 1.0], [0.5, 2.0]]),
    area_m2=np.array([10.0, 100.0]),
)


def objective(metric, aggregate=None, weights=None):
    config = ObjectiveConfig(metric=metric, aggregate=aggregate)
    return build_objectives([config], weights, networks=["small", "large"])[0]


@pytest.mark.parametrize(
    ("metric", "aggregate", "expected"),
    [
        ("energy_J", "max", [4, 8]),
        ("energy_J", "mean", [2.5, 5]),
        ("energy_J", "geometric_mean", [2, 4]),
        ("latency_s", "max", [3, 2]),
        ("power_W", "max", [4, 4]),
        ("power_W", "mean", [(1 / 3 + 4) / 2, 4]),
        ("edp_Js", "max", [12, 16]),
        ("edap_Jsm2", "max", [120, 1600]),
        ("edp_Js", "mean", [5, 6.25]),
    ],
)
def test_values(metric, aggregate, expected):
    built = objective(metric, aggregate)
    assert built.name == f"{metric}_{aggregate}"
    np.testing.assert_allclose(built.of(METRICS), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("metric", "aggregate", "expected"),
    [
        ("throughput_per_s", "min", [1, 4]),
        ("throughput_per_s", "mean", [(1 + 2) / 2, 4]),
        ("TOPS", "geometric_mean", [2 * 2, (8 * 16) ** 0.5]),
        ("TOPS_per_W", "min", [1, 0.5]),
        ("TOPS_per_mm2", "min", [2e-7, 8e-8]),
    ],
)
def test_efficiencies_are_minimised_with_their_sign_turned(metric, aggregate, expected):
    """Throughput follows the interval, not the latency; 1e12 and 2e12 MACs are 2 and 4 operations x 1e12."""
    interval = np.array([[1.0, 0.5], [0.25, 0.25]])
    metrics = replace(METRICS, spacing_s=interval, macs=np.array([1e12, 2e12]))
    built = objective(metric, aggregate)
    assert built.name == f"minus_{metric}_{aggregate}"
    np.testing.assert_allclose(built.of(metrics), -np.array(expected), rtol=1e-14)


def test_power_density_is_the_hottest_network():
    np.testing.assert_allclose(objective("power_density_W_per_m2", "max").of(METRICS), [0.4, 0.04])


def test_area_has_no_aggregate():
    assert objective("area_m2").name == "area_m2"
    np.testing.assert_array_equal(objective("area_m2").of(METRICS), [10, 100])


def test_weighted_mean_normalises_weights():
    for weights in ([3, 1], {"large": 0.5, "small": 1.5}):
        np.testing.assert_allclose(objective("energy_J", "weighted_mean", weights).of(METRICS), [1.75, 3.5])
        geometric = objective("energy_J", "weighted_geometric_mean", weights).of(METRICS)
        np.testing.assert_allclose(geometric, [4**0.25, 2**0.75 * 8**0.25])


@pytest.mark.parametrize("aggregate", ["max", "mean", "weighted_mean", "geometric_mean", "weighted_geometric_mean"])
def test_aggregates_do_not_depend_on_the_batch(aggregate):
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=(997, 2))
    metrics = Metrics(values, values, values[:, 0])
    built = objective("edp_Js", aggregate, [1, 3] if "weighted" in aggregate else None)
    whole = built.of(metrics)
    for part in (slice(5, 6), slice(0, 33), slice(None, None, 7)):
        piece = Metrics(values[part], values[part], values[part, 0])
        np.testing.assert_array_equal(built.of(piece), whole[part])


@pytest.mark.parametrize(
    ("metric", "aggregate", "weights", "said"),
    [
        ("area_m2", "max", None, "area is the chip's"),
        ("energy_J", None, None, "missing"),
        ("TOPS", None, None, "missing.*min"),
        ("TOPS", "max", None, "no aggregate of TOPS"),
        ("energy_J", "min", None, "no aggregate of energy_J"),
        ("energy_J", "weighted_mean", None, "no weights"),
        ("energy_J", "weighted_mean", [1], "1 weights for 2 networks"),
        ("energy_J", "weighted_mean", [1, 0], "not positive"),
        ("energy_J", "mean", [1, 2], "no objective uses them"),
        ("energy_J", "weighted_mean", {"smal": 1, "large": 1}, "'smal' is not a known network.*did you mean 'small'"),
        ("energy_J", "weighted_geometric_mean", {"large": 1}, "leaves out small"),
        ("energy_J", "weighted_geometric_mean", None, "no weights"),
    ],
)
def test_mistakes(metric, aggregate, weights, said):
    with pytest.raises(UserError, match=said):
        objective(metric, aggregate, weights)


def test_none_and_twice():
    with pytest.raises(UserError, match="no objective"):
        build_objectives([], None, networks=["small", "large"])
    area = ObjectiveConfig(metric="area_m2")
    with pytest.raises(UserError, match=r"objectives\[1\].*twice"):
        build_objectives([area, area], None, networks=["small", "large"])
