"""The commands around the published profile, entered at their own sub-commands."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imcevo.cli._certify import resume_exhaustive, run_exhaustive
from imcevo.cli.calibrate import calibrate
from imcevo.cli.validate import validate
from imcevo.errors import UserError
from imcevo.runs.certify import load_certification
from tests.runs.test_certify import EXPERIMENT, PROBLEM


def output_of(app, *arguments):
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_validate_prints_json_and_a_table():
    report = json.loads(output_of(validate, "published", "--json"))
    assert report["rram"]["latency_exact_share"] == 1
    table = output_of(validate, "published")
    assert "mobilenet_v3" in table
    assert f"{100 * report['sram']['energy_median']:.2f} %" in table
    assert "7 nm" in table


def test_validate_tells_a_bad_file(tmp_path):
    with pytest.raises(UserError, match=r"missing\.csv: no such file"):
        output_of(validate, "published", "--data", str(tmp_path / "missing.csv"))


def test_calibrate_prints_unit_costs_and_held_out_errors():
    report = json.loads(output_of(calibrate, "published", "--json"))
    assert report["points"] == 400
    assert report["errors"]["held_out"]["median"] >= report["errors"]["fitted"]["median"] > 0
    assert set(report["unit_costs"]) == set(report["shares"])
    text = output_of(calibrate, "published", "--memory", "sram", "--node-nm", "10")
    assert "sram at 10 nm" in text
    with pytest.raises(UserError, match="did you mean 'rram'"):
        output_of(calibrate, "published", "--memory", "rrram")


def test_exhaustive_runs_tell_their_optima(tmp_path, capsys):
    (tmp_path / "problem.toml").write_text(PROBLEM)
    file = tmp_path / "small.toml"
    file.write_text(EXPERIMENT)
    run_exhaustive(file, seed=None, out=tmp_path / "run", quiet=False)
    told = capsys.readouterr()
    assert "432 by proof (cycle_s)" in told.out
    assert told.out.splitlines()[-1] == str(tmp_path / "run")
    assert "432 of 432 designs" in told.err
    resume_exhaustive(tmp_path / "run", quiet=False)
    assert "nothing to resume" in capsys.readouterr().out
    run_exhaustive(file, seed=None, out=tmp_path / "silent", quiet=True)
    assert capsys.readouterr() == (f"{tmp_path / 'silent'}\n", "")
    with pytest.raises(UserError, match="--seed"):
        run_exhaustive(file, seed=1, out=None, quiet=True)


def test_folders_are_named_after_the_experiment(tmp_path, monkeypatch):
    (tmp_path / "problem.toml").write_text(PROBLEM)
    (tmp_path / "small.toml").write_text(EXPERIMENT)
    monkeypatch.chdir(tmp_path)
    run_exhaustive(Path("small.toml"), seed=None, out=None, quiet=True)
    assert (tmp_path / "results" / "runs" / "small" / "summary.json").exists()
    assert load_certification(tmp_path / "results" / "runs" / "small" / "experiment.toml").options.chunk == 40
