"""`imcevo validate snr`: its arithmetic on made-up comparisons, its protocol on a small part, its command."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from imcevo.cli.validate import validate
from imcevo.validate import snr
from imcevo.validate.snr import Comparison, NetworkDesigns, validate_snr


@pytest.fixture
def made_up(monkeypatch):
    """Two errors of .5 and 1.5 dB in 0 to 20 dB, one point on each side of it; one violation in 80 designs."""
    points = Comparison(np.array([-4.0, 5.5, 8.5, 33.0]), np.array([-5.0, 5.0, 10.0, 30.0]))
    level = np.linspace(0, 40, 80)
    drop = np.where(level < 16, 0.5 - level / 40, 0.0)
    drop[-1] = 0.02
    monkeypatch.setattr(snr, "synthetic_grid", lambda: points)
    monkeypatch.setattr(snr, "network_layers", lambda: points)
    monkeypatch.setattr(snr, "network_designs", lambda: NetworkDesigns(np.array(["digits_mlp"] * 80), level, drop))


def test_figures_and_verdicts(made_up):
    report = validate_snr()
    assert report["rms_dB_0_20"] == pytest.approx(np.sqrt((0.25 + 2.25) / 2))
    assert (report["within_1dB_0_20"], report["points_0_20"], report["points"]) == (0.5, 2, 4)
    assert (report["rms_dB_below_0"], report["rms_dB_20_40"]) == (1.0, 3.0)
    assert (report["violations_above_16dB"], report["designs"]) == (1, 80)
    assert report["highest_failing_snr_dB"] == 40.0
    assert {name: verdict["passed"] for name, verdict in report["targets"].items()} == {
        "rms_dB_0_20": False, "within_1dB_0_20": False, "layers_rms_dB": True, "digits_spearman": True,
        "violations_above_16dB": False, "designs": True,
    }  # fmt: skip
    assert report["passed"] is False


def test_the_command_prints_json_or_a_table(made_up):
    as_json = CliRunner().invoke(validate, ["snr", "--json"])
    assert json.loads(as_json.stdout)["designs"] == 80
    table = CliRunner().invoke(validate, ["snr"]).stdout
    assert "violations_above_16dB" in table
    assert "missed" in table


def test_a_part_of_the_real_comparison(monkeypatch):
    monkeypatch.setattr(snr, "_ROWS", (48,))
    monkeypatch.setattr(snr, "_SLICINGS", snr._SLICINGS[3:5])
    monkeypatch.setattr(snr, "TRAINED_NETWORKS", ("breast_cancer_mlp",))
    monkeypatch.setattr(snr, "_NETWORK_SLICINGS", 1)
    monkeypatch.setattr(snr, "_LAYER_SLICINGS", 1)
    grid, layers, designs = snr.synthetic_grid(), snr.network_layers(), snr.network_designs()
    assert len(grid.closed) == 2 * 2 * 4
    assert np.abs(grid.errors(0, 20)).max() < 2
    assert np.abs(layers.errors(0, 20)).max() < 6
    assert len(designs.drop) == 5
    assert (designs.drop <= 1).all()
