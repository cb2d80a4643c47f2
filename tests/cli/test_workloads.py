"""`imcevo workloads`."""

from __future__ import annotations

import json

import pytest

from imcevo.workload import load_network, network_names, read_network_csv, suites


def test_list_compares_with_published_totals(run):
    code, out, err = run("workloads", "--json")
    assert (code, err) == (0, "")
    listing = {entry["network"]: entry for entry in json.loads(out)}
    assert tuple(listing) == network_names()
    for entry in listing.values():
        assert abs(entry["macs_deviation"]) < 0.01
        assert abs(entry["parameters_deviation"]) < 0.01
        assert entry["published"]["source"]
    assert listing["resnet18"]["macs"] == load_network("resnet18").macs
    table = run("workloads")[1]
    assert all(name in table for name in (*network_names(), *suites()))


def test_show_totals_are_the_sums(run):
    shown = json.loads(run("workloads", "show", "mobilebert", "--json")[1])
    assert shown["n_layers"] == len(shown["layers"])
    assert sum(layer["macs"] for layer in shown["layers"]) == shown["macs"]
    assert sum(layer["parameters"] for layer in shown["layers"]) == shown["parameters"]
    table = run("workloads", "show", "mobilebert")[1]
    assert f"{shown['macs']:,}" in table
    assert "dynamic" in table


def test_show_a_users_network(run, tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("name,C,M\nfirst,16,32\nsecond,32,8\n")
    shown = json.loads(run("workloads", "show", file, "--json")[1])
    assert shown["network"] == "mine"
    assert shown["macs"] == 16 * 32 + 32 * 8
    assert shown["published"] is None


def test_show_tells_shared_weights(run, tmp_path):
    file = tmp_path / "tied.csv"
    file.write_text("name,C,M,stored_as\nfirst,32,32,W\nsecond,32,32,W\n")
    shown = json.loads(run("workloads", "show", file, "--json")[1])
    assert (shown["parameters"], shown["array_weights"], shown["macs"]) == (1024, 1024, 2048)
    assert [layer["stored_as"] for layer in shown["layers"]] == ["W", "W"]
    table = run("workloads", "show", file)[1]
    assert "stored_as W" in table
    assert "What layers share (stored_as) counts once" in table


def test_mistakes(run, tmp_path):
    code, _, err = run("workloads", "show", "resnet118")
    assert code == 2
    assert "did you mean 'resnet18'" in err
    code, _, err = run("workloads", "show", tmp_path / "absent.csv")
    assert code == 2
    assert "absent.csv: no such file" in err


def test_import_writes_a_network_file(run, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    from tests.workload import onnx_models

    monkeypatch.chdir(tmp_path)
    model = onnx_models.bert_base(tmp_path / "model.onnx")
    dims = ("--dim", "batch=1", "--dim", "seq=128")
    code, out, err = run("workloads", "import", model, *dims)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "model.csv"
    assert f"{load_network('bert_base').macs:,}" in out
    assert read_network_csv(tmp_path / "model.csv").parameters == 109_482_240
    code, _, err = run("workloads", "import", model, *dims)
    assert code == 2
    assert "model.csv: exists already" in err
    code, out, _ = run("workloads", "import", model, *dims, "--out", "other.csv", "--json")
    told = json.loads(out)
    assert (code, told["file"], told["left_out"]) == (0, "other.csv", [])
    shown = json.loads(run("workloads", "show", "other.csv", "--json")[1])
    assert {key: told[key] for key in ("macs", "parameters", "n_layers")} == {
        key: shown[key] for key in ("macs", "parameters", "n_layers")
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--dim", "batch"), "--dim: 'batch' is not a size"),
        (("--dim", "batch=0"), "--dim: 'batch=0' is not a size"),
        (("--dim", "batch=1", "--dim", "batch=2"), "'batch' is given twice"),
        (("--dim", "batch=1"), "leaves dimensions open: seq"),
        (("--dim", "batch=1", "--dim", "seq=9", "--out", "net.toml"), "'net.toml' is no network file"),
    ],
)
def test_import_mistakes(run, tmp_path, options, said):
    pytest.importorskip("onnx")
    from tests.workload import onnx_models

    code, out, err = run("workloads", "import", onnx_models.bert_base(tmp_path / "m.onnx"), *options)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
