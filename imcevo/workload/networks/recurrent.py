"""Recurrent layers: projections of all inputs at once, recurrent projections step by step, gate arithmetic between.

The two bias vectors of a gate add up to one, which starts the accumulation of the input projection.
"""

from __future__ import annotations

from imcevo.workload.layers import Layer
from imcevo.workload.networks.blocks import linear

_LSTM_GATES, _GRU_GATES = 4, 3
# Per unit and step: add the two projections of four gates, three sigmoids and a tanh, c = f c + i g, h = o tanh(c).
_LSTM_OPS = _LSTM_GATES + _LSTM_GATES + 3 + 2
# Add the two projections of three gates, two sigmoids and a tanh, r h, h = n + z (h - n).
_GRU_OPS = _GRU_GATES + _GRU_GATES + 1 + 3


def lstm(name: str, inputs: int, units: int, steps: int, *, statistics: str = "signed") -> list[Layer]:
    """A layer of LSTM units: gates i, o, f and the candidate."""
    projected = steps * _LSTM_GATES * units
    return [
        linear(f"{name}.input", inputs, _LSTM_GATES * units, vectors=steps, statistics=statistics),
        linear(
            f"{name}.recurrent", units, _LSTM_GATES * units, vectors=steps, bias=False, sequential=True,
            held=projected + units, statistics="signed",
        ),
        # Reads both projections and the cell state, writes the new cell state and the output.
        Layer(
            f"{name}.cell", "elementwise", C=(2 * _LSTM_GATES + 1) * units, M=2 * units, P=steps, H=steps,
            ops=_LSTM_OPS * units * steps, sequential=True,
        ),
    ]  # fmt: skip


def gru(name: str, inputs: int, units: int, steps: int, *, from_dram: bool = False) -> list[Layer]:
    """A layer of gated recurrent units: update and reset gate, and the candidate."""
    return [
        linear(
            f"{name}.input", inputs, _GRU_GATES * units, vectors=steps, statistics="signed", from_dram=from_dram
        ),
        linear(
            f"{name}.recurrent", units, _GRU_GATES * units, vectors=steps, bias=False, sequential=True,
            held=steps * _GRU_GATES * units, statistics="signed",
        ),
        # Reads both projections and the last output, writes the output.
        Layer(
            f"{name}.cell", "elementwise", C=(2 * _GRU_GATES + 1) * units, M=units, P=steps, H=steps,
            ops=_GRU_OPS * units * steps, sequential=True,
        ),
    ]  # fmt: skip
