"""Reading other simulators' results, and judging errors."""

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.validate.peers.tables import Column, compare, read_peer_data

COLUMNS = {"cell": Column("name", ("RRAM", "SRAM")), "rows": Column("integer", most=512), "energy_J": Column("number")}
GOOD = "# a comment\nrows,cell,energy_J,more\n\n64,RRAM,1e-12,x\n128,SRAM,2e-12,y\n"


def read(tmp_path, text):
    file = tmp_path / "data.csv"
    file.write_text(text)
    return read_peer_data(file, "unused", COLUMNS)


def test_columns_come_in_any_order_and_others_are_ignored(tmp_path):
    data = read(tmp_path, GOOD)
    assert len(data) == 2
    assert list(data["cell"]) == ["RRAM", "SRAM"]
    assert data["rows"].tolist() == [64, 128]
    assert set(data.columns) == set(COLUMNS)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("RRAM", "RAM", r"line 4: cell: 'RAM' is not a known value of this column; did you mean 'SRAM'"),
        ("128", "12.5", r"line 5: rows: '12\.5' is not allowed here \(allowed: above 0 to 512\)"),
        ("128", "1024", r"line 5: rows: '1024' is not allowed here"),
        ("2e-12", "nan", r"line 5: energy_J: 'nan' is not allowed here \(allowed: above 0\)"),
        ("2e-12", "inf", r"line 5: energy_J: 'inf' is not allowed here"),
        ("2e-12", "-2", r"line 5: energy_J: '-2' is not allowed here"),
        ("2e-12", "much", r"line 5: energy_J: 'much' is not a number"),
        ("energy_J", "energy", r"header: 'energy_J' is missing; did you mean 'energy'\?"),
        ("more", "rows", r"header: 'rows' is there twice"),
        (",y", "", r"line 5: has 3 values, the header names 4"),
    ],
)
def test_a_bad_value_is_told_with_its_line_and_column(tmp_path, old, new, told):
    with pytest.raises(UserError, match=told) as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert "data.csv" in str(caught.value)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "rows,cell,energy_J\n"])
def test_a_file_without_designs_is_refused(tmp_path, text):
    with pytest.raises(UserError, match="holds no design"):
        read(tmp_path, text)


def test_an_open_quote_is_refused(tmp_path):
    with pytest.raises(UserError, match="is not valid CSV"):
        read(tmp_path, GOOD + '1,"RRAM')


def test_missing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_peer_data(tmp_path / "none.csv", "unused", COLUMNS)
    (tmp_path / "data.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not UTF-8"):
        read_peer_data(tmp_path / "data.csv", "unused", COLUMNS)


def test_figures_are_medians_of_absolute_errors_and_targets_can_be_missed():
    errors = {"energy": np.array([-0.3, 0.1, 0.2]), "area": np.array([0.0, 0.0, 0.5])}
    energies = np.array([1.0, 3.0, 2.0]), np.array([1.0, 2.0, 3.0])
    report = compare(errors, energies, {"energy_median": 0.1, "area_median": 0.1, "energy_spearman": 0.97})
    assert report["points"] == 3
    assert report["energy_median"] == pytest.approx(0.2)
    assert report["energy_p95"] == pytest.approx(0.29)
    assert report["area_median"] == 0
    assert report["energy_spearman"] == pytest.approx(0.5)
    assert {name: verdict["passed"] for name, verdict in report["targets"].items()} == {
        "energy_median": False, "area_median": True, "energy_spearman": False,
    }  # fmt: skip
    assert not report["passed"]


def test_one_design_has_no_ranks():
    one = np.ones(1)
    report = compare({"energy": 0 * one}, (one, one), {"energy_spearman": 0.97})
    assert report["energy_spearman"] is None
    assert not report["passed"]
