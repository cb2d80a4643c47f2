"""`imcevo map` under the greedy policy, judged by the exact mapper."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imcevo.cli import main

PROBLEM = "problems/sram_streamed4.toml"
DESIGN = """
cell = "sram_digital"
node_nm = 22
voltage_V = 0.8
rows = 128
rows_active = 128
cols = 128
adc_type = "sar"
adc_bits = 5
adc_range = "full_scale"
cols_per_adc = 4
dac_bits = 1
macros_per_tile = 8
tiles_per_group = 4
router_groups = 4
input_buffer_B = 4096
output_buffer_B = 4096
glb_depth = 1024
dram = "lpddr4"
digital_lanes = 64
"""


@pytest.fixture
def design(tmp_path: Path) -> str:
    file = tmp_path / "design.toml"
    file.write_text(DESIGN)
    return str(file)


def test_policies_are_judged_by_the_best_mapping(design: str, capsys: pytest.CaptureFixture[str]) -> None:
    reports = {}
    for policy in ("greedy", "exact"):
        assert main(["map", PROBLEM, "--design", design, "--network", "mobilebert", "--policy", policy, "--json"]) == 0
        reports[policy] = json.loads(capsys.readouterr().out)
    greedy, exact = ([row["distance"] for row in reports[p]["layers"]] for p in ("greedy", "exact"))
    assert max(greedy) > 0.5
    assert sum(exact) < 0.2 * sum(greedy)
    assert reports["exact"]["energy_J"] * reports["exact"]["latency_s"] < (
        reports["greedy"]["energy_J"] * reports["greedy"]["latency_s"]
    )
    assert all(0 < row["utilisation"] <= 1 for row in reports["exact"]["layers"])


def test_unknown_network(design: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", PROBLEM, "--design", design, "--network", "resnet99"]) == 2
    assert "resnet18" in capsys.readouterr().err
