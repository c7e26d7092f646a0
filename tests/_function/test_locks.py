"""Plans that write many variables hold all of their locks, and give all of them back."""

import itertools
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import tensorvar as tv
from tensorvar._function import locks
from tests.support import threads

COUNTS = [1, locks.MOST_NESTED, locks.MOST_NESTED + 1, 100]


def adder(count: int) -> tuple[list[Any], Callable[[Any], Any]]:
    variables = [tv.Variable(tv.zeros([2])) for _ in range(count)]

    @tv.function
    def add(x: Any) -> Any:
        for variable in variables:
            variable.assign_add(x)
        return x * 2.0

    return variables, add


def all_are_free(variables: list[Any]) -> bool:
    """Whether another thread can take each lock."""
    free: list[bool] = []

    def look() -> None:
        for variable in variables:
            free.append(variable._lock.acquire(blocking=False))
            if free[-1]:
                variable._lock.release()

    other = threading.Thread(target=look)
    other.start()
    other.join()
    return all(free) and len(free) == len(variables)


@pytest.mark.parametrize('count', COUNTS)
def test_threads_add_up(count: int) -> None:
    variables, add = adder(count)
    x = tv.ones([2])
    add(x)
    threads.several(lambda: [add(x) for _ in range(50)], 4)
    assert {tuple(variable.numpy()) for variable in variables} == {(201.0, 201.0)}
    assert all_are_free(variables)


@pytest.mark.parametrize('branches', [False, True])
@pytest.mark.parametrize('count', COUNTS)
def test_an_error_gives_every_lock_back(count: int, branches: bool) -> None:
    variables = [tv.Variable(tv.ones([2])) for _ in range(count)]

    @tv.function
    def divide(x: Any, by: Any) -> Any:
        quotient = x // by
        if branches and quotient[0] > 100:
            return quotient
        for variable in variables:
            variable.assign_add(tv.cast(quotient, tv.float32))
        return quotient

    x = tv.constant([4, 6])
    for _ in range(2):
        divide(x, tv.constant(2))
    with pytest.raises(tv.errors.InvalidArgumentError):
        divide(x, tv.constant(0))
    assert all_are_free(variables)
    assert variables[-1].numpy().tolist() == [5.0, 7.0]


class Interrupt(Exception):
    """What the alarm raises."""


@pytest.mark.skipif(not hasattr(signal, 'setitimer'), reason='there are no alarms here')
@pytest.mark.parametrize('count', COUNTS)
def test_an_interrupt_while_it_waits_gives_back_what_was_taken(count: int) -> None:
    variables, add = adder(count)
    x = tv.ones([2])
    for _ in range(2):
        add(x)
    last = max(variables, key=id)
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with last._lock:
            is_held.set()
            may_end.wait()

    def interrupt(*_: Any) -> None:
        raise Interrupt

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait()
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Interrupt):
            add(x)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        may_end.set()
        holder.join()
    assert all_are_free(variables)
    assert {tuple(variable.numpy()) for variable in variables} == {(2.0, 2.0)}
    add(x)
    assert last.numpy().tolist() == [3.0, 3.0]


@pytest.mark.parametrize('loops', [False, True])
@pytest.mark.parametrize('count', [1, locks.MOST_NESTED + 1])
def test_an_interrupt_after_any_call_gives_every_lock_back(count: int, loops: bool) -> None:
    variables = [tv.Variable(tv.zeros([2])) for _ in range(count)]
    x = tv.ones([2])

    def step(number: Any) -> Any:
        for variable in variables:
            variable.assign_add(x)
        return (number + 1,)

    @tv.function
    def add() -> Any:
        return tv.while_loop(lambda number: number < 1, step, [0]) if loops else step(0)

    for _ in range(2):
        add()
    for number in itertools.count():
        left = iter(range(number))

        def interrupt(frame: Any, event: str, _: Any, left: Any = left) -> None:
            # Python handles signals after calls such as these.
            if event == 'c_return' and next(left, None) is None:
                sys.setprofile(None)
                raise KeyboardInterrupt

        sys.setprofile(interrupt)
        try:
            add()
            break
        except KeyboardInterrupt:
            assert all_are_free(variables)
        finally:
            sys.setprofile(None)
    before = [variable.numpy() for variable in variables]
    add()
    for variable, value in zip(variables, before, strict=True):
        assert (variable.numpy() == value + 1.0).all()
