"""Where the numbers of a block of designs stand (compiled): every design is a lane of vector instructions.

Factors, sizes and rates of the designs, what is made of them and the sums over layers are columns of one scratch array,
that of lane `j` at ``c[COLUMN + j]``. One base, constant distances and a constant number of lanes let the compiler turn
loops over lanes into vector code without checking whether columns overlap. Layers are numbers outside memory for the
same reason: a store to a column could change a record.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.factors import ON_ARRAYS, ON_DIGITAL_UNIT
from imcevo.mapping.kernel_records import Record, Records
from imcevo.mapping.layer_work import Busy
from imcevo.mapping.loops import Loops, Packing, Pixels, loops_of
from imcevo.workload.table import MATRIX

# Wide enough that loops over lanes are vectorised before they are unrolled, no wider: the last block is filled up.
LANES = 16

# Factors; sizes and rates of the designs; how many layers of a shape a lane counts, and their mean levels; what
# `imcevo/mapping/counting_block.py` prepares; seconds that the layer keeps resources busy, and its bits over local
# links; what outlives the layer: rows summed, and the stage of the tensor at hand in a pipeline.
(
    ROWS_K, COLS_M, PACK_G, MACRO_K, MACRO_M, MACRO_G, MACRO_V, TILE_K, TILE_M, TILE_G, TILE_V, GROUP_K, GROUP_M,
    GROUP_G, GROUP_V, ORDER, SLABS,
    ROWS_ACTIVE, BITS_PER_CELL, DAC_BITS, INPUT_BUFFER_BITS, OUTPUT_BUFFER_BITS, GLB_BITS, DIGITAL_LANES,
    DEPLOYMENT, ROUTER_GROUPS, PIPELINED, SIDE,
    INPUT_CYCLE_S, ROW_WRITE_S, INPUT_BUFFER_BPS, OUTPUT_BUFFER_BPS, ROUTER_BPS, GLB_BPS, DRAM_BPS,
    DIGITAL_OPS_PER_S,
    COUNT, MEAN_INPUT, MEAN_WEIGHT,
    SLICES, INPUT_CYCLES, ROW_STEPS, SENSED, DIAGONAL, TIME_G, COPIES, IMAGES, ROWS_PER_COPY, COLS_PER_COPY,
    SLAB_ROWS, V_LOOP, ROWS_TOUCHED, COLS_TOUCHED, CHANNEL_BITS, DRAM_READ, DRAM_WRITTEN, DRAM_SECOND,
    READING, WRITING, INPUT_BUFFER, OUTPUT_BUFFER, ROUTERS, GLB, DRAM, DIGITAL, LOCAL,
    ROWS_SUMMED, S_TENSOR,
    FIRST_SUM,
) = range(0, 69 * LANES, LANES)  # fmt: skip
# Sums over the layers of a row: actions, T_ seconds on the binding resource, S_ stages of a pipeline.
(
    CELLS, CELLS_X, CELLS_W, CELLS_XW, ROWS, ROWS_X, COLUMNS, PARTIALS, INPUT_READ, INPUT_WRITE, OUTPUT_MOVED,
    TRUNK, LOCAL_LINK, GLB_READ, GLB_WRITE, DRAM_MOVED, CELLS_WRITTEN, ROWS_WRITTEN, DIGITAL_MAC, DIGITAL_OP,
    T_MACROS, T_WRITE, T_INPUT, T_OUTPUT, T_ROUTERS, T_GLB, T_DRAM, T_DIGITAL, S_OWN, S_ROUTERS, S_GLB, S_DRAM,
    S_DIGITAL,
    END,
) = range(FIRST_SUM, FIRST_SUM + 34 * LANES, LANES)  # fmt: skip


class LayerSizes(NamedTuple):
    """The fields of a layer that formulas of matrix layers read, out of memory so that loops over lanes keep them."""

    kind: int
    N: float
    C: float
    M: float
    P: float
    Q: float
    R: float
    S: float
    G: float
    stride_h: float
    stride_w: float
    pad_h: float
    pad_w: float
    H: float
    W: float
    dynamic: bool
    sequential: bool
    input_bits: float
    K: float
    vectors: float
    second_bits: float
    ops: float
    output_elements: float
    from_dram: float
    to_dram: float
    row_taps: float
    col_taps: float
    weights: float
    inputs_bits: float
    outputs_bits: float
    held_bits: float
    operand_bits: float
    stored_share: float
    load_share: float


class Chip(NamedTuple):
    """Sizes of one lane's design."""

    rows_active: float
    bits_per_cell: float
    dac_bits: float
    input_buffer_bits: float
    output_buffer_bits: float
    glb_bits: float
    digital_lanes: float
    deployment: float
    router_groups: float


