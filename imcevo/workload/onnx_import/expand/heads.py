"""Scaled dot-product attention (Vaswani et al., 2017) of heads, in primitive operators.

With fewer heads of keys and values than of queries (grouped-query attention, Ainslie et al., 2023), the queries of a
group are rows of one product: keys and values exist once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt

from imcevo.workload.onnx_import.expand.builder import Builder

_LOWEST = {1: -3.0e38, 10: -6.0e4, 11: -1.0e308, 16: -3.0e38}  # by element type: no entry of a row takes part
_BOOL, _INT64 = 9, 7


@dataclass
class Scores:
    """How scores [B, H, S, T] become weights of the values.

    Attributes:
        scale: of the product; one over the root of a head's size if None.
        softcap: bound c of scores, as c tanh(score / c); none if 0.
        allowed: masks of truth values that broadcast to the scores: False takes no part.
        added: tensors that broadcast to the scores and are added.
        filler: what scores that take no part become; as good as minus infinity if None.
        sink: a score per head [H] that takes part without a value, or a single one for all.
        precision: element type of the softmax; the scores' if 0.
    """

    scale: float | None = None
    softcap: float = 0.0
    allowed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    filler: float | None = None
    sink: str = ""
    precision: int = 0


def split_heads(b: Builder, x: str, heads: int) -> str:
    """Tokens [B, S, H * D] as heads [B, H, S, D]."""
    batch, steps, width = b.shape(x)
    if heads < 1 or width % heads:
        raise b.refused(f"divides {width} values into {heads} heads", allowed="a divisor of the values")
    return b.transpose(b.reshape(x, batch, steps, heads, width // heads), 0, 2, 1, 3)


def join_heads(b: Builder, x: str) -> str:
    """Heads [B, H, S, D] as tokens [B, S, H * D]."""
    batch, heads, steps, width = b.shape(x)
    return b.reshape(b.transpose(x, 0, 2, 1, 3), batch, steps, heads * width)


def with_past(b: Builder, past: str, new: str) -> str:
    """A cache [B, G, P, D] and new keys or values [B, G, S, D]."""
    return b.concat(2, past, new) if past else new


def attend(b: Builder, q: str, k: str, v: str, how: Scores) -> tuple[str, list[str]]:
    """Values weighted by scores.

    Args:
        q: queries [B, H, S, D]; k, v: keys and values [B, G, T, D] and [B, G, T, E], H a multiple of G.

    Returns:
        Heads [B, H, S, E]; the scores after the product, the softcap, the masks and the softmax.
    """
    batch, heads, steps, width = b.shape(q)
    groups, length = b.shape(k)[1:3]
    if heads % groups or b.shape(k)[::3] != (batch, width) or b.shape(v)[:3] != (batch, groups, length):
        raise b.refused(
            f"has queries {b.shape(q)}, keys {b.shape(k)} and values {b.shape(v)}",
            allowed="[B, H, S, D], [B, G, T, D] and [B, G, T, E] with H a multiple of G",
        )
    rows = heads // groups * steps
    q = b.scaled(q, 1 / sqrt(width) if how.scale is None else how.scale)
    product = b.add("MatMul", b.reshape(q, batch, groups, rows, width), b.transpose(k, 0, 1, 3, 2), label="scores")
    scores = b.reshape(product, batch, heads, steps, length)
    stages = [scores]
    if how.softcap:
        scores = b.scaled(b.add("Tanh", b.scaled(scores, 1 / how.softcap)), how.softcap)
    stages.append(scores)
    for mask in how.added:
        scores = b.add("Add", scores, b.cast(mask, b.kind(scores)), label="bias")
    for mask in how.allowed:
        filler = _LOWEST.get(b.kind(scores), -6.0e4) if how.filler is None else how.filler
        scores = b.add("Where", mask, scores, b.constant(filler, b.kind(scores)), label="mask")
    if b.shape(scores) != (batch, heads, steps, length):
        raise b.refused(f"has masks that make {b.shape(scores)} of its scores", allowed="masks that broadcast to them")
    stages.append(scores)
    weights = _softmax(b, scores, how)
    stages.append(weights)
    context = b.add("MatMul", b.reshape(weights, batch, groups, rows, length), v, label="context")
    return b.reshape(context, batch, heads, steps, b.shape(v)[3]), stages


def _softmax(b: Builder, scores: str, how: Scores) -> str:
    kind = b.kind(scores)
    batch, heads, steps, length = b.shape(scores)
    if how.sink:
        sinks = b.reshape(how.sink, 1, _count(b, how.sink), 1, 1)
        scores = b.concat(3, scores, b.add("Expand", b.cast(sinks, kind), b.ints([batch, heads, steps, 1])))
    weights = b.cast(b.add("Softmax", b.cast(scores, how.precision or kind), axis=-1), kind)
    return b.slice(weights, 3, 0, length)


def _count(b: Builder, name: str) -> int:
    shape = b.shape(name)
    return shape[0] if shape else 1


def causal(b: Builder, steps: int, length: int, *, offset: int, left: int = -1, right: int = 0) -> str:
    """Which keys j a query i may see: i + offset - left <= j <= i + offset + right; a bound of -1 is none.

    It depends on sizes alone: no table is stored, and all layers share it.
    """

    def make() -> str:
        keys = b.span(0, length)
        own = b.reshape(b.span(offset, offset + steps), steps, 1)
        masks = []
        if right >= 0:
            masks.append(b.add("Less", keys, b.add("Add", own, b.constant(right + 1, _INT64))))
        if left >= 0:
            masks.append(b.add("Less", b.add("Sub", own, b.constant(left + 1, _INT64)), keys))
        return masks[0] if len(masks) == 1 else b.add("And", *masks)

    return b.share(f"mask/{steps}x{length}/{offset}/{left}/{right}", make)


def within(b: Builder, lengths: str, length: int, *, starts: str = "") -> str:
    """Which of T keys come before each sequence's end, and not before its start: [B, 1, 1, T]."""
    batch = b.shape(lengths)[0]
    keys = b.share(f"mask/keys/{length}", lambda: b.reshape(b.span(0, length), 1, 1, 1, length))
    mask = b.add("Less", keys, b.cast(b.reshape(lengths, batch, 1, 1, 1), _INT64))
    if starts:
        before = b.add("Less", keys, b.cast(b.reshape(starts, batch, 1, 1, 1), _INT64))
        mask = b.add("And", mask, b.add("Not", before))
    return mask


def truth(b: Builder, mask: str) -> str:
    return b.cast(mask, _BOOL)
