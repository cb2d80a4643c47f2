"""Work of one mapped layer (compiled): actions, and how long they keep every resource busy.

The formulas read fields by name and neither know nor care whether these are numbers of a record or of one lane of a
vector instruction (`imcevo/mapping/vector_lanes.py`). All amounts are of `n` layers of equal shape, all times of one
of them.
"""

from __future__ import annotations

from typing import NamedTuple

from imcevo.kernels import kernel
from imcevo.mapping.kernel_records import STREAMED, Record
from imcevo.mapping.loops import Loops
from imcevo.mapping.splitting_rules import ceil_div
from imcevo.mapping.traffic import (
    DramTraffic,
    InputPass,
    dram_of_streams,
    dram_traffic,
    fits_buffer,
    input_pass,
    input_traffic,
    output_traffic,
)


class ArrayWork(NamedTuple):
    """Work inside macros and tiles.

    Attributes:
        cells, cells_x, cells_w, cells_xw: cells read, weighted by 1, mean input level, mean cell level, both.
        rows, rows_x: word lines driven, weighted by 1 and the mean input level.
        columns: sensed, converted, summed by adder trees, shifted and added.
        sums: partial sums added to another.
    """

    cells: float
    cells_x: float
    cells_w: float
    cells_xw: float
    rows: float
    rows_x: float
    columns: float
    sums: float


class Movement(NamedTuple):
    """Bits moved, and cells and rows written."""

    input_buffer_read: float
    input_buffer_write: float
    output_buffer: float  # read, and as many written
    trunk: float
    local_link: float
    glb_read: float
    glb_write: float
    dram: float
    cells_written: float
    rows_written: float


class Busy(NamedTuple):
    """Seconds that one layer keeps every resource busy; a macro is read and written one after the other."""

    reading: float
    writing: float
    input_buffer: float
    output_buffer: float
    routers: float
    glb: float
    dram: float
    digital: float


class Streams(NamedTuple):
    """What the digital unit does at the global buffer: bits moved, and its own slots (lanes x cycles)."""

    glb_read: float
    glb_write: float
    dram: float
    slots: float


@kernel(inner=True)
def array_work(layer: Record, n: float, x: float, w: float, loops: Loops) -> ArrayWork:
    """Independent of duplication, order and buffers, and free of padded tails; `x`, `w`: mean input and cell level."""
    outputs = n * layer.output_elements
    reads = outputs * layer.K * loops.input_cycles * loops.slices
    drives = 1.0 * n * layer.vectors * layer.G * layer.K * loops.folds_m * loops.input_cycles
    # Groups packed into one array sit on a diagonal: a column also sees the other groups' rows, through empty cells.
    seen = reads * loops.diagonal
    return ArrayWork(
        cells=seen,
        cells_x=seen * x,
        cells_w=reads * w,
        cells_xw=reads * x * w,
        rows=drives,
        rows_x=drives * x,
        columns=outputs * loops.sensed * loops.input_cycles * loops.slices,
        sums=outputs * (loops.folds_k - 1),
    )


@kernel(inner=True)
def movement(
    layer: Record, chip: Record, f: Record, loops: Loops, once: InputPass, dram: DramTraffic, rate: Record,
    sum_bits: int, writes_per_inference: float, all_reused: bool, n: float,
) -> tuple[Movement, Busy]:  # fmt: skip
    """Data movement and weight writing; `once` by `input_pass`, `dram` by `dram_traffic`."""
    inputs = input_traffic(layer, chip, f, loops, once, all_reused)
    sums = output_traffic(layer, chip, f, loops, sum_bits, all_reused)
    rounds = 1.0 * loops.time_k * loops.time_m * loops.time_g
    writes, reload = writes_per_inference * layer.stored_share, 0.0
    if chip.deployment == STREAMED or layer.dynamic:
        reload = 1.0 * loops.v_loop if loops.weights_reload else 1.0
        # Only weights that were there all at once are still there when the next layer uses them too.
        reload *= layer.load_share if all_reused or rounds == 1.0 else 1.0
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
    moved = Movement(
        input_buffer_read=1.0 * n * layer.vectors * layer.G * layer.K * loops.tile_folds_m * layer.input_bits,
        input_buffer_write=n * inputs.to_tiles,
        output_buffer=n * (layer.output_elements * loops.tile_folds_k * sum_bits),
        trunk=n * trunk,
        local_link=n * local,
        glb_read=n * glb_read,
        glb_write=n * glb_write,
        dram=n * dram_bits,
        cells_written=n * writes * layer.weights * loops.slices * loops.diagonal * loops.copies,
        rows_written=n * writes * layer.G * layer.K * loops.folds_m * loops.copies,
    )
    per_step = rounds * loops.steps * loops.tile_groups * f.macro_v
    groups = min(chip.router_groups, f.group_k * f.group_m * f.group_g * f.group_v)
    return moved, Busy(
        reading=rounds * loops.steps * loops.input_cycles * loops.row_steps * rate.input_cycle_s,
        writing=rounds * reload * min(layer.K, f.rows_k) * f.pack_g * rate.row_write_s,
        input_buffer=per_step * loops.tile_k * layer.input_bits / rate.input_buffer_bps,
        output_buffer=per_step * min(layer.M, f.macro_m * f.cols_m) * 2.0 * sum_bits / rate.output_buffer_bps,
        routers=local / (groups * rate.router_bps),
        glb=(glb_read + glb_write) / rate.glb_bps,
        dram=dram_bits / rate.dram_bps,
        digital=0.0,
    )


