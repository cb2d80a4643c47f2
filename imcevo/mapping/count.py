"""Action counts and resource times of mapped layers (compiled): the hot loop of the simulator.

Kernels choose nothing: the mapping says how a layer runs, the geometry and rates say on what.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.costs.terms import ACTIONS, RATES, RESOURCES
from imcevo.kernels import kernel
from imcevo.mapping.factors import ELSEWHERE, ON_DIGITAL_UNIT
from imcevo.mapping.loops import Loops, resolve
from imcevo.mapping.records import STREAMED, Record, Records
from imcevo.mapping.split import ceil_div
from imcevo.mapping.traffic import dram_of_streams, dram_traffic, input_traffic, output_traffic
from imcevo.workload.table import MATRIX

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
    """Add every layer's actions and times to the rows that `row_of_layer` names (networks, or the layers themselves).

    Args:
        layers, geometry, factors: records ``[n_layers]``, ``[n_designs]``, ``[n_designs, n_layers]``.
        rates: records ``[n_designs]`` of `RATE_DTYPE`.
        sum_bits: width of a partial sum.
        writes_per_inference: how often weights that are not streamed are programmed per inference.
        counts: zeroed records ``[n_designs, n_rows]`` of `COUNT_DTYPE`.
        times: zeroed records ``[n_designs, n_rows]`` of `TIME_DTYPE`: each layer's time on the resource that binds
            it, and the stages of a pipeline of layers.
        rows_summed: zeroed ``[n_designs]``; the most rows of a layer summed at once on one column.
    """
    for d in numba.prange(len(geometry)):
        chip, rate = geometry[d], rates[d]
        for i in range(len(layers)):
            row = row_of_layer[i]
            layer, f, count, time = layers[i], factors[d, i], counts[d, row], times[d, row]
            if f.unit == ELSEWHERE:
                continue
            if layer.kind != MATRIX:
                _add_elementwise(layer, chip, rate, count, time)
            elif f.unit == ON_DIGITAL_UNIT:
                _add_digital(layer, chip, rate, count, time)
            else:
                rows_summed[d] = max(rows_summed[d], min(layer.K, f.rows_k, chip.rows_active))
                add_on_arrays(layer, chip, f, rate, sum_bits, writes_per_inference, False, count, time)


@kernel()
def add_on_arrays(
    layer: Record, chip: Record, f: Record, rate: Record, sum_bits: int, writes_per_inference: float,
    all_reused: bool, count: Record, time: Record,
) -> None:  # fmt: skip
    """Add one matrix layer that the arrays do; arguments as of `count_layers` and `input_traffic`."""
    loops = resolve(layer, chip, f)
    add_compute(layer, chip, loops, count)
    m = moved(layer, chip, f, loops, rate, sum_bits, writes_per_inference, all_reused)
    _add_traffic(layer, chip, rate, m, count, time)


@kernel()
def add_compute(layer: Record, chip: Record, loops: Loops, count: Record) -> None:
    """Work inside macros and tiles; independent of duplication, order and buffers, and free of padded tails."""
    outputs = layer.count * layer.output_elements
    columns = outputs * loops.sensed * loops.input_cycles * loops.slices
    reads = outputs * layer.K * loops.input_cycles * loops.slices
    drives = 1.0 * layer.count * layer.vectors * layer.G * layer.K * loops.folds_m * loops.input_cycles
    x = layer.mean_input[chip.dac_bits - 1]
    w = layer.mean_weight[chip.bits_per_cell - 1]
    # Groups packed into one array sit on a diagonal: a column also sees the other groups' rows, through empty cells.
    seen = reads * loops.diagonal
    count.cell_read += seen
    count.cell_read_x += seen * x
    count.cell_read_w += reads * w
    count.cell_read_xw += reads * x * w
    count.row_drive += drives
    count.row_drive_x += drives * x
    count.column_read += columns
    count.adc_conversion += columns
    count.adder_tree_sum += columns
    count.shift_add += columns
    count.accumulate += outputs * (loops.folds_k - 1)


class Moved(NamedTuple):
    """What a mapped layer moves and writes, all `count` repetitions together, and how long one of them keeps resources
    busy.

    Attributes:
        input_reads, to_tiles: bits read from the tiles' input buffers, and written into them.
        sums_at_tiles: bits of partial sums written into the tiles' output buffers; as many are read.
        trunk, local, glb_read, glb_write, dram: bits.
        cell_write, row_write: cells and rows.
        reading, writing, input_buffer, output_buffer, routers, glb, dram_s: seconds that a resource is busy.
    """

    input_reads: float
    to_tiles: float
    sums_at_tiles: float
    trunk: float
    local: float
    glb_read: float
    glb_write: float
    dram: float
    cell_write: float
    row_write: float
    reading: float
    writing: float
    input_buffer: float
    output_buffer: float
    routers: float
    glb: float
    dram_s: float


@kernel()
def moved(
    layer: Record, chip: Record, f: Record, loops: Loops, rate: Record, sum_bits: int, writes_per_inference: float,
    all_reused: bool,
) -> Moved:  # fmt: skip
    """Data movement, weight writing and the busy times of resources; arguments as of `count_layers` and
    `input_traffic`."""
    n = layer.count
    inputs = input_traffic(layer, chip, f, loops, all_reused)
    sums = output_traffic(layer, chip, f, loops, sum_bits, all_reused)
    dram = dram_traffic(layer, chip, loops, sum_bits, all_reused)
    writes, reload = writes_per_inference, 0.0
    if chip.deployment == STREAMED or layer.dynamic:
        reload = 1.0 * loops.v_loop if loops.weights_reload else 1.0
        writes = reload
    loaded = layer.operand_bits * writes
    from_glb = loaded if layer.dynamic else 0.0
    # A sum that changes its tile takes two local links; within a group it needs no trunk.
    shared = 2.0 * sums.spilled + sums.final
    trunk = inputs.to_groups + sums.across_groups + shared + loaded * ceil_div(loops.tile_copies, f.tile_v)
    local = inputs.to_tiles + 2.0 * sums.reduced + shared + loaded * loops.tile_copies
    glb_read = inputs.glb_read + sums.spilled + dram.written + from_glb
    glb_write = sums.spilled + sums.final + dram.read + dram.second
    dram_bits = dram.read + dram.written + dram.second + loaded - from_glb
    rounds = 1.0 * loops.time_k * loops.time_m * loops.time_g
    per_step = rounds * loops.steps * loops.tile_groups * f.macro_v
    groups = min(chip.router_groups, f.group_k * f.group_m * f.group_g * f.group_v)
    return Moved(
        input_reads=1.0 * n * layer.vectors * layer.G * layer.K * loops.tile_folds_m * layer.input_bits,
        to_tiles=n * inputs.to_tiles,
        sums_at_tiles=n * (layer.output_elements * loops.tile_folds_k * sum_bits),
        trunk=n * trunk,
        local=n * local,
        glb_read=n * glb_read,
        glb_write=n * glb_write,
        dram=n * dram_bits,
        cell_write=n * writes * layer.weights * loops.slices * loops.diagonal * loops.copies,
        row_write=n * writes * layer.G * layer.K * loops.folds_m * loops.copies,
        reading=rounds * loops.steps * loops.input_cycles * loops.row_steps * rate.input_cycle_s,
        writing=rounds * reload * min(layer.K, f.rows_k) * f.pack_g * rate.row_write_s,
        input_buffer=per_step * loops.tile_k * layer.input_bits / rate.input_buffer_bps,
        output_buffer=per_step * min(layer.M, f.macro_m * f.cols_m) * 2.0 * sum_bits / rate.output_buffer_bps,
        routers=local / (groups * rate.router_bps),
        glb=(glb_read + glb_write) / rate.glb_bps,
        dram_s=dram_bits / rate.dram_bps,
    )


@kernel()
def slowest(m: Moved) -> float:
    """Seconds of one repetition: the slowest resource; a macro is read and written one after the other."""
    return max(m.reading + m.writing, m.input_buffer, m.output_buffer, m.routers, m.glb, m.dram_s)


@kernel()
def _add_traffic(layer: Record, chip: Record, rate: Record, m: Moved, count: Record, time: Record) -> None:
    """Data movement, weight writing and the time of the slowest resource."""
    count.input_buffer_read += m.input_reads
    count.input_buffer_write += m.to_tiles
    count.output_buffer_read += m.sums_at_tiles
    count.output_buffer_write += m.sums_at_tiles
    count.trunk += m.trunk
    count.local_link += m.local
    count.glb_read += m.glb_read
    count.glb_write += m.glb_write
    count.dram += m.dram
    count.cell_write += m.cell_write
    count.row_write += m.row_write
    if chip.pipelined:
        time.stage_routers += m.local / (chip.router_groups * rate.router_bps)
    _book(
        time, layer.count, chip.pipelined, m.reading, m.writing, m.input_buffer, m.output_buffer, m.routers, m.glb,
        m.dram_s, 0.0,
    )  # fmt: skip


@kernel()
def _stage(
    time: Record, n: int, macros: float, input_buffer: float, output_buffer: float, routers: float, glb: float,
    dram: float, digital: float,
) -> None:  # fmt: skip
    """What a pipeline of layers needs to know of a layer; nobody asks for it elsewhere."""
    time.stage_own = max(time.stage_own, macros, input_buffer, output_buffer, routers)
    time.stage_global_buffer += n * glb
    time.stage_dram += n * dram
    time.stage_digital_unit += n * digital


@kernel()
def _book(
    time: Record, n: int, pipelined: int, reading: float, writing: float, input_buffer: float, output_buffer: float,
    routers: float, glb: float, dram: float, digital: float,
) -> None:  # fmt: skip
    """Book `n` times the slowest resource's time on it; a macro is read and written one after the other."""
    if pipelined:
        _stage(time, n, reading + writing, input_buffer, output_buffer, routers, glb, dram, digital)
    others = max(input_buffer, output_buffer, routers, glb, dram, digital)
    if reading + writing >= others:
        time.macros += n * reading
        time.weight_write += n * writing
    elif dram == others:
        time.dram += n * dram
    elif glb == others:
        time.global_buffer += n * glb
    elif routers == others:
        time.routers += n * routers
    elif input_buffer == others:
        time.input_buffer += n * input_buffer
    elif output_buffer == others:
        time.output_buffer += n * output_buffer
    else:
        time.digital_unit += n * digital