class Rate(NamedTuple):
    """Rates of one lane's design."""

    input_cycle_s: float
    row_write_s: float
    input_buffer_bps: float
    output_buffer_bps: float
    router_bps: float
    glb_bps: float
    dram_bps: float
    digital_ops_per_s: float


class Factors(NamedTuple):
    """Factors of one lane's design, as in `imcevo/mapping/factors.py`."""

    rows_k: float
    cols_m: float
    pack_g: float
    macro_k: float
    macro_m: float
    macro_g: float
    macro_v: float
    tile_k: float
    tile_m: float
    tile_g: float
    tile_v: float
    group_k: float
    group_m: float
    group_g: float
    group_v: float
    order: float
    slabs: float


@kernel(inner=True)
def sizes_of(layer: Record) -> LayerSizes:
    return LayerSizes(
        layer.kind, 1.0 * layer.N, 1.0 * layer.C, 1.0 * layer.M, 1.0 * layer.P, 1.0 * layer.Q, 1.0 * layer.R,
        1.0 * layer.S, 1.0 * layer.G, 1.0 * layer.stride_h, 1.0 * layer.stride_w, 1.0 * layer.pad_h, 1.0 * layer.pad_w,
        1.0 * layer.H, 1.0 * layer.W, layer.dynamic != 0, layer.sequential != 0, 1.0 * layer.input_bits,
        1.0 * layer.K, 1.0 * layer.vectors, 1.0 * layer.second_bits, layer.ops, layer.output_elements,
        layer.from_dram, layer.to_dram, layer.row_taps, layer.col_taps, layer.weights, layer.inputs_bits,
        layer.outputs_bits, layer.held_bits, layer.operand_bits, layer.stored_share, layer.load_share,
    )  # fmt: skip


@kernel(inner=True)
def chip_at(c: NDArray[np.float64], j: int) -> Chip:
    return Chip(
        c[ROWS_ACTIVE + j], c[BITS_PER_CELL + j], c[DAC_BITS + j], c[INPUT_BUFFER_BITS + j], c[OUTPUT_BUFFER_BITS +
        j], c[GLB_BITS + j], c[DIGITAL_LANES + j], c[DEPLOYMENT + j], c[ROUTER_GROUPS + j],
    )  # fmt: skip


@kernel(inner=True)
def rate_at(c: NDArray[np.float64], j: int) -> Rate:
    return Rate(
        c[INPUT_CYCLE_S + j], c[ROW_WRITE_S + j], c[INPUT_BUFFER_BPS + j], c[OUTPUT_BUFFER_BPS + j], c[ROUTER_BPS +
        j], c[GLB_BPS + j], c[DRAM_BPS + j], c[DIGITAL_OPS_PER_S + j],
    )  # fmt: skip


@kernel(inner=True)
def factors_at(c: NDArray[np.float64], j: int) -> Factors:
    return Factors(
        c[ROWS_K + j], c[COLS_M + j], c[PACK_G + j], c[MACRO_K + j], c[MACRO_M + j], c[MACRO_G + j], c[MACRO_V + j],
        c[TILE_K + j], c[TILE_M + j], c[TILE_G + j], c[TILE_V + j], c[GROUP_K + j], c[GROUP_M + j], c[GROUP_G + j],
        c[GROUP_V + j], c[ORDER + j], c[SLABS + j],
    )  # fmt: skip


@kernel(inner=True)
def busy_at(c: NDArray[np.float64], j: int) -> Busy:
    return Busy(
        c[READING + j], c[WRITING + j], c[INPUT_BUFFER + j], c[OUTPUT_BUFFER + j], c[ROUTERS + j], c[GLB + j],
        c[DRAM + j], c[DIGITAL + j],
    )  # fmt: skip


@kernel(inner=True)
def loops_at(layer: LayerSizes, f: Factors, c: NDArray[np.float64], j: int) -> Loops:
    """`resolve`, out of the columns that are filled in advance."""
    packing = Packing(c[ROW_STEPS + j], c[SENSED + j], c[DIAGONAL + j], c[TIME_G + j])
    pixels = Pixels(
        c[COPIES + j], c[IMAGES + j], c[ROWS_PER_COPY + j], c[COLS_PER_COPY + j], c[SLAB_ROWS + j], c[V_LOOP + j]
    )
    return loops_of(layer, f, c[SLICES + j], c[INPUT_CYCLES + j], packing, pixels)


