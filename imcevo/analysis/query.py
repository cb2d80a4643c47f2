"""Questions to a table of designs, such as ``area_mm2 < 50 and cell == "rram_1t1r"``.

An expression is parsed by Python's `ast` and computed node by node from a short list of allowed ones: comparisons,
``and or not in``, ``+ - * /``, numbers, quoted names and columns. Nothing is ever passed to `eval`.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.analysis.labels import MINUS
from imcevo.errors import UserError, did_you_mean, listed
from imcevo.problem import quantities
from imcevo.problem.quantities import AGGREGATES, QUANTITIES

_LONGEST = 1000
_PREFIXES = {"k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}
_UNIT = re.compile(r"_(?P<prefix>[kmunp])(?P<unit>J|s|m2|V|W)(?=_|\.|$)")
_QUOTED = re.compile(r"`([^`]*)`")
# What designs are usually asked for: the product of the run's own objectives.
_PRODUCTS = {"edp": ("energy_J", "latency_s"), "edap": ("energy_J", "latency_s", "area_m2")}

_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


class Columns:
    """The columns of a table by the names that users give them.

    Beside the columns themselves: other prefixes of their units (``area_mm2`` for ``area_m2``), ``energy_J`` and
    ``latency_s`` for the one objective that begins so, ``edp`` and ``edap`` for the products of these, ``TOPS`` for the
    objective ``minus_TOPS_...``, and, without one, ``TOPS`` for the least of all networks and ``power_W`` for the
    largest, as constraints mean them.

    Args:
        table: the designs.
        objectives: columns that are objectives.
    """

    def __init__(self, table: pd.DataFrame, objectives: tuple[str, ...]) -> None:
        self._table, self._objectives = table, objectives

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column ``[n]`` by any of its names.

        Raises:
            UserError: unknown, or ambiguous.
        """
        if name in self._table:
            values = self._table[name]
            if pd.api.types.is_bool_dtype(values):
                return values.to_numpy(dtype=bool)
            return values.to_numpy(dtype=np.float64 if pd.api.types.is_numeric_dtype(values) else object)
        if name in _PRODUCTS:
            return np.prod([self[factor] for factor in _PRODUCTS[name]], axis=0)
        same = [column for column in self._objectives if column.startswith(f"{name}_")]
        if len(same) == 1:
            return self[same[0]]
        prefix = f"{MINUS}{name}_"
        maximised = [c for c in self._objectives if c.startswith(prefix) and c.removeprefix(prefix) in AGGREGATES]
        if len(maximised) == 1:
            return -self[maximised[0]]
        of_networks = [column for column in self._table.columns if str(column).startswith(f"{name}.")]
        if of_networks and name in QUANTITIES and QUANTITIES[name].column:
            return QUANTITIES[name].worst(np.stack([self[column] for column in of_networks], axis=1))
        for match in _UNIT.finditer(name):
            plain = f"{name[: match.start()]}_{match['unit']}{name[match.end() :]}"
            factor = _PREFIXES[match["prefix"]] ** (2 if match["unit"] == "m2" else 1)
            if name[: match.start()].endswith("_per"):
                factor = 1 / factor
            return self[plain] / factor
        known = [*self._table.columns.astype(str), *_PRODUCTS]
        raise UserError(f"is not a column{did_you_mean(name, known)}", value=name, allowed=listed(known))


def is_maximised(expression: str) -> bool:
    """Whether an expression is the name of a quantity of which more is better: ``TOPS_per_W``, ``TOPS.resnet18``."""
    return quantities.is_maximised(expression.strip().strip("`").partition(".")[0])


def chosen(expression: str, columns: Columns, *, key: str) -> NDArray[np.bool_]:
    """Which rows an expression is true for ``[n]``.

    Raises:
        UserError: not such an expression.
    """
    value = _computed(expression, columns, key)
    if not (isinstance(value, np.ndarray) and value.dtype == bool):
        raise UserError("is not a condition", key=key, value=expression, allowed='e.g. "area_mm2 < 50"')
    return value


