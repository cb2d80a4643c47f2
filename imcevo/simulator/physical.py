"""The physical profile: sourced circuit models, resolved mappings, all resources.

energy = counts . unit energies + leakage x time; time = per layer the slowest resource; area = sum of components.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingType
from contextlib import AbstractContextManager
from copy import copy
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from imcevo.costs import UnitCosts, explain_costs, unit_costs
from imcevo.costs.adc import ADC_TYPES
from imcevo.costs.die import die_costs
from imcevo.costs.equation import Term, tracing
from imcevo.costs.terms import (
    AREA_COMPONENTS,
    ENERGY_COMPONENTS,
    N_ACTIONS,
    RATES,
    RESOURCES,
)  # fmt: skip
from imcevo.errors import unknown_name
from imcevo.hardware import GLB_WIDTH_BITS, Design, DesignTable, Value, table_of
from imcevo.mapping.count import COUNT_DTYPE, N_RESOURCES, N_TIMES, RATE_DTYPE, TIME_DTYPE, count_layers
from imcevo.mapping.factors import Mapping
from imcevo.mapping.policies import ExactPolicy, MappingPolicy, mapping_policy
from imcevo.mapping.price import Prices
from imcevo.mapping.records import GEOMETRY_DTYPE, RESIDENT, STREAMED, SWAPPED, Records, layer_records
from imcevo.portable.arrays import row_sums, sums_at_prices
from imcevo.simulator.deployment import Deployment
from imcevo.simulator.interface import Breakdown, Metrics, NetworkSnr, Repair, WeightLoading
from imcevo.simulator.pipeline import in_flight_bits, initiation_interval_s
from imcevo.simulator.remembered import Remembered
from imcevo.simulator.repair import ADC_RANGES, NO_ADC, READS, repair_designs, repairs_of
from imcevo.simulator.sampled_snr import SampledLayer, sampled_layers
from imcevo.simulator.snr import Measured, SnrModel
from imcevo.simulator.sums import energy_by_component, missing_adc_bits
from imcevo.simulator.wear import worn_out, writes_per_inference
from imcevo.technology import Technology, load_technology
from imcevo.workload import Network, Precision, layer_table

KEYS: tuple[str, ...] = (
    "cell", "node_nm", "voltage_V", "bits_per_cell", "rows", "rows_active", "cols", "adc_type", "adc_bits",
    "adc_range", "cols_per_adc", "dac_bits", "macros_per_tile", "tiles_per_group", "router_groups", "input_buffer_B",
    "output_buffer_B", "glb_depth", "dram", "digital_lanes",
)  # fmt: skip

# Designs are simulated in pieces of this many, so that factors and counts of a piece stay in the cache.
_CHUNK = 512


class Counted(NamedTuple):
    """Counts and times of a set of designs on one batch, before pricing.

    Attributes:
        counts: ``[n_designs, n_rows, N_ACTIONS]`` per network, or per layer where asked.
        times: ``[n_designs, n_rows, n_resources]`` seconds on the binding resource.
        stages: ``[n_designs, n_rows, n_stages]`` seconds that each stage of a pipeline of layers is busy; 0 on
            designs that are not pipelined.
        rows_summed: ``[n_designs]`` the most rows of a layer summed at once on one column.
    """

    counts: NDArray[np.float64]
    times: NDArray[np.float64]
    stages: NDArray[np.float64]
    rows_summed: NDArray[np.int64]


class Part(NamedTuple):
    """The tiles of one kind of a set of chips, and how layers are mapped to them.

    Attributes:
        name: ``chip`` where all tiles are alike; ``analog`` or ``digital`` on a hybrid chip.
        designs: chips that have such tiles in all router groups.
        costs: prices of this part; area and leakage of the whole chip.
        geometry: sizes of this part.
        mapping: of all layers; those of the other part are `ELSEWHERE`.
    """

    name: str
    designs: DesignTable
    costs: UnitCosts
    geometry: Records
    mapping: Mapping


class PhysicalSimulator:
    """Designs on a suite of networks under the physical profile.

    Args:
        networks: the suite.
        precision: bits of inputs, weights, outputs, partial sums.
        deployment: how the chip gets the weights.
        policy: turns layers, geometry and prices into mappings; the greedy one if None.
        technology: cells, nodes and circuits; the shipped ones if None.
        measured: statistics of layers whose tensors are known; the others' are stated distributions.
    """

    name = "physical"
    repair_reads: MappingType[str, Sequence[str]] | None = READS

    def __init__(
        self,
        networks: Sequence[Network],
        precision: Precision,
        deployment: Deployment,
        policy: MappingPolicy | None = None,
        technology: Technology | None = None,
        measured: Measured | None = None,
    ) -> None:
        self.networks = tuple(network.name for network in networks)
        self.macs = np.array([network.macs for network in networks], dtype=np.float64)
        self.precision = precision
        self.deployment = deployment
        self.technology = technology or load_technology()
        batched = [network.batched(deployment.batch) for network in networks]
        self.layers = layer_records(layer_table(batched, precision))
        self.required: tuple[str, ...] = () if deployment.mode == "streamed" else ("capacity_bits",)
        if deployment.inferences_per_lifetime:
            self.required += ("endurance",)
        self.policy = policy or mapping_policy("greedy")
        self.keys: tuple[str, ...] = (*KEYS, *self.policy.keys)
        self.mapping_genes = self.policy.genes(self.layers)
        self._remembered = Remembered()
        self._pipelined = deployment.execution == "pipelined"
        if self._pipelined:
            self.required += ("pipeline_buffer_bits",)
        self._in_flight_bits = in_flight_bits(self.layers, len(self.networks))
        self.snr = SnrModel(networks, self.layers, self.technology, measured or {})
        stored = np.where(self.layers["dynamic"] == 1, 0.0, self.layers["count"] * self.layers["operand_bits"])
        self._stored_bits = np.bincount(self.layers["network"], weights=stored, minlength=len(self.networks))

    def with_technology(self, technology: Technology) -> PhysicalSimulator:
        """The same question under another technology."""
        other = copy(self)
        other.technology, other.snr = technology, self.snr.with_technology(technology)
        return other

    def mapped_greedily(self) -> Self | None:
        """The same with layers mapped by the greedy rule; None unless they are mapped exactly."""
        if not isinstance(self.policy, ExactPolicy):
            return None
        other = copy(self)
        other.policy = mapping_policy("greedy")
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

    def geometry(self, designs: DesignTable) -> Records:
        """The sizes that mapping and counting read ``[n_designs]``."""
        volatile = designs.looked_up("cell", lambda name: self.technology.cell(name).volatile)
        geometry = np.zeros(designs.n_designs, dtype=GEOMETRY_DTYPE)
        for name in GEOMETRY_DTYPE.names or ():
            if name in designs:
                geometry[name] = designs[name]
        geometry["input_buffer_bits"] = designs["input_buffer_B"] * 8
        geometry["output_buffer_bits"] = designs["output_buffer_B"] * 8
        geometry["glb_bits"] = designs["glb_depth"] * GLB_WIDTH_BITS
        if self.deployment.mode == "by_volatility":
            geometry["deployment"] = np.where(volatile, STREAMED, RESIDENT)
        else:
            codes = {"resident": RESIDENT, "swapped": SWAPPED, "streamed": STREAMED}
            geometry["deployment"] = codes[self.deployment.mode]
        geometry["dynamic_on_arrays"] = volatile & (geometry["deployment"] == STREAMED)
        geometry["pipelined"] = self._pipelined & (geometry["deployment"] != STREAMED)
        return geometry

    def map(
        self, designs: DesignTable, geometry: Records, costs: UnitCosts, policy: MappingPolicy | None = None
    ) -> Mapping:
        """The mapping of every layer on every design, chosen by the problem's policy if no other is given.

        Args:
            designs: their mapping genes are the policy's start values where they have none.
            geometry, costs: of the designs.
        """
        policy = policy or self.policy
        given = designs.mapping_genes
        genes = np.tile(policy.genes(self.layers).start, (len(geometry), 1)) if given is None else given
        told = designs.with_mapping(genes)

        def read() -> Iterator[NDArray[Any]]:
            yield from (geometry, genes, *(told[name] for name in policy.keys), *costs)

        return self._remembered.of(
            policy, read,
            lambda: policy.map(self.layers, geometry, len(self.networks), self.prices(costs), told),
        )  # fmt: skip

    def remembering(self) -> AbstractContextManager[None]:
        """Inside, equal sets of designs are mapped once: for asking several questions about a few designs."""
        return self._remembered.kept()

    def mapped(self, designs: DesignTable) -> Mapping:
        """The mappings of repaired designs, as `simulate` uses them."""
        costs = unit_costs(designs, self.technology)
        return self.map(designs, self.geometry(designs), costs)

    def parts(self, designs: DesignTable, policy: MappingPolicy | None = None) -> list[Part]:
        """Repaired chips of one kind of tiles, mapped by `policy` instead of as `simulate` does."""
        costs, geometry = unit_costs(designs, self.technology), self.geometry(designs)
        return [Part("chip", designs, costs, geometry, self.map(designs, geometry, costs, policy))]

    def prices(self, costs: UnitCosts) -> Prices:
        """What a mapper may know of designs beyond their geometry."""
        return Prices(costs, self.precision.partial_sum_bits, self.deployment.programmings_per_inference)

    def count(
        self, geometry: Records, rates: NDArray[np.float64], mapping: Mapping, *, per_layer: bool = False
    ) -> Counted:
        """Count designs under a mapping; `per_layer` keeps layers apart instead of summing them over networks."""
        writes = self.deployment.programmings_per_inference * self.deployment.batch
        counted = self._counted(geometry, rates, mapping, writes, per_layer=per_layer)
        if self.deployment.mode == "swapped" and not per_layer:
            counted.times[:, :, RESOURCES.index("weight_write")] += self._switch_time(geometry, rates) * writes
        return counted

    def _counted(
        self,
        geometry: Records,
        rates: NDArray[np.float64],
        mapping: Mapping,
        writes_per_inference: float,
        *,
        per_layer: bool = False,
    ) -> Counted:
        n_rows = len(self.layers) if per_layer else len(self.networks)
        counts = np.zeros((len(geometry), n_rows, N_ACTIONS))
        times = np.zeros((len(geometry), n_rows, N_TIMES))
        rows_summed = np.zeros(len(geometry), dtype=np.int64)
        count_layers(
            self.layers, geometry, mapping.factors, rates.view(RATE_DTYPE)[:, 0], self.precision.partial_sum_bits,
            writes_per_inference,
            np.arange(n_rows) if per_layer else np.ascontiguousarray(self.layers["network"]),
            counts.view(COUNT_DTYPE)[:, :, 0], times.view(TIME_DTYPE)[:, :, 0], rows_summed,
        )  # fmt: skip
        return Counted(counts, times[:, :, :N_RESOURCES], times[:, :, N_RESOURCES:], rows_summed)

    def _switch_time(self, geometry: Records, rates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Seconds to program each network ``[n_designs, n_networks]``.

        All arrays are programmed at once, row by row, as fast as DRAM delivers the weights.
        """
        rows = geometry["rows"] * rates[:, RATES.index("row_write_s")]
        delivery = self._stored_bits / rates[:, RATES.index("dram_bps"), None]
        return np.maximum(rows[:, None], delivery)

    def simulate(self, designs: DesignTable, *, snr: bool = True) -> Metrics:
        """Energy, latency, area and shortfalls of repaired designs; `snr`: compute-SNR too."""
        pieces = [
            self._simulate_piece(designs.take(slice(start, start + _CHUNK)), snr=snr)
            for start in range(0, designs.n_designs, _CHUNK)
        ]
        return Metrics(
            np.concatenate([piece.energy_J for piece in pieces]),
            np.concatenate([piece.latency_s for piece in pieces]),
            np.concatenate([piece.area_m2 for piece in pieces]),
            {name: np.concatenate([piece.shortfalls[name] for piece in pieces]) for name in pieces[0].shortfalls},
            np.concatenate([piece.known_cost() for piece in pieces]),
            snr_dB=np.concatenate([piece.known_snr_dB() for piece in pieces]) if snr else None,
            spacing_s=np.concatenate([piece.interval_s for piece in pieces]),
            macs=self.macs,
        )

    def _simulate_piece(self, designs: DesignTable, *, snr: bool) -> Metrics:
        costs, geometry = unit_costs(designs, self.technology), self.geometry(designs)
        mapping = self.map(designs, geometry, costs)
        counted = self.count(geometry, costs.rates, mapping)
        latency, interval = row_sums(counted.times), self._interval(geometry, counted)
        switched = sums_at_prices(counted.counts, costs.energy_J) / self.deployment.batch
        energy = switched + costs.leakage_W[:, None] * interval
        shortfalls = {
            "capacity_bits": self._missing_capacity(self._missing_bits(geometry, mapping)),
            "adc_bits": missing_adc_bits(designs, counted.rows_summed),
        }
        if self.deployment.inferences_per_lifetime:
            writes = writes_per_inference(self.layers, geometry, mapping, len(self.networks), self.deployment)
            shortfalls["endurance"] = worn_out(
                writes, designs, self.deployment.inferences_per_lifetime, self.technology
            )
        if self._pipelined:
            missing = (self._in_flight_bits[None, :] - geometry["glb_bits"][:, None]).max(axis=1)
            shortfalls["pipeline_buffer_bits"] = np.where(geometry["pipelined"] == 1, missing, 0.0)
        area = row_sums(costs.area_m2)
        cost = die_costs(area, designs, self.technology)
        snr_dB = self.snr.of_designs(designs, geometry, mapping) if snr else None
        return Metrics(energy, latency, area, shortfalls, cost, snr_dB, interval)

    def _interval(self, geometry: Records, counted: Counted) -> NDArray[np.float64]:
        """Mean seconds between finished inferences ``[n_designs, n_networks]``."""
        batches = row_sums(counted.times)
        if self._pipelined:
            batches = np.where(geometry["pipelined"][:, None] == 1, initiation_interval_s(counted.stages), batches)
        return batches / self.deployment.batch

    def _missing_capacity(self, missing: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of all networks ``[n_designs]``: summed where they share the chip, the worst where they take turns."""
        return missing.max(axis=1) if self.deployment.mode == "swapped" else row_sums(missing)

    def _missing_bits(self, geometry: Records, mapping: Mapping) -> NDArray[np.float64]:
        """Cell bits that each network lacks ``[n_designs, n_networks]``; resident networks are placed in suite order.

        Negative numbers are bits left over (of resident networks: booked on the last one).
        """
        chip = geometry["tiles_per_group"] * geometry["router_groups"]
        tile_bits = geometry["macros_per_tile"] * geometry["rows"] * geometry["cols"] * geometry["bits_per_cell"]
        needed = mapping.tiles_needed
        if self.deployment.mode == "swapped":
            missing = (needed - chip[:, None]).astype(float)
        else:
            so_far = np.cumsum(needed, axis=1)
            missing = np.clip(so_far - chip[:, None], 0, needed).astype(float)
            missing[:, -1] += np.minimum(so_far[:, -1] - chip, 0)
        missing[geometry["deployment"] == STREAMED] = 0.0
        return missing * tile_bits[:, None]

    def breakdown(self, designs: DesignTable) -> Breakdown:
        """Energy by component, time by binding resource, area by component."""
        costs, geometry = unit_costs(designs, self.technology), self.geometry(designs)
        counted = self.count(geometry, costs.rates, self.map(designs, geometry, costs))
        return Breakdown(
            ENERGY_COMPONENTS, RESOURCES, AREA_COMPONENTS,
            energy_by_component(counted.counts / self.deployment.batch, costs, self._interval(geometry, counted)),
            counted.times, costs.area_m2,
        )  # fmt: skip

    def explain(self, design: Design) -> Sequence[Term]:
        """The equations behind one design's unit costs and the cost of its die."""
        designs = table_of([design])
        area = row_sums(unit_costs(designs, self.technology).area_m2)
        with tracing() as terms:
            die_costs(area, designs, self.technology)
        return [*explain_costs(design, self.technology), *terms]

    def network_snr(self, design: Design) -> MappingType[str, NetworkSnr]:
        """Compute-SNR of every network, the layer that limits it, and what its statistics are worth."""
        designs = table_of([design])
        return self.snr.of_design(designs, self.geometry(designs), self.mapped(designs))

    def sampled_snr(self, design: Design) -> Sequence[SampledLayer]:
        """Every layer of one design executed bit by bit on a sample, beside the closed form."""
        designs = table_of([design])
        if designs["adc_bits"][0] == 0:
            return []
        return list(sampled_layers(self.snr, designs, self.geometry(designs), self.mapped(designs)))

    def weight_loading(self, design: Design) -> MappingType[str, WeightLoading]:
        """Programming cost of each network's weights, and the inferences that the cells endure."""
        designs = table_of([design])
        costs, geometry = unit_costs(designs, self.technology), self.geometry(designs)
        mapping = self.map(designs, geometry, costs)
        writes = writes_per_inference(self.layers, geometry, mapping, len(self.networks), self.deployment)[0]
        endurance = self.technology.cell(str(design["cell"])).write_endurance
        lifetimes = [endurance / n if n else None for n in writes]
        if geometry["deployment"][0] == STREAMED:
            return {
                name: WeightLoading("per_inference", None, None, lifetime)
                for name, lifetime in zip(self.networks, lifetimes, strict=True)
            }
        # The price of programming: what programming at every inference adds to never doing it.
        once, never = (self._counted(geometry, costs.rates, mapping, writes) for writes in (1.0, 0.0))
        energy = sums_at_prices(once.counts - never.counts, costs.energy_J)[0]
        time = self._switch_time(geometry, costs.rates)[0]
        how = "once"
        if self.deployment.mode == "swapped":
            how = "per_switch"
        elif self.deployment.inferences_per_programming:
            how = "per_programming"
        return {
            name: WeightLoading(how, float(energy[index]), float(time[index]), lifetimes[index])
            for index, name in enumerate(self.networks)
        }

    def shortfall_notes(self, design: Design) -> MappingType[str, str]:
        """For each missed requirement, a sentence naming network, need, offer and shortfall."""
        designs = table_of([design])
        costs, geometry = unit_costs(designs, self.technology), self.geometry(designs)
        mapping = self.map(designs, geometry, costs)
        notes: dict[str, str] = {}
        missing, needed, chip = self._missing_bits(geometry, mapping)[0], mapping.tiles_needed[0], geometry[0]
        if (missing > 0).any():
            lacking = "; ".join(
                f"{name} lacks {bits:.0f} bits of cells (it needs {tiles} tiles)"
                for name, bits, tiles in zip(self.networks, missing, needed, strict=True)
                if bits > 0
            )
            tile_bits = chip["macros_per_tile"] * chip["rows"] * chip["cols"] * chip["bits_per_cell"]
            notes["capacity_bits"] = (
                f"{lacking}; the chip has {chip['tiles_per_group'] * chip['router_groups']} tiles of {tile_bits} bits, "
                f"all networks together need {needed.sum()}"
            )
        lifetime = self.deployment.inferences_per_lifetime
        if lifetime:
            writes = writes_per_inference(self.layers, geometry, mapping, len(self.networks), self.deployment)
            if worn_out(writes, designs, lifetime, self.technology)[0] > 0:
                endurance = self.technology.cell(str(design["cell"])).write_endurance
                notes["endurance"] = (
                    f"{lifetime:.3g} inferences write the most written cell {writes.max() * lifetime:.3g} times, "
                    f"it endures {endurance:.3g}"
                )
        rows_summed = self.count(geometry, costs.rates, mapping).rows_summed
        missing_adc = missing_adc_bits(designs, rows_summed)[0]
        if missing_adc > 0:
            has = designs["adc_bits"][0]
            notes["adc_bits"] = (
                f"{rows_summed[0]} rows summed at {chip['bits_per_cell']} bits per cell and {chip['dac_bits']} "
                f"input bits need {missing_adc + has:.0f} ADC bits to lose nothing, the ADC has {has}"
            )
        return notes