@kernel()
def _add_digital(layer: Record, chip: Record, rate: Record, count: Record, time: Record) -> None:
    """A matrix layer on the digital unit: an output-stationary square of b x b lanes, b = floor(sqrt(lanes)).

    Each pass reads b vectors and b output columns over the whole reduction from the global buffer.
    """
    n = layer.count
    side = int(chip.digital_lanes**0.5)
    passes_v, passes_m = ceil_div(layer.vectors, side), ceil_div(layer.M, side)
    first = 1.0 * layer.vectors * layer.K * layer.G * passes_m * layer.input_bits
    dram = dram_of_streams(layer, chip)
    glb_read = first + layer.operand_bits * passes_v + dram.written
    glb_write = layer.outputs_bits + dram.read + dram.second
    dram_bits = dram.read + dram.written + dram.second
    count.digital_mac += n * layer.vectors * layer.weights
    count.glb_read += n * glb_read
    count.glb_write += n * glb_write
    count.dram += n * dram_bits
    slots = 1.0 * passes_v * passes_m * layer.K * layer.G * chip.digital_lanes
    _book(
        time, n, chip.pipelined, 0.0, 0.0, 0.0, 0.0, 0.0,
        (glb_read + glb_write) / rate.glb_bps, dram_bits / rate.dram_bps, slots / rate.digital_ops_per_s,
    )  # fmt: skip


@kernel()
def _add_elementwise(layer: Record, chip: Record, rate: Record, count: Record, time: Record) -> None:
    """Element-wise work of the digital unit at the global buffer, or table look-ups in DRAM."""
    n = layer.count
    dram = dram_of_streams(layer, chip)
    glb_read = layer.inputs_bits + dram.written
    glb_write = layer.outputs_bits + dram.read + dram.second
    dram_bits = dram.read + dram.written + dram.second
    count.digital_op += n * layer.ops
    count.glb_read += n * glb_read
    count.glb_write += n * glb_write
    count.dram += n * dram_bits
    _book(
        time, n, chip.pipelined, 0.0, 0.0, 0.0, 0.0, 0.0,
        (glb_read + glb_write) / rate.glb_bps, dram_bits / rate.dram_bps, layer.ops / rate.digital_ops_per_s,
    )  # fmt: skip
