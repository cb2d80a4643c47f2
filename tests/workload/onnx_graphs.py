"""Random ONNX models, composed of small building blocks, that both the importer and the slow reference can read.

A model is a list of (kind of block, seed) and of (oddity, seed): equal lists give equal models, and a list without one
of its blocks is a model too, so that failures can be made small by leaving out what does not matter.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from hypothesis import strategies as st
from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from tests.workload.onnx_blocks import BLOCKS as PRODUCTS
from tests.workload.onnx_blocks_between import BLOCKS as BETWEEN
from tests.workload.onnx_blocks_stored import BLOCKS as STORED
from tests.workload.onnx_builder import Array, Builder

BLOCKS = {**PRODUCTS, **BETWEEN, **STORED}
OPSETS = (9, 11, 13, 17, 21, 23)


@dataclass(frozen=True)
class Recipe:
    """What a model is made of: its opset, its blocks in order, and what is odd about the file."""

    opset: int
    blocks: tuple[tuple[str, int], ...]
    oddities: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Built:
    """A model as a file has it, the model that it stands for, arrays for its inputs, sizes of its symbolic dimensions.

    The two models differ where the file holds no data of its weights, or writes nodes as functions.
    """

    model: ModelProto
    meant: ModelProto
    inputs: dict[str, Array]
    dims: dict[str, int] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    weights: tuple[str, ...] = ()


def build(recipe: Recipe) -> Built:
    """The model of a recipe, checked by the package onnx."""
    b = Builder(recipe.opset)
    for kind, seed in recipe.blocks:
        b.rng = random.Random(f"{kind} {seed}")
        BLOCKS[kind](b)
    read = {name for node in b.nodes for name in _mentioned(node)}
    made = [name for node in b.nodes if node.op_type != "Constant" for name in node.output]
    ends = [name for name in made if name not in read and name not in b.unread]
    file = _File(b, ends or made[-1:])
    for oddity, seed in recipe.oddities:
        ODDITIES[oddity](file, random.Random(f"{oddity} {seed}"))
    return file.built()


def _mentioned(node: NodeProto) -> set[str]:
    names = set(node.input)
    for attribute in node.attribute:
        for inner in attribute.g.node:
            names |= _mentioned(inner)
        names |= {one.name for one in attribute.g.output}
    return names


class _File:
    """The parts of a model file that oddities change."""

    def __init__(self, b: Builder, ends: Sequence[str]) -> None:
        self.b = b
        self.nodes = list(b.nodes)
        self.inputs = {name: b.typed(name) for name in b.inputs}
        self.outputs = {name: b.typed(name) for name in ends}
        self.told: list[ValueInfoProto] = []
        self.dims: dict[str, int] = {}
        self.functions: list[FunctionProto] = []
        self.empty: set[str] = set()
        self.elsewhere: set[str] = set()
        self.as_inputs: set[str] = set()
        self.ir = 8 if b.opset < 21 else 10

    def built(self) -> Built:
        b = self.b
        tensors = [numpy_helper.from_array(b.arrays[name], name) for name in b.initializers]
        meant = self._model(b.nodes, tensors)
        for tensor in tensors:
            if tensor.name in self.empty:
                tensor.ClearField("raw_data")
            elif tensor.name in self.elsewhere:
                tensor.ClearField("raw_data")
                tensor.data_location = TensorProto.EXTERNAL
                tensor.external_data.add(key="location", value="weights.bin")
        model = self._model(self.nodes, [tensor for tensor in tensors if tensor.name not in self.as_inputs])
        model.graph.input.extend(b.typed(name) for name in sorted(self.as_inputs - set(self.inputs)))
        if self.functions:
            model.functions.extend(self.functions)
            model.opset_import.append(helper.make_opsetid("own", 1))
        given = {name: b.arrays[name] for name in b.inputs}
        return Built(model, meant, given, self.dims, dict(b.values), tuple(sorted(self.as_inputs)))

    def _model(self, nodes: Sequence[NodeProto], tensors: Sequence[TensorProto]) -> ModelProto:
        graph = helper.make_graph(
            list(nodes), "g", list(self.inputs.values()), list(self.outputs.values()), initializer=list(tensors),
            value_info=self.told,
        )  # fmt: skip
        opsets = [helper.make_opsetid("", self.b.opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=self.ir)


def _unsorted(file: _File, rng: random.Random) -> None:
    rng.shuffle(file.nodes)


def _symbolic(file: _File, rng: random.Random) -> None:
    """Some sizes of inputs by name, and of outputs by names that say nothing."""
    for name in file.b.inputs if not file.dims else ():
        shape: list[int | str] = list(file.b.shape(name))
        for axis, size in enumerate(shape):
            if rng.random() < 0.5:
                shape[axis] = f"{name}_{axis}"
                file.dims[f"{name}_{axis}"] = int(size)
        file.inputs[name] = file.b.typed(name, shape)
    for name in file.outputs:
        file.outputs[name] = file.b.typed(name, [size if rng.random() < 0.5 else "any" for size in file.b.shape(name)])


def _stale(file: _File, rng: random.Random) -> None:
    """Declared shapes of intermediate results that are wrong or say nothing."""
    b = file.b
    made = [name for node in file.nodes if node.op_type != "Constant" for name in node.output]
    for name in made:
        if name in file.outputs or rng.random() < 0.5:
            continue
        shape: list[int | str | None] = list(b.shape(name))
        how = rng.choice(["batch", "symbol", "zero", "minus", "rank"])
        if how == "rank":
            shape.append(1)
        elif shape:
            axis = rng.randrange(len(shape))
            shape[axis] = {"batch": (shape[axis] or 0) + 3, "symbol": "s", "zero": 0, "minus": -1}[how]  # type: ignore[operator]
        file.told.append(b.typed(name, shape))


def _told(file: _File, rng: random.Random) -> None:
    """Declared shapes of intermediate results, all right."""
    made = [name for node in file.nodes if node.op_type != "Constant" for name in node.output]
    file.told += [file.b.typed(name) for name in made if name not in file.outputs]


def _resized(file: _File, rng: random.Random) -> None:
    """Inputs whose file says another first size, which `--dim INPUT:AXIS` replaces."""
    symbolic = bool(file.dims)
    for name in file.b.inputs:
        shape = file.b.shape(name)
        if shape and not symbolic:
            file.inputs[name] = file.b.typed(name, [shape[0] + 1, *shape[1:]])
            file.dims[f"{name}:0"] = shape[0]


def _old_inputs(file: _File, rng: random.Random) -> None:
    """Stored tensors among the inputs, as every file of IR version 3 has them."""
    for name in file.b.initializers:
        file.inputs[name] = file.b.typed(name)


def _no_data(file: _File, rng: random.Random) -> None:
    """Weights without data, as they are in files made to be small."""
    arrays = file.b.arrays
    file.empty = {name for name in file.b.initializers if arrays[name].ndim > 1 and arrays[name].dtype == np.float32}


def _elsewhere(file: _File, rng: random.Random) -> None:
    """Weights in a file of external data that is not there."""
    arrays = file.b.arrays
    file.elsewhere = {name for name in file.b.initializers if arrays[name].ndim > 1}


def _nameless(file: _File, rng: random.Random) -> None:
    """Nodes without names, or all of one name."""
    name = rng.choice(["", "node"])
    for i, node in enumerate(file.nodes):
        file.nodes[i] = NodeProto()
        file.nodes[i].CopyFrom(node)
        file.nodes[i].name = name


def _constants(file: _File, rng: random.Random) -> None:
    """Stored tensors of one axis as Constant nodes, in the attribute's short forms where the opset has them."""
    for name in list(file.b.initializers):
        array = file.b.arrays[name]
        if array.ndim != 1 or array.dtype not in (np.int64, np.float32) or file.b.opset < 12:
            continue
        key = "value_ints" if array.dtype == np.int64 else "value_floats"
        node = helper.make_node("Constant", [], [name], **{key: array.tolist()}) if array.size else None
        if node is not None and name not in file.inputs:
            file.b.initializers.remove(name)
            file.b.nodes.insert(0, node)
            file.nodes.insert(0, node)


