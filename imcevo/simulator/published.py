"""The published profile: the cost model and mapper of arXiv 2603.03880 behind the simulator interface.

Its conventions, kept to reproduce published figures: an idealised clock (latency = cycle x steps, no converter,
bandwidth or bit-serial term), no leakage, and each network alone on the chip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from imcevo.costs.equation import Term
from imcevo.costs.published import Memory, PublishedCosts, nodes_of
from imcevo.costs.published_actions import (
    ACTION_TABLE,
    AREA_COMPONENTS,
    CELL_READ_X,
    CELL_READ_XW,
    ENERGY_COMPONENTS,
    N_ACTIONS,
)  # fmt: skip
from imcevo.errors import UserError, listed
from imcevo.hardware import GLB_WIDTH_BITS, Design, DesignTable, Value, table_of
from imcevo.kernels import kernel
from imcevo.mapping.policies import NO_GENES
from imcevo.portable.arrays import products, row_sums
from imcevo.simulator.not_modelled import NotModelled
from imcevo.simulator.published_counts import Chips, Counts, count
from imcevo.simulator.results import Breakdown, Metrics, Repair
from imcevo.workload.published import DIMENSIONS, WEIGHT_BITS, published_suite

SOURCE = "arXiv 2603.03880"
_MESHES = ("rows", "cols", "macros_per_tile", "tiles_per_group", "router_groups")
_COMPONENT = np.array([ENERGY_COMPONENTS.index(component) for _, component, _ in ACTION_TABLE])


_AREA_TERMS = {
    "global_buffer": ("G(depth)", ("glb_depth",)),
    "interconnect": ("groups x R", ("router_groups",)),
    "tiles": (
        "tiles x (B(macros, rows) + B(macros, cols) + macros x A(rows, cols, V))",
        ("router_groups", "tiles_per_group", "macros_per_tile", "rows", "cols", "voltage_V"),
    ),
}


class _Work(NamedTuple):
    """What a batch of designs shares: action counts per point, everything else per chip."""

    counts: Counts
    chip: NDArray[np.int64]  # of every design
    point: NDArray[np.int64]  # of every design
    prices_J: NDArray[np.float64]  # of every design


class PublishedSimulator(NotModelled):
    """Designs of one memory on published networks.

    Args:
        networks: names out of `imcevo.workload.published.PUBLISHED_NETWORKS`.
        memory: ``rram`` (weights resident) or ``sram`` (weights streamed from DRAM, 1 bit per cell).
        costs: by node, instead of the shipped unit costs.

    Raises:
        UserError: an unknown network, or none.
    """

    name = "published"
    mapping_genes = NO_GENES  # the mapper is the published one
    # Chips first: designs that differ only in the keys after them share mapping and, in RRAM, all counts.
    keys = ("bits_per_cell", *_MESHES, "glb_depth", "node_nm", "voltage_V", "cycle_s")
    # Energy, area and every requirement are independent of the clock, latency is proportional to its period.
    proven_lowest = ("cycle_s",)

    def __init__(
        self, networks: Sequence[str], memory: Memory, costs: Mapping[int, PublishedCosts] | None = None
    ) -> None:
        self.networks = tuple(networks)
        self.memory = memory
        self.costs = costs or {node: PublishedCosts(memory, node) for node in nodes_of(memory)}
        self.suite = published_suite(self.networks)
        self.streamed = memory == "sram"
        self.repair_reads: Mapping[str, Sequence[str]] | None = (
            {"bits_per_cell": (), "voltage_V": ("node_nm",)} if self.streamed else {}
        )
        self.required = ("glb_bits",) if self.streamed else ("capacity_cells", "glb_bits", "weight_steps")
        sizes = {d: self.suite.sizes[:, index].astype(np.float64) for index, d in enumerate(DIMENSIONS[:-1])}
        weights = sizes["C"] * sizes["R"] * sizes["S"] * sizes["M"]
        macs = weights * sizes["P"] * sizes["Q"] * sizes["N"] * sizes["G"]
        # Groups are left out of the capacity check: a convention of the framework, kept.
        self.weights = _of_networks(self.suite.layers, weights)
        self.macs = _of_networks(self.suite.layers, macs)
        self._reads_x = _of_networks(self.suite.inputs, macs)
        self._reads_xw = _of_networks(self.suite.products, macs)

    def restricted_to(self, networks: Sequence[str]) -> PublishedSimulator:
        """The same memory and costs for some of its networks."""
        return PublishedSimulator(networks, self.memory, self.costs)

    def check(self, key: str, value: Value) -> None:
        """Check one value of a design against what is published.

        Raises:
            UserError: a value without data.
        """
        known = self._known(key)
        if known is not None and not np.isclose(known, float(value), rtol=0, atol=1e-9).any():
            raise UserError("has no published data", key=key, value=value, allowed=listed(f"{v:g}" for v in known))

    def _known(self, key: str) -> NDArray[np.float64] | None:
        """Values of a key that some node has data for, None where all values have; `repair` fits supplies to nodes."""
        if key == "node_nm":
            return np.array(list(self.costs), dtype=np.float64)
        known = [values for costs in self.costs.values() if (values := costs.known(key)) is not None]
        return np.unique(np.round(np.concatenate(known), 9)) if known else None

    def repair(self, designs: DesignTable) -> DesignTable:
        """Designs with the bits per cell that SRAM has, 1, and a supply that their node has; idempotent."""
        if not self.streamed:
            return designs
        lowest = self._by_node(designs, lambda costs, _: costs.supply_V[0])
        highest = self._by_node(designs, lambda costs, _: costs.supply_V[1])
        one, supply_V = np.ones(designs.n_designs, np.int64), np.clip(designs.real("voltage_V"), lowest, highest)
        if (designs["bits_per_cell"] == one).all() and (designs["voltage_V"] == supply_V).all():
            return designs
        return designs.replace(bits_per_cell=one, voltage_V=supply_V)

    def repairs(self, design: Design) -> Sequence[Repair]:
        """What `repair` changes in one design."""
        used = self.repair(table_of([design])).design(0)
        reasons = {
            "bits_per_cell": "an SRAM cell stores one bit", "voltage_V": f"not published at {design['node_nm']} nm"
        }  # fmt: skip
        return [Repair(key, design[key], used[key], why) for key, why in reasons.items() if used[key] != design[key]]

    def simulate(self, designs: DesignTable, *, snr: bool = True) -> Metrics:
        """Energy, latency, area and shortfalls of repaired designs; shortfalls of the worst network.

        ``capacity_cells``: cells missing for the weights (groups not counted); ``glb_bits``: bits by which a layer's
        tile exceeds the global buffer; ``weight_steps``: further steps in which resident weights would have to change.

        Raises:
            UserError: a value that the published tables do not hold.
        """
        work = self._count(designs)
        energy_J = np.empty((designs.n_designs, len(self.networks)))
        _price(work.counts.actions, work.point, work.prices_J, energy_J)
        x, xw = self._cell_reads(designs)
        energy_J += x * work.prices_J[:, CELL_READ_X, None] + xw * work.prices_J[:, CELL_READ_XW, None]
        area_m2 = row_sums(self._areas(designs))
        cost = self._by_node(designs, lambda costs, rows: costs.chip_costs(area_m2[rows]))
        return Metrics(
            energy_J, self._latency(designs, work), area_m2, self._shortfalls(designs, work), cost, macs=self.macs
        )

    def breakdown(self, designs: DesignTable) -> Breakdown:
        """The same by component."""
        work = self._count(designs)
        actions = self._actions(designs, work) * work.prices_J[:, None, :]
        energy_J = np.zeros((*actions.shape[:2], len(ENERGY_COMPONENTS)))
        for action in range(N_ACTIONS):
            energy_J[:, :, _COMPONENT[action]] += actions[:, :, action]
        return Breakdown(ENERGY_COMPONENTS, ("clock",), AREA_COMPONENTS, energy_J,
                         self._latency(designs, work)[:, :, None], self._areas(designs))  # fmt: skip

    def action_counts(self, designs: DesignTable) -> NDArray[np.float64]:
        """Counts of every action of `imcevo.costs.published_actions` ``[n_designs, n_networks, N_ACTIONS]``."""
        return self._actions(designs, self._count(designs))

    def explain(self, design: Design) -> Sequence[Term]:
        """Unit costs and areas of one design."""
        designs, costs = table_of([design]), self.costs[int(design["node_nm"])]
        terms = [
            Term(f"{action} ({name})", "unit cost x simulated energy or supply factor",
                 {name: costs.constants[name], "factor": float(factor[0])},
                 float(factor[0]) * costs.constants[name], "J", costs.source(name))
            for name, (action, factor) in costs.price_terms(designs).items()
        ]  # fmt: skip
        areas = costs.areas(designs)[0]
        source = f"decomposed from areas of {SOURCE} (imcevo.calibrate.published_areas)"
        return terms + [
            Term(f"area of {name}", equation, {key: design[key] for key in keys}, float(area), "m2", source)
            for (name, (equation, keys)), area in zip(_AREA_TERMS.items(), areas, strict=True)
        ]

    def shortfall_notes(self, design: Design) -> Mapping[str, str]:
        """For each missed requirement of one design a sentence naming network, need, offer and shortfall."""
        designs = table_of([design])
        work = self._count(designs)
        units = {"capacity_cells": "cells", "glb_bits": "bits of global buffer", "weight_steps": "steps"}
        notes: dict[str, str] = {}
        for name, (needed, offered) in self._requirements(designs, work).items():
            missing = needed[0] - offered[0]
            worst = int(missing.argmax())
            if missing[worst] > 0:
                notes[name] = (
                    f"{self.networks[worst]} needs {needed[0, worst]:.0f} {units[name]}, the chip offers "
                    f"{offered[0]:.0f}: {missing[worst]:.0f} missing"
                )
        return notes

    def _areas(self, designs: DesignTable) -> NDArray[np.float64]:
        """By component ``[n_designs, n_area_components]``."""
        return self._by_node(designs, lambda costs, rows: costs.areas(designs.take(rows)), len(AREA_COMPONENTS))

    def _by_node(
        self, designs: DesignTable, of: Callable[[PublishedCosts, NDArray[np.intp]], ArrayLike], *width: int
    ) -> NDArray[np.float64]:
        """``of(costs, rows)`` for the rows of every node, put together ``[n_designs, *width]``; raises as `check`."""
        values = np.empty((designs.n_designs, *width))
        for node in np.unique(designs["node_nm"]):
            self.check("node_nm", int(node))
            rows = np.flatnonzero(designs["node_nm"] == node)
            values[rows] = of(self.costs[int(node)], rows)
        return values

    def _count(self, designs: DesignTable) -> _Work:
        """Map and count every distinct chip once, and place its loops at every distinct supply and buffer."""
        slices = -(-WEIGHT_BITS // designs["bits_per_cell"])
        chip_first, chip = _distinct([*(designs[key] for key in _MESHES), slices])
        # Resident weights leave nothing to place: supply and buffer only enter the prices.
        supply = [designs[key] for key in ("glb_depth", "node_nm", "voltage_V")]
        point_first, point = _distinct([chip, *supply] if self.streamed else [chip])
        prices_J = self._by_node(designs, lambda costs, rows: costs.prices(designs.take(rows)), N_ACTIONS)
        chips = Chips(
            np.stack([designs[key][chip_first] for key in _MESHES], axis=1), slices[chip_first],
            np.searchsorted(chip[point_first], np.arange(len(chip_first) + 1)),
            designs["glb_depth"][point_first], prices_J[point_first],
        )  # fmt: skip
        return _Work(count(chips, self.suite, streamed=self.streamed), chip, point, prices_J)

    def _actions(self, designs: DesignTable, work: _Work) -> NDArray[np.float64]:
        actions = work.counts.actions[work.point]
        actions[:, :, CELL_READ_X], actions[:, :, CELL_READ_XW] = self._cell_reads(designs)
        return actions

    def _cell_reads(self, designs: DesignTable) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Cells read, times x and times x*w; they need no mapping ``[n_designs, n_networks]`` each."""
        bits = designs["bits_per_cell"]
        slices = -(-WEIGHT_BITS // bits)[:, None]
        return self._reads_x * slices, self._reads_xw.T[bits - 1] * slices

    def _latency(self, designs: DesignTable, work: _Work) -> NDArray[np.float64]:
        return designs.real("cycle_s")[:, None] * work.counts.steps[work.chip]

    def _requirements(
        self, designs: DesignTable, work: _Work
    ) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Needs ``[n_designs, n_networks]`` and offers ``[n_designs]`` by shortfall."""
        needs = {"glb_bits": (work.counts.tile_bits[work.chip], designs.real("glb_depth") * GLB_WIDTH_BITS)}
        if not self.streamed:
            slices = -(-WEIGHT_BITS // designs["bits_per_cell"])
            cells = np.prod([designs.real(key) for key in _MESHES], axis=0)
            needs["capacity_cells"] = (self.weights * slices[:, None], cells)
            needs["weight_steps"] = (work.counts.weight_steps[work.chip], np.zeros(designs.n_designs))
        return needs

    def _shortfalls(self, designs: DesignTable, work: _Work) -> dict[str, NDArray[np.float64]]:
        needs = self._requirements(designs, work)
        return {name: needed.max(axis=1) - offered for name, (needed, offered) in needs.items()}


def _distinct(columns: Sequence[NDArray[np.generic]]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """First row of each distinct combination, in ascending order of the columns, and which one each row is."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        values, index = np.unique(column, return_inverse=True)
        code = code * len(values) + index
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    return first, inverse


@kernel(parallel=True)
def _price(actions: NDArray[np.float64], point: NDArray[np.int64], prices_J: NDArray[np.float64],
           energy_J: NDArray[np.float64]) -> None:  # fmt: skip
    """Energy ``[n_designs, n_networks]`` = counts of the design's point . its prices."""
    for design in numba.prange(len(point)):
        for network in range(energy_J.shape[1]):
            total = 0.0
            for action in range(N_ACTIONS):
                total += actions[point[design], network, action] * prices_J[design, action]
            energy_J[design, network] = total


def _of_networks(shares: NDArray[np.number[Any]], of_shapes: NDArray[np.float64]) -> NDArray[np.float64]:
    """sum_s shares[s, ...] of_shapes[s]."""
    flat = shares.reshape(len(of_shapes), -1)
    return products(of_shapes[None], flat)[0].reshape(shares.shape[1:])
