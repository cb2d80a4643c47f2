"""Energy and latency of one mapped layer at one design's prices (compiled), through the simulator's own counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.terms import ACTIONS, N_ACTIONS, RATES, UnitCosts
from imcevo.kernels import kernel
from imcevo.mapping.count import COUNT_DTYPE, N_RESOURCES, N_TIMES, RATE_DTYPE, TIME_DTYPE, count_layers
from imcevo.mapping.factors import Mapping
from imcevo.mapping.kernel_records import Record, Records
from imcevo.mapping.layer_work import Movement, array_work, moved_by, slowest
from imcevo.mapping.loops import Loops, resolve
from imcevo.portable.arrays import row_sums, sums_at_prices

# Prices of one design, and what its mapper minimises: the weights of energy and latency.
PRICE_DTYPE = np.dtype([
    ("energy_J", np.float64, (N_ACTIONS,)), ("leakage_W", np.float64), ("sum_bits", np.int64),
    ("writes_per_inference", np.float64), ("energy_weight", np.float64), ("time_weight", np.float64),
])  # fmt: skip
(
    CELL_READ, CELL_READ_X, CELL_READ_W, CELL_READ_XW, ROW_DRIVE, ROW_DRIVE_X, COLUMN_READ, ADC_CONVERSION,
    ADDER_TREE_SUM, SHIFT_ADD, ACCUMULATE, INPUT_BUFFER_READ, INPUT_BUFFER_WRITE, OUTPUT_BUFFER_READ,
    OUTPUT_BUFFER_WRITE, TRUNK, LOCAL_LINK, GLB_READ, GLB_WRITE, DRAM, CELL_WRITE, ROW_WRITE,
) = (
    ACTIONS.index(name)
    for name in (
        "cell_read", "cell_read_x", "cell_read_w", "cell_read_xw", "row_drive", "row_drive_x", "column_read",
        "adc_conversion", "adder_tree_sum", "shift_add", "accumulate", "input_buffer_read", "input_buffer_write",
        "output_buffer_read", "output_buffer_write", "trunk", "local_link", "glb_read", "glb_write", "dram",
        "cell_write", "row_write",
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


@kernel(inner=True)
def array_energy(layer: Record, chip: Record, price: Record, loops: Loops) -> float:
    """Joules of a layer's work inside macros, which depends on rows, columns and groups of an array alone."""
    x, w = layer.mean_input[chip.dac_bits - 1], layer.mean_weight[chip.bits_per_cell - 1]
    work, energy_J = array_work(layer, 1.0 * layer.count, x, w, loops), price.energy_J
    columns = energy_J[COLUMN_READ] + energy_J[ADC_CONVERSION] + energy_J[ADDER_TREE_SUM] + energy_J[SHIFT_ADD]
    return (
        work.cells * energy_J[CELL_READ]
        + work.cells_x * energy_J[CELL_READ_X]
        + work.cells_w * energy_J[CELL_READ_W]
        + work.cells_xw * energy_J[CELL_READ_XW]
        + work.rows * energy_J[ROW_DRIVE]
        + work.rows_x * energy_J[ROW_DRIVE_X]
        + work.columns * columns
        + work.sums * energy_J[ACCUMULATE]
    )


@kernel(inner=True)
def moving_energy(price: Record, moved: Movement) -> float:
    """Joules of data movement and weight writing."""
    energy_J = price.energy_J
    return (
        moved.input_buffer_read * energy_J[INPUT_BUFFER_READ]
        + moved.input_buffer_write * energy_J[INPUT_BUFFER_WRITE]
        + moved.output_buffer * (energy_J[OUTPUT_BUFFER_READ] + energy_J[OUTPUT_BUFFER_WRITE])
        + moved.trunk * energy_J[TRUNK]
        + moved.local_link * energy_J[LOCAL_LINK]
        + moved.glb_read * energy_J[GLB_READ]
        + moved.glb_write * energy_J[GLB_WRITE]
        + moved.dram * energy_J[DRAM]
        + moved.cells_written * energy_J[CELL_WRITE]
        + moved.rows_written * energy_J[ROW_WRITE]
    )


@kernel(inner=True)
def priced(
    layer: Record, chip: Record, rate: Record, price: Record, inside_J: float, f: Record, all_reused: bool
) -> tuple[float, float]:  # fmt: skip
    """Joules without leakage, and seconds, of a layer on the arrays under the factors `f`.

    `inside_J`: by `array_energy`; `all_reused`: as of `input_traffic`.
    """
    loops = resolve(layer, chip, f)
    moved, busy = moved_by(layer, chip, f, loops, rate, price.sum_bits, price.writes_per_inference, all_reused)
    return inside_J + moving_energy(price, moved), layer.count * slowest(busy)


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
    latency = row_sums(times[:, :, :N_RESOURCES])
    energy = sums_at_prices(counts, prices.costs.energy_J) + prices.costs.leakage_W[:, None] * latency
    return energy, latency
