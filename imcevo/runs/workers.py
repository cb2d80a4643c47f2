"""Who computes: this process, processes on this machine, or the workers of a Dask cluster.

A task is a function of one picklable argument whose result depends on that argument alone, so that a task whose worker
dies is simply given to another one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from imcevo.errors import UserError

MOST_WORKERS = 1024
# A pool that breaks so often over the same tasks will break again: memory runs out, or a library crashes.
_MOST_BREAKS = 5
_WATCH_EVERY_S = 1.0

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")


class Workers(ABC):
    """Computes tasks; a context manager that lets the workers go at its end."""

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        self.close(at_once=error is not None)

    def map(self, function: Callable[[TaskT], ResultT], tasks: Sequence[TaskT]) -> list[ResultT]:
        """The results of all tasks in their order; raises what the answer of `begin` raises."""
        return self.begin(function, tasks)()

    @abstractmethod
    def begin(self, function: Callable[[TaskT], ResultT], tasks: Sequence[TaskT]) -> Callable[[], list[ResultT]]:
        """Hand out all tasks; their results, in their order, are waited for when the answer is called.

        Raises (when called):
            UserError: workers die again and again, or none is left. What a task raises is raised here.
        """

    def close(self, *, at_once: bool = False) -> None:  # noqa: B027  nothing to let go
        """Let the workers go, `at_once` without waiting for what they do."""


class ThisProcess(Workers):
    """One task after the other, here, when the results are asked for."""

    def begin(self, function: Callable[[TaskT], ResultT], tasks: Sequence[TaskT]) -> Callable[[], list[ResultT]]:
        return lambda: [function(task) for task in tasks]


class Processes(Workers):
    """Processes on this machine with one simulator thread each.

    They are spawned, not forked: a forked copy of OpenMP's threads hangs.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.count, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(os.getpid(),)
        )

    def begin(self, function: Callable[[TaskT], ResultT], tasks: Sequence[TaskT]) -> Callable[[], list[ResultT]]:
        waiting = self._submitted(function, dict(enumerate(tasks)))
        return lambda: self._gathered(function, tasks, waiting)

    def _submitted(
        self, function: Callable[[TaskT], ResultT], tasks: Mapping[int, TaskT]
    ) -> dict[int, Future[ResultT]]:
        """Futures of all tasks; of none if the pool breaks while they are handed out."""
        try:
            return {index: self._pool.submit(function, task) for index, task in tasks.items()}
        except BrokenProcessPool:
            return {}

    def _gathered(
        self, function: Callable[[TaskT], ResultT], tasks: Sequence[TaskT], waiting: dict[int, Future[ResultT]]
    ) -> list[ResultT]:
        """The results of all tasks, those of dead workers done again by a new pool."""
        results: dict[int, ResultT] = {}
        breaks = 0
        while True:
            # Those that were done when another one's worker died count.
            errors = {index: future.exception() for index, future in waiting.items()}
            failed = [error for error in errors.values() if error and not isinstance(error, BrokenProcessPool)]
            if failed:
                raise failed[0]
            results |= {index: waiting[index].result() for index, error in errors.items() if error is None}
            if len(results) == len(tasks):
                return results_in_order(results)
            breaks += 1
            if breaks == _MOST_BREAKS:
                raise UserError(f"worker processes died {breaks} times in a row: out of memory?", key="--workers")
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._new_pool()
            left = {index: task for index, task in enumerate(tasks) if index not in results}
            waiting = self._submitted(function, left)

    def close(self, *, at_once: bool = False) -> None:
        if at_once:
            for process in list((self._pool._processes or {}).values()):  # public from Python 3.14 on
                process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)


def results_in_order(results: dict[int, ResultT]) -> list[ResultT]:
    """The values by ascending key."""
    return [results[index] for index in sorted(results)]


def _begin(parent: int) -> None:
    """Set up a worker process."""
    import numba

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent ends the others
    numba.set_num_threads(1)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_EVERY_S)
        os._exit(1)  # nobody reads the results any more

    threading.Thread(target=watch, daemon=True).start()


class Dask(Workers):
    """The workers of a Dask cluster; `dask.distributed` gives a dead worker's tasks to another one.

    Args:
        scheduler: its address, such as ``tcp://10.0.0.1:8786``.

    Raises:
        UserError: Dask is not installed, or no scheduler answers.
    """

    def __init__(self, scheduler: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise UserError(
                "needs Dask: pip install 'imcevo[dask]'", key="--scheduler", value=scheduler
            ) from None
        try:
            self._client = Client(scheduler, timeout=10, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            problem = f"is not the address of a scheduler that answers ({error})"
            raise UserError(problem, key="--scheduler", value=scheduler, allowed="e.g. tcp://10.0.0.1:8786") from None

    def begin(self, function: Callable[[TaskT], ResultT], tasks: Sequence[TaskT]) -> Callable[[], list[ResultT]]:
        from distributed import KilledWorker

        futures = self._client.map(_alone, [(function, task) for task in tasks], pure=False, retries=0)

        def gathered() -> list[ResultT]:
            try:
                results: list[ResultT] = self._client.gather(futures)
            except KilledWorker as error:
                problem = f"workers of the cluster died again and again ({error})"
                raise UserError(problem, key="--scheduler") from None
            return results

        return gathered

    def close(self, *, at_once: bool = False) -> None:
        self._client.close()


_ALONE = threading.Lock()


def _alone(call: tuple[Callable[[Any], Any], Any]) -> Any:
    """Call a function with one simulator thread, one after the other in a worker of several threads."""
    import numba

    function, task = call
    with _ALONE:
        numba.set_num_threads(1)
        return function(task)


def workers(count: int | None, scheduler: str | None, most_useful: int) -> Workers:
    """Those that the user asked for, or as many processes as there are tasks and cores.

    Args:
        count: ``--workers``.
        scheduler: ``--scheduler``.
        most_useful: tasks at a time.

    Raises:
        UserError: both are given, or they are wrong.
    """
    from imcevo.runs.manifest import available_cores

    if scheduler is not None:
        if count is not None:
            problem = "cannot be combined with --scheduler, which has its own workers"
            raise UserError(problem, key="--workers", value=count)
        return Dask(scheduler)
    if count is not None and not 1 <= count <= MOST_WORKERS:
        raise UserError("is out of range", key="--workers", value=count, allowed=f"1 to {MOST_WORKERS}")
    useful = min(most_useful, available_cores() if count is None else count)
    return ThisProcess() if useful == 1 else Processes(useful)
