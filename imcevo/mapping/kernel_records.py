"""What compiled code sees: layers, designs and mappings as structured arrays.

A record travels between kernels as one pointer and is read by field name. (NamedTuples of arrays are copied
word by word, with a reference count per array, into every call that is not inlined: ten times slower here.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.mapping.factors import FACTORS, ON_ARRAYS
from imcevo.workload.table import MATRIX, LayerTable

Records = NDArray[np.void]
Record = Any  # one element of `Records`: a pointer in compiled code

_LAYER_INTEGERS = (
    "network", "count", "kind", "N", "C", "M", "P", "Q", "R", "S", "G", "stride_h", "stride_w", "pad_h", "pad_w",
    "H", "W", "dynamic", "sequential", "input_bits", "output_bits", "stored", "behind",
)  # fmt: skip
_LAYER_REALS = ("ops", "output_elements", "from_dram", "to_dram", "row_taps", "col_taps", "uses")
# Beyond the columns of `LayerTable`: K; vectors = N P Q; second_bits, the width of the second operand (weights, or
# activations); max_copies, the most duplicates with work; weights = G K M values of that operand; volumes in bits;
# stored_share and load_share, tensors stored and loads from DRAM per layer (both 1 where layers share no weights).
_DERIVED_INTEGERS = ("K", "vectors", "second_bits", "max_copies")
_DERIVED_REALS = ("weights", "inputs_bits", "outputs_bits", "held_bits", "operand_bits", "stored_share", "load_share")

LAYER_DTYPE = np.dtype(
    [
        *((name, np.int64) for name in (*_LAYER_INTEGERS, *_DERIVED_INTEGERS)),
        *((name, np.float64) for name in (*_LAYER_REALS, *_DERIVED_REALS)),
        ("mean_input", np.float64, (8,)),
        ("mean_weight", np.float64, (8,)),
    ]
)

# Sizes of a design, no prices. `deployment` is one of the codes below; `dynamic_on_arrays` is 1 where products of
# two activations are done by the arrays, `pipelined` where all layers run at once.
GEOMETRY_DTYPE = np.dtype(
    [
        (name, np.int64)
        for name in (
            "rows", "rows_active", "cols", "bits_per_cell", "dac_bits", "macros_per_tile", "tiles_per_group",
            "router_groups", "input_buffer_bits", "output_buffer_bits", "glb_bits", "digital_lanes", "deployment",
            "dynamic_on_arrays", "pipelined",
        )
    ]
)  # fmt: skip

FACTOR_DTYPE = np.dtype([(name, np.int32) for name in FACTORS])


def plain_factors(n_designs: int, n_layers: int) -> Records:
    """Records ``[n_designs, n_layers]`` of `FACTOR_DTYPE`: nothing split, on the arrays.

    Made as plain numbers: numpy fills records one by one.
    """
    factors = np.ones((n_designs, n_layers, len(FACTORS)), dtype=np.int32)
    factors[:, :, FACTORS.index("unit")] = ON_ARRAYS
    return factors.view(FACTOR_DTYPE)[:, :, 0]


# How a design gets its weights.
RESIDENT, SWAPPED, STREAMED = 0, 1, 2


def layer_records(table: LayerTable) -> Records:
    """A layer table as records ``[n_layers]``."""
    layers = np.zeros(len(table.kind), dtype=LAYER_DTYPE)
    for name in (*_LAYER_INTEGERS, *_LAYER_REALS, "mean_input", "mean_weight"):
        layers[name] = getattr(table, name)
    layers["K"] = table.C * table.R * table.S
    layers["vectors"] = table.N * table.P * table.Q
    layers["max_copies"] = table.N * table.Q * np.where(table.sequential == 1, 1, table.P)
    layers["second_bits"] = np.where(table.dynamic == 1, table.input_bits, table.weight_bits)
    layers["weights"] = np.where(table.kind == MATRIX, 1.0 * table.G * layers["K"] * table.M, 0.0)
    layers["operand_bits"] = layers["weights"] * layers["second_bits"]
    layers["inputs_bits"] = table.input_elements * table.input_bits
    layers["outputs_bits"] = table.output_elements * table.output_bits
    layers["stored_share"] = table.stored / table.count
    layers["load_share"] = np.where(table.kind == MATRIX, table.loads / table.count, 1.0)
    layers["held_bits"] = table.held_elements * table.output_bits
    return layers