@kernel(inner=True)
def moved_by(
    layer: Record, chip: Record, f: Record, loops: Loops, rate: Record, sum_bits: int, writes_per_inference: float,
    all_reused: bool,
) -> tuple[Movement, Busy]:  # fmt: skip
    """`movement` with all that it needs of one layer on one design."""
    once = input_pass(layer, chip, f, loops)
    dram = dram_traffic(layer, chip, loops, sum_bits, all_reused, fits_buffer(layer, chip))
    n = 1.0 * layer.count
    return movement(layer, chip, f, loops, once, dram, rate, sum_bits, writes_per_inference, all_reused, n)


@kernel(inner=True)
def elementwise_streams(layer: Record, chip: Record) -> Streams:
    """Element-wise work of the digital unit at the global buffer, or table look-ups in DRAM."""
    dram = dram_of_streams(layer, chip)
    return Streams(
        layer.inputs_bits + dram.written,
        layer.outputs_bits + dram.read + dram.second,
        dram.read + dram.written + dram.second,
        layer.ops,
    )


@kernel(inner=True)
def matrix_streams(layer: Record, chip: Record, side: float) -> Streams:
    """A matrix layer on the digital unit: an output-stationary square of `side` x `side` lanes.

    Each pass reads `side` vectors and `side` output columns over the whole reduction from the global buffer.
    """
    passes_v, passes_m = ceil_div(layer.vectors, side), ceil_div(layer.M, side)
    first = 1.0 * layer.vectors * layer.K * layer.G * passes_m * layer.input_bits
    dram = dram_of_streams(layer, chip)
    return Streams(
        first + layer.operand_bits * passes_v + dram.written,
        layer.outputs_bits + dram.read + dram.second,
        dram.read + dram.written + dram.second,
        1.0 * passes_v * passes_m * layer.K * layer.G * chip.digital_lanes,
    )


@kernel(inner=True)
def slowest(busy: Busy) -> float:
    """Seconds of one layer on the arrays; a macro is read and written one after the other."""
    return max(busy.reading + busy.writing, busy.input_buffer, busy.output_buffer, busy.routers, busy.glb, busy.dram)


@kernel(inner=True)
def binding(busy: Busy) -> Busy:
    """The seconds of the slowest resource, which are the layer's; 0 for all others."""
    others = max(busy.input_buffer, busy.output_buffer, busy.routers, busy.glb, busy.dram, busy.digital)
    macros = busy.reading + busy.writing >= others
    dram = not macros and busy.dram == others
    glb = not (macros or dram) and busy.glb == others
    routers = not (macros or dram or glb) and busy.routers == others
    input_buffer = not (macros or dram or glb or routers) and busy.input_buffer == others
    tiles = macros or dram or glb or routers or input_buffer
    output_buffer = not tiles and busy.output_buffer == others
    return Busy(
        busy.reading if macros else 0.0,
        busy.writing if macros else 0.0,
        busy.input_buffer if input_buffer else 0.0,
        busy.output_buffer if output_buffer else 0.0,
        busy.routers if routers else 0.0,
        busy.glb if glb else 0.0,
        busy.dram if dram else 0.0,
        0.0 if tiles or output_buffer else busy.digital,
    )
