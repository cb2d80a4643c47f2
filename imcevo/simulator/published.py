"""The published profile: the cost model and mapper of arXiv 2603.03880 behind the simulator interface.

Its conventions, kept to reproduce published figures: an idealised clock (latency = cycle x steps, no converter,
bandwidth or bit-serial term), no leakage, and each network alone on the chip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.costs.published import Memory, PublishedCosts
from imcevo.costs.published_actions import (
    ACTION_TABLE,
    AREA_COMPONENTS,
    CELL_READ_X,
    CELL_READ_XW,
    ENERGY_COMPONENTS,
    N_ACTIONS,
)  # fmt: skip
from imcevo.hardware import GLB_WIDTH_BITS, Design, DesignTable, Value, table_of
from imcevo.kernels import kernel
from imcevo.simulator.interface import Breakdown, Metrics, Repair, Term
from imcevo.simulator.published_counts import Chips, Counts, count
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


class PublishedSimulator:
    """Designs of one memory on published networks.

    Args:
        networks: names out of `imcevo.workload.published.PUBLISHED_NETWORKS`.
        memory: ``rram`` (weights resident) or ``sram`` (weights streamed from DRAM, 1 bit per cell).
        costs: instead of the shipped unit costs at 32 nm.

    Raises:
        UserError: an unknown network, or none.
    """

    name = "published"
    # Chips first: designs that differ only in the keys after them share mapping and, in RRAM, all counts.
    keys = ("bits_per_cell", *_MESHES, "glb_depth", "voltage_V", "cycle_s")
    # Energy, area and every requirement are independent of the clock, latency is proportional to its period.
    proven_lowest = ("cycle_s",)

    def __init__(self, networks: Sequence[str], memory: Memory, costs: PublishedCosts | None = None) -> None:
        self.networks = tuple(networks)
        self.memory = memory
        self.costs = costs or PublishedCosts(memory)
        self.suite = published_suite(self.networks)
        self.streamed = memory == "sram"
        self.required = ("glb_bits",) if self.streamed else ("capacity_cells", "glb_bits", "weight_steps")
        sizes = {d: self.suite.sizes[:, index].astype(np.float64) for index, d in enumerate(DIMENSIONS[:-1])}
        weights = sizes["C"] * sizes["R"] * sizes["S"] * sizes["M"]
        macs = weights * sizes["P"] * sizes["Q"] * sizes["N"] * sizes["G"]
        # Groups are left out of the capacity check: a convention of the framework, kept.
        self._weights = self.suite.layers.T @ weights
        self._reads_x = self.suite.inputs.T @ macs
        self._reads_xw = np.einsum("snb,s->nb", self.suite.products, macs)

    def check(self, key: str, value: Value) -> None:
        """Check one value of a design against what is published.

        Raises:
            UserError: a value without data.
        """
        self.costs.check(key, float(value))

    def repair(self, designs: DesignTable) -> DesignTable:
        """Designs with the bits per cell that SRAM has: 1; idempotent."""
        if self.streamed and (designs["bits_per_cell"] != 1).any():
            return designs.replace(bits_per_cell=np.ones(designs.n_designs, dtype=np.int64))
        return designs

    def repairs(self, design: Design) -> Sequence[Repair]:
        """What `repair` changes in one design."""
        bits = design["bits_per_cell"]
        return [Repair("bits_per_cell", bits, 1, "an SRAM cell stores one bit")] if self.streamed and bits != 1 else []

    def simulate(self, designs: DesignTable) -> Metrics:
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
        return Metrics(energy_J, self._latency(designs, work), self.costs.areas(designs).sum(axis=1),
                       self._shortfalls(designs, work))  # fmt: skip

    def breakdown(self, designs: DesignTable) -> Breakdown:
        """The same by component."""
        work = self._count(designs)
        actions = self._actions(designs, work) * work.prices_J[:, None, :]
        energy_J = np.zeros((*actions.shape[:2], len(ENERGY_COMPONENTS)))
        for action in range(N_ACTIONS):
            energy_J[:, :, _COMPONENT[action]] += actions[:, :, action]
        return Breakdown(ENERGY_COMPONENTS, ("clock",), AREA_COMPONENTS, energy_J,
                         self._latency(designs, work)[:, :, None], self.costs.areas(designs))  # fmt: skip

    def action_counts(self, designs: DesignTable) -> NDArray[np.float64]:
        """Counts of every action of `imcevo.costs.published_actions` ``[n_designs, n_networks, N_ACTIONS]``."""
        return self._actions(designs, self._count(designs))

    def explain(self, design: Design) -> Sequence[Term]:
        """Unit costs and areas of one design."""
        designs = table_of([design])
        terms = [
            Term(f"{action} ({name})", "unit cost x simulated energy or supply factor",
                 {name: self.costs.constants[name], "factor": float(factor[0])},
                 float(factor[0]) * self.costs.constants[name], "J", self.costs.source(name))
            for name, (action, factor) in self.costs.price_terms(designs).items()
        ]  # fmt: skip
        areas = self.costs.areas(designs)[0]
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

    def _count(self, designs: DesignTable) -> _Work:
        """Map and count every distinct chip once, and place its loops at every distinct supply and buffer."""
        slices = -(-WEIGHT_BITS // designs["bits_per_cell"])
        chip_first, chip = _distinct([*(designs[key] for key in _MESHES), slices])
        # Resident weights leave nothing to place: supply and buffer only enter the prices.
        at = [chip, designs["glb_depth"], designs["voltage_V"]] if self.streamed else [chip]
        point_first, point = _distinct(at)
        prices_J = self.costs.prices(designs)
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
            needs["capacity_cells"] = (self._weights * slices[:, None], cells)
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
