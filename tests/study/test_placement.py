"""Where layers run, in studies of hybrid problems."""

from __future__ import annotations

import copy
from pathlib import Path

import pandas as pd
import pytest

from imcevo.mapping.kernel_records import layer_records
from imcevo.problem.toml_text import to_toml
from imcevo.study.config import load_study
from imcevo.study.placement import KINDS, layer_kinds
from imcevo.study.run import conduct
from imcevo.workload import Precision, load_network
from imcevo.workload.build import layer_table
from imcevo.workload.table import MATRIX
from tests.problem.configs import CONFIG


def test_kinds_of_layers() -> None:
    networks = [load_network(name) for name in ("mobilenet_v1_vww", "mobilebert")]
    layers = layer_records(layer_table(networks, Precision()))
    kinds = layer_kinds(layers)
    assert ((kinds < 0) == (layers["kind"] != MATRIX)).all()
    of_vision = {KINDS[kind] for kind in kinds[layers["network"] == 0] if kind >= 0}
    assert of_vision == {"convolution", "pointwise or token-wise", "grouped", "one vector"}
    assert "activation product" in {KINDS[kind] for kind in kinds[layers["network"] == 1]}


def test_shares_of_layers_and_work_add_up(tmp_path: Path) -> None:
    config = copy.deepcopy(CONFIG) | {
        "workloads": {"networks": ["resnet8"]}, "deployment": {"mode": "by_volatility"}, "constraints": {"snr_dB": 20},
    }  # fmt: skip
    config["design_space"] |= {
        "cell": "rram_1t1r", "rows_active": 16, "digital_cell": "sram_digital", "digital_groups": [0, 1, 2, 9],
        "router_groups": [4, 9],
    }  # fmt: skip
    study = {
        "problem": "hybrid.toml", "question": "Where?", "seeds": [1], "workers": 1,
        "choice": {"metric": "edp_Js", "aggregate": "mean"}, "optimiser": {"name": "nsga2", "population": 16},
        "budget": {"evaluations": 48},
        "designs": [
            {"name": "hybrid", "front": True, "design_space": {"digital_groups": [1, 2]}},
            {"name": "analog", "front": True, "design_space": {"digital_groups": 0}},
            {"name": "digital", "front": True, "design_space": {"digital_groups": 9}},
        ],
    }  # fmt: skip
    (tmp_path / "hybrid.toml").write_text(to_toml(config))
    (tmp_path / "study.toml").write_text(to_toml(study))
    folder = conduct(load_study(tmp_path / "study.toml"), out=tmp_path / "out")
    table = pd.read_csv(folder / "placement.csv")
    sums = table.groupby(["design", "seed", "of", "layers_of"])[["layers", "macs"]].sum()
    assert sums.to_numpy() == pytest.approx(1.0)
    assert set(table["of"]) == {"front", "both", "chosen"}
    assert set(table[table["of"] == "both"]["design"]) == {"hybrid"}
    assert (table[table["of"] == "chosen"]["designs"] == 1).all()
    places = table.groupby("design")["place"].agg(set)
    assert places["digital"] == {"digital tiles"}
    assert places["analog"] == {"analog tiles"}
    assert places["hybrid"] == {"analog tiles", "digital tiles"}
