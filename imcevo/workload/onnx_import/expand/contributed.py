"""Normalisations and embeddings of ONNX Runtime with the additions that it fuses into them."""

from __future__ import annotations

from imcevo.workload.onnx_import.expand.builder import Builder
from imcevo.workload.onnx_import.expand.fused import silu


def _layer_norm(b: Builder, x: str, scale: str, shift: str, epsilon: float) -> str:
    inputs = [name for name in (x, scale, shift) if name]
    return b.add("LayerNormalization", *inputs, like=x, axis=-1, epsilon=epsilon)


def _skip_norm(b: Builder) -> None:
    b.forbid_outputs(mean=1, inv_std_var=2)
    x = b.plus(b.needed(0), b.needed(1), b.input(4))
    b.give(0, _layer_norm(b, x, b.needed(2), b.input(3), b.attribute("epsilon", 1e-12)))
    b.give(3, x)


def _skip_rms_norm(b: Builder) -> None:
    b.forbid_outputs(mean=1, inv_std_var=2)
    x = b.plus(b.needed(0), b.needed(1), b.input(3))
    b.give(0, b.add("RMSNormalization", x, b.needed(2), like=x, axis=-1, epsilon=b.attribute("epsilon", 1e-12)))
    b.give(3, x)


def _rms_norm(b: Builder) -> None:
    """SimplifiedLayerNormalization, which ONNX Runtime registers among ONNX's own operators."""
    b.forbid_outputs(inv_std_var=1)
    x = b.needed(0)
    b.shape(x)
    axis, epsilon = b.whole("axis", -1), b.attribute("epsilon", 1e-5)
    b.give(0, b.add("RMSNormalization", x, b.needed(1), like=x, axis=axis, epsilon=epsilon))


def _embeddings(b: Builder) -> None:
    """Rows of up to three tables, summed and normalised."""
    ids = b.needed(0)
    batch, steps = b.shape(ids)
    positions = b.input(8) or b.reshape(b.span(0, steps), 1, steps)
    x = b.add("Gather", b.needed(2), ids, axis=0, label="words")
    x = b.plus(x, b.add("Gather", b.needed(3), positions, axis=0, label="positions"))
    if b.input(1):
        x = b.plus(x, b.add("Gather", b.needed(4), b.input(1), axis=0, label="segments"))
    b.give(0, _layer_norm(b, x, b.needed(5), b.needed(6), b.attribute("epsilon", 1e-12)))
    if b.wants(1):
        mask = b.input(7)
        lengths = b.add("ReduceSum", mask, b.ints([1]), keepdims=0) if mask else b.constant([0] * batch, 6)
        b.give(1, lengths)
    b.give(2, x)


def _group_norm(b: Builder) -> None:
    b.give(0, _normalised_groups(b, b.needed(0)))


def _skip_group_norm(b: Builder) -> None:
    x, skip = b.needed(0), b.needed(3)
    last = b.whole("channels_last", 1)
    shape = b.shape(x)
    if b.rank(skip) == 2:
        skip = b.reshape(skip, *((shape[0], 1, 1, shape[-1]) if last else (shape[0], shape[1], 1, 1)))
    bias = b.input(4)
    if bias and not last:
        bias = b.reshape(bias, 1, shape[1], 1, 1)
    x = b.plus(x, skip, bias)
    b.give(0, _normalised_groups(b, x))
    b.give(1, x)


def _normalised_groups(b: Builder, x: str) -> str:
    if b.rank(x) != 4:
        raise b.refused(f"has data of rank {b.rank(x)}", allowed="rank 4")
    last, activation = b.whole("channels_last", 1), b.whole("activation", 0)
    if activation not in (0, 1):
        raise b.refused(f"has the attribute activation = {activation}", allowed="0 for none or 1 for SiLU")
    x = b.transpose(x, 0, 3, 1, 2) if last else x
    more = {"num_groups": b.whole("groups"), "epsilon": b.attribute("epsilon", 1e-5)}
    x = b.add("GroupNormalization", x, b.needed(1), b.needed(2), like=x, **more)
    x = b.transpose(x, 0, 2, 3, 1) if last else x
    return silu(b, x) if activation else x


_GROUPS = ("activation", "channels_last", "epsilon", "groups")
RULES = {
    "SimplifiedLayerNormalization": (_rms_norm, ("axis", "epsilon", "stash_type")),
    "com.microsoft.EmbedLayerNormalization": (_embeddings, ("epsilon", "mask_index_type")),
    "com.microsoft.GroupNorm": (_group_norm, _GROUPS),
    "com.microsoft.SimplifiedLayerNormalization": (_rms_norm, ("axis", "epsilon", "stash_type")),
    "com.microsoft.SkipGroupNorm": (_skip_group_norm, _GROUPS),
    "com.microsoft.SkipLayerNormalization": (_skip_norm, ("epsilon",)),
    "com.microsoft.SkipSimplifiedLayerNormalization": (_skip_rms_norm, ("epsilon",)),
}
