"""Hybrid chips: router groups with analog and with digital tiles, every layer on the tiles that suit it.

Here is only how designs become parts; all that follows from parts is in `PhysicalSimulator`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.hybrid import hybrid_costs
from imcevo.errors import UserError, listed
from imcevo.hardware import Design, DesignTable, Value, table_of
from imcevo.mapping.factors import ELSEWHERE, ON_ARRAYS, Mapping
from imcevo.mapping.kernel_records import STREAMED
from imcevo.mapping.placement import Offer, place_layers
from imcevo.mapping.policies import EvolvedPolicy, MappingPolicy
from imcevo.portable.arrays import power, row_sums, sums_at_prices
from imcevo.simulator.design_keys import HYBRID_KEYS
from imcevo.simulator.parts import ANALOG, DIGITAL, Part, Tiles
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.simulator.results import Repair

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

    tile_kinds = (ANALOG, DIGITAL)
    repair_reads = None  # which cell is used depends on values that are repaired themselves

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _require_known(self.stages.policy)
        self.keys = (*self.keys, *HYBRID_KEYS)
        if self.suite.deployment.mode == "swapped":
            raise UserError(
                "is not known to hybrid chips", key="deployment.mode", value="swapped",
                allowed=listed(("resident", "streamed", "by_volatility")),
            )  # fmt: skip
        if self.suite.pipelined:
            raise UserError(
                "is not known to hybrid chips", key="deployment.execution", value="pipelined", allowed="sequential"
            )
        self._most_error = np.full(len(self.networks), np.inf)

    def aiming_at(self, least_snr_dB: Sequence[float]) -> Self:
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

    def kinds(self, designs: DesignTable) -> list[NDArray[np.intp]]:
        """Rows of chips of one kind of tiles, and of chips of two."""
        mixed = _mixed(designs)
        return [rows for rows in (np.flatnonzero(~mixed), np.flatnonzero(mixed)) if len(rows)]

    def tiles(self, designs: DesignTable) -> list[Tiles]:
        """The chip itself where its tiles are of one kind; else its analog and its digital tiles."""
        if not _mixed(designs).any():
            return super().tiles(designs)
        groups, digital = designs["router_groups"], designs["digital_groups"]
        # What a repaired design says holds for its analog tiles; the digital ones are repaired for their own cell.
        chips = [designs, super().repair(_with_digital_cells(designs, groups > 0))]
        own_groups = [groups - digital, digital]
        prices = hybrid_costs(chips, [own / groups for own in own_groups], self.technology)
        return [
            Tiles(name, chip, costs, self.stages.geometry(chip.replace(router_groups=own)))
            for name, chip, own, costs in zip((ANALOG, DIGITAL), chips, own_groups, prices, strict=True)
        ]

    def placed(self, tiles: Sequence[Tiles], policy: MappingPolicy) -> list[Part]:
        """Each layer on the kind of tiles that suits it; see `place_layers`."""
        _require_known(policy)
        if len(tiles) == 1:
            return super().placed(tiles, policy)
        # Either kind offers to run all layers.
        whole = [Part(kind, self.stages.map(kind.designs, kind.geometry, kind.costs, policy)) for kind in tiles]
        analog, digital = (self._offer(part) for part in whole)
        on_digital = place_layers(self.layers, analog, digital, self._most_error)
        return [self._with_own(part, own, policy) for part, own in zip(whole, (~on_digital, on_digital), strict=True)]

    def _offer(self, part: Part) -> Offer:
        (_, designs, costs, geometry), mapping = part
        counts, batch = self.stages.count(geometry, costs.rates, mapping, per_layer=True), self.suite.deployment.batch
        seconds = row_sums(counts.times) / batch
        energy = sums_at_prices(counts.actions, costs.energy_J) / batch
        energy += costs.leakage_W[:, None] * seconds
        f = mapping.factors
        stays = (geometry["deployment"] != STREAMED)[:, None] & (self.layers["dynamic"] == 0)
        tiles = np.where(stays & (f["unit"] == ON_ARRAYS), self.layers["stored"], 0)
        for name in ("tile_k", "tile_m", "tile_g", "group_k", "group_m", "group_g"):
            tiles = tiles * f[name]
        error = self.snr.layer_errors(designs, geometry, mapping)
        return Offer(energy, seconds, error, tiles, geometry["tiles_per_group"] * geometry["router_groups"])

    def _with_own(self, part: Part, own: NDArray[np.bool_], policy: MappingPolicy) -> Part:
        """The part with its own layers ``[n_designs, n_layers]`` alone."""
        (_, designs, costs, geometry), mapping = part
        factors, tiles_needed = mapping.factors.copy(), mapping.tiles_needed.copy()
        # Streamed layers are mapped one by one, whatever the others do; resident ones share tiles.
        for d in np.flatnonzero(geometry["deployment"] != STREAMED):
            alone = policy.map(
                self.layers[own[d]], geometry[d : d + 1], len(self.networks),
                self.stages.prices(costs).take(slice(d, d + 1)), designs.take(slice(d, d + 1)),
            )  # fmt: skip
            factors[d, own[d]], tiles_needed[d] = alone.factors[0], alone.tiles_needed[0]
        factors["unit"][~own] = ELSEWHERE
        return part._replace(mapping=Mapping(factors, tiles_needed))

    def _mapping_of_all(self, parts: Sequence[Part]) -> Mapping:
        """Every layer where it is placed, on the arrays of digital tiles as `ELSEWHERE`."""
        if len(parts) == 1:
            tiles, mapping = parts[0]
            factors, needed = mapping.factors.copy(), mapping.tiles_needed
            on_digital = (tiles.designs["digital_groups"] > 0)[:, None]
        else:
            analog, digital = (part.mapping for part in parts)
            on_digital = analog.factors["unit"] == ELSEWHERE
            factors = np.where(on_digital, digital.factors, analog.factors)
            needed = analog.tiles_needed + digital.tiles_needed
        factors["unit"][(factors["unit"] == ON_ARRAYS) & on_digital] = ELSEWHERE
        return Mapping(factors, needed)


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
