"""Llama 3.2 1B: Grattafiori et al., "The Llama 3 herd of models", 2024, arXiv 2407.21783, and Meta's model card: 16
decoder blocks with grouped-query attention, rotary positions, RMS norms and SwiGLU."""

from __future__ import annotations

from imcevo.errors import UserError
from imcevo.workload.layers import Layer
from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import RMS_NORM, SCALE, SILU, elementwise, linear, lookup
from imcevo.workload.networks.transformer import Attention, add_norm, self_attention, tied_output

_BLOCKS, _WIDTH, _HEADS, _KEY_HEADS, _INNER = 16, 2048, 32, 8, 8192
_KEY_WIDTH = _WIDTH // _HEADS * _KEY_HEADS
_VOCABULARY, _LONGEST = 128_256, 131_072
_TABLE_NAME = "embedding.table"

_PARAMETERS = 1_235_814_400
_NORMS = (2 * _BLOCKS + 1) * _WIDTH
_TABLE = _VOCABULARY * _WIDTH


def llama32_1b_prefill(tokens: int = 512) -> Network:
    """The prompt's `tokens` at once; the score of the next token; keys and values go to DRAM."""
    _check("tokens", tokens)
    layers = _layers(tokens, tokens, 0)
    description = f"Llama 3.2 1B, prompt of {tokens} tokens"
    macs_source = "derived: every weight of a block once per token, the tied embedding once; no attention products"
    macs = (_PARAMETERS - _NORMS - _TABLE) * tokens + _TABLE
    return _network("prefill", description, layers, macs, macs_source, tokens)


def llama32_1b_decode(context: int = 2048) -> Network:
    """One token that attends to `context` tokens, itself included."""
    _check("context", context)
    layers = _layers(1, context, 2 * _BLOCKS * context * _KEY_WIDTH)
    macs_source = "derived: every weight and the tied embedding, as output layer, once; no attention products"
    description = f"Llama 3.2 1B, one token at a context of {context}"
    return _network("decode", description, layers, _PARAMETERS - _NORMS, macs_source, 1)


def _check(key: str, tokens: int) -> None:
    if not 1 <= tokens <= _LONGEST:
        raise UserError("is out of range", key=key, value=tokens, allowed=f"1 to {_LONGEST}")


def _network(
    phase: str, description: str, layers: list[Layer], macs: int, macs_source: str, tokens: int
) -> Network:
    published = PublishedTotals(
        macs, _PARAMETERS, "meta-llama/Llama-3.2-1B: 1,235,814,400 values in model.safetensors (1.23 B on the card)",
        macs_source, tokens, attention_products_counted=False,
    )  # fmt: skip
    return Network(f"llama32_1b_{phase}", "transformer", description, tuple(layers), published)


def _layers(tokens: int, context: int, cache_elements: int) -> list[Layer]:
    tensor = tokens * _WIDTH
    attention = Attention(
        tokens, _WIDTH, _HEADS, _KEY_HEADS, context, cached=True, cache_elements=cache_elements, rotary=True, bias=False
    )

    def norm(name: str, *, tensors: int = 2, results: int = 2) -> Layer:
        return add_norm(name, _WIDTH, tokens, tensors=tensors, results=results, ops=RMS_NORM, vectors=1)

    layers = [
        lookup("embedding", _VOCABULARY, _WIDTH, tokens, from_dram=True, stored_as=_TABLE_NAME),
        norm("layer0.norm1", tensors=1, results=1),
    ]
    for block in range(_BLOCKS):
        name, last = f"layer{block}", block == _BLOCKS - 1
        layers += [
            *self_attention(f"{name}.attention", attention, residual=tensor),
            norm(f"{name}.add_norm2"),
            *_swiglu(f"{name}.ffn", tokens),
            norm("add_norm" if last else f"layer{block + 1}.add_norm1", results=1 if last else 2),
        ]
    return [*layers, tied_output("output", _WIDTH, _VOCABULARY, _TABLE_NAME)]


def _swiglu(name: str, tokens: int) -> list[Layer]:
    """down(silu(gate(x)) * up(x)), while the residual waits."""
    residual, inner = tokens * _WIDTH, tokens * _INNER
    return [
        linear(f"{name}.gate", _WIDTH, _INNER, vectors=tokens, bias=False, held=residual, statistics="signed"),
        linear(f"{name}.up", _WIDTH, _INNER, vectors=tokens, bias=False, held=residual + inner, statistics="signed"),
        elementwise(f"{name}.swiglu", _INNER, SILU + SCALE, height=tokens, tensors=2, held=residual),
        linear(f"{name}.down", _INNER, _WIDTH, vectors=tokens, bias=False, held=residual, statistics="signed"),
    ]