def measured(expression: str, columns: Columns, *, key: str) -> NDArray[np.float64]:
    """The number that an expression has for every row ``[n]``.

    Raises:
        UserError: not such an expression.
    """
    value = _computed(expression, columns, key)
    if not (isinstance(value, np.ndarray) and value.dtype == np.float64):
        raise UserError("is not a number of every design", key=key, value=expression, allowed='e.g. "edp"')
    return value


def _computed(expression: str, columns: Columns, key: str) -> Any:
    if len(expression) > _LONGEST:
        raise UserError("is too long", key=key, value=expression, allowed=f"{_LONGEST} characters")
    quoted: dict[str, str] = {}

    def name_of(match: re.Match[str]) -> str:
        return quoted.setdefault(match[1], f"quoted_{len(quoted)}_")

    try:
        tree = ast.parse(_QUOTED.sub(name_of, expression).strip(), mode="eval")
        names = {placeholder: name for name, placeholder in quoted.items()}
        with np.errstate(all="ignore"):
            return _value(tree.body, columns, names)
    except UserError as error:
        raise UserError(error.problem, key=key, value=error.value or expression, allowed=error.allowed) from None
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
        allowed = "columns, numbers, quoted names, + - * /, comparisons, and, or, not, in"
        raise UserError("cannot be computed", key=key, value=expression, allowed=allowed) from None


def _value(node: ast.expr, columns: Columns, names: Mapping[str, str]) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
        return node.value if isinstance(node.value, str) else float(node.value)
    if isinstance(node, ast.Name | ast.Attribute):
        return columns[_dotted(node, names)]
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        sides = [_number(_value(side, columns, names)) for side in (node.left, node.right)]
        return _BINARY[type(node.op)](*sides)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _number(_value(node.operand, columns, names))
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_condition(_value(node.operand, columns, names))
    if isinstance(node, ast.BoolOp):
        parts = [_condition(_value(part, columns, names)) for part in node.values]
        return np.logical_and.reduce(parts) if isinstance(node.op, ast.And) else np.logical_or.reduce(parts)
    if isinstance(node, ast.Compare):
        return _comparison(node, columns, names)
    raise TypeError(type(node).__name__)


def _comparison(node: ast.Compare, columns: Columns, names: Mapping[str, str]) -> Any:
    result: Any = True
    left = _value(node.left, columns, names)
    for compared, right_node in zip(node.ops, node.comparators, strict=True):
        if isinstance(compared, ast.In | ast.NotIn):
            if not isinstance(right_node, ast.Tuple | ast.List) or not isinstance(left, np.ndarray):
                raise TypeError("in")
            listed_values = [_value(item, columns, names) for item in right_node.elts]
            if any(isinstance(item, np.ndarray) for item in listed_values):
                raise TypeError("in")
            inside = np.logical_or.reduce([_same(left, item) for item in listed_values], initial=False)
            result = result & (inside if isinstance(compared, ast.In) else ~inside)
            continue
        right = _value(right_node, columns, names)
        if isinstance(compared, ast.Eq | ast.NotEq):
            same = _same(left, right)
            result = result & (same if isinstance(compared, ast.Eq) else ~same)
        elif type(compared) in _COMPARED:
            result = result & _COMPARED[type(compared)](_number(left), _number(right))
        else:
            raise TypeError(type(compared).__name__)
        left = right
    return result


def _same(left: Any, right: Any) -> Any:
    """Equality, of values of one kind alone: a cell is never equal to a number."""
    if _is_text(left) != _is_text(right):
        raise TypeError("a name against a number")
    return np.asarray(left == right, dtype=bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, np.ndarray) and value.dtype == object)


def _number(value: Any) -> Any:
    if isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype == np.float64):
        return value
    raise TypeError("not a number")


def _condition(value: Any) -> NDArray[np.bool_]:
    if isinstance(value, np.ndarray) and value.dtype == bool:
        return value
    raise TypeError("not a condition")


def _dotted(node: ast.expr, names: Mapping[str, str]) -> str:
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, names)}.{node.attr}"
    raise TypeError(type(node).__name__)
