"""How much data a mapped layer moves (compiled). All amounts in bits per layer and inference."""

from __future__ import annotations

from typing import NamedTuple

from imcevo.kernels import kernel
from imcevo.mapping.loops import Loops
from imcevo.mapping.records import Record
from imcevo.mapping.split import ceil_div, rows_touched
from imcevo.workload.table import LOOKUP


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


@kernel()
def input_traffic(layer: Record, chip: Record, f: Record, loops: Loops, all_reused: bool) -> InputTraffic:
    """Inputs from the global buffer to the tiles.

    What a tile's input buffer can hold decides how often a word is fetched in one pass: R image rows (each input
    once per slab), one window (each input once per output row), or less (once per window). If it holds what the
    loops inside the output loop touch, the rounds over outputs reuse it.

    In all three functions `all_reused` takes every reuse for granted that some loop order and slabs can bring: a lower
    bound over both.
    """
    width = min(layer.W, (loops.cols_per_copy - 1) * min(layer.stride_w, layer.S) + layer.S)
    height = min(layer.H, (loops.slab_rows - 1) * min(layer.stride_h, layer.R) + layer.R)
    channel = loops.tile_k * loops.tile_groups * f.macro_v * layer.input_bits / (layer.R * layer.S)
    rows, cols = layer.row_taps, layer.col_taps
    if layer.R * layer.S > 1 and channel * layer.R * layer.S <= chip.input_buffer_bits:
        cols = rows_touched(
            layer.Q, loops.cols_per_copy, loops.cols_per_copy, layer.stride_w, layer.S, layer.pad_w, layer.W
        )
        if channel * layer.R * width <= chip.input_buffer_bits:
            rows = rows_touched(
                layer.P, loops.rows_per_copy, loops.slab_rows, layer.stride_h, layer.R, layer.pad_h, layer.H
            )
    one_pass = layer.N * layer.G * layer.C * rows * cols * layer.input_bits
    held = channel * height * width
    least_held = channel * min(layer.H, layer.R) * width
    if not loops.m_in_k:
        held *= loops.time_k
    if loops.v_in_m:
        held *= loops.v_loop
    if loops.time_m == 1 or (least_held if all_reused else held) <= chip.input_buffer_bits:
        return InputTraffic(one_pass, one_pass * ceil_div(loops.space_m, f.tile_m), one_pass * loops.space_m)
    to_groups = one_pass * ceil_div(loops.tile_folds_m, f.tile_m)
    return InputTraffic(one_pass * loops.time_m, to_groups, one_pass * loops.tile_folds_m)


@kernel()
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


@kernel()
def dram_traffic(layer: Record, chip: Record, loops: Loops, sum_bits: int, all_reused: bool) -> DramTraffic:
    """Activations between global buffer and DRAM.

    A layer whose inputs, outputs and other live tensors fit the global buffer touches DRAM only for the network's own
    input and output. Otherwise its inputs come from DRAM and its outputs go there, once if the global buffer holds what
    the loops inside the reusing loop touch, else once per round. Halo rows stay in the buffer.
    """
    second = layer.operand_bits if layer.dynamic else 0.0
    room = chip.glb_bits - layer.held_bits
    if layer.inputs_bits + layer.outputs_bits + second <= room:
        return DramTraffic(layer.from_dram * layer.inputs_bits, layer.to_dram * layer.outputs_bits, 0.0)
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
    return DramTraffic(read, layer.outputs_bits + trips, second)


@kernel()
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
