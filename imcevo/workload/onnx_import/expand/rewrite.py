"""Which operators are compound, and the primitive ones that stand for one of them."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.workload.onnx_import.expand import attention, contributed, fused, quantised, rotary
from imcevo.workload.onnx_import.expand.builder import Builder, OpenShapeError

RULES: dict[str, tuple[Callable[[Builder], None], tuple[str, ...]]] = {
    **attention.RULES, **contributed.RULES, **fused.RULES, **quantised.RULES, **rotary.RULES,
}  # fmt: skip


@dataclass(frozen=True)
class Expansion:
    """Primitive operators in place of a compound one.

    Attributes:
        nodes: in the order in which they run.
        tensors: constants that they read; those of data location EXTERNAL are stored weights without values.
        types: of all tensors that were added, results of the compound node included.
    """

    nodes: list[Any]
    tensors: list[Any]
    types: dict[str, Any]


def is_compound(node: Any) -> bool:
    """Whether an operator stands for several primitive ones."""
    name = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    return name in RULES and any(node.output)


def expand_node(
    node: Any, types: Mapping[str, Any], values: Mapping[str, NDArray[Any]], *, stored: Container[str],
    read: Container[str],
) -> Expansion | None:  # fmt: skip
    """Primitive operators in place of one compound node.

    Args:
        types: of all tensors known so far, as TypeProto. What depends on sizes alone (a causal mask) is made once: it
            is not made again where its name is among them.
        values: of small constants.
        stored: tensors of the file.
        read: tensors that anybody reads; results that are not among them are not made.

    Returns:
        None where the shape of an input is not known.

    Raises:
        UserError: a form of the operator that is not supported.
    """
    from onnx import numpy_helper

    names = [name for name in node.input if name in values]
    constants = {name: numpy_helper.from_array(np.asarray(values[name]), name) for name in names}
    builder = Builder(node, types, constants, stored.__contains__, read)
    return Expansion(builder.first + builder.nodes, builder.initializers, builder.added()) if _run(builder) else None


def _run(builder: Builder) -> bool:
    """Let the operator's rule write into the builder; False where a shape is not known."""
    expand, attributes = RULES[builder.op]
    builder.check_attributes(attributes)
    try:
        expand(builder)
    except OpenShapeError:
        return False
    return True
