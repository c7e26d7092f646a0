"""Where threads wake: on a processor of the caller's, but not the one it runs on."""

import os
import sys
import threading
from collections.abc import Iterator

import pytest

from tensorvar._backend import host_threads, wake_up

if sys.platform != 'linux':
    pytest.skip('other systems do not say where a thread runs', allow_module_level=True)

MINE = os.sched_getaffinity(0)

several = pytest.mark.skipif(len(MINE) < 2, reason='there is one processor')


@pytest.fixture
def sleeper() -> Iterator[int]:
    """A thread that waits: its native identifier."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    assert thread.native_id is not None
    yield thread.native_id
    end.set()
    thread.join()


@several
def test_a_waiting_thread_is_kept_off_the_callers_processor(
    sleeper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = min(MINE)
    monkeypatch.setattr(wake_up, '_processor_here', lambda: here)
    assert wake_up.elsewhere([sleeper]) == MINE
    assert os.sched_getaffinity(sleeper) == MINE - {here}
    assert os.sched_getaffinity(0) == MINE


@several
def test_the_processor_of_the_caller_is_found() -> None:
    (here, *_) = MINE
    places: list[int] = []

    def look() -> None:
        os.sched_setaffinity(0, {here})
        assert wake_up._processor_here is not None
        places.append(wake_up._processor_here())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert places == [here]


def test_a_caller_with_one_processor_leaves_threads_as_they_are(sleeper: int) -> None:
    found: list[set[int]] = []

    def call() -> None:
        os.sched_setaffinity(0, {min(MINE)})
        found.append(wake_up.elsewhere([sleeper]))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert found == [set()]
    assert os.sched_getaffinity(sleeper) == MINE


def test_a_thread_that_runs_may_go_anywhere_again() -> None:
    width = 2
    barrier = threading.Barrier(width)
    found: list[set[int]] = []

    def meet(start: int, stop: int) -> None:
        barrier.wait(30)
        found.append(os.sched_getaffinity(0))

    for _ in range(3):
        host_threads._call_for(work := host_threads._Work(meet, width, 1), width - 1)
        try:
            work.take_part()
        finally:
            work.finish()
    assert found == [MINE] * width * 3


def test_threads_that_are_gone_do_no_harm() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    assert thread.native_id is not None
    wake_up.elsewhere([thread.native_id])
    wake_up.anywhere(set())
    assert os.sched_getaffinity(0) == MINE


@several
def test_where_it_is_forbidden_work_is_shared_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(thread: int, processors: set[int]) -> None:
        raise PermissionError

    monkeypatch.setattr(os, 'sched_setaffinity', forbid)
    monkeypatch.setattr(host_threads, '_standard', lambda: 2)
    barrier = threading.Barrier(2)
    host_threads.each(lambda start, stop: barrier.wait(30) and None, 2, 1)
    assert barrier.n_waiting == 0
