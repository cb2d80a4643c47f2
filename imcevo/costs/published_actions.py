"""What the published profile (arXiv 2603.03880) counts and prices, in the order of its counts and prices arrays."""

from __future__ import annotations

# (action, energy component, one count is)
ACTION_TABLE: tuple[tuple[str, str, str], ...] = (
    ("dram", "dram", "one bit read from DRAM"),
    ("cell_write", "weight_write", "one cell written"),
    ("row_write", "weight_write", "one row of one array written"),
    ("cell_read_xw", "cells", "one cell in one 8-bit input, times mean input and mean cell level"),
    ("cell_read_x", "cells", "one cell in one 8-bit input, times the mean input level"),
    ("row_drive_x", "drivers", "one word line in one 8-bit input, times the mean input level"),
    ("row_drive", "drivers", "one word line in one 8-bit input, constant part"),
    ("adc_conversion", "adc", "one conversion"),
    ("input_buffer_read", "input_buffer", "one element"),
    ("input_buffer_write", "input_buffer", "one element"),
    ("output_buffer_read", "output_buffer", "one element"),
    ("output_buffer_write", "output_buffer", "one element"),
    ("router", "interconnect", "one element through a router"),
    ("glb_input_read", "global_buffer", "one input element"),
    ("glb_output_read", "global_buffer", "one output element"),
    ("glb_output_write", "global_buffer", "one output element"),
)
ACTIONS: tuple[str, ...] = tuple(row[0] for row in ACTION_TABLE)
N_ACTIONS = len(ACTIONS)
(
    DRAM, CELL_WRITE, ROW_WRITE, CELL_READ_XW, CELL_READ_X, ROW_DRIVE_X, ROW_DRIVE, ADC_CONVERSION,
    INPUT_BUFFER_READ, INPUT_BUFFER_WRITE, OUTPUT_BUFFER_READ, OUTPUT_BUFFER_WRITE, ROUTER,
    GLB_INPUT_READ, GLB_OUTPUT_READ, GLB_OUTPUT_WRITE,
) = range(N_ACTIONS)  # fmt: skip

ENERGY_COMPONENTS: tuple[str, ...] = tuple(dict.fromkeys(row[1] for row in ACTION_TABLE))
# Areas of macros and tile buffers are known up to an exchange between them: only their sum means something.
AREA_COMPONENTS: tuple[str, ...] = ("global_buffer", "interconnect", "tiles")
