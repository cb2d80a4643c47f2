"""One block of designs counted layer by layer (compiled), its designs side by side in vector instructions.

What most layers do not need (more than one group, windows, activations beyond the global buffer) is done in loops of
their own, so that only layers that need it pay for its divisions, which are what counting takes its time for. Lanes
that do a layer elsewhere count it 0 times.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.mapping.factors import ON_ARRAYS, ON_DIGITAL_UNIT
from imcevo.mapping.kernel_records import Records
from imcevo.mapping.layer_work import Busy, array_work, binding, elementwise_streams, matrix_streams, movement
from imcevo.mapping.loops import packing_of, pixels_of
from imcevo.mapping.splitting_rules import ceil_div, padded_cut, padding_at_cut, rows_touched_in_slabs
from imcevo.mapping.traffic import DramTraffic, InputPass, channel_bits, dram_traffic, fits_buffer, window_width
from imcevo.mapping.vector_lanes import (
    BITS_PER_CELL,
    CELLS,
    CELLS_W,
    CELLS_WRITTEN,
    CELLS_X,
    CELLS_XW,
    CHANNEL_BITS,
    COLS_PER_COPY,
    COLS_TOUCHED,
    COLUMNS,
    COPIES,
    COUNT,
    DAC_BITS,
    DIAGONAL,
    DIGITAL_MAC,
    DIGITAL_OP,
    DRAM_MOVED,
    DRAM_READ,
    DRAM_SECOND,
    DRAM_WRITTEN,
    END,
    FIRST_SUM,
    GLB_READ,
    GLB_WRITE,
    IMAGES,
    INPUT_BUFFER_BITS,
    INPUT_CYCLES,
    INPUT_READ,
    INPUT_WRITE,
    LANES,
    LOCAL,
    LOCAL_LINK,
    MEAN_INPUT,
    MEAN_WEIGHT,
    OUTPUT_MOVED,
    PARTIALS,
    PIPELINED,
    ROUTER_BPS,
    ROUTER_GROUPS,
    ROW_STEPS,
    ROWS,
    ROWS_PER_COPY,
    ROWS_SUMMED,
    ROWS_TOUCHED,
    ROWS_WRITTEN,
    ROWS_X,
    S_DIGITAL,
    S_DRAM,
    S_GLB,
    S_OWN,
    S_ROUTERS,
    S_TENSOR,
    SENSED,
    SIDE,
    SLAB_ROWS,
    SLICES,
    T_DIGITAL,
    T_DRAM,
    T_GLB,
    T_INPUT,
    T_MACROS,
    T_OUTPUT,
    T_ROUTERS,
    T_WRITE,
    TIME_G,
    TRUNK,
    V_LOOP,
    LayerSizes,
    busy_at,
    chip_at,
    factors_at,
    gather_chips,
    gather_factors,
    gather_part,
    gather_units,
    loops_at,
    rate_at,
    set_busy,
    sizes_of,
)  # fmt: skip
from imcevo.workload.table import MATRIX


@kernel(inline=False, inner=True)
def count_block(
    layers: Records, geometry: Records, factors: Records, rates: Records, sum_bits: int, writes_per_inference: float,
    row_of_layer: NDArray[np.int64], first: int, counts: Records, times: Records, rows_summed: NDArray[np.int64],
) -> None:  # fmt: skip
    """`count_layers` of the designs from `first` on."""
    c, units = np.zeros(END), np.empty(LANES, dtype=np.int8)
    levels = np.empty(2 * LANES, dtype=np.uint8)
    pipelined = gather_chips(geometry, rates, first, c, levels)
    second_bits, input_bits = 0.0, 0.0
    for row in range(counts.shape[1]):
        for i in range(len(layers)):
            if row_of_layer[i] != row:
                continue
            gather_units(layers[i], factors, i, first, units)
            for unit in (ON_ARRAYS, ON_DIGITAL_UNIT):
                if not gather_part(layers[i], units, unit, c):
                    continue
                layer = sizes_of(layers[i])
                if unit == ON_ARRAYS:
                    if layer.second_bits != second_bits or layer.input_bits != input_bits:
                        second_bits, input_bits = layer.second_bits, layer.input_bits
                        _slice(layer, c)
                    gather_factors(layers[i], factors, i, first, levels, c)
                    if layer.G == 1:
                        _prepare_loops(layer, True, c)
                    else:
                        _prepare_loops(layer, False, c)
                    _prepare_inputs(layer, c)
                    _prepare_dram(layer, sum_bits, c)
                    _add_arrays(layer, sum_bits, writes_per_inference, c)
                elif layer.kind == MATRIX:
                    _add_streams(layer, True, c)
                else:
                    _add_streams(layer, False, c)
                _book(layers[i].uses, layers[i].behind > 0, pipelined, c)
        _write_sums(first, row, c, counts, times)
    for j in range(min(LANES, len(geometry) - first)):
        rows_summed[first + j] = c[ROWS_SUMMED + j]


@kernel(inner=True)
def _slice(layer: LayerSizes, c: NDArray[np.float64]) -> None:
    for j in range(LANES):
        c[SLICES + j] = ceil_div(layer.second_bits, c[BITS_PER_CELL + j])
        c[INPUT_CYCLES + j] = ceil_div(layer.input_bits, c[DAC_BITS + j])


@kernel(inner=True)
def _prepare_loops(layer: LayerSizes, one_group: bool, c: NDArray[np.float64]) -> None:
    """What `loops_at` reads; as a constant, `one_group` leaves all that is about groups out of the loop."""
    for j in range(LANES):
        f = factors_at(c, j)
        packing, pixels = packing_of(layer, chip_at(c, j), f, one_group), pixels_of(layer, f)
        c[ROW_STEPS + j], c[SENSED + j] = packing.row_steps, packing.sensed
        c[DIAGONAL + j], c[TIME_G + j] = packing.diagonal, packing.time_g
        c[COPIES + j], c[IMAGES + j] = pixels.copies, pixels.images
        c[ROWS_PER_COPY + j], c[COLS_PER_COPY + j] = pixels.rows_per_copy, pixels.cols_per_copy
        c[SLAB_ROWS + j], c[V_LOOP + j] = pixels.slab_rows, pixels.v_loop


@kernel(inner=True)
def _prepare_inputs(layer: LayerSizes, c: NDArray[np.float64]) -> None:
    """`input_pass` of every lane."""
    for j in range(LANES):
        f = factors_at(c, j)
        c[CHANNEL_BITS + j] = channel_bits(layer, f, loops_at(layer, f, c, j))
        c[ROWS_TOUCHED + j], c[COLS_TOUCHED + j] = layer.row_taps, layer.col_taps
    if layer.R * layer.S == 1:
        return
    for j in range(LANES):
        c[ROWS_TOUCHED + j] = rows_touched_in_slabs(
            layer.P, c[ROWS_PER_COPY + j], c[SLAB_ROWS + j], layer.stride_h, layer.R, layer.pad_h, layer.H
        )
        c[COLS_TOUCHED + j] = rows_touched_in_slabs(
            layer.Q, c[COLS_PER_COPY + j], c[COLS_PER_COPY + j], layer.stride_w, layer.S, layer.pad_w, layer.W
        )
    row = padded_cut(1.0, layer.P, layer.stride_h, layer.R, layer.pad_h, layer.H)
    while row < layer.P:
        for j in range(LANES):
            c[ROWS_TOUCHED + j] -= padding_at_cut(
                row, c[ROWS_PER_COPY + j], c[SLAB_ROWS + j], layer.stride_h, layer.R, layer.pad_h, layer.H
            )
        row = padded_cut(row + 1.0, layer.P, layer.stride_h, layer.R, layer.pad_h, layer.H)
    col = padded_cut(1.0, layer.Q, layer.stride_w, layer.S, layer.pad_w, layer.W)
    while col < layer.Q:
        for j in range(LANES):
            c[COLS_TOUCHED + j] -= padding_at_cut(
                col, c[COLS_PER_COPY + j], c[COLS_PER_COPY + j], layer.stride_w, layer.S, layer.pad_w, layer.W
            )
        col = padded_cut(col + 1.0, layer.Q, layer.stride_w, layer.S, layer.pad_w, layer.W)
    for j in range(LANES):
        lines = c[CHANNEL_BITS + j] * layer.R
        window_fits = lines * layer.S <= c[INPUT_BUFFER_BITS + j]
        lines_fit = lines * window_width(layer, c[COLS_PER_COPY + j]) <= c[INPUT_BUFFER_BITS + j]
        c[ROWS_TOUCHED + j] = c[ROWS_TOUCHED + j] if window_fits and lines_fit else layer.row_taps
        c[COLS_TOUCHED + j] = c[COLS_TOUCHED + j] if window_fits else layer.col_taps


@kernel(inner=True)
def _prepare_dram(layer: LayerSizes, sum_bits: int, c: NDArray[np.float64]) -> None:
    """`dram_traffic` of every lane."""
    all_fit = True
    for j in range(LANES):
        all_fit &= fits_buffer(layer, chip_at(c, j))
    if all_fit:
        _dram_of_lanes(layer, sum_bits, True, c)
    else:
        _dram_of_lanes(layer, sum_bits, False, c)


@kernel(inner=True)
def _dram_of_lanes(layer: LayerSizes, sum_bits: int, all_fit: bool, c: NDArray[np.float64]) -> None:
    for j in range(LANES):
        chip, f = chip_at(c, j), factors_at(c, j)
        fits = all_fit or fits_buffer(layer, chip)
        dram = dram_traffic(layer, chip, loops_at(layer, f, c, j), sum_bits, False, fits)
        c[DRAM_READ + j], c[DRAM_WRITTEN + j], c[DRAM_SECOND + j] = dram.read, dram.written, dram.second


@kernel(inner=True)
def _add_arrays(layer: LayerSizes, sum_bits: int, writes_per_inference: float, c: NDArray[np.float64]) -> None:
    """Add what the arrays do."""
    for j in range(LANES):
        chip, f, n = chip_at(c, j), factors_at(c, j), c[COUNT + j]
        loops = loops_at(layer, f, c, j)
        work = array_work(layer, n, c[MEAN_INPUT + j], c[MEAN_WEIGHT + j], loops)
        once = InputPass(c[ROWS_TOUCHED + j], c[COLS_TOUCHED + j], c[CHANNEL_BITS + j])
        dram = DramTraffic(c[DRAM_READ + j], c[DRAM_WRITTEN + j], c[DRAM_SECOND + j])
        moved, busy = movement(
            layer, chip, f, loops, once, dram, rate_at(c, j), sum_bits, writes_per_inference, False, n
        )
        summed = c[ROWS_SUMMED + j]
        c[ROWS_SUMMED + j] = max(summed, min(layer.K, f.rows_k, chip.rows_active)) if n > 0.0 else summed
        c[CELLS + j] += work.cells
        c[CELLS_X + j] += work.cells_x
        c[CELLS_W + j] += work.cells_w
        c[CELLS_XW + j] += work.cells_xw
        c[ROWS + j] += work.rows
        c[ROWS_X + j] += work.rows_x
        c[COLUMNS + j] += work.columns
        c[PARTIALS + j] += work.sums
        c[INPUT_READ + j] += moved.input_buffer_read
        c[INPUT_WRITE + j] += moved.input_buffer_write
        c[OUTPUT_MOVED + j] += moved.output_buffer
        c[TRUNK + j] += moved.trunk
        c[LOCAL_LINK + j] += moved.local_link
        c[GLB_READ + j] += moved.glb_read
        c[GLB_WRITE + j] += moved.glb_write
        c[DRAM_MOVED + j] += moved.dram
        c[CELLS_WRITTEN + j] += moved.cells_written
        c[ROWS_WRITTEN + j] += moved.rows_written
        c[LOCAL + j] = moved.local_link
        set_busy(busy, c, j)


@kernel(inner=True)
def _add_streams(layer: LayerSizes, matrix: bool, c: NDArray[np.float64]) -> None:
    """Work of the digital unit."""
    for j in range(LANES):
        chip, rate, n = chip_at(c, j), rate_at(c, j), c[COUNT + j]
        if matrix:
            s = matrix_streams(layer, chip, c[SIDE + j])
            c[DIGITAL_MAC + j] += n * layer.vectors * layer.weights
        else:
            s = elementwise_streams(layer, chip)
            c[DIGITAL_OP + j] += n * layer.ops
        c[GLB_READ + j] += n * s.glb_read
        c[GLB_WRITE + j] += n * s.glb_write
        c[DRAM_MOVED + j] += n * s.dram
        c[LOCAL + j] = 0.0
        glb, dram = (s.glb_read + s.glb_write) / rate.glb_bps, s.dram / rate.dram_bps
        set_busy(Busy(0.0, 0.0, 0.0, 0.0, 0.0, glb, dram, s.slots / rate.digital_ops_per_s), c, j)


@kernel(inner=True)
def _book(uses: float, follows: bool, pipelined: bool, c: NDArray[np.float64]) -> None:
    """Book the times of the layer at hand; `pipelined`: and what a pipeline of layers needs to know of it.

    Layers that share a tensor take turns at its arrays, so their times there add up: `uses` of this row, and those of
    the rows before that it `follows`.
    """
    for j in range(LANES):
        n = c[COUNT + j]
        time = binding(busy_at(c, j))
        c[T_MACROS + j] += n * time.reading
        c[T_WRITE + j] += n * time.writing
        c[T_INPUT + j] += n * time.input_buffer
        c[T_OUTPUT + j] += n * time.output_buffer
        c[T_ROUTERS + j] += n * time.routers
        c[T_GLB + j] += n * time.glb
        c[T_DRAM + j] += n * time.dram
        c[T_DIGITAL + j] += n * time.digital
    if pipelined:
        for j in range(LANES):
            busy, own = busy_at(c, j), c[S_OWN + j]
            n = c[COUNT + j] * c[PIPELINED + j]
            longest = max(busy.reading + busy.writing, busy.input_buffer, busy.output_buffer, busy.routers)
            tensor = (uses * longest if n > 0.0 else 0.0) + (c[S_TENSOR + j] if follows else 0.0)
            c[S_TENSOR + j] = tensor
            c[S_OWN + j] = max(own, tensor)
            at_once = c[ROUTER_GROUPS + j] * c[ROUTER_BPS + j]
            c[S_ROUTERS + j] += c[LOCAL + j] * c[PIPELINED + j] / at_once
            c[S_GLB + j] += n * busy.glb
            c[S_DRAM + j] += n * busy.dram
            c[S_DIGITAL + j] += n * busy.digital


@kernel(inner=True)
def _write_sums(first: int, row: int, c: NDArray[np.float64], counts: Records, times: Records) -> None:
    """The sums into row `row` of the block's designs, and begin anew."""
    for j in range(min(LANES, len(counts) - first)):
        count, time = counts[first + j, row], times[first + j, row]
        count.cell_read = c[CELLS + j]
        count.cell_read_x = c[CELLS_X + j]
        count.cell_read_w = c[CELLS_W + j]
        count.cell_read_xw = c[CELLS_XW + j]
        count.row_drive = c[ROWS + j]
        count.row_drive_x = c[ROWS_X + j]
        count.column_read = c[COLUMNS + j]
        count.adc_conversion = c[COLUMNS + j]
        count.adder_tree_sum = c[COLUMNS + j]
        count.shift_add = c[COLUMNS + j]
        count.accumulate = c[PARTIALS + j]
        count.input_buffer_read = c[INPUT_READ + j]
        count.input_buffer_write = c[INPUT_WRITE + j]
        count.output_buffer_read = c[OUTPUT_MOVED + j]
        count.output_buffer_write = c[OUTPUT_MOVED + j]
        count.trunk = c[TRUNK + j]
        count.local_link = c[LOCAL_LINK + j]
        count.glb_read = c[GLB_READ + j]
        count.glb_write = c[GLB_WRITE + j]
        count.dram = c[DRAM_MOVED + j]
        count.cell_write = c[CELLS_WRITTEN + j]
        count.row_write = c[ROWS_WRITTEN + j]
        count.digital_mac = c[DIGITAL_MAC + j]
        count.digital_op = c[DIGITAL_OP + j]
        time.macros = c[T_MACROS + j]
        time.weight_write = c[T_WRITE + j]
        time.input_buffer = c[T_INPUT + j]
        time.output_buffer = c[T_OUTPUT + j]
        time.routers = c[T_ROUTERS + j]
        time.global_buffer = c[T_GLB + j]
        time.dram = c[T_DRAM + j]
        time.digital_unit = c[T_DIGITAL + j]
        time.stage_own = c[S_OWN + j]
        time.stage_routers = c[S_ROUTERS + j]
        time.stage_global_buffer = c[S_GLB + j]
        time.stage_dram = c[S_DRAM + j]
        time.stage_digital_unit = c[S_DIGITAL + j]
    c[FIRST_SUM:END] = 0.0
