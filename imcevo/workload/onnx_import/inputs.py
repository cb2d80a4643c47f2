"""The network's inputs: sizes of their open dimensions, values that are known beforehand, weights among them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError, listed, unknown_name
from imcevo.workload.layers import LARGEST_SIZE
from imcevo.workload.onnx_import.proto import MOST_VALUES, Described

Given = bool | int | float | Sequence[bool | int | float]
# Names of dimensions that say nothing: `?`, `-1`, `None`.
_MEANINGLESS = re.compile(r"[\W\d_]*|none|unknown", re.IGNORECASE)


@dataclass(frozen=True)
class Inputs:
    """What the inputs of a graph are.

    Attributes:
        names: of the network's inputs.
        weights: inputs that are stored tensors: element type and shape.
        values: of inputs that are known before the network runs.
        named: sizes of dimensions by name, for the shapes that the model declares elsewhere.
    """

    names: tuple[str, ...]
    weights: dict[str, Described]
    values: dict[str, NDArray[Any]]
    named: dict[str, int]


def fix_inputs(
    graph: Any, dims: Mapping[str, int], given: Mapping[str, Given], weights: Sequence[str], stored: set[str]
) -> Inputs:
    """Write sizes into the inputs of a graph, in place.

    Args:
        stored: names of the graph's initialisers; files before IR version 4 list them among the inputs.

    Raises:
        UserError: an open dimension without a size, or a size, value or weight for an input that is not there.
    """
    own = [value for value in graph.input if value.name not in stored]
    names = [value.name for value in own]
    for option, asked in (("--input", given), ("--weight", weights)):
        for name in asked:
            if name not in names:
                raise unknown_name("input of the model", name, names, key=option)
    named, used = _fix_dims([value for value in own if value.name not in given], dims)
    for name, size in dims.items():
        # Named dimensions of declared shapes alone serve where inference ends.
        if name not in used and any(_declares(value, name) for value in graph.value_info):
            named[name] = size
            used.add(name)
    unused = [name for name in dims if name not in used]
    if unused:
        known = [dim.dim_param for value in own for dim in _dims(value) if not _is_meaningless(dim.dim_param)]
        places = [f"{value.name}:{axis}" for value in own for axis in range(len(_dims(value)))]
        problem = "is not a dynamic dimension of the model"
        allowed = listed(dict.fromkeys([*known, *places]))
        raise UserError(problem, key="--dim", value=unused[0], allowed=allowed)
    kinds = {value.name: value.type.tensor_type for value in own}
    return Inputs(
        tuple(name for name in names if name not in weights and name not in given),
        {name: (kinds[name].elem_type, tuple(dim.dim_value for dim in kinds[name].shape.dim)) for name in weights},
        {name: _value(name, kinds[name], value) for name, value in given.items()},
        named,
    )


def _is_meaningless(name: str) -> bool:
    return _MEANINGLESS.fullmatch(name) is not None


def _dims(value: Any) -> Any:
    return value.type.tensor_type.shape.dim if value.type.HasField("tensor_type") else []


def _declares(value: Any, name: str) -> bool:
    return any(dim.dim_param == name for dim in _dims(value))


def _fix_dims(inputs: list[Any], dims: Mapping[str, int]) -> tuple[dict[str, int], set[str]]:
    used: set[str] = set()
    named: dict[str, int] = {}
    unknown: list[str] = []
    shared: Counter[str] = Counter()
    for value in inputs:
        if not value.type.HasField("tensor_type"):
            continue
        _give_rank(value, dims)
        if not value.type.tensor_type.HasField("shape"):
            unknown += [f"{value.name}:0"]
        for axis, dim in enumerate(_dims(value)):
            place, name = f"{value.name}:{axis}", dim.dim_param
            plain = "" if _is_meaningless(name) else name
            keys = [key for key in (place, plain) if key and key in dims]
            if keys:
                dim.dim_value = dims[keys[0]]
                used.update(keys)
                if plain and place not in dims:
                    named[plain] = dims[plain]
            elif not dim.HasField("dim_value") or not 0 < dim.dim_value < LARGEST_SIZE:
                unknown.append(plain or place)
                shared[name or str(dim.dim_value if dim.HasField("dim_value") else "")] += not plain
    if unknown:
        raise _open(list(dict.fromkeys(unknown)), [name for name, times in shared.items() if times > 1])
    return named, used


def _give_rank(value: Any, dims: Mapping[str, int]) -> None:
    """An input without a shape gets one where its axes 0, 1, ... all have a size."""
    kind = value.type.tensor_type
    if not kind.HasField("shape") and f"{value.name}:0" in dims:
        axis = 0
        while f"{value.name}:{axis}" in dims:
            kind.shape.dim.add(dim_value=dims[f"{value.name}:{axis}"])
            axis += 1


def _open(unknown: list[str], shared: list[str]) -> UserError:
    told = " ".join(f"--dim {name}=..." for name in unknown[:8])
    problem = f"leaves dimensions open: {listed(unknown)}"
    if shared:
        names = listed(repr(name) for name in shared)
        problem += f"; several are called {names}, so they are told apart by input and axis"
    return UserError(problem, key="--dim", allowed=told)


def _value(name: str, kind: Any, given: Given) -> NDArray[Any]:
    """A value as a tensor of the input's type and shape; a single number fills it."""
    from onnx import helper

    dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type or 1)
    numbers = np.asarray(given)
    sizes = [dim.dim_value if dim.dim_value > 0 else -1 for dim in kind.shape.dim]
    try:
        if numbers.ndim == 0:
            # An open dimension of a value that is a single number is 1.
            shape = tuple(size if size > 0 else 1 for size in sizes)
            if prod(shape) > MOST_VALUES:
                raise ValueError
            return np.full(shape, numbers).astype(dtype)
        if sizes.count(-1) <= 1 and sizes:
            return numbers.reshape(sizes).astype(dtype)
        return numbers.astype(dtype)
    except ValueError:
        allowed = f"up to {MOST_VALUES} values of shape {sizes}"
        raise UserError("does not fit the input's shape", key=f"--input {name}", value=given, allowed=allowed) from None
