"""Random layers, designs and legal mappings for the simulator's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from imcevo.mapping.factors import FACTORS, ORDERS
from imcevo.mapping.kernel_records import FACTOR_DTYPE, GEOMETRY_DTYPE, Records, layer_records
from imcevo.workload import Network, Precision, layer_table
from imcevo.workload.layers import Layer


def random_layer(rng: np.random.Generator, name: str = "layer") -> Layer:
    """A small convolution (grouped, depthwise, strided, padded), linear layer, recurrent step or attention product."""

    def one_of(*values: int) -> int:
        return int(rng.choice(values))

    kind = rng.choice(["conv", "conv", "conv", "linear", "recurrent", "attention"])
    common = Layer(name, N=one_of(1, 1, 1, 2, 3), C=one_of(1, 3, 8, 20), M=one_of(1, 5, 16, 30), G=one_of(1, 1, 2, 6))
    common = replace(common, from_dram=bool(rng.random() < 0.3), to_dram=bool(rng.random() < 0.3))
    common = replace(common, held_elements=one_of(0, 0, 100))
    if kind == "conv":
        R, S, stride = one_of(1, 2, 3, 5), one_of(1, 3), one_of(1, 1, 2, 3)
        pad_h, pad_w = one_of(0, R // 2, R - 1), one_of(0, S // 2)
        H, W = one_of(5, 8, 13), one_of(5, 9)
        P, Q = (H + 2 * pad_h - R) // stride + 1, (W + 2 * pad_w - S) // stride + 1
        return replace(
            common, R=R, S=S, stride_h=stride, stride_w=stride, pad_h=pad_h, pad_w=pad_w, H=H, W=W, P=P, Q=Q
        )
    P = one_of(1, 4, 11)
    return replace(
        common, C=one_of(7, 40, 70), P=P, H=P, sequential=kind == "recurrent", dynamic=kind == "attention"
    )


def random_chip(rng: np.random.Generator) -> dict[str, int]:
    """A small design, as a dictionary of the fields of `GEOMETRY_DTYPE`."""
    choices = {
        "rows": (8, 16, 64), "rows_active": (3, 8, 64), "cols": (8, 32, 64), "bits_per_cell": (1, 2, 4),
        "dac_bits": (1, 2, 8), "macros_per_tile": (1, 2, 6), "tiles_per_group": (1, 3, 4), "router_groups": (1, 2, 5),
        "input_buffer_bits": (128, 1024, 8192, 10**6), "output_buffer_bits": (128, 4096, 10**6),
        "glb_bits": (2048, 8192, 10**7), "digital_lanes": (1, 17, 64), "deployment": (0, 2), "dynamic_on_arrays": (1,),
        "pipelined": (0, 1),
    }  # fmt: skip
    return {name: int(rng.choice(values)) for name, values in choices.items()}


def random_factors(layer: Layer, chip: dict[str, int], rng: np.random.Generator) -> dict[str, int]:
    """A legal mapping, good or bad."""

    def up_to(most: int) -> int:
        return int(rng.integers(1, max(1, most) + 1))

    slices = -(-8 // chip["bits_per_cell"])
    f = dict.fromkeys(FACTORS, 1)
    f["rows_k"], f["cols_m"] = up_to(min(layer.K, chip["rows"])), up_to(min(layer.M, chip["cols"] // slices))
    if chip["rows"] >= layer.K and layer.M * slices <= chip["cols"] and rng.random() < 0.5:
        f["rows_k"], f["cols_m"] = layer.K, layer.M
        f["pack_g"] = up_to(min(layer.G, chip["rows"] // layer.K, chip["cols"] // (slices * layer.M)))
    for level, mesh in (("macro", "macros_per_tile"), ("tile", "tiles_per_group"), ("group", "router_groups")):
        left = chip[mesh]
        for name in rng.permutation(list("kmgv")):
            f[f"{level}_{name}"] = up_to(left)
            left //= f[f"{level}_{name}"]
    f["order"], f["slabs"], f["unit"] = int(rng.integers(len(ORDERS))), up_to(layer.P), 0
    return f


def records_of(*networks: Sequence[Layer]) -> Records:
    """Networks, given by their layers, as records."""
    suite = [Network(f"net{n}", "other", "", tuple(layers)) for n, layers in enumerate(networks)]
    return layer_records(layer_table(suite, Precision()))


def geometry_of(chip: dict[str, int]) -> Records:
    return np.array([tuple(chip[name] for name in GEOMETRY_DTYPE.names or ())], dtype=GEOMETRY_DTYPE)


def factors_of(f: dict[str, int]) -> Records:
    return np.array([[tuple(f[name] for name in FACTORS)]], dtype=FACTOR_DTYPE)
