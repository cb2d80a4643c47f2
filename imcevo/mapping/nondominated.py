"""All mappings of streamed layers on one geometry that can be best at some prices (compiled).

Energy is a sum of action counts times prices, and time the largest of a few amounts of work over rates. So a mapping
that is below another in no count and in no work cannot beat it, whatever energies, rates, leakage and weights may be.
What is left is a property of layer and geometry alone.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.costs.terms import ACTIONS, N_ACTIONS
from imcevo.kernels import kernel
from imcevo.mapping.count import add_on_arrays
from imcevo.mapping.kernel_records import Record, Records
from imcevo.mapping.mesh_splits import ARRAY_FILLINGS, next_split, set_walked, start_walk
from imcevo.mapping.space import N_SPLITS, SHARES, TIME_CHOICES, mesh_shares, try_time
from imcevo.workload.table import MATRIX

# After the action counts, the work that they do not say: input cycles and row writes of the macros, one after the
# other; bits through the buffers of the busiest tile and the busiest router.
READING, WRITING, INPUT_BUFFER, OUTPUT_BUFFER, ROUTERS = range(N_ACTIONS, N_ACTIONS + 5)
N_AMOUNTS = N_ACTIONS + 5
_LOCAL_LINK = ACTIONS.index("local_link")
N_WORK = 7  # what can bind: the five, the global buffer, DRAM


@kernel(parallel=True)
def list_nondominated(
    layers: Records, chip: Records, sum_bits: int, walks: Records, trial: Records, one_by_one: Records,
    counts: NDArray[np.float64], count_records: Records, times: NDArray[np.float64], time_records: Records,
    amounts: NDArray[np.float64], factors: Records, found: NDArray[np.int64],
) -> None:  # fmt: skip
    """The non-dominated mappings of every streamed layer on one chip.

    Args:
        layers, chip: records ``[n_layers]``, ``[1]``.
        sum_bits: width of a partial sum.
        walks, trial, counts, count_records, times, time_records: scratch, a row per layer.
        one_by_one: rates ``[4]`` at which only the macros, only the input buffer, the output buffer, the routers take
            time: one second per input cycle, row write or bit.
        amounts: filled ``[n_layers, most, N_AMOUNTS]``.
        factors: filled ``[n_layers, most]``.
        found: filled ``[n_layers]``: mappings; 0 for layers of the digital unit, more than `most` where there is no
            room for all.
    """
    for i in numba.prange(len(layers)):
        if layers[i].kind == MATRIX and (not layers[i].dynamic or chip[0].dynamic_on_arrays):
            found[i] = _list_of_layer(
                layers[i], chip[0], sum_bits, walks[i], trial[i], trial[i : i + 1], one_by_one, counts[i],
                count_records[i], times[i], time_records[i], amounts[i], factors[i],
            )  # fmt: skip


@kernel(inline=False)
def _list_of_layer(
    layer: Record, chip: Record, sum_bits: int, walk: Record, f: Record, trial: Records, one_by_one: Records,
    counts: NDArray[np.float64], count: Record, times: NDArray[np.float64], time: Record,
    amounts: NDArray[np.float64], factors: Records,
) -> int:  # fmt: skip
    n, shares, new = 0, np.empty((3, SHARES + 1), np.int64), np.empty(N_AMOUNTS)
    mesh_shares(chip, shares)
    for filling in range(ARRAY_FILLINGS):
        if not start_walk(layer, chip, filling, N_SPLITS, shares, walk, f):
            continue
        at = next_split(walk, shares)
        while at >= 0:
            if at == N_SPLITS - 1:
                set_walked(layer, walk.value, walk, f)
                per_link = 0.0
                for index in range(TIME_CHOICES):
                    if not try_time(layer, chip, index, f):
                        continue
                    counts[:], times[:] = 0.0, 0.0
                    add_on_arrays(layer, chip, f, one_by_one[0], sum_bits, 0.0, False, count, time)
                    new[:N_ACTIONS] = counts
                    new[READING], new[WRITING] = time.macros, time.weight_write
                    if index == 0:  # order and slabs change no work but that of the routers, with the links'
                        for resource in range(1, len(one_by_one)):
                            times[:] = 0.0
                            add_on_arrays(layer, chip, f, one_by_one[resource], sum_bits, 0.0, False, count, time)
                            new[WRITING + resource] = time.input_buffer + time.output_buffer + time.routers
                        per_link = new[ROUTERS] / new[_LOCAL_LINK]
                    new[ROUTERS] = per_link * new[_LOCAL_LINK]
                    n = _keep(new, trial, amounts, factors, n)
                    if n > len(factors):
                        return n
            at = next_split(walk, shares)
    return n


@kernel(inline=False)
def _keep(
    new: NDArray[np.float64], trial: Records, amounts: NDArray[np.float64], factors: Records, n: int
) -> int:  # fmt: skip
    """Add a mapping unless one of the `n` there is nowhere above it; drop those that are nowhere below it."""
    for j in range(n):
        if _nowhere_above(amounts[j], new):
            return n
    kept = 0
    for j in range(n):
        if not _nowhere_above(new, amounts[j]):
            if kept < j:
                amounts[kept], factors[kept] = amounts[j], factors[j]
            kept += 1
    if kept < len(factors):
        amounts[kept], factors[kept] = new, trial[0]
    return kept + 1


@kernel()
def _nowhere_above(these: NDArray[np.float64], those: NDArray[np.float64]) -> bool:
    above = False
    for a in range(N_AMOUNTS):
        if these[a] > those[a]:
            above = True
            break
    return not above


@kernel(parallel=True)
def price_nondominated(
    first: NDArray[np.int64], amounts: NDArray[np.float64], work: NDArray[np.float64], fixed_J: NDArray[np.float64],
    energy_J: NDArray[np.float64], leakage_W: NDArray[np.float64], seconds: NDArray[np.float64],
    energies: NDArray[np.float64], latencies: NDArray[np.float64],
) -> None:  # fmt: skip
    """Joules, leakage included, and seconds of every mapping at every design's prices.

    Args:
        first: where each layer's mappings begin, and the end ``[n_layers + 1]``.
        amounts, work: ``[n_amounts * n_mappings]``, ``[N_WORK * n_mappings]``: of each layer one row of its mappings
            per amount.
        fixed_J: energy that all mappings of a layer share ``[n_designs, n_layers]``.
        energy_J, leakage_W, seconds: prices of amounts ``[n_designs, n_amounts]``, of time ``[n_designs]``, and time
            per work ``[n_designs, N_WORK]``.
        energies, latencies: filled ``[n_designs, n_mappings]``.
    """
    for d in numba.prange(len(energy_J)):
        for i in range(len(first) - 1):
            begin, end = first[i], first[i + 1]
            _price_layer(
                begin, end, amounts, work, fixed_J[d, i], energy_J[d], leakage_W[d], seconds[d],
                energies[d, begin:end], latencies[d, begin:end],
            )  # fmt: skip


@kernel(parallel=True)
def choose_nondominated(
    first: NDArray[np.int64], amounts: NDArray[np.float64], work: NDArray[np.float64], fixed_J: NDArray[np.float64],
    energy_J: NDArray[np.float64], leakage_W: NDArray[np.float64], seconds: NDArray[np.float64],
    network: NDArray[np.int64], weights: NDArray[np.float64], chosen: NDArray[np.int64],
) -> None:  # fmt: skip
    """Of every layer the mapping of least weighted energy and latency, into `chosen` ``[n_designs, n_layers]``.

    Args:
        first to seconds: as of `price_nondominated`.
        network: of each layer ``[n_layers]``.
        weights: of energy (1/J) and latency (1/s) ``[n_designs, n_networks, 2]``.
    """
    most = 0
    for i in range(len(first) - 1):
        most = max(most, first[i + 1] - first[i])
    for d in numba.prange(len(energy_J)):
        energies, latencies = np.empty(most), np.empty(most)
        for i in range(len(first) - 1):
            begin, end = first[i], first[i + 1]
            _price_layer(
                begin, end, amounts, work, fixed_J[d, i], energy_J[d], leakage_W[d], seconds[d], energies, latencies
            )
            of_energy, of_latency = weights[d, network[i], 0], weights[d, network[i], 1]
            least = np.inf
            for j in range(end - begin):
                cost = of_energy * energies[j] + of_latency * latencies[j]
                if cost < least:
                    least = cost
                    chosen[d, i] = begin + j


@kernel(inline=False)
def _price_layer(
    begin: int, end: int, amounts: NDArray[np.float64], work: NDArray[np.float64], fixed_J: float,
    energy_J: NDArray[np.float64], leakage_W: float, seconds: NDArray[np.float64],
    energy: NDArray[np.float64], latency: NDArray[np.float64],
) -> None:  # fmt: skip
    """Into the first entries of `energy` and `latency`; loops run along mappings, so that they become vector code."""
    n, n_amounts = end - begin, len(energy_J)
    rows = amounts[n_amounts * begin : n_amounts * end].reshape(n_amounts, n)
    works = work[N_WORK * begin : N_WORK * end].reshape(N_WORK, n)
    reading, writing = works[0], works[1]
    for j in range(n):
        energy[j] = fixed_J
        latency[j] = reading[j] * seconds[0] + writing[j] * seconds[1]
    for resource in range(2, N_WORK):
        busy, per_work = works[resource], seconds[resource]
        for j in range(n):
            latency[j] = max(latency[j], busy[j] * per_work)
    for amount in range(n_amounts):
        row, price = rows[amount], energy_J[amount]
        for j in range(n):
            energy[j] += row[j] * price
    for j in range(n):
        energy[j] += leakage_W * latency[j]
