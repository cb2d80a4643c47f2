"""Large word-level LSTM language model on Penn Treebank: Zaremba, Sutskever and Vinyals, "Recurrent neural
network regularization", 2014, arXiv 1409.2329: two layers of 1500 units, vocabulary 10,000, unrolled for 35
steps.
"""

from __future__ import annotations

from imcevo.workload.layers import Layer
from imcevo.workload.network import Network, PublishedTotals
from imcevo.workload.networks.blocks import SOFTMAX, elementwise, linear, lookup

_STEPS = 35
_UNITS, _VOCABULARY, _LSTM_LAYERS = 1500, 10_000, 2
_GATES = 4

# Per unit and step: add the two projections of four gates, three sigmoids and a tanh, c = f c + i g,
# h = o tanh(c).
_CELL_OPS = _GATES + _GATES + 3 + 2

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
        layers += _lstm(f"lstm{index}")
    layers += [
        linear("classifier", _UNITS, _VOCABULARY, vectors=_STEPS, statistics="signed"),
        elementwise("softmax", _VOCABULARY, SOFTMAX, height=_STEPS, to_dram=True),
    ]
    description = "LSTM language model, 2 x 1500 units, vocabulary 10,000, 35 steps"
    return Network("lstm_lm", "rnn", description, tuple(layers), _PUBLISHED)


def _lstm(name: str) -> list[Layer]:
    projected = _STEPS * _GATES * _UNITS
    return [
        linear(f"{name}.input", _UNITS, _GATES * _UNITS, vectors=_STEPS, statistics="signed"),
        linear(
            f"{name}.recurrent", _UNITS, _GATES * _UNITS, vectors=_STEPS, bias=False, sequential=True,
            held=projected + _UNITS, statistics="signed",
        ),
        # Reads both projections and the cell state, writes the new cell state and the output.
        Layer(
            f"{name}.cell", "elementwise", C=(2 * _GATES + 1) * _UNITS, M=2 * _UNITS, P=_STEPS, H=_STEPS,
            ops=_CELL_OPS * _UNITS * _STEPS, sequential=True,
        ),
    ]  # fmt: skip
