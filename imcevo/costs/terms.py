"""What is counted, what is priced and what takes time: the vocabulary shared by cost models and kernels.

The order of these tuples is the order of the last axis of every counts, energies, areas and rates array.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Energy-bearing actions: (name, energy component it belongs to, what one count is).
ACTION_TABLE: tuple[tuple[str, str, str], ...] = (
    ("cell_read", "cells", "one cell sensed in one input cycle, constant part"),
    ("cell_read_x", "cells", "the same, times the mean input level (0..1)"),
    ("cell_read_w", "cells", "the same, times the mean cell level (0..1)"),
    ("cell_read_xw", "cells", "the same, times both"),
    ("row_drive", "drivers", "one word line of one array driven in one input cycle, constant part"),
    ("row_drive_x", "drivers", "the same, times the mean input level (0..1)"),
    ("column_read", "column_periphery", "one column precharged, selected and sensed in one input cycle"),
    ("adc_conversion", "adc", "one conversion"),
    ("adder_tree_sum", "adder_tree", "one column sum of a digital cell's adder tree in one input cycle"),
    ("shift_add", "shift_add", "one column result shifted and added to the macro's accumulator"),
    ("accumulate", "accumulators", "one partial-sum word added to another in a tile"),
    ("input_buffer_read", "input_buffer", "one bit"),
    ("input_buffer_write", "input_buffer", "one bit"),
    ("output_buffer_read", "output_buffer", "one bit"),
    ("output_buffer_write", "output_buffer", "one bit"),
    ("trunk", "interconnect", "one bit carried between the global buffer and one group's router (wires and routers)"),
    ("local_link", "interconnect", "one bit carried between a group's router and one of its tiles"),
    ("glb_read", "global_buffer", "one bit"),
    ("glb_write", "global_buffer", "one bit"),
    ("dram", "dram", "one bit read from or written to DRAM"),
    ("cell_write", "weight_write", "one cell programmed or written"),
    ("row_write", "weight_write", "one row of one array selected for writing"),
    ("digital_mac", "digital_unit", "one multiply-accumulate in the digital unit"),
    ("digital_op", "digital_unit", "one element-wise operation in the digital unit"),
)
ACTIONS: tuple[str, ...] = tuple(row[0] for row in ACTION_TABLE)
N_ACTIONS = len(ACTIONS)

ENERGY_COMPONENTS: tuple[str, ...] = (*dict.fromkeys(row[1] for row in ACTION_TABLE), "leakage")
COMPONENT_OF_ACTION: NDArray[np.int64] = np.array([ENERGY_COMPONENTS.index(row[1]) for row in ACTION_TABLE])

AREA_COMPONENTS: tuple[str, ...] = (
    "cells", "drivers", "column_periphery", "adc", "adder_tree", "shift_add", "accumulators", "input_buffer",
    "output_buffer", "interconnect", "global_buffer", "digital_unit", "dram_interface",
)  # fmt: skip

# Stage times and bandwidths of the hardware.
RATES: tuple[str, ...] = (
    "input_cycle_s",  # one input cycle of a macro: settle, then every column of a mux group converted, then shift-add
    "row_write_s",  # writing one row of an array
    "input_buffer_bps",  # bits per second a tile's input buffer delivers
    "output_buffer_bps",
    "router_bps",  # bits per second through one group's router
    "glb_bps",  # bits per second of the global buffer's port, reads and writes together
    "dram_bps",
    "digital_ops_per_s",  # all lanes together
)

# What can bind a layer's time.
RESOURCES: tuple[str, ...] = (
    "macros", "weight_write", "input_buffer", "output_buffer", "routers", "global_buffer", "dram", "digital_unit",
)  # fmt: skip


class UnitCosts(NamedTuple):
    """Prices of a set of designs; they depend on the hardware alone.

    Attributes:
        energy_J: ``[n_designs, N_ACTIONS]`` joules per action.
        area_m2: ``[n_designs, n_area_components]`` of the whole chip.
        leakage_W: ``[n_designs]`` of the whole chip, refresh with it.
        rates: ``[n_designs, n_rates]`` in the order and units of `RATES`.
    """

    energy_J: NDArray[np.float64]
    area_m2: NDArray[np.float64]
    leakage_W: NDArray[np.float64]
    rates: NDArray[np.float64]
