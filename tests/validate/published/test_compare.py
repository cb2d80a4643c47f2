"""`imcevo validate published`: its targets on the shipped sample, its report, and bad files."""

import json

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.validate.published.compare import predict, validate_published
from imcevo.validate.published.points import read_points, sample_points

HEADER = (
    "memory,network,voltage_V,bits_per_cell,cycle_s,rows,cols,router_groups,tiles_per_group,macros_per_tile,glb_depth,"
    "node_nm,energy_J,latency_s,area_m2"
)
POINT = "sram,resnet18,0.55,1,1e-9,256,128,1,32,8,4096,32,1.441e-3,3.046e-6,3.492e-5"
FIGURES = {
    "points", "latency_exact_share", "area_median", "area_p95", "energy_median", "energy_p95", "energy_spearman",
}  # fmt: skip


@pytest.fixture(scope="module")
def report():
    return validate_published(sample_points())


@pytest.mark.parametrize(("memory", "area", "median", "p95"), [("rram", 0.003, 0.01, 0.04), ("sram", 0.02, 0.01, 0.05)])
def test_shipped_points_are_reproduced(report, memory, area, median, p95):
    figures = report[memory]
    assert figures["points"] == 400
    assert figures["latency_exact_share"] == 1
    assert figures["area_median"] <= area
    assert figures["energy_median"] <= median
    assert figures["energy_p95"] <= p95
    assert figures["energy_spearman"] >= 0.99


def test_report_has_the_documented_form(report):
    assert set(report) == {"rram", "sram", "sram_nodes"}
    assert set(report["sram_nodes"]) == {"7", "10", "14", "22", "45"}
    for memory in ("rram", "sram"):
        assert report[memory].keys() >= FIGURES
        networks = report[memory]["networks"].values()
        assert all(set(network) == FIGURES for network in networks)
        assert sum(network["points"] for network in networks) == report[memory]["points"]
    json.dumps(report, allow_nan=False)


def test_misses_of_the_published_search_are_apart_and_still_counted(report):
    missed = report["sram"]["published_optimum_missed"]
    assert missed["points"] > 0
    assert missed["largest_factor"] > 1.25
    assert missed["others"]["points"] + missed["points"] == report["sram"]["points"]
    assert missed["others"]["energy_p95"] < report["sram"]["energy_p95"]


def test_a_wrong_reference_is_noticed():
    points = sample_points().of("rram", 32)
    errors = predict(points, "rram", 32)
    assert np.abs(errors.latency).max() < 1e-6
    for key in ("rows", "tiles_per_group"):
        other = points.take(points.designs[key] < points.designs[key].max())
        other.designs.columns[key][:] *= 2
        assert np.abs(predict(other, "rram", 32).area).max() > 0.05


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no reference point"),
        (HEADER, "no reference point"),
        (f"{HEADER}\n{POINT},7", "line 2.*16 values"),
        (HEADER.replace("rows", "rwos") + f"\n{POINT}", "rwos.*did you mean 'rows'"),
        (HEADER.replace(",rows", "") + f"\n{POINT}", "misses rows"),
        (f"{HEADER}\n# fine\n{POINT.replace('resnet18', 'resnet19')}", "line 3: network.*resnet18"),
        (f"{HEADER}\n{POINT.replace('sram', 'dram')}", "line 2: memory"),
        (f"{HEADER}\n{POINT.replace('256', '-32')}", "line 2: rows.*out of range"),
        (f"{HEADER}\n{POINT.replace('256', '25.5')}", "line 2: rows.*whole number"),
        (f"{HEADER}\n{POINT.replace('256', '250')}", "rows: 250 has no published data"),
        (f"{HEADER}\n{POINT.replace('1.441e-3', 'nan')}", "line 2: energy_J"),
        (f"{HEADER}\n{POINT.replace('1.441e-3', '-1')}", "line 2: energy_J"),
        (f"{HEADER}\n{POINT.replace('3.492e-5', 'x')}", "line 2: area_m2.*not a number"),
        (f"{HEADER}\n{POINT.replace(',32,1.441', ',28,1.441')}", "line 2: node_nm"),
        (f"{HEADER}\n{POINT.replace('0.55,1,', '0.55,2,')}", "bits_per_cell"),
        (f"{HEADER}\n{POINT.replace('sram', 'rram').replace('32,1.441', '7,1.441')}", "no published data"),
        (f'{HEADER}\n"{POINT}', "not valid CSV"),
    ],
)
def test_bad_files_are_told_in_one_line(tmp_path, text, message):
    file = tmp_path / "points.csv"
    file.write_text(text)
    with pytest.raises(UserError, match=message) as told:
        validate_published(read_points(file), file=file)
    assert "points.csv" in str(told.value)
    assert "\n" not in str(told.value)


def test_order_of_columns_and_comments_do_not_matter(tmp_path):
    names, values = HEADER.split(","), POINT.split(",")
    file = tmp_path / "points.csv"
    file.write_text("# mine\n" + ",".join(names[::-1]) + "\n\n" + ",".join(values[::-1]) + "\n")
    figures = validate_published(read_points(file), file=file)["sram"]
    assert figures["points"] == 1
    assert figures["energy_spearman"] is None
    assert figures["energy_median"] < 0.02
