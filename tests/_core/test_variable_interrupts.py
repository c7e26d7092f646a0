"""What comes between two steps of a read or a write: a signal, a move, another write."""

import random
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._core import variable
from tests.support.writes import START, WRITES, Write

WRITES_AT_MOST = 500
"""In case that the interrupt is swallowed, as destructors do."""


class Interrupt(BaseException):
    """What the signal's handler raises, as Python's own raises KeyboardInterrupt."""


@pytest.fixture
def interrupts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Arranges for ``Interrupt`` to be raised after some seconds of real time."""

    def raise_it(number: int, frame: FrameType | None) -> None:
        raise Interrupt

    # Python prints what is raised in a destructor and goes on.
    monkeypatch.setattr(sys, 'unraisablehook', lambda unraisable: None)
    before = signal.signal(signal.SIGALRM, raise_it)
    # pytest-timeout uses the same timer.
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds) and None
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    signal.setitimer(signal.ITIMER_REAL, *timer)


@pytest.mark.parametrize('way', WRITES, ids=repr)
def test_an_interrupt_never_empties_a_slot(
    fresh_devices: None, interrupts: Callable[[float], None], way: Write
) -> None:
    v = tv.Variable(START)
    moment = random.Random(7)
    interrupted = 0
    for _ in range(60):
        try:
            interrupts(moment.uniform(1e-6, 3e-4))
            for _ in range(WRITES_AT_MOST):
                way.write(v)
            interrupts(0)
        except Interrupt:
            interrupted += 1
        assert v._array is not None
        assert not v._lock._is_owned()  # type: ignore[attr-defined]
        v.assign(START)
        np.testing.assert_array_equal(v.numpy(), START)
    assert interrupted


def test_a_version_counts_every_interrupted_write(
    fresh_devices: None, interrupts: Callable[[float], None]
) -> None:
    v = tv.Variable([0.0, 0.0])
    one = tv.ones([2])
    moment = random.Random(8)
    interrupted = 0
    for _ in range(300):
        try:
            interrupts(moment.uniform(1e-6, 1e-4))
            for _ in range(WRITES_AT_MOST):
                v.assign_add(one)
            interrupts(0)
        except Interrupt:
            interrupted += 1
        # A count too many makes a copy too many; one too few would keep a stale replica.
        low, high = v.numpy()
        assert low == high <= v.version
    assert interrupted


def between_steps(function: Any, number: int, action: Callable[[], Any]) -> Any:
    """A tracer that runs ``action`` before the n-th instruction of a function."""
    seen = 0

    def trace_steps(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal seen
        if event == 'opcode':
            if seen == number:
                sys.settrace(None)
                action()
                sys.settrace(trace_calls)
            seen += 1
        return trace_steps

    def trace_calls(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code is not function.__code__:
            return None
        # Python 3.13 only counts the instructions of a frame that has its tracer already.
        frame.f_trace = trace_steps
        frame.f_trace_opcodes = True
        return trace_steps

    return trace_calls


def test_a_move_between_any_two_steps_of_a_read(simulated_gpus: list[str]) -> None:
    tracer = sys.gettrace()
    # Python 3.12 asks the frame that sets a tracer whether there are events of instructions.
    sys._getframe().f_trace_opcodes = True
    moved = 0
    for number in range(100):
        with tv.device('GPU:0'):
            v = tv.Variable(START)

        def move(v: tv.Variable = v) -> None:
            nonlocal moved
            moved += 1
            v.to_device('GPU:1')

        before = moved
        sys.settrace(between_steps(variable.Variable._located, number, move))
        try:
            array, device = v._located()
        finally:
            sys.settrace(tracer)
        assert array.device == device.short
        del array
        if moved == before:
            break
    assert moved > 5
