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
    monkeypatch.setattr(snr, "synthetic_grid", lambda part: points)
    monkeypatch.setattr(snr, "network_layers", lambda: points)
    of_a_chip = np.where(level > 30, 0.02, drop)
    designs = NetworkDesigns(np.array(["digits_mlp"] * 80), level, drop, of_a_chip, np.full(80, 599))
    monkeypatch.setattr(snr, "network_designs", lambda: designs)


def test_figures_and_verdicts(made_up):
    report = validate_snr()
    assert report["rms_dB_0_20"] == pytest.approx(np.sqrt((0.25 + 2.25) / 2))
    # Half-normal and signed inputs are one grid; few active rows stand beside it.
    assert (report["within_1dB_0_20"], report["points_0_20"], report["points"]) == (0.5, 4, 8)
    assert (report["signed_points"], report["few_rows_points"]) == (4, 4)
    assert (report["rms_dB_below_0"], report["rms_dB_20_40"]) == (1.0, 3.0)
    assert (report["violations_above_16dB"], report["designs"]) == (1, 80)
    assert report["highest_failing_snr_dB"] == 40.0
    assert report["violations_of_a_chip_above_16dB"] == (np.linspace(0, 40, 80) > 30).sum()
    assert report["largest_drop_above_16dB"] == 0.02
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
    monkeypatch.setattr(snr, "_FEW_ROWS", (6,))
    monkeypatch.setattr(snr, "_SLICINGS", snr._SLICINGS[3:5])
    monkeypatch.setattr(snr, "TRAINED_NETWORKS", ("breast_cancer_mlp",))
    monkeypatch.setattr(snr, "_DATA_SETS", snr._DATA_SETS[2:])
    monkeypatch.setattr(snr, "_NETWORK_READOUTS", 2)
    monkeypatch.setattr(snr, "_LAYER_SLICINGS", 1)
    grids = {part: snr.synthetic_grid(part) for part in ("half_normal", "signed", "few_rows")}
    layers, designs = snr.network_layers(), snr.network_designs()
    assert [len(grid.closed) for grid in grids.values()] == [2 * 2 * 4, 2 * 2 * 2, 2 * 2]
    for part, grid in grids.items():
        assert np.abs(grid.errors(-np.inf, 20)).max() < 3, part
    assert np.abs(layers.errors(0, 20)).max() < 6
    assert designs.inputs.tolist() == [569] * 4
    assert (designs.drop <= designs.drop_of_a_chip).all()
    assert (designs.drop <= 1).all()
