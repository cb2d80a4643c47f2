"""How much data a mapped layer moves (compiled). All amounts in bits per layer and inference."""

from __future__ import annotations

from typing import NamedTuple

from imcevo.kernels import kernel
from imcevo.mapping.kernel_records import Record
from imcevo.mapping.loops import Loops
from imcevo.mapping.splitting_rules import ceil_div, rows_touched
from imcevo.workload.table import LOOKUP


class InputPass(NamedTuple):
    """What one pass over the inputs takes.

    Attributes:
        rows, cols: input rows and columns fetched per channel, over all slabs and copies.
        channel_bits: one input position of all channels that a tile takes in.
    """

    rows: float
    cols: float
    channel_bits: float


class InputTraffic(NamedTuple):
    glb_read: float
    to_groups: float  # arriving at the groups' routers; words that go to several groups count once per group
    to_tiles: float  # arriving at the tiles; words that go to several tiles count once per tile


class OutputTraffic(NamedTuple):
    reduced: float  # partial sums carried to the tile that adds them
    across_groups: float  # those among them that change the router group
    spilled: float  # partial sums written to the global buffer, and as many read back
    final: float


class DramTraffic(NamedTuple):
    read: float  # activations
    written: float
    second: float  # weights, tables, or the second operand of a dynamic product


@kernel(inner=True)
def input_pass(layer: Record, chip: Record, f: Record, loops: Loops) -> InputPass:
    """One pass over the inputs.

    What a tile's input buffer can hold decides how often a word is fetched in one pass: R image rows (each input
    once per slab), one window (each input once per output row), or less (once per window).
    """
    channel = channel_bits(layer, f, loops)
    rows, cols = layer.row_taps, layer.col_taps
    if layer.R * layer.S > 1 and channel * layer.R * layer.S <= chip.input_buffer_bits:
        cols = rows_touched(
            layer.Q, loops.cols_per_copy, loops.cols_per_copy, layer.stride_w, layer.S, layer.pad_w, layer.W
        )
        if channel * layer.R * window_width(layer, loops.cols_per_copy) <= chip.input_buffer_bits:
            rows = rows_touched(
                layer.P, loops.rows_per_copy, loops.slab_rows, layer.stride_h, layer.R, layer.pad_h, layer.H
            )
    return InputPass(rows, cols, channel)


@kernel(inner=True)
def channel_bits(layer: Record, f: Record, loops: Loops) -> float:
    """Bits of one input position of all channels that a tile takes in."""
    channels = loops.tile_k * loops.tile_groups * f.macro_v * layer.input_bits
    return channels if layer.R * layer.S == 1 else channels / (layer.R * layer.S)


@kernel(inner=True)
def window_width(layer: Record, cols: float) -> float:
    """Input columns under `cols` windows side by side."""
    return min(layer.W, (cols - 1) * min(layer.stride_w, layer.S) + layer.S)


@kernel(inner=True)
def input_traffic(
    layer: Record, chip: Record, f: Record, loops: Loops, once: InputPass, all_reused: bool
) -> InputTraffic:  # fmt: skip
    """Inputs from the global buffer to the tiles.

    If the input buffer holds what the loops inside the output loop touch, the rounds over outputs reuse it.

    In all three functions `all_reused` takes every reuse for granted that some loop order and slabs can bring: a lower
    bound over both.
    """
    height = min(layer.H, (loops.slab_rows - 1) * min(layer.stride_h, layer.R) + layer.R)
    one_pass = layer.N * layer.G * layer.C * once.rows * once.cols * layer.input_bits
    row = once.channel_bits * window_width(layer, loops.cols_per_copy)
    held, least_held = row * height, row * min(layer.H, layer.R)
    if not loops.m_in_k:
        held *= loops.time_k
    if loops.v_in_m:
        held *= loops.v_loop
    reused = loops.time_m == 1 or (least_held if all_reused else held) <= chip.input_buffer_bits
    passes, tiles = (1.0, loops.space_m) if reused else (loops.time_m, loops.tile_folds_m)
    return InputTraffic(one_pass * passes, one_pass * ceil_div(tiles, f.tile_m), one_pass * tiles)


