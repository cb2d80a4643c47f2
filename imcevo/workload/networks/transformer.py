"""What the shipped transformers share: attention with its projections and products, norms, feed-forward networks.

Attention is counted over all pairs of tokens, as dense kernels and the published totals do, causal masks or not. Held
tensors are those that later layers read, beside a layer's own input, second operand and output. In decoding, keys and
values of earlier tokens form a cache: second operands of the products that stay on chip only where all of them fit
the global buffer, and else come from DRAM; a new token's key and value are results that leave the chip.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from imcevo.workload.layers import Layer
from imcevo.workload.networks.blocks import (
    ADD,
    GELU,
    LAYER_NORM,
    ROTARY,
    SCALE,
    SOFTMAX,
    activation,
    elementwise,
    linear,
)


class Attention(NamedTuple):
    """Sizes of multi-head attention.

    Attributes:
        tokens: queries.
        width: of a token's features.
        heads, key_heads: query heads, and the key and value heads that groups of them share.
        context: keys and values attended to, new ones included; `tokens` without a cache.
        cached: keys and values leave the chip for later tokens.
        cache_elements: keys and values of all layers, where earlier ones are read from a cache.
        rotary: queries and keys are turned by their positions.
        bias: of the projections.
    """

    tokens: int
    width: int
    heads: int
    key_heads: int
    context: int
    cached: bool = False
    cache_elements: int = 0
    rotary: bool = False
    bias: bool = True


def self_attention(name: str, a: Attention, *, residual: int) -> list[Layer]:
    """Projections, scores, softmax, context and output projection.

    Args:
        residual: elements that wait for the addition behind; the attention's own input if it is that (post-norm:
            0 while a projection reads it), else another tensor (pre-norm).
    """
    head = a.width // a.heads
    query, key = a.tokens * a.width, a.tokens * a.key_heads * head
    # Behind the projections their own input waits only if it is the residual.
    after = residual or query

    def project(part: str, outputs: int, held: int, *, to_dram: bool = False) -> list[Layer]:
        layer = linear(
            f"{name}.{part}", a.width, outputs, vectors=a.tokens, bias=a.bias, held=held, statistics="signed",
            to_dram=to_dram,
        )  # fmt: skip
        turned = a.rotary and part in ("query", "key")
        return [layer, activation(f"{name}.{part}.rotary", outputs, ROTARY, height=a.tokens)] if turned else [layer]

    def product(part: str, inputs: int, outputs: int, held: int, statistics: str) -> Layer:
        shared = a.heads // a.key_heads * a.tokens
        cache = a.cache_elements - a.key_heads * inputs * outputs if a.cache_elements else 0
        return Layer(
            f"{name}.{part}", C=inputs, M=outputs, G=a.key_heads, P=shared, H=shared, dynamic=True,
            held_elements=held + max(0, cache), statistics=statistics,
        )  # fmt: skip

    values = 0 if a.cache_elements else key
    return [
        *project("query", a.width, residual),
        *project("key", a.key_heads * head, residual + query, to_dram=a.cached),
        *project("value", a.key_heads * head, residual + query + key, to_dram=a.cached),
        product("scores", head, a.context, after + values, "signed"),
        elementwise(f"{name}.softmax", a.heads * a.context, SCALE + SOFTMAX, height=a.tokens, held=after + values),
        product("context", a.context, head, after, "relu"),
        linear(
            f"{name}.output", a.width, a.width, vectors=a.tokens, bias=a.bias, held=after, statistics="signed"
        ),
    ]


def add_norm(
    name: str, width: int, tokens: int, *, tensors: int = 2, results: int = 1, ops: int = LAYER_NORM,
    vectors: int = 2, to_dram: bool = False,
) -> Layer:  # fmt: skip
    """Sum of `tensors` and its norm; two `results` where the sum itself is needed too (pre-norm)."""
    return elementwise(
        name, width, (tensors - 1) * ADD + ops, height=tokens, tensors=tensors, results=results,
        parameters=vectors * width, to_dram=to_dram,
    )  # fmt: skip


def feed_forward(name: str, width: int, inner: int, tokens: int, *, residual: int) -> list[Layer]:
    """Two linear layers with a GELU between; `residual` as in `self_attention`."""
    after = residual or tokens * width
    return [
        linear(f"{name}.up", width, inner, vectors=tokens, held=residual, statistics="signed"),
        activation(f"{name}.gelu", inner, GELU, height=tokens, held=after),
        linear(f"{name}.down", inner, width, vectors=tokens, held=after),
    ]


def tied_output(name: str, width: int, vocabulary: int, table: str) -> Layer:
    """Scores of the next token from the last one's features, by the values of the embedding `table`."""
    layer = linear(name, width, vocabulary, bias=False, statistics="signed", to_dram=True)
    return replace(layer, stored_as=table)
