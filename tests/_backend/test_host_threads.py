"""Threads that share work: every piece once, nothing left running, nothing held."""

import concurrent.futures
import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._backend import host_threads
from tests.support import source_tree

THREADS = 4


@pytest.fixture(autouse=True)
def four_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_threads, '_standard', lambda: THREADS)


def meeting(width: int) -> Callable[[int, int], None]:
    """A function of pieces of which that many have to run at once."""
    barrier = threading.Barrier(width)

    def meet(start: int, stop: int) -> None:
        barrier.wait(30)

    return meet


@pytest.mark.parametrize(('length', 'step'), [(1, 1), (10, 3), (1000, 1), (5, 100), (0, 4)])
def test_each_piece_is_done_once(length: int, step: int) -> None:
    seen = np.zeros(length, np.int64)

    def count(start: int, stop: int) -> None:
        assert 0 < stop - start <= step
        seen[start:stop] += 1

    host_threads.each(count, length, step)
    assert (seen == 1).all()


def test_pieces_run_at_once() -> None:
    host_threads.each(meeting(THREADS), THREADS, 1)


def test_threads_are_kept_and_do_not_keep_the_process() -> None:
    host_threads.each(meeting(THREADS), THREADS, 1)
    before = threading.active_count()
    host_threads.each(meeting(THREADS), THREADS, 1)
    assert threading.active_count() == before
    ours = [each for each in threading.enumerate() if each.name.startswith('tensorvar-')]
    assert len(ours) >= THREADS - 1
    assert all(each.daemon for each in ours)


def test_one_piece_stays_with_the_caller() -> None:
    names: list[int] = []
    host_threads.each(lambda start, stop: names.append(threading.get_ident()), 10, 10)
    assert names == [threading.get_ident()]


@pytest.mark.parametrize('bad', [0, 1, 7])
def test_an_error_of_any_piece_is_raised(bad: int) -> None:
    def fail(start: int, stop: int) -> None:
        if start == bad:
            raise ValueError(f'piece {start}')

    with pytest.raises(ValueError, match=f'piece {bad}'):
        host_threads.each(fail, 8, 1)


def test_nothing_runs_any_more_when_an_error_is_raised() -> None:
    running: list[int] = []

    def work(start: int, stop: int) -> None:
        if threading.current_thread() is threading.main_thread():
            raise ZeroDivisionError
        running.append(start)
        time.sleep(0.05)
        running.remove(start)

    with pytest.raises(ZeroDivisionError):
        host_threads.each(work, 1000, 1)
    assert running == []


def test_an_error_leaves_out_the_pieces_not_begun() -> None:
    begun: list[int] = []

    def fail(start: int, stop: int) -> None:
        begun.append(start)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        host_threads.each(fail, 1000, 1)
    assert len(begun) <= 2 * THREADS


def test_work_within_work() -> None:
    seen = np.zeros((20, 20), np.int64)

    def outer(row: int, _: int) -> None:
        def inner(start: int, stop: int) -> None:
            seen[row, start:stop] += 1

        host_threads.each(inner, 20, 1)

    host_threads.each(outer, 20, 1)
    assert (seen == 1).all()


def test_many_callers_at_once() -> None:
    def call(number: int) -> int:
        seen = np.zeros(500, np.int64)

        def add(start: int, stop: int) -> None:
            seen[start:stop] += number

        for _ in range(20):
            host_threads.each(add, 500, 7)
        return int(seen.min()) if seen.min() == seen.max() else -1

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [20 * number for number in range(8)]


def test_no_thread_holds_the_arrays_afterwards() -> None:
    array = np.zeros(1 << 16)
    alone = sys.getrefcount(array)
    for _ in range(200):
        host_threads.each(lambda start, stop: np.add(array[start:stop], 1.0), 1 << 16, 1 << 12)
        assert sys.getrefcount(array) == alone
    assert array.sum() == 0


