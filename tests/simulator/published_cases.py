"""Designs of the published profile for tests."""

import numpy as np

from imcevo.hardware import DesignTable
from imcevo.simulator.published import PublishedSimulator

FOUR = ("resnet18", "vgg16", "alexnet", "mobilenet_v3")
SPACES = {
    "rram": {
        "bits_per_cell": [1, 3, 4, 8], "rows": [128, 256, 512], "cols": [32, 64, 256], "macros_per_tile": [16, 64],
        "tiles_per_group": [16, 64], "router_groups": [8, 32], "glb_depth": [2048, 32768], "node_nm": [32],
        "voltage_V": [0.5, 0.7],
        "cycle_s": [1e-9, 4e-9],
    },
    "sram": {
        "bits_per_cell": [1], "rows": [64, 512], "cols": [32, 256], "macros_per_tile": [2, 16],
        "tiles_per_group": [2, 8], "router_groups": [1, 6], "glb_depth": [4096, 65536], "node_nm": [32],
        "voltage_V": [0.5, 0.75],
        "cycle_s": [1e-9, 4e-9],
    },
}  # fmt: skip


def random_designs(memory: str, n: int, seed: int = 1) -> DesignTable:
    """Designs drawn from a small space of the memory."""
    rng = np.random.default_rng(seed)
    return DesignTable({key: rng.choice(values, n) for key, values in SPACES[memory].items()}, {})


def one_design(**values: float) -> DesignTable:
    """A table of one design, at 32 nm unless said otherwise."""
    values = {"node_nm": 32, **values}
    return DesignTable({key: np.array([values[key]]) for key in PublishedSimulator.keys}, {})
