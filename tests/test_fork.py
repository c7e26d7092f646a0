"""A forked child goes on with the CPU and with simulated GPUs."""

import contextlib
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._core import live, variable_write

SECONDS = 20

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='no fork here')


@pytest.fixture(autouse=True)
def allow_forks_beside_threads() -> Iterator[None]:
    """Python 3.12 warns of what is tested here."""
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='.*fork.*', category=DeprecationWarning)
        yield


def in_child(function: Callable[[], Any]) -> None:
    """Runs a function in a forked child and fails unless it ends well, and soon."""
    child = os.fork()
    if child == 0:
        # A child that waits for a lost lock is ended by the signal.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        status = 1
        try:
            function()
            status = 0
        except BaseException:  # noqa: BLE001 - the child must not return into pytest
            traceback.print_exc(file=sys.__stderr__)
        os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def work(v: tv.Variable, w: tv.Variable) -> None:
    """A training step on two devices, moves, replicas, and a look at the memory."""
    with tv.GradientTape() as tape:
        loss = tv.reduce_sum(v * w)
    gradients = tape.gradient(loss, [v, w])
    v.assign_sub(gradients[0])
    w.update(lambda value: value + 1.0)
    v.to_device('CPU:0').to_device('GPU:0')
    with tv.device('GPU:1'):
        assert float(tv.reduce_sum(v)) == float(v.numpy().sum())
    assert tv.config.get_memory_info('GPU:0')['current'] > 0
    assert len(tv.debugging.live_variables()) == 2
    with tv.debugging.record_placement() as log:
        v + 1.0
    assert log.records


def test_a_child_keeps_the_devices(simulated_gpus: list[str]) -> None:
    v = tv.Variable([1.0, 2.0])
    with tv.device('CPU:0'):
        w = tv.Variable([3.0, 4.0])
    in_child(lambda: work(v, w))
    # The child worked on values of its own.
    assert v.numpy().tolist() == [1.0, 2.0]
    work(v, w)


def test_locks_that_another_thread_held_are_free(simulated_gpus: list[str]) -> None:
    v = tv.Variable([1.0, 2.0])
    with tv.device('CPU:0'):
        w = tv.Variable([3.0, 4.0])
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        ledger, counter = v._device.backend.ledger, w._device.backend.variable_bytes
        with v._lock, w._lock, v._replica_lock, w._replica_lock, ledger._lock, counter._lock:
            held.set()
            assert go_on.wait(SECONDS)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(SECONDS)
    try:
        in_child(lambda: work(v, w))
    finally:
        go_on.set()
        thread.join()
    work(v, w)


def locks_of_modules() -> dict[str, Any]:
    """The locks that live as long as the process."""
    kinds = (type(threading.Lock()), type(threading.RLock()))
    return {
        f'{module}.{name}': value
        for module in sorted(sys.modules)
        if module.startswith('tensorvar.')
        for name, value in list(vars(sys.modules[module]).items())
        if isinstance(value, kinds)
    }


def test_no_lock_of_the_process_stays_locked(fresh_devices: None) -> None:
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with contextlib.ExitStack() as stack:
            for name, lock in locks_of_modules().items():
                if name != 'tensorvar._core.variable_write._fork_gate':
                    stack.enter_context(lock)
            held.set()
            assert go_on.wait(SECONDS)

    def child() -> None:
        stuck = [name for name, lock in locks_of_modules().items() if not lock.acquire(False)]
        assert not stuck, stuck

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(SECONDS)
    try:
        in_child(child)
    finally:
        go_on.set()
        thread.join()


def test_a_child_of_a_long_update_sees_the_old_value(simulated_gpus: list[str]) -> None:
    v = tv.Variable([1.0, 2.0])
    inside, go_on = threading.Event(), threading.Event()

    def function(value: tv.Tensor) -> tv.Tensor:
        inside.set()
        assert go_on.wait(SECONDS)
        return value + 1.0

    thread = threading.Thread(target=lambda: v.update(function))
    thread.start()
    assert inside.wait(SECONDS)

    def child() -> None:
        assert v.numpy().tolist() == [1.0, 2.0]
        assert v.assign_add([1.0, 1.0]).numpy().tolist() == [2.0, 3.0]

    try:
        in_child(child)
    finally:
        go_on.set()
        thread.join()
    assert v.numpy().tolist() == [2.0, 3.0]


def test_forks_beside_writers_find_whole_values(every_device: str) -> None:
    """No slot is empty in a child and no value is half written."""
    size = 200_000
    with tv.device(every_device):
        v = tv.Variable(np.zeros(size, np.float32))
        one = tv.ones([size])
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            v.assign_add(one)

    def child() -> None:
        assert v._array is not None
        host = v.numpy()
        assert host.min() == host.max()
        v.assign_add(one)
        np.testing.assert_array_equal(v.numpy(), host + 1)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            in_child(child)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert v.numpy()[0] == v.version


def test_writers_wait_while_a_fork_is_under_way(fresh_devices: None) -> None:
    v = tv.Variable(0.0)
    written = threading.Event()

    def write() -> None:
        v.assign_add(1.0)
        written.set()

    thread = threading.Thread(target=write)
    live._before_fork()
    try:
        thread.start()
        assert not written.wait(0.1)
        assert v.numpy() == 0.0
    finally:
        variable_write.open_gate()
    thread.join()
    assert v.numpy() == 1.0


def test_a_child_may_fork_again(fresh_devices: None) -> None:
    v = tv.Variable(1.0)

    def child() -> None:
        v.assign_add(1.0)
        in_child(lambda: v.assign_add(1.0))
        assert v.numpy() == 2.0

    in_child(child)
    assert v.numpy() == 1.0


def test_a_write_may_go_on_in_the_child_that_was_forked_in_it(fresh_devices: None) -> None:
    v = tv.Variable(1.0)

    def function(value: tv.Tensor) -> tv.Tensor:
        in_child(lambda: v.assign(5.0))
        return value + 1.0

    v.update(function)
    assert v.numpy() == 2.0
