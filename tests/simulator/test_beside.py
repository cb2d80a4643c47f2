"""Work beside a kernel."""

from __future__ import annotations

import threading

import numba
import pytest

from imcevo.simulator.beside import beside


@pytest.fixture(params=[1, numba.config.NUMBA_NUM_THREADS])
def threads(request):
    before = numba.get_num_threads()
    numba.set_num_threads(request.param)
    yield request.param
    numba.set_num_threads(before)


def test_the_answer_may_be_asked_for_twice_and_the_call_is_made_once(threads):
    calls = []

    def work(a, *, b):
        calls.append(threading.get_ident())
        return a + b

    answer = beside(work, 1, b=2)
    assert (answer(), answer(), len(calls)) == (3, 3, 1)
    assert (calls[0] == threading.get_ident()) == (threads == 1)


def test_what_the_call_raises_is_raised(threads):
    def fail():
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        beside(fail)()
