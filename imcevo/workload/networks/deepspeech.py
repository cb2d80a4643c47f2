"""Mozilla DeepSpeech 0.6 to 0.9, after Hannun et al., "Deep Speech: scaling up end-to-end speech recognition", 2014,
arXiv 1412.5567: three dense layers of 2048 units, an LSTM, a dense layer, letters."""

from __future__ import annotations

from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import RELU, SOFTMAX, activation, elementwise, linear
from imcevo.workload.networks.recurrent import lstm

_FRAMES = 50
# 26 cepstral coefficients of a frame and of nine frames on either side; letters, space, apostrophe and blank.
_INPUTS, _UNITS, _LETTERS = 26 * (2 * 9 + 1), 2048, 29
_CLIPPED_RELU = RELU + 1  # and clip at 20

_PUBLISHED = PublishedTotals(
    macs=2_360_000_000,
    parameters=47_200_000,
    source="Intel Open Model Zoo, mozilla-deepspeech-0.8.2: 47.2 M parameters",
    macs_source="the same: 2.36 G per second of audio, 0.0472 G per frame (a multiply-accumulate counts once)",
    sequence_length=_FRAMES,
)


def deepspeech() -> Network:
    """One second of audio, 50 frames."""
    layers = []
    for index, inputs in enumerate((_INPUTS, _UNITS, _UNITS), start=1):
        first = index == 1
        layers += [
            linear(
                f"dense{index}", inputs, _UNITS, vectors=_FRAMES, statistics="signed" if first else "relu",
                from_dram=first,
            ),
            activation(f"dense{index}.relu", _UNITS, _CLIPPED_RELU, height=_FRAMES),
        ]  # fmt: skip
    layers += [
        *lstm("lstm", _UNITS, _UNITS, _FRAMES, statistics="relu"),
        linear("dense5", _UNITS, _UNITS, vectors=_FRAMES, statistics="signed"),
        activation("dense5.relu", _UNITS, _CLIPPED_RELU, height=_FRAMES),
        linear("letters", _UNITS, _LETTERS, vectors=_FRAMES),
        elementwise("softmax", _LETTERS, SOFTMAX, height=_FRAMES, to_dram=True),
    ]
    return Network("deepspeech", "rnn", "DeepSpeech, one second of speech", tuple(layers), _PUBLISHED)
