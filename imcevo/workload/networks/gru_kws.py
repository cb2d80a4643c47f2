"""The large GRU of Zhang et al., "Hello edge: keyword spotting on microcontrollers", 2017, arXiv 1711.07128."""

from __future__ import annotations

from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import SOFTMAX, elementwise, linear
from imcevo.workload.networks.recurrent import gru

# One second in windows of 40 ms every 20 ms, ten cepstral coefficients each; twelve keywords.
_FRAMES, _INPUTS, _UNITS, _WORDS = 49, 10, 400, 12

_PUBLISHED = PublishedTotals(
    macs=48_400_000 // 2,
    parameters=498_000,
    source="Zhang et al. (2017), GRU of size L: 498.0 KB at one byte per weight",
    macs_source="the same: 48.4 MOps, two per multiply-accumulate",
    sequence_length=_FRAMES,
)


def gru_kws() -> Network:
    """Keyword spotting on one second of speech; the last step's output is classified."""
    layers = [
        *gru("gru", _INPUTS, _UNITS, _FRAMES, from_dram=True),
        linear("classifier", _UNITS, _WORDS, statistics="signed"),
        elementwise("softmax", _WORDS, SOFTMAX, to_dram=True),
    ]
    return Network("gru_kws", "rnn", "GRU keyword spotting, 400 units, 49 frames", tuple(layers), _PUBLISHED)
