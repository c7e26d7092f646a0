"""The short way of ``assign_add`` and ``assign_sub``: its lock, and calls that meet."""

import threading
import warnings
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._backend import floating_point
from tests.support import threads


class InterruptedLock:
    """A lock whose acquisition is interrupted, before or after it has it."""

    def __init__(self, has_it: bool) -> None:
        self._lock = threading.RLock()
        self._has_it = has_it
        self.release = self._lock.release

    def acquire(self) -> None:
        if self._has_it:
            self._lock.acquire()
        raise KeyboardInterrupt

    def is_free(self) -> bool:
        """Whether another thread gets it."""
        found: list[bool] = []
        thread = threading.Thread(target=lambda: found.append(self._lock.acquire(False)))
        thread.start()
        thread.join()
        return found == [True]


@pytest.mark.parametrize('has_it', [True, False])
def test_an_interrupt_around_the_lock_leaves_it_free(has_it: bool) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable([1.0, 2.0])
    lock: Any = InterruptedLock(has_it)
    v._lock, before = lock, v._lock
    version, added = v.version, tv.constant([1.0, 1.0])
    with pytest.raises(KeyboardInterrupt):
        v.assign_add(added)
    assert lock.is_free()
    v._lock = before
    assert v.numpy().tolist() == [1.0, 2.0]
    assert v.version == version


def test_an_overflow_warns_nobody() -> None:
    with tv.device('CPU:0'):
        largest = tv.constant([np.finfo(np.float32).max] * 2)
        v = tv.Variable(largest)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        v.assign_add(largest)
    assert np.isinf(v.numpy()).all()


def test_operations_within_a_quiet_call_take_another_way() -> None:
    # As those of a finaliser that the collector runs in the middle of a ufunc.
    with tv.device('CPU:0'):
        v, total = tv.Variable([1.0, 2.0]), []
        added = tv.constant([1.0, 1.0])

    def finaliser() -> None:
        v.assign_add(added)
        total.append(added + added)

    version = v.version
    floating_point.quietly(finaliser)
    assert v.numpy().tolist() == [2.0, 3.0]
    assert v.version == version + 1
    assert total[0].numpy().tolist() == [2.0, 2.0]


def test_threads_that_write_at_once_lose_nothing() -> None:
    # Long enough for NumPy to let other threads run meanwhile.
    ones = tv.ones([20_000])
    with tv.device('CPU:0'):
        variables = [tv.Variable(tv.zeros([20_000])) for _ in range(2)]

    def add() -> None:
        for _ in range(300):
            for v in variables:
                v.assign_add(ones)

    threads.several(add, 3)
    for v in variables:
        np.testing.assert_array_equal(v.numpy(), 900.0)
        assert v.version == 900
