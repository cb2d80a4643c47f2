"""Hybrid chips: router groups with analog and with digital tiles, every layer on the tiles that suit it.

Each part is simulated as a chip of its own kind; nothing is modelled twice.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.die import die_costs
from imcevo.costs.equation import Term, tracing
from imcevo.costs.hybrid import hybrid_costs
from imcevo.costs.terms import AREA_COMPONENTS, ENERGY_COMPONENTS, RESOURCES
from imcevo.errors import UserError, listed
from imcevo.hardware import Design, DesignTable, Value, table_of
from imcevo.mapping.factors import ELSEWHERE, ON_ARRAYS, Mapping
from imcevo.mapping.placement import Offer, place_layers
from imcevo.mapping.policies import EvolvedPolicy, MappingPolicy
from imcevo.mapping.records import STREAMED
from imcevo.portable.arrays import power, row_sums, sums_at_prices
from imcevo.simulator.interface import Breakdown, Metrics, NetworkSnr, Repair, WeightLoading
from imcevo.simulator.physical import Counted, Part, PhysicalSimulator
from imcevo.simulator.sampled_snr import SampledLayer, sampled_layers
from imcevo.simulator.sums import energy_by_component, missing_adc_bits
from imcevo.simulator.wear import worn_out, writes_per_inference

HYBRID_KEYS = ("digital_cell", "digital_groups")
ANALOG, DIGITAL = "analog", "digital"
# A network that is placed exactly at its least SNR must not miss it by a rounding error.
_ROUNDING = 1e-9

_REASONS = {
    "digital_groups": "the chip has fewer router groups; a digital `cell` makes all of them digital",
    "cell": "all router groups have digital tiles",
}


class HybridSimulator(PhysicalSimulator):
    """Designs whose router groups are split: `digital_groups` have tiles of `digital_cell`, the others of `cell`.

    With none or all of them digital a design is the chip of one kind that `PhysicalSimulator` knows, bit for bit.
    Arguments as of `PhysicalSimulator`.

    Raises:
        UserError: explicit mapping genes, swapped networks or pipelined execution.
    """

    repair_reads = None  # which cell is used depends on values that are repaired themselves

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._require_known(self.policy)
        self.keys = (*self.keys, *HYBRID_KEYS)
        if self.deployment.mode == "swapped":
            raise UserError(
                "is not known to hybrid chips", key="deployment.mode", value="swapped",
                allowed=listed(("resident", "streamed", "by_volatility")),
            )  # fmt: skip
        if self._pipelined:
            raise UserError(
                "is not known to hybrid chips", key="deployment.execution", value="pipelined", allowed="sequential"
            )
        self._most_error = np.full(len(self.networks), np.inf)

    def aiming_at(self, least_snr_dB: Sequence[float]) -> HybridSimulator:
        """The same simulator, placing layers so that every network has this compute-SNR; -inf: it does not matter."""
        other = copy(self)
        other._most_error = power(10.0, -np.asarray(least_snr_dB, dtype=np.float64) / 10.0) * (1 - _ROUNDING)
        return other

    def check(self, key: str, value: Value) -> None:
        """As `PhysicalSimulator.check`; the digital tiles' cell must be a digital one."""
        super().check(key, value)
        if key == "digital_cell" and self.technology.cell(str(value)).has_adc:
            digital = [name for name, cell in self.technology.cells.items() if not cell.has_adc]
            raise UserError("is an analog cell", value=value, allowed=listed(digital))

    def repair(self, designs: DesignTable) -> DesignTable:
        """As `PhysicalSimulator.repair`; chips of one kind get the one cell that they have."""
        return super().repair(self._settled(designs))

    def repairs(self, design: Design) -> Sequence[Repair]:
        """What `repair` changes in one design, with the reason."""
        settled = self._settled(table_of([design])).design(0)
        own = [Repair(key, design[key], settled[key], _REASONS[key]) for key in _REASONS if settled[key] != design[key]]
        return [*own, *super().repairs(settled)]

    def _settled(self, designs: DesignTable) -> DesignTable:
        """No more digital groups than groups; where all are digital `cell` is theirs, where none is theirs is inert."""
        has_adc = designs.looked_up("cell", lambda name: self.technology.cell(name).has_adc)
        groups = designs["router_groups"]
        digital = np.where(has_adc, np.minimum(designs["digital_groups"], groups), groups)
        inert = np.where(digital == 0, 0, designs["digital_cell"])
        return _with_digital_cells(designs.replace(digital_groups=digital, digital_cell=inert), digital == groups)

    def parts(self, designs: DesignTable, policy: MappingPolicy | None = None) -> list[Part]:
        """Repaired chips, all of one kind of tiles or none: the chip itself, or its analog and its digital part."""
        policy = policy or self.policy
        self._require_known(policy)
        if not _mixed(designs).any():
            return super().parts(designs, policy)
        parts = self._unplaced(designs, policy)
        analog, digital = (self._offer(part) for part in parts)
        on_digital = place_layers(self.layers, analog, digital, self._most_error)
        return [self._placed(part, own, policy) for part, own in zip(parts, (~on_digital, on_digital), strict=True)]

    def _unplaced(self, designs: DesignTable, policy: MappingPolicy) -> list[Part]:
        """Both parts, each mapped as if it ran all layers."""
        groups, digital = designs["router_groups"], designs["digital_groups"]
        # What a repaired design says holds for its analog tiles; the digital ones are repaired for their own cell.
        kinds = [designs, super().repair(_with_digital_cells(designs, groups > 0))]
        own_groups = [groups - digital, digital]
        prices = hybrid_costs(kinds, [own / groups for own in own_groups], self.technology)
        parts = []
        for name, kind, own, costs in zip((ANALOG, DIGITAL), kinds, own_groups, prices, strict=True):
            geometry = self.geometry(kind.replace(router_groups=own))
            parts.append(Part(name, kind, costs, geometry, self.map(kind, geometry, costs, policy)))
        return parts

    def _offer(self, part: Part) -> Offer:
        counted = self.count(part.geometry, part.costs.rates, part.mapping, per_layer=True)
        seconds = row_sums(counted.times) / self.deployment.batch
        energy = sums_at_prices(counted.counts, part.costs.energy_J) / self.deployment.batch
        energy += part.costs.leakage_W[:, None] * seconds
        f, geometry = part.mapping.factors, part.geometry
        stays = (geometry["deployment"] != STREAMED)[:, None] & (self.layers["dynamic"] == 0)
        tiles = np.where(stays & (f["unit"] == ON_ARRAYS), self.layers["count"], 0)
        for name in ("tile_k", "tile_m", "tile_g", "group_k", "group_m", "group_g"):
            tiles = tiles * f[name]
        error = self.snr.layer_errors(part.designs, geometry, part.mapping)
        return Offer(energy, seconds, error, tiles, geometry["tiles_per_group"] * geometry["router_groups"])

    def _placed(self, part: Part, own: NDArray[np.bool_], policy: MappingPolicy) -> Part:
        """The part with its own layers ``[n_designs, n_layers]`` alone."""
        factors, tiles = part.mapping.factors.copy(), part.mapping.tiles_needed.copy()
        # Streamed layers are mapped one by one, whatever the others do; resident ones share tiles.
        for d in np.flatnonzero(part.geometry["deployment"] != STREAMED):
            alone = policy.map(
                self.layers[own[d]], part.geometry[d : d + 1], len(self.networks),
                self.prices(part.costs).take(slice(d, d + 1)), part.designs.take(slice(d, d + 1)),
            )  # fmt: skip
            factors[d, own[d]], tiles[d] = alone.factors[0], alone.tiles_needed[0]
        factors["unit"][~own] = ELSEWHERE
        return part._replace(mapping=Mapping(factors, tiles))

    def mapped(self, designs: DesignTable) -> Mapping:
        """The mappings of repaired designs; layers on the arrays of digital tiles have `ELSEWHERE` as their unit."""
        mixed = _mixed(designs)
        found = []
        if mixed.any():
            analog, digital = (part.mapping for part in self.parts(designs.take(mixed)))
            moved = analog.factors["unit"] == ELSEWHERE
            factors = np.where(moved, digital.factors, analog.factors)
            on_tiles = moved & (factors["unit"] == ON_ARRAYS)
            factors["unit"][on_tiles] = ELSEWHERE
            found.append(Mapping(factors, analog.tiles_needed + digital.tiles_needed))
        if not mixed.all():
            pure = designs.take(~mixed)
            mapping = super().mapped(pure)
            on_tiles = (mapping.factors["unit"] == ON_ARRAYS) & (pure["digital_groups"] > 0)[:, None]
            mapping.factors["unit"][on_tiles] = ELSEWHERE
            found.insert(0, mapping)
        return found[0] if len(found) == 1 else Mapping(*(_joined(mixed, *pair) for pair in zip(*found, strict=True)))

    def _simulate_piece(self, designs: DesignTable, *, snr: bool) -> Metrics:
        mixed = _mixed(designs)
        if not mixed.any():
            return super()._simulate_piece(designs, snr=snr)
        hybrid = self._simulate_mixed(designs.take(mixed), snr=snr)
        if mixed.all():
            return hybrid
        pure = super()._simulate_piece(designs.take(~mixed), snr=snr)
        return Metrics(
            _joined(mixed, pure.energy_J, hybrid.energy_J),
            _joined(mixed, pure.latency_s, hybrid.latency_s),
            _joined(mixed, pure.area_m2, hybrid.area_m2),
            {name: _joined(mixed, pure.shortfalls[name], hybrid.shortfalls[name]) for name in pure.shortfalls},
            _joined(mixed, pure.known_cost(), hybrid.known_cost()),
            _joined(mixed, pure.known_snr_dB(), hybrid.known_snr_dB()) if snr else None,
            _joined(mixed, pure.interval_s, hybrid.interval_s),
        )

    def _simulate_mixed(self, designs: DesignTable, *, snr: bool) -> Metrics:
        """Layers run one after another, on one part or the other; chips of two kinds of tiles only."""
        parts = self.parts(designs)
        counted = [self.count(part.geometry, part.costs.rates, part.mapping) for part in parts]
        latency = self._seconds(counted)
        interval = latency / self.deployment.batch
        switched = sum(
            sums_at_prices(one.counts, part.costs.energy_J) / self.deployment.batch
            for one, part in zip(counted, parts, strict=True)
        )
        analog = parts[0]
        missing = [self._missing_capacity(self._missing_bits(part.geometry, part.mapping)) for part in parts]
        shortfalls = {
            "capacity_bits": np.asarray(sum(np.maximum(bits, 0.0) for bits in missing)),
            "adc_bits": missing_adc_bits(analog.designs, counted[0].rows_summed),
        }
        lifetime = self.deployment.inferences_per_lifetime
        if lifetime:
            shortfalls["endurance"] = np.max([
                worn_out(self._writes(part), part.designs, lifetime, self.technology) for part in parts
            ], axis=0)  # fmt: skip
        area = row_sums(analog.costs.area_m2)
        return Metrics(
            switched + analog.costs.leakage_W[:, None] * interval, latency, area, shortfalls,
            die_costs(area, designs, self.technology),
            self.snr.of_designs(analog.designs, analog.geometry, analog.mapping) if snr else None, interval,
        )  # fmt: skip

    def _writes(self, part: Part) -> NDArray[np.float64]:
        """Writes of the part's most written cell ``[n_designs, n_networks]``."""
        return writes_per_inference(self.layers, part.geometry, part.mapping, len(self.networks), self.deployment)

    @staticmethod
    def _seconds(counted: Sequence[Counted]) -> NDArray[np.float64]:
        return row_sums(sum(one.times for one in counted))

    def breakdown(self, designs: DesignTable) -> Breakdown:
        """Energy by component, time by binding resource, area by component."""
        mixed = _mixed(designs)
        if not mixed.any():
            return super().breakdown(designs)
        parts = self.parts(designs.take(mixed))
        counted = [self.count(part.geometry, part.costs.rates, part.mapping) for part in parts]
        interval = self._seconds(counted) / self.deployment.batch
        # Leakage of the whole chip is booked with the first part.
        energy = sum(
            energy_by_component(one.counts / self.deployment.batch, part.costs, seconds)
            for one, part, seconds in zip(counted, parts, (interval, 0.0 * interval), strict=True)
        )
        found = [np.asarray(energy), np.asarray(sum(one.times for one in counted)), parts[0].costs.area_m2]
        if not mixed.all():
            pure = super().breakdown(designs.take(~mixed))
            both = zip((pure.energy_J, pure.latency_s, pure.area_m2), found, strict=True)
            found = [_joined(mixed, *pair) for pair in both]
        return Breakdown(ENERGY_COMPONENTS, RESOURCES, AREA_COMPONENTS, *found)

    def explain(self, design: Design) -> Sequence[Term]:
        """The equations behind the unit costs of one design's parts, each as a whole chip, and the cost of its die."""
        designs = table_of([design])
        if not _mixed(designs).any():
            return super().explain(design)
        with tracing() as terms:
            analog, _ = self._unplaced(self.repair(designs), self.policy)
            die_costs(row_sums(analog.costs.area_m2), designs, self.technology)
        return terms

    def network_snr(self, design: Design) -> MappingType[str, NetworkSnr]:
        """Compute-SNR of every network, limited by the layers on analog tiles."""
        part = self.parts(self.repair(table_of([design])))[0]
        return self.snr.of_design(part.designs, part.geometry, part.mapping)

    def sampled_snr(self, design: Design) -> Sequence[SampledLayer]:
        """Every layer on analog tiles of one design executed bit by bit on a sample, beside the closed form."""
        part = self.parts(self.repair(table_of([design])))[0]
        if part.designs["adc_bits"][0] == 0:
            return []
        return list(sampled_layers(self.snr, part.designs, part.geometry, part.mapping))

    def weight_loading(self, design: Design) -> MappingType[str, WeightLoading]:
        """As `PhysicalSimulator.weight_loading`; empty for chips of two kinds of tiles."""
        return {} if _mixed(table_of([design])).any() else super().weight_loading(design)

    def shortfall_notes(self, design: Design) -> MappingType[str, str]:
        """As `PhysicalSimulator.shortfall_notes`; on chips of two kinds of tiles, of the capacity alone."""
        designs = self.repair(table_of([design]))
        if not _mixed(designs).any():
            return super().shortfall_notes(design)
        lacking = []
        for part in self.parts(designs):
            needed, geometry = int(part.mapping.tiles_needed.sum()), part.geometry[0]
            has = int(geometry["tiles_per_group"] * geometry["router_groups"])
            if needed > has:
                lacking.append(f"the {part.name} part has {has} tiles, the layers on it need {needed}")
        return {"capacity_bits": "; ".join(lacking)} if lacking else {}

    @staticmethod
    def _require_known(policy: MappingPolicy) -> None:
        if isinstance(policy, EvolvedPolicy):  # its genes do not say on which tiles
            raise UserError("is not known to hybrid chips", key="mapping.policy", value="evolved",
                            allowed="greedy, exact")  # fmt: skip


def _mixed(designs: DesignTable) -> NDArray[np.bool_]:
    """Repaired designs that have both kinds of tiles ``[n_designs]``."""
    return np.asarray((designs["digital_groups"] > 0) & (designs["digital_groups"] < designs["router_groups"]))


def _with_digital_cells(designs: DesignTable, where: NDArray[np.bool_]) -> DesignTable:
    """The same designs with the digital tiles' cell as their only one, at `where` ``[n_designs]``."""
    cells = tuple(dict.fromkeys((*designs.names["cell"], *designs.names["digital_cell"])))
    code = np.array([cells.index(name) for name in designs.names["digital_cell"]])[designs["digital_cell"]]
    changed = designs.replace(cell=np.where(where, code, designs["cell"]))
    return DesignTable(changed.columns, {**changed.names, "cell": cells}, changed.mapping_genes)


def _joined(mixed: NDArray[np.bool_], pure: NDArray[Any], hybrid: NDArray[Any]) -> NDArray[Any]:
    whole = np.empty((len(mixed), *pure.shape[1:]), dtype=pure.dtype)
    whole[~mixed], whole[mixed] = pure, hybrid
    return whole
