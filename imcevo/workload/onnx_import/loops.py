"""If, Loop and Scan on a walk: the branch that is taken, the rounds that are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.workload.onnx_import.control import body_of, constant_node, element, identity, spliced, stacked

MOST_ROUNDS = 10_000


class Walk(Protocol):
    """What control flow needs of `imcevo.workload.onnx_import.walk.Walk`, which calls it."""

    @property
    def values(self) -> Mapping[str, NDArray[Any]]: ...
    @property
    def types(self) -> Mapping[str, Any]: ...
    @property
    def opsets(self) -> Mapping[str, int]: ...

    def shape(self, name: str) -> Sequence[int] | None: ...
    def sources(self, name: str) -> Sequence[str]: ...
    def leave(self, node: Any, why: str, allowed: str) -> None: ...
    def splice_body(self, nodes: list[Any], results: list[str], then: Callable[[], None] | None = None) -> None: ...


def _truth(walk: Walk, name: str) -> bool | None:
    value = walk.values.get(name)
    return bool(value.reshape(-1)[0]) if value is not None and value.size else None


def _lever(walk: Walk, name: str) -> str:
    """How a value that is not known can be given."""
    sources = walk.sources(name)
    levers = [f"--input {source}=..." for source in sources[:4]]
    return "; ".join([*levers, "a model exported without this choice"]) if levers else "a value that folds"


def _prefix(node: Any) -> str:
    return f"{next((name for name in node.output if name), node.name)}/"


def branch(walk: Walk, node: Any) -> None:
    """If: the nodes of the branch that a known condition takes."""
    condition = _truth(walk, node.input[0])
    if condition is None:
        why = f"branches on {node.input[0]!r}, whose value is not known before the network runs"
        walk.leave(node, why, _lever(walk, node.input[0]))
        return
    body = body_of(node, "then_branch" if condition else "else_branch")
    nodes, results = spliced(body, _prefix(node), {}, _prefix(node))
    ends = [identity(result, name) for result, name in zip(results, node.output, strict=False) if name]
    walk.splice_body([*nodes, *ends], results)


def loop(walk: Walk, node: Any) -> None:
    """Loop: as many rounds as its count and its condition say, where both are known."""
    inputs = [*node.input, "", ""]
    body, prefix = body_of(node, "body"), _prefix(node)
    count = walk.values.get(inputs[0]) if inputs[0] else None
    most = int(count.reshape(-1)[0]) if count is not None and count.size else None
    if inputs[0] and most is None:
        why = f"runs as often as {inputs[0]!r} says, whose value is not known before the network runs"
        walk.leave(node, why, _lever(walk, inputs[0]))
        return
    carried = list(node.input[2:])
    gathered: list[list[str]] = [[] for _ in range(len(node.output) - len(carried))]

    def turn(index: int, condition: str, states: list[str]) -> None:
        truth = _truth(walk, condition) if condition and inputs[1] else True if most is not None else None
        if not inputs[1] and most is None:
            truth = _truth(walk, condition) if condition else True
        if truth is None:
            why = f"goes on as long as {condition!r} holds, whose value is not known before the network runs"
            walk.leave(node, why, _lever(walk, condition))
            return
        if not truth or (most is not None and index >= most):
            _finish(walk, node, states, gathered, [0] * len(gathered))
            return
        if index >= MOST_ROUNDS:
            raise UserError("has a loop of too many rounds", key=f"node {node.name!r} (Loop)", allowed=f"{MOST_ROUNDS}")
        here = f"{prefix}{index}/"
        first = [constant_node(f"{here}round", np.array(index, dtype=np.int64))]
        names = [value.name for value in body.input]
        given = dict(zip(names, (f"{here}round", condition or f"{here}condition", *states), strict=False))
        if not condition:
            first.append(constant_node(f"{here}condition", np.array(True)))
        nodes, results = spliced(body, here, given, prefix)
        for parts, part in zip(gathered, results[1 + len(carried) :], strict=False):
            parts.append(part)
        known = _new_only(walk, nodes)
        after = results[1 : 1 + len(carried)]
        walk.splice_body([*first, *known], results, lambda: turn(index + 1, results[0], after))

    turn(0, inputs[1], carried)


def scan(walk: Walk, node: Any) -> None:
    """Scan (from opset 9 on): a round per element of its scanned inputs."""
    body, prefix = body_of(node, "body"), _prefix(node)
    attributes = {a.name: a for a in node.attribute}
    scanned = attributes["num_scan_inputs"].i
    if walk.opsets.get("", 9) < 9:
        walk.leave(node, "is a Scan over batches (before opset 9), which is not supported", "a newer opset")
        return
    first = len(node.input) - scanned
    sources = list(node.input[first:])
    axes = list(attributes["scan_input_axes"].ints) if "scan_input_axes" in attributes else [0] * scanned
    back = list(attributes["scan_input_directions"].ints) if "scan_input_directions" in attributes else [0] * scanned
    shapes = [walk.shape(name) for name in sources]
    if any(shape is None for shape in shapes) or not sources:
        walk.leave(node, f"scans {sources[0] if sources else ''!r}, whose length does not follow", "fixed sizes")
        return
    lengths = {shape[axis] for shape, axis in zip(shapes, axes, strict=True) if shape}
    if len(lengths) != 1 or max(lengths) > MOST_ROUNDS:
        raise UserError(
            f"scans over lengths {sorted(lengths)}", key=f"node {node.name!r} (Scan)",
            allowed=f"one length, up to {MOST_ROUNDS}",
        )  # fmt: skip
    (length,) = lengths
    results_of = len(node.output) - first
    out_axes = list(attributes["scan_output_axes"].ints) if "scan_output_axes" in attributes else [0] * results_of
    out_back = (
        list(attributes["scan_output_directions"].ints) if "scan_output_directions" in attributes else [0] * results_of
    )
    gathered: list[list[str]] = [[] for _ in range(results_of)]

    def turn(index: int, states: list[str]) -> None:
        if index >= length:
            ordered = [parts[::-1] if turned else parts for parts, turned in zip(gathered, out_back, strict=True)]
            _finish(walk, node, states, ordered, out_axes)
            return
        here = f"{prefix}{index}/"
        elements, names = [], []
        for number, (source, axis, turned) in enumerate(zip(sources, axes, back, strict=True)):
            names.append(f"{here}element.{number}")
            elements += element(source, length - 1 - index if turned else index, axis, names[-1])
        given = dict(zip((value.name for value in body.input), (*states, *names), strict=False))
        nodes, results = spliced(body, here, given, prefix)
        for parts, part in zip(gathered, results[first:], strict=False):
            parts.append(part)
        walk.splice_body([*elements, *_new_only(walk, nodes)], results, lambda: turn(index + 1, results[:first]))

    turn(0, list(node.input[:first]))


def _new_only(walk: Walk, nodes: list[Any]) -> list[Any]:
    """Without the body's stored tensors that an earlier round has brought already."""
    return [node for node in nodes if not (node.op_type == "Constant" and node.output[0] in walk.types)]


def _finish(walk: Walk, node: Any, states: list[str], gathered: list[list[str]], axes: list[int]) -> None:
    """The results of a loop under its own names."""
    ends: list[Any] = []
    read: list[str] = []
    for name, state in zip(node.output, states, strict=False):
        if name:
            ends.append(identity(state, name))
            read.append(state)
    for name, parts, axis in zip(node.output[len(states) :], gathered, axes, strict=False):
        if name and parts:
            ends += stacked(parts, axis, name, walk.opsets.get("", 13))
            read += parts
    walk.splice_body(ends, read)