@kernel(inner=True)
def set_busy(busy: Busy, c: NDArray[np.float64], j: int) -> None:
    c[READING + j] = busy.reading
    c[WRITING + j] = busy.writing
    c[INPUT_BUFFER + j] = busy.input_buffer
    c[OUTPUT_BUFFER + j] = busy.output_buffer
    c[ROUTERS + j] = busy.routers
    c[GLB + j] = busy.glb
    c[DRAM + j] = busy.dram
    c[DIGITAL + j] = busy.digital


@kernel(inner=True)
def gather_chips(
    geometry: Records, rates: Records, first: int, c: NDArray[np.float64], levels: NDArray[np.uint8]
) -> bool:  # fmt: skip
    """The designs from `first` on, and whether any is pipelined.

    Lanes beyond the last design repeat it, and nobody reads their results. `levels`: where each lane finds its mean
    input and cell level in a layer, input bits before cell bits.
    """
    pipelined = False
    for j in range(LANES):
        d = min(first + j, len(geometry) - 1)
        chip, rate = geometry[d], rates[d]
        pipelined |= chip.pipelined != 0
        levels[j], levels[LANES + j] = chip.dac_bits - 1, chip.bits_per_cell - 1
        c[ROWS_ACTIVE + j] = chip.rows_active
        c[BITS_PER_CELL + j] = chip.bits_per_cell
        c[DAC_BITS + j] = chip.dac_bits
        c[INPUT_BUFFER_BITS + j] = chip.input_buffer_bits
        c[OUTPUT_BUFFER_BITS + j] = chip.output_buffer_bits
        c[GLB_BITS + j] = chip.glb_bits
        c[DIGITAL_LANES + j] = chip.digital_lanes
        c[DEPLOYMENT + j] = chip.deployment
        c[ROUTER_GROUPS + j] = chip.router_groups
        c[PIPELINED + j] = chip.pipelined
        c[SIDE + j] = int(math.sqrt(chip.digital_lanes))
        c[INPUT_CYCLE_S + j] = rate.input_cycle_s
        c[ROW_WRITE_S + j] = rate.row_write_s
        c[INPUT_BUFFER_BPS + j] = rate.input_buffer_bps
        c[OUTPUT_BUFFER_BPS + j] = rate.output_buffer_bps
        c[ROUTER_BPS + j] = rate.router_bps
        c[GLB_BPS + j] = rate.glb_bps
        c[DRAM_BPS + j] = rate.dram_bps
        c[DIGITAL_OPS_PER_S + j] = rate.digital_ops_per_s
    return pipelined


@kernel(inner=True)
def gather_units(layer: Record, factors: Records, i: int, first: int, units: NDArray[np.int8]) -> None:
    """Where layer `i` runs on every design; all that is not a matrix is for the digital unit."""
    for j in range(LANES):
        d = min(first + j, len(factors) - 1)
        unit = factors[d, i].unit
        units[j] = ON_DIGITAL_UNIT if layer.kind != MATRIX and unit == ON_ARRAYS else unit


@kernel(inner=True)
def gather_part(layer: Record, units: NDArray[np.int8], unit: int, c: NDArray[np.float64]) -> bool:
    """Whether any lane runs a layer on `unit`; how many such layers, lane by lane, into the column COUNT."""
    any_lane = False
    for j in range(LANES):
        here = units[j] == unit
        any_lane |= here
        c[COUNT + j] = 1.0 * layer.count if here else 0.0
    return any_lane


@kernel(inner=True)
def gather_factors(
    layer: Record, factors: Records, i: int, first: int, levels: NDArray[np.uint8], c: NDArray[np.float64]
) -> None:  # fmt: skip
    """What belongs to layer `i` on every design."""
    for j in range(LANES):
        f = factors[min(first + j, len(factors) - 1), i]
        c[ROWS_K + j] = f.rows_k
        c[COLS_M + j] = f.cols_m
        c[PACK_G + j] = f.pack_g
        c[MACRO_K + j] = f.macro_k
        c[MACRO_M + j] = f.macro_m
        c[MACRO_G + j] = f.macro_g
        c[MACRO_V + j] = f.macro_v
        c[TILE_K + j] = f.tile_k
        c[TILE_M + j] = f.tile_m
        c[TILE_G + j] = f.tile_g
        c[TILE_V + j] = f.tile_v
        c[GROUP_K + j] = f.group_k
        c[GROUP_M + j] = f.group_m
        c[GROUP_G + j] = f.group_g
        c[GROUP_V + j] = f.group_v
        c[ORDER + j] = f.order
        c[SLABS + j] = f.slabs
        c[MEAN_INPUT + j] = layer.mean_input[levels[j]]
        c[MEAN_WEIGHT + j] = layer.mean_weight[levels[LANES + j]]
