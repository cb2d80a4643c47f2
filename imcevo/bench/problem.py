"""The fixed question that speed is measured on, whatever becomes of the shipped problem files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from imcevo.problem import CodesignProblem, load_problem

PROBLEM = """
name = "bench"

[model]
profile = "physical"

[workloads]
networks = NETWORKS

[precision]
input_bits = 8
weight_bits = 8
output_bits = 8
partial_sum_bits = 24

[deployment]
mode = "by_volatility"

[mapping]
policy = "greedy"

[[objectives]]
metric = "energy_J"
aggregate = "geometric_mean"

[[objectives]]
metric = "latency_s"
aggregate = "geometric_mean"

[[objectives]]
metric = "area_m2"

[constraints]
area_m2 = 4e-4
adc_bits = 3

[hypervolume]
scale = "log10"
ideal = [1e-5, 1e-5, 1e-6]
reference = [1e-1, 1e0, 4e-4]

[design_space]
cell = ["rram_1t1r", "sram_analog_8t", "sram_digital"]
node_nm = [22, 28]
voltage_V = [0.7, 0.8, 0.9, 1.0]
bits_per_cell = [1, 2, 4]
rows = [64, 128, 256, 512]
rows_active = [4, 8, 16, 32, 64, 128, 256, 512]
cols = [64, 128, 256, 512]
adc_type = "sar"
adc_bits = [4, 5, 6, 7, 8]
adc_range = ["full_scale", "calibrated"]
cols_per_adc = [4, 8, 16, 32]
dac_bits = [1, 2]
macros_per_tile = [2, 4, 8, 16]
tiles_per_group = [4, 8, 16, 32]
router_groups = [4, 9, 16, 25, 36]
input_buffer_B = [2048, 4096, 8192, 16384]
output_buffer_B = [2048, 4096, 8192, 16384]
glb_depth = [1024, 2048, 4096, 8192, 16384]
dram = "lpddr4"
digital_lanes = [64, 128, 256, 512]
"""


NETWORKS = ("resnet18", "mobilenet_v3_large", "mobilebert", "lstm_lm")


def bench_problem(
    folder: Path, *, policy: str = "greedy", networks: Sequence[str] = NETWORKS
) -> CodesignProblem:  # fmt: skip
    """The benchmark's problem under a mapping policy, its file written into `folder`."""
    file = folder / "bench.toml"
    file.write_text(PROBLEM.replace("NETWORKS", json.dumps(list(networks))))
    return load_problem(file, policy=policy)
