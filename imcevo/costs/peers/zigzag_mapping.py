"""How often a network's layers use the rows and columns of a macro, by ZigZag-IMC's rules of spatial mapping.

Output channels lie along the columns; input channels and kernel along the rows, each cut into a divisor of its size.
Of the mappings of a layer the fullest is taken. ZigZag picks among several by a cost of its own and sometimes takes
one that uses fewer rows; the total of its activations (``spatial_cycles``) then scales all layers alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.workload import Layer


class UsedMacro(NamedTuple):
    """How a network uses a macro; sums over layers unless ``[n_layers]``.

    Attributes:
        rows: rows in use, ``[n_layers]``.
        outputs: activations times columns in use, ``[n_layers]``.
        activations: times the macro is activated with one set of whole inputs.
        output_uses: sum of `outputs`.
        input_uses: activations times rows in use.
    """

    rows: NDArray[np.int64]
    outputs: NDArray[np.float64]
    activations: float
    output_uses: float
    input_uses: float


def used_macro(layers: Sequence[Layer], rows: int, cols: int, activations: float | None = None) -> UsedMacro:
    """Use of a macro of `rows` x `cols` weights by matrix layers.

    Args:
        activations: ZigZag's own total; None: that of the fullest mapping.
    """
    macs = np.array([layer.macs for layer in layers], dtype=np.float64)
    used_rows = np.array([fullest_rows(layer.C, layer.R, layer.S, rows) for layer in layers])
    used_cols = np.array([min(layer.M, cols) for layer in layers])
    fullest = macs / (used_rows * used_cols)
    scale = 1.0 if activations is None else activations / fullest.sum()
    outputs = scale * fullest * used_cols
    # Fewer rows in use mean as many more activations: inputs are applied equally often.
    return UsedMacro(used_rows, outputs, scale * fullest.sum(), outputs.sum(), float((macs / used_cols).sum()))


@cache
def fullest_rows(C: int, R: int, S: int, rows: int) -> int:
    """The largest product of divisors of C, R and S that fits into `rows`."""
    return max(n for n in (math.prod(cut) for cut in _cuts(C, R, S)) if n <= rows)


def _cuts(*sizes: int) -> list[tuple[int, ...]]:
    cuts: list[tuple[int, ...]] = [()]
    for size in sizes:
        divisors = [d for d in range(1, size + 1) if size % d == 0]
        cuts = [(*cut, d) for cut in cuts for d in divisors]
    return cuts
