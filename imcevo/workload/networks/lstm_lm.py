"""Large word-level LSTM language model on Penn Treebank: Zaremba, Sutskever and Vinyals, "Recurrent neural
network regularization", 2014, arXiv 1409.2329: two layers of 1500 units, vocabulary 10,000, unrolled for 35
steps.
"""

from __future__ import annotations

from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import SOFTMAX, elementwise, linear, lookup
from imcevo.workload.networks.recurrent import lstm

_STEPS = 35
_UNITS, _VOCABULARY, _LSTM_LAYERS = 1500, 10_000, 2

_PUBLISHED = PublishedTotals(
    macs=(66_000_000 - _VOCABULARY * _UNITS) * _STEPS,
    parameters=66_000_000,
    source="Zaremba et al. (2014), large regularized LSTM: 66 M (listed in Merity et al., arXiv 1708.02182)",
    macs_source="derived, no total is published: 66 M less the embedding of 15 M, each used once in 35 steps",
    sequence_length=_STEPS,
)


def lstm_lm() -> Network:
    """The model on one sequence of 35 words whose next words are predicted at every step.

    The inputs of a layer are known for all steps once the layer below has run, so its input projection is
    parallel over steps; the recurrent projection is not. Gate arithmetic runs step by step between recurrent
    projections.
    """
    layers = [lookup("embedding", _VOCABULARY, _UNITS, _STEPS, from_dram=True)]
    for index in range(_LSTM_LAYERS):
        layers += lstm(f"lstm{index}", _UNITS, _UNITS, _STEPS)
    layers += [
        linear("classifier", _UNITS, _VOCABULARY, vectors=_STEPS, statistics="signed"),
        elementwise("softmax", _VOCABULARY, SOFTMAX, height=_STEPS, to_dram=True),
    ]
    description = "LSTM language model, 2 x 1500 units, vocabulary 10,000, 35 steps"
    return Network("lstm_lm", "rnn", description, tuple(layers), _PUBLISHED)
