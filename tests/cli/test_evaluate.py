"""`imcevo evaluate` and `imcevo problems`: output by the contract, and every mistake in one line."""

from __future__ import annotations

import json

import pytest

from imcevo.problem.quantities import of_networks


def test_json_is_the_contract(run, files):
    problem, design = files()
    code, out, err = run("evaluate", problem, "--design", design, "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    keys = {
        "networks", "area_m2", "cost", "cost_unit", "power_W", "power_density_W_per_m2", "feasible", "violations",
        "breakdown", "repairs", "notes", "warnings", "weight_loading",
    }  # fmt: skip
    assert set(report) == keys
    further = {quantity.name for quantity in of_networks()}
    assert set(report["networks"]["resnet18"]) == {"energy_J", "latency_s", "snr_dB", *further}
    assert set(report["breakdown"]) == {"energy_J", "latency_s", "area_m2"}
    assert report["feasible"] is (report["violations"] == {})


def test_table_names_repairs_and_violations(run, files):
    change = {"cell": "sram_digital", "macros_per_tile": 1}
    code, out, err = run("evaluate", *_with_design(files(design=change)))
    assert (code, err) == (0, "")
    assert "adc_type" in out
    assert "violated: capacity_bits: 83616 short" in out
    assert "uJ" in out
    assert "mm2" in out


def test_explain_adds_the_terms(run, files):
    argv = _with_design(files())
    assert "explain" not in json.loads(run("evaluate", *argv, "--json")[1])
    terms = json.loads(run("evaluate", *argv, "--json", "--explain")[1])["explain"]
    assert terms[0]["equation"] == "E = C V^2"
    text = run("evaluate", *argv, "--explain")[1]
    assert "source: this test" in text
    assert "voltage_V = 0.9" in text


MISTAKES = [
    ({"desing_space": {}}, {}, "problem.toml: desing_space: unknown key; did you mean 'design_space'"),
    ({"precision/input_bit": 8}, {}, "precision.input_bit: unknown key; did you mean 'input_bits'"),
    ({"precision/input_bits": "eight"}, {}, "precision.input_bits: got 'eight'"),
    ({"design_space/rows": [64, 128.5]}, {}, "design_space.rows: 128.5 is not a whole number"),
    ({"design_space/rows": -32}, {}, "rows: -32 is out of range (allowed: whole numbers from 8 to 4096)"),
    ({"workloads/networks": ["resnet118"]}, {}, "workloads.networks[0]: 'resnet118' is not a known network"),
    ({"workloads/networks": []}, {}, "workloads.networks: [] names no network: the suite is empty"),
    ({"constraints/area_m2": {"min": 2.0, "max": 1.0}}, {}, "area_m2.min: 2.0 contradicts max = 1.0"),
    ({}, {"rows": -32}, "design.toml: rows: -32 is out of range (allowed: whole numbers from 8 to 4096)"),
    ({}, {"row": 64}, "row: 'row' is not a known hardware parameter of this problem; did you mean 'rows'"),
    ({}, {"rows": "many"}, "design.toml: rows: 'many' is not a number"),
    ({}, {"dac_bits": 2}, "design.toml: dac_bits: 2 contradicts the problem, which fixes it (allowed: 1)"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "design", "said"), MISTAKES)
def test_mistakes_are_told_in_one_line(run, files, changes, design, said):
    code, out, err = run("evaluate", *_with_design(files(changes, design)))
    assert (code, out) == (2, "")
    assert err.startswith("imcevo: error: ")
    assert err.count("\n") == 1
    assert said in err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"rows = nan", "rows: nan is not a finite number"),
        (bytes(range(128, 256)), "is not UTF-8 text"),
        (b"\x00\x01", "is not valid TOML"),
        (b"rows = [", "is not valid TOML"),
        (None, "no such file"),
        ("directory", "is a directory"),
    ],
)
@pytest.mark.parametrize("broken", [0, 1])
def test_files_that_are_none(run, files, content, said, broken):
    paths = files()
    paths[broken].unlink()
    if content == "directory":
        paths[broken].mkdir()
    elif content is not None:
        paths[broken].write_bytes(content)
    code, out, err = run("evaluate", *_with_design(paths))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert f"{paths[broken]}: " in err
    assert said in err


def test_problems_lists_a_folder(run, files, tmp_path):
    problem, design = files()
    design.unlink()
    code, out, _ = run("problems", "--dir", tmp_path, "--json")
    (entry,) = json.loads(out)
    assert code == 0
    assert entry["designs"] == 2 * 2 * 3 * 3 * 3 * 2 * 3 * 2 * 3
    assert entry["networks"] == ["resnet18", "mobilebert"]
    assert entry["file"] == str(problem)
    (tmp_path / "none.toml").write_text("x = 1")
    code, out, err = run("problems", "--dir", tmp_path)
    assert code == 2
    assert "resnet18 mobilebert" in out
    assert "none.toml" in err
    assert err.count("\n") == 1


def test_problems_of_no_folder(run, tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        code, _, err = run("problems", "--dir", folder)
        assert code == 2
        assert str(folder) in err


def _with_design(paths):
    problem, design = paths
    return problem, "--design", design
