"""The physical profile: sourced circuit models, resolved mappings, all resources.

Repaired designs go one way, for chips of one kind of tiles and of several:
designs -> `Tiles` (prices, sizes) -> `Part` (layers mapped) -> `Counts` -> time, energy, shortfalls, compute-SNR.
energy = counts . unit energies + leakage x time; time = per layer the slowest resource; area = sum of components.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.adc import ADC_TYPES
from imcevo.costs.die import die_costs
from imcevo.costs.equation import Term, tracing
from imcevo.costs.terms import AREA_COMPONENTS, ENERGY_COMPONENTS, RESOURCES
from imcevo.errors import unknown_name
from imcevo.hardware import Design, DesignTable, Value, table_of
from imcevo.hardware.forbidden import ADC_RANGES, NO_ADC
from imcevo.mapping.factors import Mapping as LayerMapping
from imcevo.mapping.kernel_records import Records
from imcevo.mapping.policies import ExactPolicy, MappingPolicy, mapping_policy
from imcevo.portable.arrays import row_sums
from imcevo.simulator import pricing
from imcevo.simulator.bound_suite import BoundSuite
from imcevo.simulator.compilation import compile_kernel, kernels_of
from imcevo.simulator.deployment import Deployment
from imcevo.simulator.design_keys import KEYS
from imcevo.simulator.layer_report import layer_report
from imcevo.simulator.mapping_gene_costs import layer_shape_costs
from imcevo.simulator.not_modelled import NotModelled
from imcevo.simulator.parts import CHIP, Counts, Part, Tiles
from imcevo.simulator.repair import READS, repair_designs, repairs_of
from imcevo.simulator.results import (
    Breakdown,
    LayerReport,
    Metrics,
    NetworkSnr,
    Repair,
    ResultT,
    SampledLayer,
    WeightLoading,
    in_row_order,
    results_in_row_order,
)
from imcevo.simulator.sampled_snr import sampled_layers
from imcevo.simulator.shortfalls import required_shortfalls, shortfall_notes, shortfalls_of
from imcevo.simulator.snr import Measured, SnrModel
from imcevo.simulator.stages import Stages
from imcevo.simulator.weight_writes import weight_loading
from imcevo.technology import Technology, load_technology
from imcevo.workload import Network, Precision

# Designs are simulated in pieces of this many, so that factors and counts of a piece stay in the cache.
_CHUNK = 512


class PhysicalSimulator(NotModelled):
    """Designs on a suite of networks under the physical profile; all tiles of a chip are of one kind.

    Other kinds of chips say how designs become parts: `kinds`, `tiles`, `placed`.

    Args:
        networks: the suite.
        precision: bits of inputs, weights, outputs, partial sums.
        deployment: how the chip gets the weights.
        policy: turns layers, geometry and prices into mappings; the greedy one if None.
        technology: cells, nodes and circuits; the shipped ones if None.
        measured: statistics of layers whose tensors are known; the others' are stated distributions.
    """

    name = "physical"
    cost_unit = "USD"
    tile_kinds: tuple[str, ...] = (CHIP,)
    repair_reads: Mapping[str, Sequence[str]] | None = READS
    technology: Technology
    layers: Records
    stages: Stages

    def __init__(
        self,
        networks: Sequence[Network],
        precision: Precision,
        deployment: Deployment,
        policy: MappingPolicy | None = None,
        technology: Technology | None = None,
        measured: Measured | None = None,
    ) -> None:
        self.suite = BoundSuite(networks, precision, deployment)
        self.networks, self.layers = self.suite.networks, self.suite.layers
        self.technology = technology or load_technology()
        self.stages = Stages(self.suite, self.technology, policy or mapping_policy("greedy"))
        self.snr = SnrModel(networks, self.layers, self.technology, measured or {})
        self.required = required_shortfalls(deployment)
        self.keys: tuple[str, ...] = (*KEYS, *self.stages.policy.keys)
        self.mapping_genes = self.stages.policy.genes(self.layers)

    def with_technology(self, technology: Technology) -> Self:
        """The same question under another technology."""
        other = copy(self)
        other.technology, other.stages = technology, self.stages.under(technology)
        other.snr = self.snr.with_technology(technology)
        return other

    def mapped_greedily(self) -> Self | None:
        """The same with layers mapped by the greedy rule; None unless they are mapped exactly."""
        if not isinstance(self.stages.policy, ExactPolicy):
            return None
        other = copy(self)
        other.stages = self.stages.mapping_by(mapping_policy("greedy"))
        return other

    def check(self, key: str, value: Value) -> None:
        """Check that there is data for a cell, a node, a DRAM, an ADC type or range.

        Raises:
            UserError: there is none.
        """
        if key == "cell":
            self.technology.cell(str(value))
        elif key == "node_nm":
            self.technology.node(int(value))
            self.technology.wafers(int(value))
        elif key == "dram":
            self.technology.dram(str(value))
        elif key == "adc_type" and value not in (*ADC_TYPES, NO_ADC):
            raise unknown_name("ADC type", value, (*ADC_TYPES, NO_ADC))
        elif key == "adc_range" and value not in ADC_RANGES:
            raise unknown_name("ADC range", value, ADC_RANGES)

    def repair(self, designs: DesignTable) -> DesignTable:
        """Designs with the values that their cell forbids replaced; idempotent."""
        return repair_designs(designs, self.technology)

    def repairs(self, design: Design) -> Sequence[Repair]:
        """What `repair` changes in one design, with the reason."""
        return repairs_of(design, self.technology)

    # How repaired designs become parts.

    def kinds(self, designs: DesignTable) -> list[NDArray[np.intp]]:
        """Rows of the designs whose chips have the same kinds of tiles; together all rows."""
        return [np.arange(designs.n_designs)]

    def tiles(self, designs: DesignTable) -> list[Tiles]:
        """The kinds of tiles of chips that have the same ones, the only ones that may have ADCs first."""
        return [Tiles(CHIP, designs, self.stages.unit_costs(designs), self.stages.geometry(designs))]

    def placed(self, tiles: Sequence[Tiles], policy: MappingPolicy) -> list[Part]:
        """Every layer on one of the kinds of tiles, mapped by `policy`."""
        (only,) = tiles
        return [Part(only, self.stages.map(only.designs, only.geometry, only.costs, policy))]

    def parts(self, designs: DesignTable, policy: MappingPolicy | None = None) -> list[Part]:
        """Chips that have the same kinds of tiles, mapped as `simulate` does or by another policy."""
        return self.placed(self.tiles(designs), policy or self.stages.policy)

    # What follows from parts.

    def simulate(self, designs: DesignTable, *, snr: bool = True) -> Metrics:
        """Energy, latency, area and shortfalls of repaired designs; `snr`: compute-SNR too."""
        starts = range(0, designs.n_designs, _CHUNK)
        rows = [np.arange(start, min(start + _CHUNK, designs.n_designs)) for start in starts]
        pieces = [
            self._by_kind(designs.take(slice(start, start + _CHUNK)), lambda piece: self._metrics(piece, snr=snr))
            for start in starts
        ]
        return replace(results_in_row_order(rows, pieces), macs=self.suite.macs)

    def _metrics(self, designs: DesignTable, *, snr: bool) -> Metrics:
        """Of chips that have the same kinds of tiles."""
        parts = self.parts(designs)
        counts = self._count(parts)
        latency = row_sums(pricing.binding_times_s(counts))
        interval = pricing.interval_s(self.suite, parts, counts, latency)
        first = parts[0].tiles
        area = row_sums(first.costs.area_m2)
        return Metrics(
            pricing.energy_J(self.suite, parts, counts, interval), latency, area,
            shortfalls_of(self.suite, self.technology, parts, counts), die_costs(area, designs, self.technology),
            self.snr.of_designs(first.designs, first.geometry, parts[0].mapping) if snr else None, interval,
        )  # fmt: skip

    def breakdown(self, designs: DesignTable) -> Breakdown:
        """Energy by component, time by binding resource, area by component."""
        return self._by_kind(designs, self._breakdown)

    def _breakdown(self, designs: DesignTable) -> Breakdown:
        parts = self.parts(designs)
        counts = self._count(parts)
        times = pricing.binding_times_s(counts)
        interval = pricing.interval_s(self.suite, parts, counts, row_sums(times))
        return Breakdown(
            ENERGY_COMPONENTS, RESOURCES, AREA_COMPONENTS,
            pricing.energy_by_component_J(self.suite, parts, counts, interval), times, parts[0].tiles.costs.area_m2,
        )  # fmt: skip

    def mapped(self, designs: DesignTable) -> LayerMapping:
        """The mappings of repaired designs; layers on the arrays of digital tiles have `ELSEWHERE` as their unit."""
        kinds = self.kinds(designs)
        if len(kinds) == 1:
            return self._mapping_of_all(self.parts(designs))
        found = [self._mapping_of_all(self.parts(designs.take(rows))) for rows in kinds]
        return LayerMapping(*(in_row_order(kinds, values) for values in zip(*found, strict=True)))

    def _mapping_of_all(self, parts: Sequence[Part]) -> LayerMapping:
        """The mapping of every layer on the tiles that it is placed on."""
        return parts[0].mapping

    def _count(self, parts: Sequence[Part]) -> list[Counts]:
        return [self.stages.count(part.tiles.geometry, part.tiles.costs.rates, part.mapping) for part in parts]

    def _by_kind(self, designs: DesignTable, of: Callable[[DesignTable], ResultT]) -> ResultT:
        kinds = self.kinds(designs)
        if len(kinds) == 1:
            return of(designs)
        return results_in_row_order(kinds, [of(designs.take(rows)) for rows in kinds])

    # What is told of one repaired design.

    def explain(self, design: Design) -> Sequence[Term]:
        """The equations behind the unit costs of one design's parts, each as a whole chip, and the cost of its die."""
        designs = table_of([design])
        with tracing() as terms:
            area = row_sums(self.tiles(designs)[0].costs.area_m2)
            die_costs(area, designs, self.technology)
        return terms

    def network_snr(self, design: Design) -> Mapping[str, NetworkSnr]:
        """Compute-SNR of every network, the layer that limits it, and what its statistics are worth."""
        tiles, mapping = self.parts(table_of([design]))[0]
        return self.snr.of_design(tiles.designs, tiles.geometry, mapping)

    def sampled_snr(self, design: Design) -> Sequence[SampledLayer]:
        """Every layer that ADCs read, executed bit by bit on a sample, beside the closed form."""
        tiles, mapping = self.parts(table_of([design]))[0]
        if tiles.designs["adc_bits"][0] == 0:
            return []
        return list(sampled_layers(self.snr, tiles.designs, tiles.geometry, mapping))

    def weight_loading(self, design: Design) -> Mapping[str, WeightLoading]:
        """Programming cost of each network's weights, and the inferences that the cells endure; empty for several
        parts."""
        parts = self.parts(table_of([design]))
        return weight_loading(self.stages, parts[0]) if len(parts) == 1 else {}

    def shortfall_notes(self, design: Design) -> Mapping[str, str]:
        """For each missed requirement, a sentence naming network, need, offer and shortfall."""
        parts = self.parts(table_of([design]))
        return shortfall_notes(self.suite, self.technology, parts, self._count(parts))

    def layer_report(self, design: Design, network: str, policy: str | None) -> LayerReport:
        """How the layers of a network run on one design.

        Raises:
            UserError: an unknown policy.
        """
        parts = self.parts(table_of([design]), mapping_policy(policy) if policy else None)
        return layer_report(self.stages, parts, self.networks.index(network))

    # For searches and runs.

    def keeping_mappings(self) -> AbstractContextManager[None]:
        """Inside, equal sets of designs are mapped once: for asking several questions about a few designs."""
        return self.stages.cache.keeping()

    def mapping_gene_costs(self, designs: DesignTable, genes: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """As `layer_shape_costs`; None without mapping genes."""
        return layer_shape_costs(self.stages, designs, genes) if self.mapping_genes.names else None

    def kernels(self, *, snr: bool) -> tuple[str, ...]:
        """As `kernels_of`."""
        return kernels_of(self.stages.policy, snr=snr)

    def compile_kernel(self, designs: DesignTable, name: str) -> None:
        """Use a kernel once."""
        compile_kernel(self.stages, self.snr, designs, name)
