"""The attention operators: ONNX's own and those of ONNX Runtime."""

from __future__ import annotations

from imcevo.workload.onnx_import.expand.builder import Builder
from imcevo.workload.onnx_import.expand.heads import (
    Scores,
    attend,
    causal,
    join_heads,
    split_heads,
    truth,
    with_past,
    within,
)
from imcevo.workload.onnx_import.expand.quantised import integer_product
from imcevo.workload.onnx_import.expand.rotary import rotated, rows

_BOOL, _INT64 = 9, 7


def _standard(b: Builder) -> None:
    """Attention of opsets 23 to 25."""
    q, k, v = (b.needed(index) for index in range(3))
    flat = b.rank(q) == 3
    if flat:
        heads, groups = b.whole("q_num_heads"), b.whole("kv_num_heads")
        q, k, v = split_heads(b, q, heads), split_heads(b, k, groups), split_heads(b, v, groups)
    if any(b.rank(x) != 4 for x in (q, k, v)):
        raise b.refused(f"has queries of rank {b.rank(q)}", allowed="queries, keys and values of rank 3 or 4")
    past = b.shape(b.input(4))[2] if b.input(4) else 0
    k, v = with_past(b, b.input(4), k), with_past(b, b.input(5), v)
    steps, length = b.shape(q)[2], b.shape(k)[2]
    how = Scores(b.attribute("scale"), b.attribute("softcap", 0.0), precision=b.whole("softmax_precision", 0))
    lengths = b.input(6)
    left, right = b.whole("left_window_size", -1), b.whole("right_window_size", -1)
    if b.whole("is_causal", 0):
        right = 0
    if b.input(3):
        _mask(b, how, b.input(3), length)
    if left >= 0 or right >= 0:
        if lengths and not past:
            how.allowed.append(_from_end(b, lengths, steps, length, left, right))
        else:
            how.allowed.append(causal(b, steps, length, offset=past, left=left, right=right))
    if lengths:
        how.allowed.append(within(b, lengths, length))
    context, stages = attend(b, q, k, v, how)
    b.give(0, join_heads(b, context) if flat else context)
    b.give(1, k)
    b.give(2, v)
    mode = b.whole("qk_matmul_output_mode", 0)
    if b.wants(3) and not 0 <= mode < len(stages):
        raise b.refused(f"has the attribute qk_matmul_output_mode = {mode}", allowed="0, 1, 2 or 3")
    if b.wants(3):
        b.give(3, stages[mode])


def _mask(b: Builder, how: Scores, mask: str, length: int) -> None:
    """A mask of truth values or of numbers; keys that it does not name take no part."""
    stated = b.shape(mask)[-1]
    (how.allowed if b.kind(mask) == _BOOL else how.added).append(mask)
    if stated != length:
        if stated > length:
            raise b.refused(f"has a mask for {stated} keys of {length}", allowed="one entry per key")
        sizes = [*b.shape(mask)[:-1], length - stated]
        kind = b.kind(mask)
        filler = b.constant([0 if kind == _BOOL else -6.0e4], kind)
        masks = how.allowed if kind == _BOOL else how.added
        masks[-1] = b.concat(len(sizes) - 1, mask, b.add("Expand", filler, b.ints(sizes)))


def _from_end(b: Builder, lengths: str, steps: int, length: int, left: int, right: int) -> str:
    """Which keys the last S queries of sequences with known lengths may see: [B, 1, S, T]."""
    batch = b.shape(lengths)[0]
    keys = b.span(0, length)
    own = b.add(
        "Add", b.cast(b.reshape(lengths, batch, 1, 1, 1), _INT64), b.reshape(b.span(-steps, 0), 1, 1, steps, 1)
    )
    masks = []
    if right >= 0:
        masks.append(b.add("Less", keys, b.add("Add", own, b.constant(right + 1, _INT64))))
    if left >= 0:
        masks.append(b.add("Less", b.add("Sub", own, b.constant(left + 1, _INT64)), keys))
    return masks[0] if len(masks) == 1 else b.add("And", *masks)


def _padding(b: Builder, how: Scores, mask: str, batch: int, steps: int, length: int) -> None:
    """A mask of ONNX Runtime: lengths, ends and starts, or one entry per key."""
    shape = b.shape(mask)
    if shape == (batch,):
        how.allowed.append(within(b, mask, length))
    elif shape == (2 * batch,):
        ends, starts = b.slice(mask, 0, 0, batch), b.slice(mask, 0, batch, 2 * batch)
        how.allowed.append(within(b, ends, length, starts=starts))
    elif shape in ((batch, length), (1, length)):
        how.allowed.append(truth(b, b.reshape(mask, shape[0], 1, 1, length)))
    elif shape == (batch, steps, length):
        how.allowed.append(truth(b, b.reshape(mask, batch, 1, steps, length)))
    elif len(shape) == 4 and shape[2] >= length and shape[3] >= length:
        part = b.slice(b.slice(mask, 2, length - steps, length), 3, 0, length)
        how.allowed.append(truth(b, part))
    else:
        allowed = f"[{batch}], [{2 * batch}], [{batch}, {length}] or [{batch}, {steps}, {length}]"
        raise b.refused(f"has a mask {list(shape)}, which is not supported", allowed=allowed)


