"""Primitive operators in place of one compound node."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Container, Mapping, Sequence
from math import prod
from typing import Any

from imcevo.errors import UserError

# Indices up to this many are written as a constant, longer ones as a Range.
_LONGEST_LIST = 4096
_REDO = "export the model without this fusion (ONNX Runtime: before its graph optimiser)"


class OpenShapeError(Exception):
    """The shape of a tensor does not follow yet."""


class Builder:
    """The operators that replace one node; methods that add one return the name of its first result.

    Attributes:
        nodes: that replace the node, in order.
        first: nodes that every compound node may share, which go in front of the graph.
        initializers: constants that they need.
        types: of every tensor known so far, by name; results of added nodes are entered.
        new: names of tensors that were added.
    """

    def __init__(
        self, node: Any, types: Mapping[str, Any], constants: Mapping[str, Any],
        is_stored: Callable[[str], bool], read: Container[str],
    ) -> None:  # fmt: skip
        self.node = node
        self.types: ChainMap[str, Any] = ChainMap({}, types)  # type: ignore[arg-type]  # the second map is only read
        self.nodes: list[Any] = []
        self.first: list[Any] = []
        self.initializers: list[Any] = []
        self.new: list[str] = []
        self._constants: ChainMap[str, Any] = ChainMap({}, constants)  # type: ignore[arg-type]
        self._is_stored = is_stored
        self._read = read
        self._title = node.name or next(name for name in node.output if name)
        self._attributes = {attribute.name: attribute for attribute in node.attribute}

    # The compound node.
    @property
    def op(self) -> str:
        """Its operator, with the domain in front unless that is ONNX's own."""
        return self.node.op_type if self.node.domain in ("", "ai.onnx") else f"{self.node.domain}.{self.node.op_type}"

    def refused(self, problem: str, *, allowed: str = _REDO) -> UserError:
        """The error for a form of the operator that cannot be rewritten."""
        return UserError(problem, key=f"node {self._title!r} ({self.op})", allowed=allowed)

    def input(self, index: int) -> str:
        """Name of an input; empty if it is left out."""
        return self.node.input[index] if index < len(self.node.input) else ""

    def needed(self, index: int) -> str:
        """Name of an input that must be there.

        Raises:
            UserError: it is left out.
        """
        name = self.input(index)
        if not name:
            raise self.refused(f"lacks its input {index}", allowed="a node as its operator's schema says")
        return name

    def wants(self, index: int) -> bool:
        """Whether the node has this output and anybody reads it."""
        return index < len(self.node.output) and self.node.output[index] in self._read

    def attribute(self, name: str, default: Any = None) -> Any:
        """Value of an attribute, text as str."""
        from onnx import helper

        if name not in self._attributes:
            return default
        value = helper.get_attribute_value(self._attributes[name])
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    def whole(self, name: str, default: int | None = None) -> int:
        """Value of an attribute that is a whole number.

        Raises:
            UserError: it is missing without a default, or is none.
        """
        value = self.attribute(name, default)
        if not isinstance(value, int):
            raise self.refused(f"needs the attribute {name!r} as a whole number", allowed="as its schema says")
        return value

    def check_attributes(self, known: Sequence[str]) -> None:
        """Refuse attributes whose meaning is not known.

        Raises:
            UserError: there is one.
        """
        for name in self._attributes:
            if name not in known:
                raise self.refused(f"has an attribute {name!r} that is not supported")

    def forbid(self, **inputs: int) -> None:
        """Refuse optional inputs that are not supported, given as name = position.

        Raises:
            UserError: one of them is there.
        """
        for name, index in inputs.items():
            if self.input(index):
                raise self.refused(f"has an input {name!r} ({self.input(index)!r}), which is not supported")

    def forbid_outputs(self, **outputs: int) -> None:
        """Refuse optional outputs that are not supported where they are read, given as name = position.

        Raises:
            UserError: one of them is read.
        """
        for name, index in outputs.items():
            if self.wants(index):
                raise self.refused(f"has an output {name!r} that is read, which is not supported")

    def forbid_attributes(self, **neutral: object) -> None:
        """Refuse attributes with a value other than the neutral one.

        Raises:
            UserError: one of them has.
        """
        for name, value in neutral.items():
            if self.attribute(name, value) != value:
                raise self.refused(f"has the attribute {name} = {self.attribute(name)}, which is not supported")

    # What is known of tensors.
    def shape(self, name: str) -> tuple[int, ...]:
        """Static shape of a tensor.

        Raises:
            OpenShapeError: it is not known.
        """
        kind = self.types.get(name)
        if kind is None or not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
            raise OpenShapeError(name)
        dims = kind.tensor_type.shape.dim
        if not all(dim.HasField("dim_value") and dim.dim_value >= 0 for dim in dims):
            raise OpenShapeError(name)
        return tuple(dim.dim_value for dim in dims)

    def rank(self, name: str) -> int:
        return len(self.shape(name))

    def kind(self, name: str) -> int:
        """Element type of a tensor, as a number of TensorProto.DataType.

        Raises:
            OpenShapeError: it is not known.
        """
        if name not in self.types:
            raise OpenShapeError(name)
        return int(self.types[name].tensor_type.elem_type)

    def value(self, name: str) -> Any:
        """The array of a small constant; None if it is none."""
        from onnx import numpy_helper

        tensor = self._constants.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def check_stored(self, name: str) -> None:
        """Refuse a packed weight that is no constant of the model.

        Raises:
            UserError: it is none.
        """
        if not self._is_stored(name):
            raise self.refused(f"has packed weights {name!r} that are not stored", allowed="weights that are stored")

    # Constants.
    def constant(self, values: Sequence[float] | float, kind: int, label: str = "constant") -> str:
        """A constant vector, or a scalar, of an element type."""
        from onnx import helper

        name = self._name(label)
        dims = [len(values)] if isinstance(values, Sequence) else []
        tensor = helper.make_tensor(name, kind, dims, list(values) if isinstance(values, Sequence) else [values])
        self.initializers.append(tensor)
        self._enter(name, helper.make_tensor_type_proto(kind, dims), tensor)
        return name

    def ints(self, values: Sequence[int]) -> str:
        return self.constant(values, 7, "sizes")  # TensorProto.INT64

    def stored(self, name: str, kind: int, dims: Sequence[int]) -> str:
        """A stored tensor of which only type and shape are known; the same name is the same tensor."""
        from onnx import TensorProto, helper

        if name not in self.types:
            tensor = TensorProto(name=name, data_type=kind, dims=dims, data_location=TensorProto.EXTERNAL)
            self.initializers.append(tensor)
            self._enter(name, helper.make_tensor_type_proto(kind, dims))
        return name

    def span(self, start: int, end: int) -> str:
        """The whole numbers start, ..., end - 1."""
        if end - start <= _LONGEST_LIST:
            return self.constant(range(start, end), 7, "positions")
        return self.add("Range", self.constant(start, 7), self.constant(end, 7), self.constant(1, 7))

    # Operators.
    def add(self, op: str, *inputs: str, label: str = "", like: str = "", outputs: int = 1, **attributes: Any) -> str:
        """Any operator.

        Args:
            label: of the node, for layers' names; the operator's by default.
            like: tensor whose type and shape the result has, instead of inferring it.

        Raises:
            OpenShapeError: the shape of an input is not known.
            UserError: its shapes contradict one another.
        """
        from onnx import defs, helper, shape_inference

        for name in filter(None, inputs):
            self.shape(name)
        name = self._name(label or op)
        names = [name, *(f"{name}.{index}" for index in range(1, outputs))]
        title = f"{self._title}/{label or op}.{len(self.nodes)}"
        node = helper.make_node(op, list(inputs), names, name=title, **attributes)
        if like:
            self._enter(names[0], self.types[like])
        else:
            known = {name: self.types[name] for name in inputs if name in self.types}
            data = {name: self._constants[name] for name in inputs if name in self._constants}
            try:
                types = shape_inference.infer_node_outputs(defs.get_schema(op), node, known, data)
            except (shape_inference.InferenceError, ValueError, RuntimeError) as error:
                lines = str(error).strip().splitlines() or [type(error).__name__]
                raise self.refused(f"has shapes that contradict one another: {lines[0]}", allowed="") from None
            for name in names:
                if name in types:
                    self._enter(name, types[name])
        self.nodes.append(node)
        return names[0]

    def scaled(self, x: str, factor: float) -> str:
        return x if factor == 1 else self.add("Mul", x, self.constant(float(factor), self.kind(x)), label="scale")

    def reshape(self, x: str, *sizes: int) -> str:
        if prod(self.shape(x)) != prod(sizes):
            raise self.refused(f"has shapes that contradict one another: {self.shape(x)} as {sizes}", allowed="")
        return x if self.shape(x) == sizes else self.add("Reshape", x, self.ints(sizes))

    def transpose(self, x: str, *order: int) -> str:
        return self.add("Transpose", x, perm=list(order))

    def slice(self, x: str, axis: int, start: int, end: int, step: int = 1) -> str:
        if (start, end, step) == (0, self.shape(x)[axis], 1):
            return x
        return self.add("Slice", x, *(self.ints([n]) for n in (start, end, axis, step)))

    def concat(self, axis: int, *parts: str) -> str:
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=axis)

    def cast(self, x: str, kind: int) -> str:
        return x if self.kind(x) == kind else self.add("Cast", x, to=kind)

    def plus(self, x: str, *others: str) -> str:
        """A sum, without what is left out."""
        for other in others:
            x = self.add("Add", x, other) if other else x
        return x

    def give(self, index: int, tensor: str) -> None:
        """Let a tensor be an output of the compound node, if that has it."""
        if not self.wants(index):
            return
        name = self.node.output[index]
        maker = next((node for node in self.nodes if tensor in node.output), None)
        if maker is None or tensor in self.node.output:
            from onnx import helper

            self.nodes.append(helper.make_node("Identity", [tensor], [name], name=f"{self._title}/Identity"))
            self._enter(name, self.types[tensor])
            return
        self._enter(name, self.types.pop(tensor))
        self.new.remove(tensor)
        for node in self.nodes:
            node.input[:] = [name if value == tensor else value for value in node.input]
            node.output[:] = [name if value == tensor else value for value in node.output]

    def share(self, name: str, make: Any) -> str:
        """A tensor that depends on sizes alone, made once for the whole graph.

        Args:
            make: adds its operators and returns its name.
        """
        if name in self.types:
            return name
        own, self.nodes = self.nodes, []
        made = make()
        self.first += self.nodes
        for node in self.nodes:
            node.output[:] = [name if value == made else value for value in node.output]
        self.nodes = own
        self._enter(name, self.types.pop(made))
        self.new.remove(made)
        return name

    def added(self) -> dict[str, Any]:
        """Types of the tensors that were added, by name."""
        return {name: self.types[name] for name in self.new}

    def _name(self, label: str) -> str:
        stem = f"{next(name for name in self.node.output if name)}/{label}"
        number = len(self.new)
        while f"{stem}.{number}" in self.types:
            number += 1
        return f"{stem}.{number}"

    def _enter(self, name: str, kind: Any, tensor: Any = None) -> None:
        self.types[name] = kind
        if tensor is not None:
            self._constants[name] = tensor
        self.new.append(name)
