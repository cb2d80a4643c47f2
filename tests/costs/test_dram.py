"""Off-chip memories: published bandwidths, and what a chip with each of them costs."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.costs import unit_costs
from imcevo.errors import UserError
from imcevo.technology import load_technology
from tests.costs.designs import action, area, close, design_of, rate, table


def test_each_memory_has_its_own_price_bandwidth_and_interface() -> None:
    costs = unit_costs(table(design_of(dram="lpddr4"), design_of(dram="hbm2")), load_technology())
    # JEDEC: 4266 Mb/s on 64 pins, 2 Gb/s on 1024 pins (256 GB/s per stack)
    assert rate(costs, "dram_bps", 0) == close(34.128e9 * 8)
    assert rate(costs, "dram_bps", 1) == close(256e9 * 8)
    assert (action(costs, "dram", 0), action(costs, "dram", 1)) == (close(8e-12), close(3.92e-12))
    # four 16-bit PHYs; one PHY of a whole stack
    assert area(costs, "dram_interface", 0) == close(2.28e-6)
    assert area(costs, "dram_interface", 1) == close(10.45e-6)


def test_only_the_memory_differs() -> None:
    costs = unit_costs(table(design_of(dram="lpddr4"), design_of(dram="hbm2")), load_technology())
    differs = np.flatnonzero(costs.energy_J[0] != costs.energy_J[1])
    assert len(differs) == 1
    assert costs.leakage_W[0] == costs.leakage_W[1]


def test_unknown_memory() -> None:
    with pytest.raises(UserError, match="dram: 'hbm' is not a known DRAM; did you mean 'hbm2'"):
        unit_costs(table(design_of(dram="hbm")), load_technology())
