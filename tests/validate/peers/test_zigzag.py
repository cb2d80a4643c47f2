"""ZigZag-IMC's designs, by the library and by the command."""

import json
from importlib import resources

import pytest
from typer.testing import CliRunner

from imcevo.cli.validate import validate
from imcevo.errors import UserError
from imcevo.validate.peers.zigzag import SAMPLE, read_designs, validate_zigzag

SHIPPED = (resources.files("imcevo") / "validate" / "data" / SAMPLE).read_text("utf-8")


def test_shipped_designs_are_reproduced():
    report = validate_zigzag(read_designs())
    assert report["points"] == 17
    assert report["passed"]
    assert report["clock_p95"] < 1e-9
    assert report["area_p95"] < 1e-6
    assert report["energy_median"] < 1e-3
    assert report["energy_p95"] < 0.05 < report["energy_fullest_mapping_median"] < 0.1


def run(*arguments):
    result = CliRunner().invoke(validate, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_a_missed_target_is_told_and_no_error(tmp_path):
    header, *designs = [line for line in SHIPPED.splitlines() if not line.startswith("#")]
    column = header.split(",").index("tclk_ns")
    rows = [line.split(",") for line in designs]
    for row in rows:
        row[column] = str(2 * float(row[column]))
    (tmp_path / "slow.csv").write_text("\n".join([header, *(",".join(row) for row in rows)]))
    report = json.loads(run("zigzag", "--data", str(tmp_path / "slow.csv"), "--json"))
    assert report["clock_median"] == pytest.approx(0.5)
    assert report["targets"]["clock_median"] == {"target": 0.02, "passed": False}
    assert not report["passed"]
    assert "missed" in run("zigzag", "--data", str(tmp_path / "slow.csv"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("analog,64,8,5", "anolog,64,8,5", "line 4: imc_type: 'anolog'.*did you mean 'analog'"),
        ("analog,64,8,5,2", "analog,64,8,5,3", "line 4: bit_serial: '3' is not allowed here .allowed: 1, 2, 4, 8"),
    ],
)
def test_a_wrong_value_is_refused(tmp_path, old, new, told):
    assert old in SHIPPED
    (tmp_path / "designs.csv").write_text(SHIPPED.replace(old, new, 1))
    with pytest.raises(UserError, match=told):
        read_designs(tmp_path / "designs.csv")


def test_what_the_constants_do_not_cover_is_left_out(tmp_path):
    (tmp_path / "designs.csv").write_text(SHIPPED.replace("analog,64,8,5", "analog,96,8,5", 1))
    report = validate_zigzag(read_designs(tmp_path / "designs.csv"))
    assert report["left_out"] == ["line 4: rows_D2 = 96 (known: 64, 128, 256)"]
    only = "\n".join(SHIPPED.splitlines()[:4]).replace("analog,64,8,5", "analog,96,8,5")
    (tmp_path / "designs.csv").write_text(only)
    with pytest.raises(UserError, match="no design within the model's scope: line 4: rows_D2 = 96"):
        read_designs(tmp_path / "designs.csv")


def test_all_comparisons_run_by_one_command(monkeypatch):
    # Slow, and tested on its own.
    monkeypatch.setattr("imcevo.validate.published.compare.validate_published", lambda points, file: {})
    no_points = {"targets": {}, "points_0_20": 0, "layers_points_0_20": 0}
    monkeypatch.setattr("imcevo.validate.snr.validate_snr", lambda: no_points)
    reports = json.loads(run("all", "--json"))
    assert set(reports) == {"published", "zigzag", "accelforge", "neurosim", "survey", "silicon", "profiles", "snr"}
    assert reports["zigzag"] == json.loads(run("zigzag", "--json"))
    # In words: of the reports that there are, made once.
    rooms = {"silicon": "silicon.compare", "survey": "survey.compare", "profiles": "published.profiles"}
    for name, room in rooms.items():
        monkeypatch.setattr(f"imcevo.validate.{room}.validate_{name}", lambda *data, report=reports[name]: report)
    text = run("all")
    assert all(title in text for title in ("Published profile", "ZigZag-IMC", "AccelForge", "NeuroSim", "Compute-SNR"))
