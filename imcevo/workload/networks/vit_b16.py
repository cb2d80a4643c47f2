"""ViT-B/16: Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021, arXiv 2010.11929."""

from __future__ import annotations

from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import convolution, linear, lookup
from imcevo.workload.networks.transformer import Attention, add_norm, feed_forward, self_attention

_BLOCKS, _WIDTH, _HEADS, _INNER = 12, 768, 12, 3072
_PATCH, _SIZE = 16, 224
_PATCHES = (_SIZE // _PATCH) ** 2
_TOKENS = _PATCHES + 1

_PUBLISHED = PublishedTotals(
    macs=17_564_000_000,
    parameters=86_567_656,
    source="torchvision 0.15+, ViT_B_16_Weights.IMAGENET1K_V1: num_params 86567656",
    macs_source="the same, GFLOPS 17.564 (a multiply-accumulate counts once), 224 x 224",
    sequence_length=_TOKENS,
)


def vit_b16() -> Network:
    """ViT-B/16 at 224 x 224: 196 patches and a class token, 1000 classes."""
    tensor = _TOKENS * _WIDTH
    attention = Attention(_TOKENS, _WIDTH, _HEADS, _HEADS, _TOKENS)
    layers = [
        convolution(
            "patches", 3, _WIDTH, _PATCH, _SIZE, _SIZE, stride=_PATCH, pad=(0, 0), vectors=1, statistics="signed",
            from_dram=True,
        ),
        lookup("class_token", 1, _WIDTH, 1, held=_PATCHES * _WIDTH),
        lookup("position", _TOKENS, _WIDTH, _TOKENS, held=tensor),
        add_norm("layer0.norm1", _WIDTH, _TOKENS, results=2),
    ]  # fmt: skip
    for block in range(_BLOCKS):
        name, last = f"layer{block}", block == _BLOCKS - 1
        layers += [
            *self_attention(f"{name}.attention", attention, residual=tensor),
            add_norm(f"{name}.add_norm2", _WIDTH, _TOKENS, results=2),
            *feed_forward(f"{name}.ffn", _WIDTH, _INNER, _TOKENS, residual=tensor),
            add_norm("add_norm" if last else f"layer{block + 1}.add_norm1", _WIDTH, _TOKENS, results=1 if last else 2),
        ]
    layers.append(linear("head", _WIDTH, 1000, statistics="signed", to_dram=True))
    description = "ViT-B/16, ImageNet classification at 224 x 224"
    return Network("vit_b16", "transformer", description, tuple(layers), _PUBLISHED)
