"""Small ONNX models with what is counted of them, and parts to build them from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from imcevo.workload import Network  # noqa: E402

FLOAT, INT64, UINT8, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8, TensorProto.BOOL
node = helper.make_node


def value(name: str, shape: Sequence[int | str], kind: int = FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def weight(name: str, *shape: int, kind: Any = np.float32) -> Any:
    return numpy_helper.from_array(np.ones(shape, kind), name)


def constant(name: str, content: Any, kind: Any = np.int64) -> Any:
    return numpy_helper.from_array(np.array(content, kind), name)


SCALES = [constant("s", 0.1, np.float32), constant("z", 0, np.uint8), constant("zi", 0, np.int8)]


def macs(network: Network) -> int:
    return network.macs


def parameters(network: Network) -> int:
    return network.parameters


def cells(network: Network) -> int:
    return network.array_weights


def activations_as_weights(network: Network) -> int:
    return sum(layer.weights for layer in network.layers if layer.dynamic)


def statistics(network: Network) -> str:
    return network.layers[-1].statistics


def weight_bits(network: Network) -> int:
    return network.layers[-1].weight_bits


class Case(NamedTuple):
    """A model, what is counted, and what it must be."""

    nodes: list[Any]
    inputs: list[Any]
    outputs: list[Any]
    stored: list[Any]
    count: Callable[[Network], Any]
    right: Any
    opset: int = 17
    info: Sequence[Any] = ()
    options: Mapping[str, Any] = {}  # read only


def product_case(a: Sequence[int], b: Sequence[int], y: Sequence[int], right: int, op: str = "MatMul") -> Case:
    kind = UINT8 if op == "MatMulInteger" else FLOAT
    return Case(
        [node(op, ["a", "b"], ["y"])],
        [value("a", a, kind), value("b", b, kind)],
        [value("y", y, TensorProto.INT32 if op == "MatMulInteger" else FLOAT)],
        [],
        macs,
        right,
    )


def grouped_case(nodes: list[Any], keys: Sequence[int], stored: list[Any], right: int) -> Case:
    """Eight query heads on fewer key heads, spread by `nodes` into ``kr``."""
    return Case(
        [*nodes, node("MatMul", ["q", "kr"], ["y"])],
        [value("q", [1, 8, 1, 64]), value("k", keys)],
        [value("y", [1, 8, 1, 128])],
        stored,
        activations_as_weights,
        right,
    )


def conv_case(
    count: Callable[[Network], Any],
    right: Any,
    *,
    x: Sequence[Any] = (1, 4, 10, 10),
    y: Sequence[Any] = (1, 8, 8, 8),
    **more: Any,
) -> Case:
    return Case(
        [node("Conv", ["x", "w"], ["c"]), node("Relu", ["c"], ["y"])],
        [value("x", x)],
        [value("y", y)],
        [weight("w", 8, 4, 3, 3)],
        count,
        right,
        **more,
    )


def branch(*operators: Any, out: str) -> Any:
    return helper.make_graph(list(operators), "branch", [], [value(out, ["p", "q", "r", "t"])])


INNER_IF = node(
    "If",
    ["yes"],
    ["deep"],
    then_branch=branch(node("Conv", ["t", "w"], ["o1"]), out="o1"),
    else_branch=branch(node("Identity", ["t"], ["o2"]), out="o2"),
)
LOOP_BODY = helper.make_graph(
    [node("MatMul", ["v", "w"], ["m"]), node("Tanh", ["m"], ["v2"]), node("Identity", ["go"], ["go2"])],
    "body",
    [value("i", [], INT64), value("go", [], BOOL), value("v", [1, 8])],
    [value("go2", [], BOOL), value("v2", [1, 8])],
)
SCAN_STEP = helper.make_graph(
    [node("MatMul", ["state", "r"], ["m"]), node("Add", ["m", "xi"], ["next"]), node("Identity", ["next"], ["out"])],
    "step",
    [value("state", [1, 8]), value("xi", [1, 8])],
    [value("next", [1, 8]), value("out", [1, 8])],
)
_BY_RATE = [
    node("Equal", ["rate", "k16"], ["c"]),
    node("If", ["c"], ["y"], then_branch=branch(node("MatMul", ["x", "w1"], ["o1"]), out="o1"),
         else_branch=branch(node("MatMul", ["x", "w2"], ["o2"]), out="o2")),
]  # fmt: skip


def branching_case(options: Mapping[str, Any], right: int) -> Case:
    return Case(
        _BY_RATE,
        [value("x", [3, 8]), value("rate", [], INT64)],
        [value("y", ["p", "q"])],
        [weight("w1", 8, 5), weight("w2", 8, 9), constant("k16", 16000)],
        macs,
        right,
        options=options,
    )


def saved(case: Case, path: Path, extra: Sequence[Any] = ()) -> Path:
    graph = helper.make_graph(
        case.nodes, "g", case.inputs, case.outputs, [*case.stored, *extra], value_info=[*case.info]
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", case.opset)], ir_version=3 if case.opset < 9 else 9
    )
    onnx.save(model, path)
    return path
