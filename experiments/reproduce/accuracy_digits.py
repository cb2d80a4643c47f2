"""A trained network as a workload: SNR, measured accuracy and energy of the same designs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.accuracy.monte_carlo import multiply
from imcevo.accuracy.slicing import Slicing
from imcevo.accuracy.sources import MeasuredValues, StatisticsSource, Tensors
from imcevo.accuracy.statistics import LayerStatistics
from imcevo.accuracy.trained import BITS, TrainedNetwork, exact_product, trained_network
from imcevo.hardware import Value, table_of
from imcevo.simulator import Deployment
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.workload import Network, Precision
from imcevo.workload.layers import Layer

NETWORK = "digits_mlp"
ADC_BITS, ROWS_ACTIVE, BITS_PER_CELL = (2, 3, 4, 5, 6, 7, 8), (16, 32, 64, 128), (1, 2)
LEAST_SNR_dB = 16.0
_SEED, _VECTORS, _CHIPS = 7401, 256, 3
_BASE: dict[str, Value] = {
    "cell": "rram_1t1r", "node_nm": 28, "voltage_V": 0.9, "rows": 128, "cols": 128, "adc_type": "sar",
    "adc_range": "calibrated", "cols_per_adc": 8, "dac_bits": 1, "macros_per_tile": 4, "tiles_per_group": 4,
    "router_groups": 4, "input_buffer_B": 2048, "output_buffer_B": 2048, "glb_depth": 256, "dram": "lpddr4",
    "digital_lanes": 16,
}  # fmt: skip


def as_workload(trained: TrainedNetwork) -> tuple[Network, dict[str, StatisticsSource]]:
    """A trained network's layers, and the statistics of its calibration tensors by layer."""
    rng = np.random.default_rng(_SEED)
    side = trained.calibration.shape[1]
    layers: list[Layer] = []
    known: dict[str, StatisticsSource] = {}
    inputs = trained.layer_inputs(trained.calibration)
    for index, (weights, x) in enumerate(zip(trained.weights, inputs, strict=True)):
        K, M = weights.shape
        name = f"conv{index}" if index < trained.convolutions else f"fc{index}"
        if index < trained.convolutions:
            layer = Layer(name, C=K // 9, M=M, P=side, Q=side, R=3, S=3, pad_h=1, pad_w=1, H=side, W=side)
        else:
            layer = Layer(name, C=K, M=M)
        layers.append(replace(layer, from_dram=index == 0, to_dram=index == len(trained.weights) - 1))
        sample = x[rng.permutation(len(x))[:_VECTORS]]
        known[name] = MeasuredValues(Tensors(sample, weights), BITS, BITS, 0)
    return Network(trained.name, "cnn", "trained, for measured accuracy", tuple(layers)), known


def digits_table() -> pd.DataFrame:
    """ADC bits x rows active x bits per cell of an RRAM chip: energy, SNR and accuracy of the digits network.

    ``accuracy`` is the mean over chips of the share of test inputs classified rightly with every layer on simulated
    arrays; ``chosen`` marks the least energy among designs of at least 16 dB.
    """
    trained = trained_network(NETWORK)
    network, known = as_workload(trained)
    precision = Precision(input_bits=BITS, weight_bits=BITS)
    simulator = PhysicalSimulator([network], precision, Deployment("resident"), measured={NETWORK: known})
    rows = []
    for per_cell, active, bits in product(BITS_PER_CELL, ROWS_ACTIVE, ADC_BITS):
        precision_of: dict[str, Value] = {"adc_bits": bits, "rows_active": active, "bits_per_cell": per_cell}
        rows.append({**precision_of, **_figures(simulator, trained, {**_BASE, **precision_of})})
    table = pd.DataFrame(rows)
    table["exact_accuracy"] = trained.accuracy(exact_product)
    allowed = table["energy_J"].where(table["snr_dB"] >= LEAST_SNR_dB)
    table["chosen"] = table.index == allowed.idxmin()
    return table


def _figures(simulator: PhysicalSimulator, trained: TrainedNetwork, design: Mapping[str, Value]) -> dict[str, float]:
    designs = simulator.repair(table_of([design]))
    metrics = simulator.simulate(designs)
    geometry = simulator.stages.geometry(designs)
    slicing = Slicing(BITS, BITS, int(designs["dac_bits"][0]), int(designs["bits_per_cell"][0]))
    layers = [
        (source.statistics(slicing, len(weights)), simulator.snr.readout(designs, pieces))
        for (_, _, _, source, pieces, _), weights in zip(
            simulator.snr.converted_layers(designs, geometry, simulator.mapped(designs)), trained.weights, strict=True
        )
    ]
    return {
        "energy_J": float(metrics.energy_J[0, 0]), "latency_s": float(metrics.latency_s[0, 0]),
        "area_m2": float(metrics.area_m2[0]), "snr_dB": float(metrics.known_snr_dB()[0, 0]),
        "accuracy": float(np.mean(list(_accuracies(trained, layers)))),
    }  # fmt: skip


def _accuracies(
    trained: TrainedNetwork, layers: Sequence[tuple[LayerStatistics, NDArray[np.void]]]
) -> Iterator[float]:
    for chip in range(_CHIPS):
        def run(layer: int, x: NDArray[np.int64], weights: NDArray[np.int64], chip: int = chip) -> NDArray[np.float64]:
            statistics, readout = layers[layer]
            return multiply(x, weights, statistics, readout, seed=_SEED + 100 * chip + layer)

        yield trained.accuracy(run)
