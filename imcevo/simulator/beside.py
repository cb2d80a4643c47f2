"""Python work done in another thread while a kernel, which holds no interpreter lock, does its own in this one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


def beside(function: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> Callable[[], ResultT]:
    """Begin a call that runs no kernel; the answer waits for its result, or raises what it raised.

    Where the caller may use one thread only, the call is made here and now.
    """
    if numba.get_num_threads() == 1:
        result = function(*args, **kwargs)
        return lambda: result
    return _thread().submit(function, *args, **kwargs).result


@cache
def _thread() -> ThreadPoolExecutor:
    """The one thread of this process for such calls, begun at first use."""
    return ThreadPoolExecutor(1, thread_name_prefix="beside")
