"""The closed mapping space of one layer: its factors, loop orders and units.

A mapping is a row of whole numbers per (design, layer). Spatial factors are products that fit a mesh; what does not
fit in space is left to time: `order` and `slabs` say in which sequence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FACTORS: tuple[str, ...] = (
    "rows_k", "cols_m", "pack_g",
    "macro_k", "macro_m", "macro_g", "macro_v",
    "tile_k", "tile_m", "tile_g", "tile_v",
    "group_k", "group_m", "group_g", "group_v",
    "order", "slabs", "unit",
)  # fmt: skip

# Loop orders in time, outer to inner, over pixel slabs V, outputs M and reduction K.
ORDERS: tuple[str, ...] = ("VMK", "VKM", "MVK", "KVM", "MKV", "KMV")
VMK, VKM, MVK, KVM, MKV, KMV = range(len(ORDERS))

# Where a layer runs; `ELSEWHERE`: on the other part of a hybrid chip, nothing of it is counted here.
ON_ARRAYS, ON_DIGITAL_UNIT, ELSEWHERE = 0, 1, 2


class Mapping(NamedTuple):
    """Resolved mappings.

    Attributes:
        factors: records ``[n_designs, n_layers]`` with one int32 field per name in `FACTORS`.
        tiles_needed: int64 ``[n_designs, n_networks]`` tiles that hold each network's weights at once where the
            deployment keeps them on chip; 0 where they are streamed.
    """

    factors: NDArray[np.void]
    tiles_needed: NDArray[np.int64]
