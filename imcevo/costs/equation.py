"""Published equations as functions that can say what they computed.

Normally a decorated function is just called. Inside `tracing` every call on a single design is recorded with
the values it really got and returned, so that an explanation cannot drift from the computation.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

Real = float | NDArray[np.float64]

P = ParamSpec("P")
ValueT = TypeVar("ValueT")


class Term(NamedTuple):
    """One evaluated equation of the model, for `evaluate --explain`."""

    name: str
    equation: str
    inputs: Mapping[str, float | str]
    value: float
    unit: str
    source: str


_recorded: ContextVar[list[Term] | None] = ContextVar("recorded", default=None)


def equation(
    *, name: str, formula: str, unit: str, source: str
) -> Callable[[Callable[P, ValueT]], Callable[P, ValueT]]:
    """Mark a function as one published equation.

    Args:
        name: what it computes, as a reader of the explanation sees it.
        formula: the equation in the function's parameter names.
        unit: SI unit of the result ("1" for a number).
        source: publication, or "derived" with the reason.
    """

    def decorate(function: Callable[P, ValueT]) -> Callable[P, ValueT]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def traced(*args: P.args, **kwargs: P.kwargs) -> ValueT:
            value = function(*args, **kwargs)
            terms = _recorded.get()
            if terms is not None:
                given = signature.bind(*args, **kwargs).arguments
                inputs = {key: _single(argument) for key, argument in given.items()}
                terms.append(Term(name, formula, inputs, _single(value), unit, source))
            return value

        return traced

    return decorate


@contextmanager
def tracing() -> Iterator[list[Term]]:
    """Record every equation evaluated inside, in order; only one design may be evaluated at a time."""
    terms: list[Term] = []
    token = _recorded.set(terms)
    try:
        yield terms
    finally:
        _recorded.reset(token)


def _single(value: object) -> float:
    array = np.asarray(value)
    if array.size != 1:
        raise ValueError(f"tracing explains one design at a time, got {array.size}")
    return float(array.reshape(()))
