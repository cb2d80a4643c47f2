"""AccelForge's macros, by the library and by the command."""

import json
from importlib import resources

import pytest
from typer.testing import CliRunner

from imcevo.cli.validate import validate
from imcevo.validate.peers.accelforge import SAMPLE, read_macros, validate_accelforge


def test_shipped_macros_are_reproduced():
    report = validate_accelforge(read_macros())
    assert report["points"] == 12
    assert report["passed"]
    assert report["energy_p95"] < 1e-3
    assert report["area_p95"] < 0.01
    assert report["energy_spearman"] == 1


def test_the_command_prints_the_report():
    result = CliRunner().invoke(validate, ["accelforge", "--json"], catch_exceptions=False)
    assert json.loads(result.stdout) == validate_accelforge(read_macros())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("basic_analog,64", "isaac,64", "line 3: macro = isaac (known: basic_analog)"),
        (",2,1,8,8,32,", ",2,4,8,8,32,", "line 3: dac_bits = 4 (known: 1)"),
        (",8,8,32,64", ",8,8,65,64", "line 3: tech_nm = 65 (known: 32)"),
    ],
)
def test_what_the_constants_do_not_cover_is_left_out(tmp_path, old, new, told):
    shipped = (resources.files("imcevo") / "validate" / "data" / SAMPLE).read_text("utf-8")
    assert old in shipped
    (tmp_path / "macros.csv").write_text(shipped.replace(old, new, 1))
    report = validate_accelforge(read_macros(tmp_path / "macros.csv"))
    assert report["left_out"] == [told]
    assert report["points"] == len(read_macros()) - 1
