"""Recurrent layers: per direction an input projection, recurrent steps and gate arithmetic, as the shipped networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from imcevo.workload.layers import Layer
from imcevo.workload.networks.blocks import linear
from imcevo.workload.networks.recurrent import gru, lstm
from imcevo.workload.onnx_import.axes import plain
from imcevo.workload.onnx_import.convolution import unsupported
from imcevo.workload.onnx_import.graph import Node
from imcevo.workload.onnx_import.items import Item, Lowering, Tensor


def _rnn(name: str, inputs: int, units: int, steps: int) -> list[Layer]:
    """A layer of plain recurrent units: h = tanh(W x + R h), the two projections added and looked up."""
    return [
        linear(f"{name}.input", inputs, units, vectors=steps, statistics="signed"),
        linear(
            f"{name}.recurrent", units, units, vectors=steps, bias=False, sequential=True, held=steps * units,
            statistics="signed",
        ),
        Layer(f"{name}.cell", "elementwise", C=2 * units, M=units, P=steps, H=steps, ops=2 * units * steps,
              sequential=True),
    ]  # fmt: skip


_Build = Callable[[str, int, int, int], list[Layer]]
_BUILDS: dict[str, tuple[_Build, int]] = {"LSTM": (lstm, 4), "GRU": (gru, 3), "RNN": (_rnn, 1)}


def recurrent(state: Lowering, node: Node) -> None:
    """LSTM, GRU and RNN of any direction."""
    build, gates = _BUILDS[node.op]
    source, taken, again, bias = (node.input(i) for i in range(4))
    form = unsupported(state, node, taken) or unsupported(state, node, again)
    if form:
        state.pass_over(node, form)
        return
    x, weight = state.tensor(source, node), state.graph.shape(taken, node)
    directions, units, inputs = weight[0], weight[1] // gates, weight[2]
    time = 1 if node.attribute("layout", 0) else 0
    steps, batch = x.shape[time], x.shape[1 - time]
    # The two biases of a gate add up, but for the candidate of a GRU whose reset gate comes behind the product.
    vectors = 4 if node.op == "GRU" and node.attribute("linear_before_reset", 0) else gates
    new_input = state.count_parameters(taken, node, always=True) > 0
    new_again = state.count_parameters(again, node, always=True) > 0
    new_bias = bool(bias) and state.is_constant(bias) and state.count_parameters(bias, node, always=True) > 0
    outputs: list[int] = []
    for direction in range(directions):
        name = node.name if directions == 1 else f"{node.name}.{direction}"
        projection, step, cell = ({**asdict(layer), "N": batch} for layer in build(name, inputs, units, steps))
        first = Item(projection["name"], "matrix", projection, x.reads, last=node.op, positive=x.positive)
        first.parameters = inputs * gates * units * new_input + vectors * units * new_bias
        first.weight, second_weight = (taken, direction), (again, direction)
        second = Item(step["name"], "matrix", step, parameters=units * gates * units * new_again, last=node.op)
        second.weight, second.state = second_weight, batch * units if node.op == "LSTM" else 0
        third = Item(cell["name"], "elementwise", cell, ops=batch * cell["ops"], parameters=0, last=node.op)
        if direction == 0 and node.op == "LSTM" and node.input(7) and state.is_constant(node.input(7)):
            third.parameters = state.count_parameters(node.input(7), node)  # peepholes
        first.sizes |= {"input_bits": x.bits, "weight_bits": state.bits(taken)}
        second.sizes |= {"weight_bits": state.bits(again)}
        projected = batch * steps * gates * units
        for item in (first, second):
            state.add(item).writes.append(state.base(item, projected))
            third.reads[item.writes[0]] = projected
        result = state.base(state.add(third), batch * steps * units)
        third.writes.append(result)
        outputs.append(result)
    _show(state, node, outputs, batch * steps * units, batch * units)


def _show(state: Lowering, node: Node, outputs: list[int], whole: int, last: int) -> None:
    """Results: all steps, and the last states."""
    for position, name in enumerate(node.outputs):
        if name and name in state.graph.shapes:
            shape: Any = state.graph.shapes[name]
            elements = whole if position == 0 else last
            state.tensors[name] = Tensor(tuple((base, elements) for base in outputs), shape, plain(shape))