def _merged(b: Builder) -> None:
    """com.microsoft.Attention: the projection of queries, keys and values is one product with stored weights."""
    b.forbid_attributes(do_rotary=0, past_present_share_buffer=0)
    x = b.plus(b.add("MatMul", b.needed(0), b.needed(1), label="projection"), b.input(2))
    total = b.shape(x)[-1]
    sizes = b.attribute("qkv_hidden_sizes") or [total // 3] * 3
    if len(sizes) != 3 or sum(sizes) != total:
        raise b.refused(f"divides {total} values into {list(sizes)}", allowed="three sizes with that sum")
    _after_projection(b, x, sizes, mask=b.input(3), past=b.input(4), bias=b.input(5))


def _quantised(b: Builder) -> None:
    """com.microsoft.QAttention: the projection is one product of integers."""
    b.forbid_attributes(do_rotary=0, past_present_share_buffer=0)
    data, weight, bias, data_scale, weight_scale = (b.needed(index) for index in range(5))
    x = integer_product(b, data, weight, data_scale, weight_scale, b.input(6), b.input(7), bias)
    sizes = [b.shape(x)[-1] // 3] * 3
    _after_projection(b, x, sizes, mask=b.input(5), past=b.input(8), bias="")


def _after_projection(b: Builder, x: str, sizes: list[int], *, mask: str, past: str, bias: str) -> None:
    heads = b.whole("num_heads")
    ends = [sizes[0], sizes[0] + sizes[1], sum(sizes)]
    q, k, v = (
        split_heads(b, b.slice(x, 2, end - size, end), heads) for end, size in zip(ends, sizes, strict=True)
    )
    if past:
        _, *cache = b.shape(past)
        k = with_past(b, b.reshape(b.slice(past, 0, 0, 1), *cache), k)
        v = with_past(b, b.reshape(b.slice(past, 0, 1, 2), *cache), v)
    _attend_masked(b, q, k, v, mask=mask, bias=bias)
    if b.wants(1):
        b.give(1, b.concat(0, b.reshape(k, 1, *b.shape(k)), b.reshape(v, 1, *b.shape(v))))


def _attend_masked(b: Builder, q: str, k: str, v: str, *, mask: str, bias: str) -> list[str]:
    """Attention with the masks of ONNX Runtime's operators; the first output."""
    batch, _, steps, _ = b.shape(q)
    length = b.shape(k)[2]
    how = Scores(b.attribute("scale") or None, filler=b.attribute("mask_filter_value", -10000.0))
    how.added += [bias] if bias else []
    if mask:
        _padding(b, how, mask, batch, steps, length)
    if b.whole("unidirectional", 0):
        how.allowed.append(causal(b, steps, length, offset=length - steps))
    context, stages = attend(b, q, k, v, how)
    b.give(0, join_heads(b, context))
    return stages


def _multi_head(b: Builder) -> None:
    """com.microsoft.MultiHeadAttention: projected queries, keys and values, separate or packed."""
    b.forbid(past_sequence_length=8, cache_indirection=9)
    heads = b.whole("num_heads")
    q, k, v = b.needed(0), b.input(1), b.input(2)
    bias = b.input(3)
    if b.rank(q) == 5:
        q, k, v = _unpacked(b, q, 3)
    elif k and b.rank(k) == 5:
        k, v = _unpacked(b, k, 2)
    if not k or not v:
        raise b.refused("lacks keys or values", allowed="separate ones, or packed with the queries")
    start, parts = 0, []
    for x in (q, k, v):
        if b.rank(x) != 3:  # heads of another sequence, projected elsewhere
            parts.append(x)
            continue
        width = b.shape(x)[2]
        x = b.plus(x, b.slice(bias, 0, start, start + width) if bias else "")
        start += width
        parts.append(split_heads(b, x, heads))
    q, k, v = parts
    k, v = with_past(b, b.input(6), k), with_past(b, b.input(7), v)
    stages = _attend_masked(b, q, k, v, mask=b.input(4), bias=b.input(5))
    b.give(1, k)
    b.give(2, v)
    b.give(3, stages[3])


def _unpacked(b: Builder, x: str, parts: int) -> list[str]:
    """Tokens [B, S, H * D] of each part packed into [B, S, H, parts, D]."""
    batch, steps, heads, packed, width = b.shape(x)
    if packed != parts:
        raise b.refused(f"packs {packed} tensors into {b.shape(x)}", allowed=f"[B, S, H, {parts}, D]")
    return [b.reshape(b.slice(x, 3, part, part + 1), batch, steps, heads * width) for part in range(parts)]


def _grouped(b: Builder) -> None:
    """com.microsoft.GroupQueryAttention."""
    b.forbid(k_scale=12, v_scale=13, query_seqlens=16)
    b.forbid_attributes(kv_cache_bit_width=0, k_quant_type="NONE", v_quant_type="NONE", sliding_window_cache=0)
    heads, groups = b.whole("num_heads"), b.whole("kv_num_heads")
    q, k, v = b.needed(0), b.input(1), b.input(2)
    if not k:
        width, rest = divmod(b.shape(q)[2], heads + 2 * groups)
        if rest:
            raise b.refused(f"packs {b.shape(q)[2]} values for {heads} + 2 x {groups} heads", allowed="a multiple")
        ends = [heads * width, (heads + groups) * width, (heads + 2 * groups) * width]
        q, k, v = (b.slice(q, 2, start, end) for start, end in zip([0, *ends], ends, strict=False))
    q, k, v = split_heads(b, q, heads), split_heads(b, k, groups), split_heads(b, v, groups)
    if b.input(14):
        small = b.attribute("qk_norm_epsilon", 1e-6)
        q = _normalised(b, q, b.input(14), b.attribute("q_norm_epsilon", small))
        k = _normalised(b, k, b.needed(15), b.attribute("k_norm_epsilon", small))
    steps, new = b.shape(q)[2], b.shape(k)[2]
    held = b.shape(b.input(3))[2] if b.input(3) else 0
    total = _total(b, held, new)
    if b.whole("do_rotary", 0):
        q, k = _turned(b, q, k, total)
    seen, present = [], []
    for cache, x in ((b.input(3), k), (b.input(4), v)):
        past = b.slice(cache, 2, 0, total - new) if total > new else ""
        seen.append(with_past(b, past, x))
        present.append(b.concat(2, seen[-1], b.slice(cache, 2, total, held)) if held > total else seen[-1])
    how = Scores(b.attribute("scale") or None, b.attribute("softcap", 0.0), sink=b.input(11))
    if b.whole("smooth_softmax", 0) == 1 and not how.sink:
        how.sink = b.constant(0.0, b.kind(q))
    how.added += [b.input(10)] if b.input(10) else []
    if b.whole("causal", 1):
        window = b.whole("local_window_size", -1)
        left = window - 1 if window > 0 else -1
        how.allowed.append(causal(b, steps, total, offset=total - steps, left=left))
    context, stages = attend(b, q, seen[0], seen[1], how)
    b.give(0, join_heads(b, context))
    b.give(1, present[0])
    b.give(2, present[1])
    if b.wants(3):
        b.give(3, stages[3 if b.whole("qk_output", 0) == 2 else 2])


def _total(b: Builder, held: int, new: int) -> int:
    """Keys that queries see: those in the cache and the new ones, or as many as a constant says."""
    stated = b.value(b.input(6)) if b.input(6) else None
    if stated is None or not held:
        return held + new
    total = int(stated.reshape(-1)[0])
    if not new <= total <= held + new:
        allowed = f"{new} to {held + new}: {held} in the cache and {new} new ones"
        raise b.refused(f"has total_sequence_length = {total}", allowed=allowed)
    return total


def _turned(b: Builder, q: str, k: str, total: int) -> tuple[str, str]:
    positions = b.input(9)
    if not positions:
        steps = b.shape(q)[2]
        positions = b.reshape(b.span(total - steps, total), 1, steps)
    cos, sin = rows(b, b.needed(7), positions), rows(b, b.needed(8), positions)
    interleaved = bool(b.whole("rotary_interleaved", 0))
    return rotated(b, q, cos, sin, interleaved=interleaved), rotated(b, k, cos, sin, interleaved=interleaved)


def _normalised(b: Builder, x: str, weight: str, epsilon: float) -> str:
    return b.add("RMSNormalization", x, weight, like=x, axis=-1, epsilon=epsilon)


_SHARED = ("num_heads", "scale", "mask_filter_value", "unidirectional")
_MERGED = (*_SHARED, "do_rotary", "past_present_share_buffer", "rotary_embedding_dim")
RULES = {
    "Attention": (
        _standard,
        (
            "is_causal", "kv_num_heads", "left_window_size", "q_num_heads", "qk_matmul_output_mode",
            "right_window_size", "scale", "softcap", "softmax_precision",
        ),
    ),
    "com.microsoft.Attention": (_merged, (*_MERGED, "qkv_hidden_sizes")),
    "com.microsoft.QAttention": (_quantised, _MERGED),
    "com.microsoft.MultiHeadAttention": (_multi_head, _SHARED),
    "com.microsoft.GroupQueryAttention": (
        _grouped,
        (
            "causal", "do_rotary", "k_norm_epsilon", "k_quant_type", "kv_cache_bit_width", "kv_num_heads",
            "local_window_size", "num_heads", "q_norm_epsilon", "qk_norm_epsilon", "qk_output", "rotary_interleaved",
            "scale", "sliding_window_cache", "smooth_softmax", "softcap", "v_quant_type",
        ),
    ),
}  # fmt: skip
