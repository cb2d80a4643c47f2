"""Integer splitting rules shared by mappers and counting kernels (compiled)."""

from __future__ import annotations

from imcevo.kernels import kernel


@kernel()
def ceil_div(a: int, b: int) -> int:
    """ceil(a / b) of positive integers."""
    return (a + b - 1) // b


@kernel()
def balanced(size: int, capacity: int) -> int:
    """ceil(size / ceil(size / capacity)): the smallest factor that needs no more rounds than `capacity` would."""
    if size <= capacity:
        return size
    return ceil_div(size, ceil_div(size, capacity))


@kernel()
def pixel_copies(N: int, P: int, Q: int, sequential: int, copies: int) -> tuple[int, int, int]:
    """How `copies` duplicates of the weights share the vectors: over images first, then output rows, then columns.

    Recurrent steps (`sequential`) depend on one another, so P is not shared. Returns the three counts; their product
    is the number of copies that have work, at most `copies`.
    """
    if copies == 1:
        return 1, 1, 1
    over_n = balanced(N, copies)
    left = copies // over_n
    over_p = 1 if sequential else balanced(P, left)
    return over_n, over_p, balanced(Q, left // over_p)


@kernel()
def rows_touched(P: int, per_copy: int, per_slab: int, stride: int, R: int, pad: int, H: int) -> int:
    """Input rows read when P output rows are cut into copies of `per_copy` rows and these into slabs of `per_slab`.

    Every slab reads each input row under its windows once: (rows - 1)*min(stride, R) + R, without the padding; rows
    under two slabs (halo) are read twice. The same serves for columns.
    """
    whole, tail = P // per_copy, P % per_copy
    pieces = whole * ceil_div(per_copy, per_slab) + ceil_div(tail, per_slab)
    touched = (P - pieces) * min(stride, R) + pieces * R
    start = 0
    while start < P and start * stride < pad:  # slabs that reach into the padding above
        touched -= pad - start * stride
        start = min(start + per_slab, (start // per_copy + 1) * per_copy)
    end = P
    beyond = (end - 1) * stride - pad + R - H
    while beyond > 0:  # slabs that reach into the padding below
        touched -= beyond
        copy_start = (end - 1) // per_copy * per_copy
        end = copy_start + (end - 1 - copy_start) // per_slab * per_slab
        beyond = (end - 1) * stride - pad + R - H if end > 0 else 0
    return touched
