"""Control flow written out: branches whose condition is known, loops whose rounds can be counted.

Names inside a body may come again in another one or in the next round: they get a prefix of their own. Stored tensors
of a body keep one name for all rounds, so that they stay one tensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def body_of(node: Any, name: str) -> Any:
    """A graph that is an attribute."""
    return next((a.g for a in node.attribute if a.name == name and a.HasField("g")), None)


def spliced(body: Any, prefix: str, given: Mapping[str, str], stored_prefix: str) -> tuple[list[Any], list[str]]:
    """The nodes of a body under names of their own, and the names of its results.

    Args:
        prefix: put in front of names made inside.
        given: names outside for the body's inputs.
        stored_prefix: put in front of names of the body's initialisers.
    """
    from onnx import helper

    renamed = dict(given)
    nodes = []
    for tensor in body.initializer:
        if tensor.name not in given:
            renamed[tensor.name] = f"{stored_prefix}{tensor.name}"
            nodes.append(helper.make_node("Constant", [], [renamed[tensor.name]], value=tensor))
    renamed |= {name: f"{prefix}{name}" for inside in body.node for name in inside.output if name}
    nodes += [_renamed(inside, renamed, prefix) for inside in body.node]
    return nodes, [renamed.get(value.name, value.name) for value in body.output]


def _renamed(node: Any, names: Mapping[str, str], prefix: str) -> Any:
    """A copy of a node with other names, where it reads them from outside of its inner graphs too."""
    copy = type(node)()
    copy.CopyFrom(node)
    if copy.name:
        copy.name = f"{prefix}{copy.name}"
    copy.input[:] = [names.get(value, value) for value in copy.input]
    copy.output[:] = [names.get(value, value) for value in copy.output]
    for attribute in copy.attribute:
        inner = [attribute.g] if attribute.HasField("g") else list(attribute.graphs)
        for graph in inner:
            _rename_inner(graph, names)
    return copy


def _rename_inner(graph: Any, names: Mapping[str, str]) -> None:
    """Rename what a graph takes from outside; its own names hide those."""
    own = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    own |= {name for inside in graph.node for name in inside.output}
    outside = {old: new for old, new in names.items() if old not in own}
    for inside in graph.node:
        inside.input[:] = [outside.get(value, value) for value in inside.input]
        for attribute in inside.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                _rename_inner(inner, outside)
    for value in graph.output:
        value.name = outside.get(value.name, value.name)


def constant_node(name: str, value: NDArray[Any]) -> Any:
    from onnx import helper, numpy_helper

    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(value)))


def identity(source: str, name: str) -> Any:
    from onnx import helper

    return helper.make_node("Identity", [source], [name], name=f"{name}/Identity")


def stacked(parts: list[str], axis: int, name: str, opset: int) -> list[Any]:
    """Results of all rounds along a new axis."""
    from onnx import helper

    nodes, widened = [], []
    for index, part in enumerate(parts):
        wide = f"{name}/{index}/wide"
        if opset >= 13:
            axes = f"{wide}/axes"
            nodes.append(constant_node(axes, np.array([axis], dtype=np.int64)))
            nodes.append(helper.make_node("Unsqueeze", [part, axes], [wide], name=wide))
        else:
            nodes.append(helper.make_node("Unsqueeze", [part], [wide], name=wide, axes=[axis]))
        widened.append(wide)
    nodes.append(helper.make_node("Concat", widened, [name], name=f"{name}/Concat", axis=axis))
    return nodes


def element(source: str, index: int, axis: int, name: str) -> list[Any]:
    """One element along an axis, without that axis."""
    from onnx import helper

    place = f"{name}/index"
    gather = helper.make_node("Gather", [source, place], [name], name=f"{name}/Gather", axis=axis)
    return [constant_node(place, np.array(index, dtype=np.int64)), gather]