def test_an_error_holds_no_array_when_it_is_gone() -> None:
    array = np.zeros(1 << 10)
    alone = sys.getrefcount(array)
    gc.disable()
    try:
        for _ in range(20):
            with contextlib.suppress(ValueError):
                host_threads.each(lambda start, stop: array[start:stop].reshape(3), 1 << 10, 64)
            assert sys.getrefcount(array) == alone
    finally:
        gc.enable()


def test_helpers_warn_of_nothing() -> None:
    def divide(start: int, stop: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            # Warnings are errors here.
            np.divide(np.ones(1000), np.zeros(1000))
        time.sleep(0.01)

    host_threads.each(divide, 50, 1)


class Interrupt(BaseException):
    """What the signal's handler raises, as Python's own raises KeyboardInterrupt."""


@pytest.fixture
def interrupt_after() -> Iterator[Callable[[float], object]]:
    def raise_it(*_: object) -> None:
        raise Interrupt

    before = signal.signal(signal.SIGALRM, raise_it)
    # pytest-timeout uses the same timer.
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    signal.setitimer(signal.ITIMER_REAL, *timer)


def test_an_interrupt_leaves_no_thread_at_work(
    interrupt_after: Callable[[float], object],
) -> None:
    at_work: list[int] = []

    def work(start: int, stop: int) -> None:
        mine = threading.current_thread() is threading.main_thread()
        if mine:
            time.sleep(1e-4)
            return
        at_work.append(start)
        time.sleep(1e-3)
        at_work.remove(start)

    interrupted = 0
    for number in range(50):
        interrupt_after(1e-4 + number * 5e-5)
        try:
            for _ in range(1000):
                host_threads.each(work, 8, 1)
        except Interrupt:
            interrupted += 1
        interrupt_after(0)
        assert at_work == []
    assert interrupted == 50


def test_a_forked_child_has_threads_of_its_own() -> None:
    host_threads.each(meeting(THREADS), THREADS, 1)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            host_threads.each(meeting(THREADS), THREADS, 1)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_the_number_of_threads_is_that_of_the_setting(fresh_devices: None) -> None:
    assert host_threads.count() == THREADS
    tv.config.threading.set_intra_op_parallelism_threads(2)
    assert host_threads.count() == 2
    tv.config.threading.set_intra_op_parallelism_threads(0)
    assert host_threads.count() == THREADS


@pytest.mark.parametrize(
    ('given', 'expected'),
    [('3', 3), ('3,2', 3), ('', None), ('0', None), ('many', None), (None, None)],
)
def test_the_environment_limits_the_threads(given: str | None, expected: int | None) -> None:
    environment = {**os.environ, 'PYTHONPATH': str(source_tree.ROOT)}
    environment.pop('OMP_NUM_THREADS', None)
    if given is not None:
        environment['OMP_NUM_THREADS'] = given
    program = 'from tensorvar._backend import host_threads as t; print(t.count(), t.processors())'
    finished = subprocess.run(
        [sys.executable, '-c', program],
        check=True, capture_output=True, text=True, timeout=60, env=environment,
    )  # fmt: skip
    count, processors = map(int, finished.stdout.split())
    assert count == (expected or processors)


def test_a_process_ends_while_its_threads_wait() -> None:
    program = (
        'import threading\n'
        'from tensorvar._backend import host_threads\n'
        'host_threads._standard = lambda: 4\n'
        'barrier = threading.Barrier(4)\n'
        'host_threads.each(lambda start, stop: barrier.wait(30), 4, 1)\n'
        'print(threading.active_count())\n'
    )
    finished = subprocess.run(
        [sys.executable, '-W', 'error', '-c', program],
        check=True, capture_output=True, text=True, timeout=60,
        env={**os.environ, 'PYTHONPATH': str(source_tree.ROOT)},
    )  # fmt: skip
    assert (finished.stdout.strip(), finished.stderr) == ('4', '')
