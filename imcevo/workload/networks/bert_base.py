"""BERT-base: Devlin et al., "BERT: pre-training of deep bidirectional transformers for language understanding", NAACL
2019, arXiv 1810.04805; bert-base-uncased with its pooler, without a task's head."""

from __future__ import annotations

from imcevo.errors import UserError
from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import TANH, activation, linear, lookup
from imcevo.workload.networks.transformer import Attention, add_norm, feed_forward, self_attention

_BLOCKS, _WIDTH, _HEADS, _INNER = 12, 768, 12, 3072
_VOCABULARY, _POSITIONS, _TOKEN_TYPES = 30522, 512, 2

_PUBLISHED = PublishedTotals(
    macs=11_170_000_000,
    parameters=109_480_000,
    source="DeepSpeed flops profiler tutorial, BERT-base: 109.48 M (transformers.BertModel has 109,482,240)",
    macs_source="the same, forward MACs at batch 1, 128 tokens: 11.17 G",
    sequence_length=128,
    notes="TinyBERT and MobileBERT papers: 22.5e9 FLOPs, two per multiply-accumulate.",
)


def bert_base(sequence_length: int = 128) -> Network:
    """The BERT-base encoder on one sequence; published totals are for 128 tokens.

    Raises:
        UserError: a length that the position table does not have.
    """
    tokens = sequence_length
    if not 1 <= tokens <= _POSITIONS:
        raise UserError("is out of range", key="sequence_length", value=tokens, allowed=f"1 to {_POSITIONS}")
    tensor = tokens * _WIDTH
    attention = Attention(tokens, _WIDTH, _HEADS, _HEADS, tokens)
    layers = [
        lookup("embedding.word", _VOCABULARY, _WIDTH, tokens, from_dram=True),
        lookup("embedding.position", _POSITIONS, _WIDTH, tokens, held=tensor),
        lookup("embedding.token_type", _TOKEN_TYPES, _WIDTH, tokens, held=2 * tensor),
        add_norm("embedding.add_norm", _WIDTH, tokens, tensors=3),
    ]
    for block in range(_BLOCKS):
        name = f"layer{block}"
        last = block == _BLOCKS - 1
        layers += [
            *self_attention(f"{name}.attention", attention, residual=0),
            add_norm(f"{name}.attention.add_norm", _WIDTH, tokens),
            *feed_forward(f"{name}.ffn", _WIDTH, _INNER, tokens, residual=0),
            add_norm(f"{name}.ffn.add_norm", _WIDTH, tokens, to_dram=last),
        ]
    layers += [
        linear("pooler", _WIDTH, _WIDTH, statistics="signed", to_dram=True),
        activation("pooler.tanh", _WIDTH, TANH),
    ]
    description = f"BERT-base (uncased) encoder with pooler on {tokens} tokens"
    published = _PUBLISHED if tokens == _PUBLISHED.sequence_length else None
    return Network("bert_base", "transformer", description, tuple(layers), published)
