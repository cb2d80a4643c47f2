"""A small problem with every kind of gene, for tests to change."""

from __future__ import annotations

from typing import Any

CONFIG: dict[str, Any] = {
    "name": "small",
    "model": {"profile": "physical"},
    "workloads": {"networks": ["resnet18", "mobilebert"]},
    "precision": {"input_bits": 8, "weight_bits": 8, "output_bits": 8, "partial_sum_bits": 24},
    "deployment": {"mode": "resident"},
    "mapping": {"policy": "greedy"},
    "objectives": [
        {"metric": "energy_J", "aggregate": "mean"},
        {"metric": "latency_s", "aggregate": "max"},
        {"metric": "area_m2"},
    ],
    "constraints": {"area_m2": 1e-4, "adc_bits": 3},
    "hypervolume": {"scale": "log10", "ideal": [1e-7, 1e-6, 1e-10], "reference": [1e-4, 1e-1, 1e-2]},
    "design_space": {
        "cell": ["rram_1t1r", "sram_digital"],
        "node_nm": [28, 14],
        "voltage_V": [0.7, 0.9, 1.0],
        "bits_per_cell": [4, 1, 2],
        "rows": [64, 128, 256],
        "rows_active": 256,
        "cols": [64, 128],
        "adc_type": "sar",
        "adc_bits": [4, 6, 8],
        "adc_range": "calibrated",
        "cols_per_adc": [8, 128],
        "dac_bits": 1,
        "macros_per_tile": [1, 4, 16],
        "tiles_per_group": 2,
        "router_groups": 2,
        "input_buffer_B": 1024,
        "output_buffer_B": 1024,
        "glb_depth": 1024,
        "dram": "lpddr4",
        "digital_lanes": 64,
    },
}

DESIGN: dict[str, Any] = {
    "cell": "rram_1t1r", "node_nm": 28, "voltage_V": 0.9, "bits_per_cell": 2, "rows": 128, "cols": 128,
    "adc_bits": 6, "cols_per_adc": 8, "macros_per_tile": 4,
}  # fmt: skip
