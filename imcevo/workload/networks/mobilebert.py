"""MobileBERT: Sun et al., "MobileBERT: a compact task-agnostic BERT for resource-limited devices", ACL 2020,
arXiv 2004.02984; the released model (google-research/mobilebert, configuration
uncased_L-24_H-128_B-512_A-4_F-4_OPT; google/mobilebert-uncased), without a task's head.
"""

from __future__ import annotations

from imcevo.errors import UserError
from imcevo.workload.layers import Layer
from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import (
    ADD,
    RELU,
    SCALE,
    SCALE_SHIFT,
    SOFTMAX,
    activation,
    elementwise,
    linear,
    lookup,
)

_BLOCKS = 24
_HIDDEN, _BOTTLENECK, _INTERMEDIATE = 512, 128, 512
_HEADS, _FEED_FORWARDS = 4, 4
_VOCABULARY, _POSITIONS, _TOKEN_TYPES, _EMBEDDING = 30522, 512, 2, 128
_TRIGRAM = 3

# Linear layers of the released model as listed with arXiv 2603.03880: 2,814,836,736 MACs on 139 tokens.
_PUBLISHED_MACS_PER_TOKEN = 2_814_836_736 // 139


def mobilebert(sequence_length: int = 128) -> Network:
    """The MobileBERT encoder on one sequence.

    Raises:
        UserError: a length that the position table does not have.
    """
    if not 1 <= sequence_length <= _POSITIONS:
        allowed = f"1 to {_POSITIONS}"
        raise UserError("is out of range", key="sequence_length", value=sequence_length, allowed=allowed)
    layers = _embedding(sequence_length)
    for block in range(_BLOCKS):
        layers += _attention(f"layer{block}", sequence_length)
        layers += _feed_forwards(f"layer{block}", sequence_length, last=block == _BLOCKS - 1)
    description = f"MobileBERT (released, uncased) encoder on {sequence_length} tokens"
    return Network("mobilebert", "transformer", description, tuple(layers), _published(sequence_length))


def _published(tokens: int) -> PublishedTotals:
    return PublishedTotals(
        macs=_PUBLISHED_MACS_PER_TOKEN * tokens,
        parameters=24_581_888,
        source="google/mobilebert-uncased as transformers.MobileBertModel: 24,581,888 parameters",
        macs_source="linear layers of the release as listed with arXiv 2603.03880: 20,250,624 per token",
        sequence_length=tokens,
        attention_products_counted=False,
        notes=(
            "The paper gives 25.3 M parameters and 5.7e9 FLOPs at 128 tokens: 3 % and 6 % more than the "
            "release has (attention products included), where query and key share a 128-wide bottleneck. "
            "Projecting both from 512-wide features would give 25.36 M and 5.59e9 before element-wise work."
        ),
    )


def _norm(width: int) -> int:
    """Parameters of the paper's NoNorm: a scale and a shift per feature."""
    return 2 * width


def _add_norm(name: str, width: int, tokens: int, *, held: int = 0, to_dram: bool = False) -> Layer:
    """Residual and NoNorm, which cannot fold into a matrix behind the addition."""
    ops = ADD + SCALE_SHIFT
    return elementwise(name, width, ops, height=tokens, tensors=2, held=held, to_dram=to_dram)


def _embedding(tokens: int) -> list[Layer]:
    """Trigram embedding, 384 -> 512: a convolution over three neighbouring tokens, without copies of them."""
    weights = _TRIGRAM * _EMBEDDING * _HIDDEN
    tensor = tokens * _HIDDEN
    return [
        lookup("embedding.word", _VOCABULARY, _EMBEDDING, tokens, from_dram=True),
        Layer(
            "embedding.trigram", C=_EMBEDDING, M=_HIDDEN, P=tokens, R=_TRIGRAM, pad_h=1, H=tokens,
            parameters=weights + _HIDDEN + _norm(_HIDDEN), statistics="signed",
        ),
        lookup("embedding.position", _POSITIONS, _HIDDEN, tokens, held=tensor),
        lookup("embedding.token_type", _TOKEN_TYPES, _HIDDEN, tokens, held=2 * tensor),
        elementwise("embedding.add_norm", _HIDDEN, 2 * ADD + SCALE_SHIFT, height=tokens, tensors=3),
    ]  # fmt: skip


def _attention(name: str, tokens: int) -> list[Layer]:
    """Bottlenecks, attention and its residual; the block's 512-wide input waits for the residual at the
    block's end.

    The norm after a bottleneck folds into its weights. Scores are scaled by 1 / sqrt(head width) before the
    softmax.
    """
    wide, narrow, head = tokens * _HIDDEN, tokens * _BOTTLENECK, _BOTTLENECK // _HEADS
    norm = _norm(_BOTTLENECK)

    def project(part: str, inputs: int, held: int, extra_parameters: int = 0) -> Layer:
        return linear(
            f"{name}.{part}", inputs, _BOTTLENECK, vectors=tokens, held=held,
            extra_parameters=extra_parameters, statistics="signed",
        )  # fmt: skip

    def product(part: str, inputs: int, outputs: int, held: int, statistics: str) -> Layer:
        return Layer(
            f"{name}.{part}", C=inputs, M=outputs, G=_HEADS, P=tokens, H=tokens, dynamic=True,
            held_elements=held, statistics=statistics,
        )  # fmt: skip

    return [
        project("bottleneck.input", _HIDDEN, 0, norm),
        project("bottleneck.query_key", _HIDDEN, narrow, norm),
        project("query", _BOTTLENECK, wide + narrow),
        project("key", _BOTTLENECK, wide + 2 * narrow),
        project("value", _HIDDEN, 3 * narrow),
        product("scores", head, tokens, wide + 2 * narrow, "signed"),
        elementwise(
            f"{name}.softmax", _HEADS * tokens, SCALE + SOFTMAX, height=tokens, held=wide + 2 * narrow
        ),
        product("context", tokens, head, wide + narrow, "relu"),
        project("attention_output", _BOTTLENECK, wide + narrow, norm),
        _add_norm(f"{name}.attention_add_norm", _BOTTLENECK, tokens, held=wide),
    ]


def _feed_forwards(name: str, tokens: int, *, last: bool) -> list[Layer]:
    """Four feed-forward networks with residuals, then the way back to 512 and the residual over the block."""
    wide, narrow = tokens * _HIDDEN, tokens * _BOTTLENECK
    layers = []
    for index in range(_FEED_FORWARDS):
        ffn = f"{name}.ffn{index}"
        layers += [
            linear(f"{ffn}.up", _BOTTLENECK, _INTERMEDIATE, vectors=tokens, held=wide, statistics="signed"),
            activation(f"{ffn}.relu", _INTERMEDIATE, RELU, height=tokens, held=wide + narrow),
            linear(
                f"{ffn}.down", _INTERMEDIATE, _BOTTLENECK, vectors=tokens, held=wide + narrow,
                extra_parameters=_norm(_BOTTLENECK),
            ),
            _add_norm(f"{ffn}.add_norm", _BOTTLENECK, tokens, held=wide),
        ]  # fmt: skip
    return [
        *layers,
        linear(
            f"{name}.output", _BOTTLENECK, _HIDDEN, vectors=tokens, held=wide,
            extra_parameters=_norm(_HIDDEN), statistics="signed",
        ),
        _add_norm(f"{name}.add_norm", _HIDDEN, tokens, to_dram=last),
    ]  # fmt: skip
