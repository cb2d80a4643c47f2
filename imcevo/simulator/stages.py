"""The single steps from repaired designs to counts: unit costs, geometry, mapping, counting."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from imcevo.costs import UnitCosts, unit_costs
from imcevo.costs.terms import N_ACTIONS, RATES, RESOURCES
from imcevo.hardware import GLB_WIDTH_BITS, DesignTable
from imcevo.mapping.count import COUNT_DTYPE, N_RESOURCES, N_TIMES, RATE_DTYPE, TIME_DTYPE, count_layers
from imcevo.mapping.factors import Mapping
from imcevo.mapping.kernel_records import GEOMETRY_DTYPE, RESIDENT, STREAMED, SWAPPED, Records
from imcevo.mapping.policies import MappingPolicy
from imcevo.mapping.price import Prices
from imcevo.simulator.bound_suite import BoundSuite
from imcevo.simulator.mapping_cache import MappingCache
from imcevo.simulator.parts import Counts
from imcevo.technology import Technology


class Stages:
    """Steps that each know the suite, the technology and the mapping policy, and nothing of the steps after them."""

    def __init__(self, suite: BoundSuite, technology: Technology, policy: MappingPolicy) -> None:
        self.suite, self.technology, self.policy = suite, technology, policy
        self.cache = MappingCache()

    def under(self, technology: Technology) -> Self:
        """The same steps under another technology."""
        other = copy(self)
        other.technology = technology
        return other

    def mapping_by(self, policy: MappingPolicy) -> Self:
        """The same steps with another mapping policy."""
        other = copy(self)
        other.policy = policy
        return other

    def unit_costs(self, designs: DesignTable) -> UnitCosts:
        """Prices, rates, areas and leakage of designs ``[n_designs]``."""
        return unit_costs(designs, self.technology)

    def geometry(self, designs: DesignTable) -> Records:
        """The sizes that mapping and counting read ``[n_designs]``."""
        mode = self.suite.deployment.mode
        volatile = designs.looked_up("cell", lambda name: self.technology.cell(name).volatile)
        geometry = np.zeros(designs.n_designs, dtype=GEOMETRY_DTYPE)
        for name in GEOMETRY_DTYPE.names or ():
            if name in designs:
                geometry[name] = designs[name]
        geometry["input_buffer_bits"] = designs["input_buffer_B"] * 8
        geometry["output_buffer_bits"] = designs["output_buffer_B"] * 8
        geometry["glb_bits"] = designs["glb_depth"] * GLB_WIDTH_BITS
        if mode == "by_volatility":
            geometry["deployment"] = np.where(volatile, STREAMED, RESIDENT)
        else:
            geometry["deployment"] = {"resident": RESIDENT, "swapped": SWAPPED, "streamed": STREAMED}[mode]
        geometry["dynamic_on_arrays"] = volatile & (geometry["deployment"] == STREAMED)
        geometry["pipelined"] = self.suite.pipelined & (geometry["deployment"] != STREAMED)
        return geometry

    def prices(self, costs: UnitCosts) -> Prices:
        """What a mapper may know of designs beyond their geometry."""
        suite = self.suite
        return Prices(costs, suite.precision.partial_sum_bits, suite.deployment.programmings_per_inference)

    def map(
        self, designs: DesignTable, geometry: Records, costs: UnitCosts, policy: MappingPolicy | None = None
    ) -> Mapping:
        """The mapping of every layer on every design, chosen by the problem's policy if no other is given.

        Args:
            designs: their mapping genes are the policy's start values where they have none.
            geometry, costs: of the designs.
        """
        policy, layers = policy or self.policy, self.suite.layers
        given = designs.mapping_genes
        genes = np.tile(policy.genes(layers).start, (len(geometry), 1)) if given is None else given
        told = designs.with_mapping(genes)

        def read() -> Iterator[NDArray[Any]]:
            yield from (geometry, genes, *(told[name] for name in policy.keys), *costs)

        return self.cache.of(
            policy, read,
            lambda: policy.map(layers, geometry, len(self.suite.networks), self.prices(costs), told),
        )  # fmt: skip

    def count(
        self, geometry: Records, rates: NDArray[np.float64], mapping: Mapping, *, per_layer: bool = False
    ) -> Counts:
        """Count designs under a mapping; `per_layer` keeps layers apart instead of summing them over networks.

        Args:
            rates: ``[n_designs, n_rates]`` of the unit costs, which say what binds a layer. Energies are not read.
        """
        deployment = self.suite.deployment
        writes = deployment.programmings_per_inference * deployment.batch
        counts = self.counted(geometry, rates, mapping, writes, per_layer=per_layer)
        if deployment.mode == "swapped" and not per_layer:
            counts.times[:, :, RESOURCES.index("weight_write")] += self.programming_s(geometry, rates) * writes
        return counts

    def counted(
        self,
        geometry: Records,
        rates: NDArray[np.float64],
        mapping: Mapping,
        writes_per_inference: float,
        *,
        per_layer: bool = False,
    ) -> Counts:
        """As `count`, with stored weights programmed this often and the time of programming left out."""
        layers = self.suite.layers
        n_rows = len(layers) if per_layer else len(self.suite.networks)
        actions = np.zeros((len(geometry), n_rows, N_ACTIONS))
        times = np.zeros((len(geometry), n_rows, N_TIMES))
        rows_summed = np.zeros(len(geometry), dtype=np.int64)
        count_layers(
            layers, geometry, mapping.factors, rates.view(RATE_DTYPE)[:, 0], self.suite.precision.partial_sum_bits,
            writes_per_inference,
            np.arange(n_rows) if per_layer else np.ascontiguousarray(layers["network"]),
            actions.view(COUNT_DTYPE)[:, :, 0], times.view(TIME_DTYPE)[:, :, 0], rows_summed,
        )  # fmt: skip
        return Counts(actions, times[:, :, :N_RESOURCES], times[:, :, N_RESOURCES:], rows_summed)

    def programming_s(self, geometry: Records, rates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Seconds to program each network ``[n_designs, n_networks]``.

        All arrays are programmed at once, row by row, as fast as DRAM delivers the weights.
        """
        rows = geometry["rows"] * rates[:, RATES.index("row_write_s")]
        delivery = self.suite.stored_bits / rates[:, RATES.index("dram_bps"), None]
        return np.maximum(rows[:, None], delivery)