@kernel(inner=True)
def output_traffic(
    layer: Record, chip: Record, f: Record, loops: Loops, sum_bits: int, all_reused: bool
) -> OutputTraffic:  # fmt: skip
    """Partial sums and outputs between tiles and global buffer.

    Partial sums of successive rounds stay in a tile's output buffer if it holds what the loops inside the
    reduction loop touch; else every round but the last writes them to the global buffer and the next reads them.
    """
    least_held = 1.0 * min(layer.M, f.macro_m * f.cols_m) * loops.tile_groups * f.macro_v
    least_held *= loops.cols_per_copy * sum_bits
    held = least_held * loops.slab_rows
    if loops.m_in_k:
        held *= loops.time_m
    if loops.v_in_k:
        held *= loops.v_loop
    stays = loops.time_k == 1 or (least_held if all_reused else held) <= chip.output_buffer_bits
    return OutputTraffic(
        layer.output_elements * (loops.tile_folds_k - loops.time_k) * sum_bits,
        layer.output_elements * (ceil_div(loops.tile_folds_k, f.tile_k) - loops.time_k) * sum_bits,
        0.0 if stays else layer.output_elements * (loops.time_k - 1) * sum_bits,
        layer.outputs_bits,
    )


@kernel(inner=True)
def fits_buffer(layer: Record, chip: Record) -> bool:
    """Whether a layer's inputs, outputs, second operand and the other live tensors fit the global buffer."""
    second = layer.operand_bits if layer.dynamic else 0.0
    return layer.inputs_bits + layer.outputs_bits + second <= chip.glb_bits - layer.held_bits


@kernel(inner=True)
def dram_traffic(
    layer: Record, chip: Record, loops: Loops, sum_bits: int, all_reused: bool, fits: bool
) -> DramTraffic:  # fmt: skip
    """Activations between global buffer and DRAM.

    A layer that fits the global buffer (`fits`) touches DRAM only for the network's own input and output. Otherwise its
    inputs come from DRAM and its outputs go there, once if the global buffer holds what the loops inside the reusing
    loop touch, else once per round. Halo rows stay in the buffer.
    """
    if fits:
        return DramTraffic(layer.from_dram * layer.inputs_bits, layer.to_dram * layer.outputs_bits, 0.0)
    room = chip.glb_bits - layer.held_bits
    in_tile = layer.inputs_bits / (loops.v_loop * loops.time_k * loops.time_g)
    out_tile = layer.outputs_bits if loops.time_k == 1 else layer.output_elements * sum_bits
    out_tile /= loops.v_loop * loops.time_m * loops.time_g
    in_held, out_held = in_tile, out_tile
    if loops.time_m > 1:
        in_held *= (1 if loops.m_in_k else loops.time_k) * (loops.v_loop if loops.v_in_m else 1)
    if loops.time_k > 1:
        out_held *= (loops.time_m if loops.m_in_k else 1) * (loops.v_loop if loops.v_in_k else 1)
    both = all_reused or in_held + out_held <= room
    keep_in = loops.time_m == 1 or both or in_held + out_tile <= room
    keep_out = loops.time_k == 1 or both or (in_tile + out_held <= room and not keep_in)
    trips = 0.0 if keep_out else layer.output_elements * (loops.time_k - 1) * sum_bits
    read = layer.inputs_bits * (1 if keep_in else loops.time_m) + trips
    return DramTraffic(read, layer.outputs_bits + trips, layer.operand_bits if layer.dynamic else 0.0)


@kernel(inner=True)
def dram_of_streams(layer: Record, chip: Record) -> DramTraffic:
    """DRAM traffic of a layer of the digital unit, which touches every operand once.

    Nothing but the network's own ends if all fits the global buffer; stored weights and tables always come from DRAM.
    """
    if layer.kind == LOOKUP:
        return DramTraffic(0.0, 0.0, layer.outputs_bits)
    if layer.inputs_bits + layer.outputs_bits + layer.operand_bits + layer.held_bits <= chip.glb_bits:
        stored = 0.0 if layer.dynamic else layer.operand_bits
        return DramTraffic(layer.from_dram * layer.inputs_bits, layer.to_dram * layer.outputs_bits, stored)
    return DramTraffic(layer.inputs_bits, layer.outputs_bits, layer.operand_bits)
