"""NeuroSim's sub-arrays, by the library and by the command."""

import json
from importlib import resources

import pytest
from typer.testing import CliRunner

from imcevo.cli.validate import validate
from imcevo.errors import UserError
from imcevo.validate.peers.neurosim import SAMPLE, read_subarrays, validate_neurosim


def test_shipped_subarrays_are_reproduced():
    report = validate_neurosim(read_subarrays())
    assert report["points"] == 55
    assert report["passed"]
    assert report["energy_p95"] < 2e-3
    assert report["area_p95"] < 0.01
    assert report["used_area_p95"] < 0.01
    assert report["latency_p95"] < 0.03
    assert report["energy_spearman"] > 0.999


def test_the_command_prints_the_report():
    result = CliRunner().invoke(validate, ["neurosim", "--json"], catch_exceptions=False)
    assert json.loads(result.stdout) == validate_neurosim(read_subarrays())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("RRAM,22,64", "RRAM,45,64", "line 4: technode = 45 (known: 22, 32)"),
        ("RRAM,22,64", "FeFET,22,64", "line 4: cell = FeFET (known: RRAM, SRAM)"),
        ("1541.02", "1e6", "line 4: R_col_ohm = 1e6 (known: above 0 to 26000)"),
    ],
)
def test_what_the_constants_do_not_cover_is_left_out(tmp_path, old, new, told):
    shipped = (resources.files("imcevo") / "validate" / "data" / SAMPLE).read_text("utf-8")
    assert old in shipped
    (tmp_path / "subarrays.csv").write_text(shipped.replace(old, new, 1))
    report = validate_neurosim(read_subarrays(tmp_path / "subarrays.csv"))
    assert report["left_out"] == [told]
    assert report["points"] == len(read_subarrays()) - 1


def test_a_wrong_value_is_refused(tmp_path):
    shipped = (resources.files("imcevo") / "validate" / "data" / SAMPLE).read_text("utf-8")
    (tmp_path / "subarrays.csv").write_text(shipped.replace("22,64,16,1", "22,64,20,1", 1))
    with pytest.raises(UserError, match="line 4: levelOutput: '20' is not allowed here"):
        read_subarrays(tmp_path / "subarrays.csv")
