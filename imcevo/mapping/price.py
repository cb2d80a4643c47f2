"""Energy and latency of one mapped layer at one design's prices (compiled), through the simulator's own counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.terms import ACTIONS, N_ACTIONS, RATES, UnitCosts
from imcevo.kernels import kernel
from imcevo.mapping.count import (
    COUNT_DTYPE,
    N_RESOURCES,
    N_TIMES,
    RATE_DTYPE,
    TIME_DTYPE,
    Moved,
    add_compute,
    count_layers,
    moved,
    slowest,
)
from imcevo.mapping.factors import Mapping
from imcevo.mapping.loops import resolve
from imcevo.mapping.records import Record, Records

# Prices of one design, and what its mapper minimises: the weights of energy and latency.
PRICE_DTYPE = np.dtype([
    ("energy_J", np.float64, (N_ACTIONS,)), ("leakage_W", np.float64), ("sum_bits", np.int64),
    ("writes_per_inference", np.float64), ("energy_weight", np.float64), ("time_weight", np.float64),
])  # fmt: skip
(
    INPUT_BUFFER_READ, INPUT_BUFFER_WRITE, OUTPUT_BUFFER_READ, OUTPUT_BUFFER_WRITE, TRUNK, LOCAL_LINK, GLB_READ,
    GLB_WRITE, DRAM, CELL_WRITE, ROW_WRITE,
) = (
    ACTIONS.index(name)
    for name in (
        "input_buffer_read", "input_buffer_write", "output_buffer_read", "output_buffer_write", "trunk", "local_link",
        "glb_read", "glb_write", "dram", "cell_write", "row_write",
    )
)  # fmt: skip
FAST = 1e30  # a bandwidth that never binds
UNBOUNDED_BITS = 2**60


class Prices(NamedTuple):
    """What a policy may know of the designs beyond their geometry.

    Attributes:
        costs: unit costs of the designs.
        sum_bits: width of a partial sum.
        writes_per_inference: how often swapped weights are programmed per inference.
    """

    costs: UnitCosts
    sum_bits: int
    writes_per_inference: float

    def take(self, index: slice) -> Prices:
        """Of the designs at `index`."""
        return self._replace(costs=UnitCosts(*(values[index] for values in self.costs)))

    def records(self) -> Records:
        """As records ``[n_designs]`` of `PRICE_DTYPE`, the weights 0."""
        prices = np.zeros(len(self.costs.leakage_W), dtype=PRICE_DTYPE)
        prices["energy_J"], prices["leakage_W"] = self.costs.energy_J, self.costs.leakage_W
        prices["sum_bits"], prices["writes_per_inference"] = self.sum_bits, self.writes_per_inference
        return prices

    def rates(self) -> Records:
        """Rates as records ``[n_designs]`` of `RATE_DTYPE`."""
        return np.ascontiguousarray(self.costs.rates).view(RATE_DTYPE)[:, 0]


class Scratch(NamedTuple):
    """Memory to count single layers in, one row per design; the records are views of the arrays."""

    counts: NDArray[np.float64]
    count_records: Records
    times: NDArray[np.float64]
    time_records: Records


def scratch(n_designs: int) -> Scratch:
    """Room for `n_designs`."""
    counts, times = np.zeros((n_designs, N_ACTIONS)), np.zeros((n_designs, N_TIMES))
    return Scratch(counts, counts.view(COUNT_DTYPE)[:, 0], times, times.view(TIME_DTYPE)[:, 0])


def movement_rates(rates: Records) -> Records:
    """The same hardware with everything but global buffer and DRAM infinitely fast, for lower bounds."""
    fast = rates.copy()
    for name in RATES:
        if name in ("input_cycle_s", "row_write_s"):
            fast[name] = 0.0
        elif name not in ("glb_bps", "dram_bps"):
            fast[name] = FAST
    return fast


def unbounded_buffers(geometry: Records) -> Records:
    """The same hardware with tile buffers that hold everything, for lower bounds."""
    ideal = geometry.copy()
    ideal["input_buffer_bits"] = ideal["output_buffer_bits"] = UNBOUNDED_BITS
    return ideal


@kernel(inline=False)
def array_energy(
    layer: Record, chip: Record, price: Record, f: Record, counts: NDArray[np.float64], count: Record
) -> float:  # fmt: skip
    """Joules of a layer's work inside macros, which depends on rows, columns and groups of an array alone.

    `counts` ``[N_ACTIONS]`` is scratch, the record a view of it.
    """
    counts[:] = 0.0
    add_compute(layer, chip, resolve(layer, chip, f), count)
    energy = 0.0
    for action in range(len(counts)):
        energy += counts[action] * price.energy_J[action]
    return energy


@kernel()
def priced(
    layer: Record, chip: Record, rate: Record, price: Record, inside_J: float, f: Record, all_reused: bool
) -> tuple[float, float]:  # fmt: skip
    """Joules without leakage, and seconds, of a layer on the arrays under the factors `f`.

    `inside_J`: by `array_energy`; `all_reused`: as of `input_traffic`.
    """
    loops = resolve(layer, chip, f)
    m = moved(layer, chip, f, loops, rate, price.sum_bits, price.writes_per_inference, all_reused)
    return inside_J + moving_energy(price.energy_J, m), layer.count * slowest(m)


@kernel()
def moving_energy(energy_J: NDArray[np.float64], m: Moved) -> float:
    """Joules of data movement and weight writing."""
    return (
        m.input_reads * energy_J[INPUT_BUFFER_READ]
        + m.to_tiles * energy_J[INPUT_BUFFER_WRITE]
        + m.sums_at_tiles * (energy_J[OUTPUT_BUFFER_READ] + energy_J[OUTPUT_BUFFER_WRITE])
        + m.trunk * energy_J[TRUNK]
        + m.local * energy_J[LOCAL_LINK]
        + m.glb_read * energy_J[GLB_READ]
        + m.glb_write * energy_J[GLB_WRITE]
        + m.dram * energy_J[DRAM]
        + m.cell_write * energy_J[CELL_WRITE]
        + m.row_write * energy_J[ROW_WRITE]
    )


def network_totals(
    layers: Records, geometry: Records, n_networks: int, prices: Prices, mapping: Mapping
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Joules, leakage included, and seconds of every network ``[n_designs, n_networks]`` each."""
    counts = np.zeros((len(geometry), n_networks, N_ACTIONS))
    times = np.zeros((len(geometry), n_networks, N_TIMES))
    count_layers(
        layers, geometry, mapping.factors, prices.rates(), prices.sum_bits, prices.writes_per_inference,
        np.ascontiguousarray(layers["network"]), counts.view(COUNT_DTYPE)[:, :, 0], times.view(TIME_DTYPE)[:, :, 0],
        np.zeros(len(geometry), dtype=np.int64),
    )  # fmt: skip
    latency = times[:, :, :N_RESOURCES].sum(axis=2)
    energy = np.einsum("dna,da->dn", counts, prices.costs.energy_J) + prices.costs.leakage_W[:, None] * latency
    return energy, latency
