"""GPT-2 medium: Radford et al., "Language models are unsupervised multitask learners", 2019; 24 blocks of 1024
features, run as a prompt of many tokens (prefill) or one token behind a context (decode)."""

from __future__ import annotations

from imcevo.errors import UserError
from imcevo.workload.layers import Layer
from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import lookup
from imcevo.workload.networks.transformer import (
    Attention,
    add_norm,
    feed_forward,
    self_attention,
    tied_output,
)  # fmt: skip

_BLOCKS, _WIDTH, _HEADS = 24, 1024, 16
_INNER = 4 * _WIDTH
_VOCABULARY, _POSITIONS = 50257, 1024
_TABLE_NAME = "embedding.token.table"

_NON_EMBEDDING = _BLOCKS * (4 * _WIDTH + 2 * _INNER) * _WIDTH
_KAPLAN = "Kaplan et al., arXiv 2001.08361, table 1: a multiply-accumulate per token and non-embedding parameter"


def gpt2_medium_prefill(tokens: int = 256) -> Network:
    """The prompt's `tokens` at once; the score of the next token; keys and values go to DRAM."""
    _check("tokens", tokens)
    macs_source = f"{_KAPLAN}; attention products and the next token's score left out"
    description = f"GPT-2 medium, prompt of {tokens} tokens"
    layers = _layers(tokens, tokens, 0)
    return _network("prefill", description, layers, _NON_EMBEDDING * tokens, macs_source, tokens)


def gpt2_medium_decode(context: int = 1024) -> Network:
    """One token that attends to `context` tokens, itself included."""
    _check("context", context)
    macs = _NON_EMBEDDING + _VOCABULARY * _WIDTH
    description = f"GPT-2 medium, one token at a context of {context}"
    layers = _layers(1, context, 2 * _BLOCKS * context * _WIDTH)
    return _network("decode", description, layers, macs, f"{_KAPLAN} and de-embedding, without attention products", 1)


def _check(key: str, tokens: int) -> None:
    if not 1 <= tokens <= _POSITIONS:
        raise UserError("is out of range", key=key, value=tokens, allowed=f"1 to {_POSITIONS}")


def _network(
    phase: str, description: str, layers: list[Layer], macs: int, macs_source: str, tokens: int
) -> Network:
    published = PublishedTotals(
        macs, 354_823_168, "transformers.GPT2Model of openai-community/gpt2-medium: 354,823,168 parameters",
        macs_source, tokens, attention_products_counted=False, notes="The paper says 345 M parameters.",
    )  # fmt: skip
    return Network(f"gpt2_medium_{phase}", "transformer", description, tuple(layers), published)


def _layers(tokens: int, context: int, cache_elements: int) -> list[Layer]:
    tensor = tokens * _WIDTH
    attention = Attention(
        tokens, _WIDTH, _HEADS, _HEADS, context, cached=True, cache_elements=cache_elements
    )
    layers = [
        lookup("embedding.token", _VOCABULARY, _WIDTH, tokens, from_dram=True, stored_as=_TABLE_NAME),
        lookup("embedding.position", _POSITIONS, _WIDTH, tokens, held=tensor),
        add_norm("layer0.add_norm1", _WIDTH, tokens, results=2),
    ]
    for block in range(_BLOCKS):
        name, last = f"layer{block}", block == _BLOCKS - 1
        layers += [
            *self_attention(f"{name}.attention", attention, residual=tensor),
            add_norm(f"{name}.add_norm2", _WIDTH, tokens, results=2),
            *feed_forward(f"{name}.ffn", _WIDTH, _INNER, tokens, residual=tensor),
            add_norm("add_norm" if last else f"layer{block + 1}.add_norm1", _WIDTH, tokens, results=1 if last else 2),
        ]
    return [*layers, tied_output("output", _WIDTH, _VOCABULARY, _TABLE_NAME)]
