"""What is read straight from protobuf messages: tensors, attributes, the order of nodes."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError, listed
from imcevo.workload.onnx_import.graph import Node, first_to_last

MOST_NODES = 200_000
# Constants up to this many values are looked into: shapes, axes, scalars. Weights are larger, or their values do not
# matter.
MOST_VALUES = 4096
# AttributeProto types of tensors and graphs, which lowering does not look into.
_NOT_KEPT = frozenset({4, 5, 9, 10, 11, 12})

Described = tuple[int, tuple[int, ...]]


def held_tensors(tensors: Iterable[Any]) -> tuple[dict[str, Described], dict[str, NDArray[Any]]]:
    """Element type and shape of tensors by name, and the values of those that are small and have some.

    Raises:
        UserError: a negative dimension.
    """
    described: dict[str, Described] = {}
    values: dict[str, NDArray[Any]] = {}
    for tensor in tensors:
        if any(size < 0 for size in tensor.dims):
            raise UserError("has a negative dimension", key=f"tensor {tensor.name!r}", value=list(tensor.dims))
        described[tensor.name] = (tensor.data_type, tuple(tensor.dims))
        value = small_value(tensor)
        if value is not None:
            values[tensor.name] = value
    return described, values


def small_value(tensor: Any) -> NDArray[Any] | None:
    """The value of a tensor with few elements; None if it is large, lies in another file or has no data."""
    from onnx import numpy_helper

    # data_location 1 is external: its value is not in this file.
    if prod(tensor.dims) > MOST_VALUES or tensor.data_location == 1:
        return None
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError):
        return None  # no data, or not as much as its shape says: a weight whose shape alone matters


def tensor_attribute(node: Any, name: str = "value") -> Any:
    """A tensor that is an attribute; None if there is none."""
    return next((a.t for a in node.attribute if a.name == name and a.HasField("t")), None)


def operator(node: Any) -> str:
    """Its name, with the domain in front unless that is ONNX's own."""
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def plain_node(node: Any, name: str, version: int) -> Node:
    """A node in our own terms."""
    from onnx import helper

    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute if a.type not in _NOT_KEPT}
    return Node(name, operator(node), tuple(node.input), tuple(node.output), attributes, version)


def attribute_graphs(node: Any) -> list[Any]:
    return [g for a in node.attribute for g in (*([a.g] if a.HasField("g") else []), *a.graphs)]


def read_names(node: Any) -> set[str]:
    """Tensors that a node reads, those that its inner graphs take from outside included."""
    names = {name for name in node.input if name}
    for inner in attribute_graphs(node):
        own = {value.name for value in inner.input} | {tensor.name for tensor in inner.initializer}
        own |= {name for inside in inner.node for name in inside.output}
        for inside in inner.node:
            names |= read_names(inside) - own
        names |= {value.name for value in inner.output} - own
    return names


def sorted_nodes(nodes: Iterable[Any], known: set[str]) -> list[Any]:
    """Nodes such that each comes after those whose results it reads, otherwise in the file's order.

    Args:
        known: names of tensors that are there before any node runs.

    Raises:
        UserError: a tensor made twice, or nodes that wait for one another.
    """
    every = list(nodes)
    maker: dict[str, int] = {}
    for index, node in enumerate(every):
        for name in filter(None, node.output):
            if name in maker or name in known:
                key = f"node {node.name or node.op_type!r}"
                raise UserError(f"makes a tensor {name!r} that is there already", key=key, allowed="names that differ")
            maker[name] = index
    needs = [{maker[name] for name in read_names(node) if name in maker} for node in every]
    order = first_to_last(needs)
    if len(order) < len(every):
        done = set(order)
        waiting = [node.name or node.op_type for index, node in enumerate(every) if index not in done]
        raise UserError(f"has nodes that wait for one another's results: {listed(waiting, most=8)}")
    return [every[index] for index in order]
