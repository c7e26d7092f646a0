"""What a program keeps does not grow with how long it runs; no test asserts a time."""

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

import tensorvar as tv
from benchmarks import bounds

SHORT, LONG = 3, 100


@pytest.mark.parametrize('name', bounds.COUNTS)
def test_counts_are_one(name: str, simulated_gpus: list[str]) -> None:
    assert [bounds.COUNTS[name](times) for times in (SHORT, LONG)] == [1, 1]


def test_the_table_counts_each(simulated_gpus: list[str]) -> None:
    counted = bounds.count((SHORT,))
    assert counted == {name: {str(SHORT): 1} for name in bounds.COUNTS}


def test_a_variable_has_one_replica_per_device(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        variable = tv.Variable(tv.zeros([4]))
    for _ in range(LONG):
        variable.assign_add(tv.ones([4]))
        for device in simulated_gpus:
            with tv.device(device):
                tv.reduce_sum(variable)
    assert len(variable._replicas) == len(simulated_gpus)


def entries_of_a_tape(length: int) -> int:
    variable = tv.Variable(1.0)
    with tv.GradientTape() as tape:
        y = variable * 1.0
        for _ in range(length - 1):
            y = y * variable
        kept = len(tape._entries)
    tape.gradient(y, variable)
    assert not tape._entries, 'a tape that was used keeps nothing'
    return kept


def test_a_tape_keeps_as_many_entries_per_op(fresh_devices: None) -> None:
    ten, hundred, thousand = map(entries_of_a_tape, (10, 100, 1_000))
    assert (thousand - hundred) == 10 * (hundred - ten)


def chain_of(length: int) -> Callable[[tv.Tensor], tv.Tensor]:
    def chain(x: tv.Tensor) -> tv.Tensor:
        y = x
        for _ in range(length):
            y = y + x
        return y

    return chain


def test_a_plan_of_a_chain_has_as_many_buffers_for_any_length(fresh_devices: None) -> None:
    buffers = []
    for length in (10, 100):
        function = tv.function(chain_of(length))
        for _ in range(3):
            function(tv.ones([4]))
        buffers.append(len(set(re.findall(r'\bb\d+\b', function.pretty_printed_plan()))))
    assert buffers[0] == buffers[1]
    assert buffers[0] <= 2


def python_calls(work: Callable[[], Any]) -> int:
    """How many functions run, of Python and of C."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ('call', 'c_call')

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def first_call(length: int) -> Callable[[], Any]:
    function, x = tv.function(chain_of(length)), tv.ones([4])
    return lambda: function(x)


def walk(length: int) -> Callable[[], Any]:
    """The gradient of a chain that was walked twice before, when a plan is made of it."""
    variable = tv.Variable(1.0)

    def gradient() -> Any:
        with tv.GradientTape() as tape:
            y = variable / 2.0
            for _ in range(length - 1):
                y = y * variable
        return tape.gradient(y, variable)

    gradient()
    gradient()
    return gradient


@pytest.mark.parametrize('work', [first_call, walk])
def test_a_plan_takes_as_much_to_make_per_op(
    work: Callable[[int], Callable[[], Any]], fresh_devices: None
) -> None:
    python_calls(work(20))  # what is made once for all
    short, long = (python_calls(work(length)) for length in (100, 1_000))
    assert long < 12 * short
