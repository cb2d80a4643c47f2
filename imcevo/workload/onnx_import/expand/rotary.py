"""Rotary position embedding (Su et al., "RoFormer", 2021): pairs of a head's elements are turned by an angle."""

from __future__ import annotations

from imcevo.workload.onnx_import.expand.builder import Builder


def rotated(b: Builder, x: str, cos: str, sin: str, *, interleaved: bool) -> str:
    """Heads [B, H, S, D] turned in their first R elements.

    Args:
        cos, sin: [B or 1, 1, S, R / 2].
        interleaved: whether neighbours form a pair, instead of elements half of R apart.
    """
    batch, heads, steps, width = b.shape(x)
    turned = 2 * b.shape(cos)[-1]
    if turned > width:
        allowed = "tables of half a head's size at most"
        raise b.refused(f"turns {turned} elements of heads with {width}", allowed=allowed)
    part = b.slice(x, 3, 0, turned)
    if interleaved:
        first, second = (b.slice(part, 3, start, turned, 2) for start in (0, 1))
    else:
        first, second = b.slice(part, 3, 0, turned // 2), b.slice(part, 3, turned // 2, turned)
    real = b.add("Sub", b.add("Mul", first, cos), b.add("Mul", second, sin))
    imaginary = b.add("Add", b.add("Mul", first, sin), b.add("Mul", second, cos))
    if interleaved:
        pairs = [b.reshape(half, batch, heads, steps, turned // 2, 1) for half in (real, imaginary)]
        result = b.reshape(b.concat(4, *pairs), batch, heads, steps, turned)
    else:
        result = b.concat(3, real, imaginary)
    return result if turned == width else b.concat(3, result, b.slice(x, 3, turned, width))


def rows(b: Builder, table: str, positions: str) -> str:
    """Rows of a table by positions [B or 1, S], for all heads: [B or 1, 1, S, R / 2]."""
    return per_head(b, b.add("Gather", table, positions, axis=0, label="rotary"))


def per_head(b: Builder, table: str) -> str:
    """Angles [B or 1, S, R / 2] for all heads: [B or 1, 1, S, R / 2]."""
    batch, steps, half = b.shape(table)
    return b.reshape(table, batch, 1, steps, half)


def _rotate(b: Builder, cos: str, sin: str) -> None:
    """The operator, for heads [B, H, S, D] or tokens [B, S, H * D]."""
    x, interleaved = b.needed(0), bool(b.whole("interleaved", 0))
    turned = b.whole("rotary_embedding_dim", 0)
    if turned and turned != 2 * b.shape(cos)[-1]:
        raise b.refused(f"has tables {b.shape(cos)} beside rotary_embedding_dim = {turned}", allowed="half of it")
    if b.rank(x) == 4:
        b.give(0, rotated(b, x, cos, sin, interleaved=interleaved))
        return
    if b.rank(x) != 3:
        raise b.refused(f"has data of rank {b.rank(x)}", allowed="rank 3 or 4")
    batch, steps, hidden = b.shape(x)
    heads = b.whole("num_heads", 0)
    if not heads and not turned:
        heads = hidden // (2 * b.shape(cos)[-1])
    if not heads or hidden % heads:
        raise b.refused(f"has num_heads = {heads} for {hidden} values", allowed="a divisor of them")
    split = b.transpose(b.reshape(x, batch, steps, heads, hidden // heads), 0, 2, 1, 3)
    turned_heads = rotated(b, split, cos, sin, interleaved=interleaved)
    b.give(0, b.reshape(b.transpose(turned_heads, 0, 2, 1, 3), batch, steps, hidden))


def _standard(b: Builder) -> None:
    cos, sin, positions = b.needed(1), b.needed(2), b.input(3)
    cos, sin = (rows(b, table, positions) if positions else per_head(b, table) for table in (cos, sin))
    if b.rank(b.needed(0)) == 3 and not b.whole("num_heads", 0):
        raise b.refused("lacks the attribute 'num_heads' for data of rank 3", allowed="num_heads")
    _rotate(b, cos, sin)


def _contributed(b: Builder) -> None:
    b.forbid_attributes(scale=1.0, is_packed_batching=0)
    x, positions = b.needed(0), b.needed(1)
    steps = b.shape(x)[-2 if b.rank(x) == 4 else 1]
    if b.rank(positions) == 1:  # one offset for all
        positions = b.add("Add", b.cast(b.reshape(positions, 1, 1), 7), b.reshape(b.span(0, steps), 1, steps))
    _rotate(b, rows(b, b.needed(2), positions), rows(b, b.needed(3), positions))


_ATTRIBUTES = ("interleaved", "rotary_embedding_dim", "num_heads")
RULES = {
    "RotaryEmbedding": (_standard, _ATTRIBUTES),
    "com.microsoft.RotaryEmbedding": (_contributed, (*_ATTRIBUTES, "scale", "is_packed_batching")),
}