def _functions(file: _File, rng: random.Random) -> None:
    """Nodes written as functions of the model, one of them calling another."""
    for i, node in enumerate(file.nodes):
        if "" in node.input or not node.input or node.op_type in ("If", "Loop") or rng.random() < 0.6:
            continue
        inputs = [f"in{j}" for j in range(len(node.input))]
        outputs = [f"out{j}" for j in range(len(node.output))]
        inner = NodeProto()
        inner.CopyFrom(node)
        inner.input[:], inner.output[:] = inputs, outputs
        opsets = [helper.make_opsetid("", file.b.opset), helper.make_opsetid("own", 1)]
        name = f"f{len(file.functions)}"
        if rng.random() < 0.3:
            file.functions.append(helper.make_function("own", f"{name}_inner", inputs, outputs, [inner], opsets))
            inner = helper.make_node(f"{name}_inner", inputs, outputs, domain="own")
        file.functions.append(helper.make_function("own", name, inputs, outputs, [inner], opsets))
        file.nodes[i] = helper.make_node(name, list(node.input), list(node.output), name=node.name, domain="own")


def _weight_inputs(file: _File, rng: random.Random) -> None:
    """Weights as inputs of the model, told to be weights."""
    arrays = file.b.arrays
    matrices = [name for name in file.b.initializers if arrays[name].ndim > 1 and arrays[name].dtype == np.float32]
    file.as_inputs = {name for name in matrices if rng.random() < 0.5}


