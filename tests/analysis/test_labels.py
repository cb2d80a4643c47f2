from __future__ import annotations

import numpy as np
import pytest

from imcevo.analysis.labels import axis, pretty, quantity, told


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("energy_J_mean", ("energy", "J", "mean")),
        ("latency_s_geometric_mean", ("latency", "s", "geometric mean")),
        ("area_m2", ("area", "m2", "")),
        ("edp_Js_max", ("EDP", "Js", "largest")),
        ("edap_Jsm2_weighted_mean", ("EDAP", "Jsm2", "weighted mean")),
        ("cols_per_adc", ("cols per adc", "", "")),
        ("minus_snr_dB_min", ("SNR", "dB", "least")),
        ("minus_throughput_per_s_geometric_mean", ("throughput", "per_s", "geometric mean")),
        ("minus_TOPS_min", ("TOPS", "TOPS", "least")),
        ("TOPS_per_W", ("TOPS/W", "TOPS_per_W", "")),
        ("minus_TOPS_per_mm2_weighted_geometric_mean", ("TOPS/mm2", "TOPS_per_mm2", "weighted geometric mean")),
        ("power_density_W_per_m2_max", ("power density", "W_per_m2", "largest")),
    ],
)
def test_columns_are_read(column: str, expected: tuple[str, str, str]) -> None:
    assert tuple(quantity(column)) == expected


def test_efficiencies_have_axes() -> None:
    assert axis("minus_TOPS_per_W_min", np.array([3.0])) == (1.0, "least TOPS/W")
    assert axis("minus_throughput_per_s_min", np.array([3.0])) == (1.0, "least throughput [1/s]")


def test_axes_have_the_prefix_of_the_typical_value() -> None:
    assert axis("energy_J_mean", np.array([2e-3, 5e-3])) == (1e-3, "mean energy [mJ]")
    assert axis("latency_s_max", np.array([2e-6, 5e-5])) == (1e-6, "largest latency [µs]")
    assert axis("area_m2", np.array([1e-6])) == (1e-6, "area [mm²]")
    assert axis("edp_Js_mean", np.array([1e-9])) == (1.0, "mean EDP [J s]")


def test_values_are_told_in_engineering_units() -> None:
    assert told("energy_J_mean", 3.2e-5) == "32 uJ"
    assert pretty("energy_J_mean", 3.2e-5) == "32 µJ"
    assert pretty("latency_s_max", 4.5e-6) == "4.5 µs"
    assert pretty("area_m2", 9.1234e-6) == "9.123 mm²"
    assert told("minus_TOPS_per_W_mean", -12.5) == "12.5 TOPS/W"
    assert told("minus_throughput_per_s_min", -4.52e4) == "45.2 k/s"
    assert told("minus_snr_dB_min", -16.25) == "16.25 dB"
    assert told("power_density_W_per_m2", 3.5e4) == "35 mW/mm2"
    assert told("voltage_V", 0.7) == "0.7 V"
    assert told("rows", 128) == "128"
    assert told("cell", "rram_1t1r") == "rram_1t1r"
