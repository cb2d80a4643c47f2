"""`imcevo workloads`."""

from __future__ import annotations

import json

from imcevo.workload import load_network, network_names


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
    assert all(name in table for name in network_names())


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


def test_mistakes(run, tmp_path):
    code, _, err = run("workloads", "show", "resnet81")
    assert code == 2
    assert "did you mean 'resnet18'" in err
    code, _, err = run("workloads", "show", tmp_path / "absent.csv")
    assert code == 2
    assert "absent.csv: no such file" in err