def _same_names(file: _File, rng: random.Random) -> None:
    """Names inside of sibling branches and bodies that are alike, as they are when one generator wrote each."""
    file.nodes = [_renamed_inside(node, 0) for node in file.nodes]


def _renamed_inside(node: NodeProto, depth: int) -> NodeProto:
    graphs = [attribute.g for attribute in node.attribute if attribute.type == onnx.AttributeProto.GRAPH]
    if not graphs:
        return node
    copy = NodeProto()
    copy.CopyFrom(node)
    for attribute in copy.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            graph = attribute.g
            inner = [*(one.name for one in graph.input), *(tensor.name for tensor in graph.initializer)]
            inner += [name for each in graph.node for name in each.output]
            _rename(graph, {name: f"inner{depth}_{i}" for i, name in enumerate(inner)})
            nested = [_renamed_inside(each, depth + 1) for each in graph.node]
            del graph.node[:]
            graph.node.extend(nested)
    return copy


def _rename(graph: GraphProto, names: dict[str, str]) -> None:
    """New names of values wherever `graph` and the graphs in it say them."""
    for one in (*graph.input, *graph.output, *graph.initializer):
        one.name = names.get(one.name, one.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _rename(attribute.g, names)


ODDITIES: dict[str, Callable[[_File, random.Random], None]] = {
    "unsorted": _unsorted, "symbolic": _symbolic, "stale": _stale, "told": _told, "resized": _resized,
    "old_inputs": _old_inputs, "no_data": _no_data, "functions": _functions, "elsewhere": _elsewhere,
    "nameless": _nameless, "constants": _constants,
    "weight_inputs": _weight_inputs, "same_names": _same_names,
}  # fmt: skip


def recipes(kinds: Sequence[str] = tuple(sorted(BLOCKS)), most_blocks: int = 6) -> st.SearchStrategy[Recipe]:
    """Recipes of 1 to `most_blocks` blocks of these kinds with at most two oddities."""
    seeds = st.integers(0, 10_000)
    return st.builds(
        Recipe, st.sampled_from(OPSETS),
        st.lists(st.tuples(st.sampled_from(kinds), seeds), min_size=1, max_size=most_blocks).map(tuple),
        st.lists(
            st.tuples(st.sampled_from(sorted(ODDITIES)), seeds), max_size=2, unique_by=lambda one: one[0]
        ).map(tuple),
    )  # fmt: skip


def drawn(rng: random.Random, kinds: Sequence[str] = tuple(sorted(BLOCKS)), most_blocks: int = 6) -> Recipe:
    """A recipe by chance, for long runs: every kind is as likely, seeds hardly repeat."""
    blocks = tuple((rng.choice(kinds), rng.randrange(10**9)) for _ in range(rng.randint(1, most_blocks)))
    odd = rng.sample(sorted(ODDITIES), rng.choice((0, 1, 1, 2)))
    return Recipe(rng.choice(OPSETS), blocks, tuple((oddity, rng.randrange(10**9)) for oddity in odd))


def as_text(model: ModelProto) -> str:
    """The model as text, stored values left out."""
    return onnx.printer.to_text(model)
