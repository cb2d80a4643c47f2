"""Bits per network reach energy, time and capacity as the problem's own bits do."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.config import validated
from imcevo.hardware import table_of
from imcevo.simulator import Deployment
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.workload import Precision, load_network, with_precision
from tests.problem.configs import CONFIG, DESIGN

ALONE = {key: value for key, value in CONFIG["design_space"].items() if not isinstance(value, list)} | DESIGN


@pytest.mark.parametrize("mode", ["resident", "streamed"])
def test_bits_of_one_network(mode):
    networks = [load_network("resnet8"), load_network("gru_kws")]
    few = validated({"networks": {"resnet8": {"weight_bits": 4, "input_bits": 3}}}, Precision)

    def simulated(networks, precision):
        simulator = PhysicalSimulator(networks, precision, Deployment(mode))
        return simulator.simulate(simulator.repair(table_of([ALONE])))

    mixed = simulated(with_precision(networks, few), few)
    all_few = simulated(networks, Precision(weight_bits=4, input_bits=3))
    all_eight = simulated(networks, Precision())
    if mode == "streamed":  # resident networks share the tiles that are left over for duplicates
        for name in ("energy_J", "latency_s"):
            expected = np.column_stack([getattr(all_few, name)[:, 0], getattr(all_eight, name)[:, 1]])
            np.testing.assert_array_equal(getattr(mixed, name), expected)
    assert (mixed.energy_J[:, 0] < all_eight.energy_J[:, 0]).all()
    assert (mixed.shortfalls["capacity_bits"] <= all_eight.shortfalls["capacity_bits"]).all()
