"""Action counts and resource times of mapped layers (compiled).

Kernels choose nothing: the mapping says how a layer runs, the geometry and rates say on what.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.costs.terms import ACTIONS, RATES, RESOURCES
from imcevo.kernels import kernel
from imcevo.mapping.counting_block import count_block
from imcevo.mapping.kernel_records import Record, Records
from imcevo.mapping.layer_work import array_work, binding, moved_by
from imcevo.mapping.loops import resolve
from imcevo.mapping.vector_lanes import LANES

COUNT_DTYPE = np.dtype([(name, np.float64) for name in ACTIONS])
RATE_DTYPE = np.dtype([(name, np.float64) for name in RATES])
# What decides how fast inferences can follow each other when every layer has arrays of its own: the longest time that
# one layer keeps its own arrays, tile buffers and routers busy, and the busy times, summed over layers, of what all
# layers share. 0 on designs that are not pipelined.
STAGES = ("stage_own", "stage_routers", "stage_global_buffer", "stage_dram", "stage_digital_unit")
N_RESOURCES, N_TIMES = len(RESOURCES), len(RESOURCES) + len(STAGES)
TIME_DTYPE = np.dtype([(name, np.float64) for name in (*RESOURCES, *STAGES)])


@kernel(parallel=True)
def count_layers(
    layers: Records, geometry: Records, factors: Records, rates: Records, sum_bits: int, writes_per_inference: float,
    row_of_layer: NDArray[np.int64], counts: Records, times: Records, rows_summed: NDArray[np.int64],
) -> None:  # fmt: skip
    """Sum every layer's actions and times into the rows that `row_of_layer` names (networks, or the layers themselves).

    Args:
        layers, geometry: records ``[n_layers]``, ``[n_designs]``.
        factors: records ``[n_designs, n_layers]``; at least 1 also where the arrays do not do the layer.
        rates: records ``[n_designs]`` of `RATE_DTYPE`.
        sum_bits: width of a partial sum.
        writes_per_inference: how often weights that are not streamed are programmed per inference.
        row_of_layer: ``[n_layers]``.
        counts: filled records ``[n_designs, n_rows]`` of `COUNT_DTYPE`.
        times: filled records ``[n_designs, n_rows]`` of `TIME_DTYPE`: each layer's time on the resource that binds
            it, and the stages of a pipeline of layers.
        rows_summed: filled ``[n_designs]``; the most rows of a layer summed at once on one column.
    """
    for block in numba.prange((len(geometry) + LANES - 1) // LANES):
        count_block(
            layers, geometry, factors, rates, sum_bits, writes_per_inference, row_of_layer, block * LANES, counts,
            times, rows_summed,
        )  # fmt: skip


@kernel(inner=True)
def add_on_arrays(
    layer: Record, chip: Record, f: Record, rate: Record, sum_bits: int, writes_per_inference: float,
    all_reused: bool, count: Record, time: Record,
) -> None:  # fmt: skip
    """Add one matrix layer that the arrays do, for mappers; arguments as of `count_layers` and `input_traffic`.

    The stages of a pipeline are left out: mappers do not ask for them.
    """
    loops, n = resolve(layer, chip, f), 1.0 * layer.count
    x, w = layer.mean_input[chip.dac_bits - 1], layer.mean_weight[chip.bits_per_cell - 1]
    work = array_work(layer, n, x, w, loops)
    moved, busy = moved_by(layer, chip, f, loops, rate, sum_bits, writes_per_inference, all_reused)
    count.cell_read += work.cells
    count.cell_read_x += work.cells_x
    count.cell_read_w += work.cells_w
    count.cell_read_xw += work.cells_xw
    count.row_drive += work.rows
    count.row_drive_x += work.rows_x
    count.column_read += work.columns
    count.adc_conversion += work.columns
    count.adder_tree_sum += work.columns
    count.shift_add += work.columns
    count.accumulate += work.sums
    count.input_buffer_read += moved.input_buffer_read
    count.input_buffer_write += moved.input_buffer_write
    count.output_buffer_read += moved.output_buffer
    count.output_buffer_write += moved.output_buffer
    count.trunk += moved.trunk
    count.local_link += moved.local_link
    count.glb_read += moved.glb_read
    count.glb_write += moved.glb_write
    count.dram += moved.dram
    count.cell_write += moved.cells_written
    count.row_write += moved.rows_written
    bound = binding(busy)
    time.macros += n * bound.reading
    time.weight_write += n * bound.writing
    time.input_buffer += n * bound.input_buffer
    time.output_buffer += n * bound.output_buffer
    time.routers += n * bound.routers
    time.global_buffer += n * bound.glb
    time.dram += n * bound.dram
