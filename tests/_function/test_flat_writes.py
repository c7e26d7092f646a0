"""Variables that a plan changes together lie side by side, and nobody notices."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._backend import host_memory
from tensorvar._function import flat_writes
from tests.support import threads

RATE = 0.25
SHAPES = [[3, 2], [], [5], [0], [1, 17]]


def trainer(
    shapes: list[list[int]] = SHAPES, dtype: Any = None
) -> tuple[list[Any], Callable[[Any], Any]]:
    """Variables of zeros, and a function that takes a quarter of ``x * x`` from each."""
    variables = [tv.Variable(tv.zeros(shape, dtype or tv.float32)) for shape in shapes]

    @tv.function
    def train(x: Any) -> Any:
        changes = [x * x + variable * 0.0 for variable in variables]
        total = tv.reduce_sum(changes[0])
        for variable, change in zip(variables, changes, strict=True):
            variable.assign_sub(RATE * change)
        return total

    return variables, train


def lie_together(variables: list[Any]) -> bool:
    bases = [variable._array.base for variable in variables]
    return all(type(base) is flat_writes.Part for base in bases) and 1 == len(
        {id(base.flat) for base in bases}
    )


def all_are(variables: list[Any], value: float) -> bool:
    return all((variable.numpy() == value).all() for variable in variables)


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Notes how many variables were found apart, call by call."""
    found: list[int] = []
    gathered = flat_writes.SideBySide.gathered

    def noted(self: Any, arrays: Any, version: int) -> Any:
        found.append(len(arrays))
        return gathered(self, arrays, version)

    monkeypatch.setattr(flat_writes.SideBySide, 'gathered', noted)
    return found


@pytest.mark.parametrize('dtype', [tv.float32, tv.float64])
def test_one_call_changes_all(dtype: Any, moves: list[int]) -> None:
    variables, train = trainer(dtype=dtype)
    for step in range(1, 6):
        assert float(train(tv.constant(2.0, dtype))) == 24.0
        assert all_are(variables, -float(step))
    assert moves == [len(SHAPES)]
    assert lie_together(variables)
    assert [variable._array.shape for variable in variables] == [tuple(each) for each in SHAPES]
    # No array is new, and none shares a line of a cache.
    before = [variable._array.ctypes.data for variable in variables]
    train(tv.constant(2.0, dtype))
    assert [variable._array.ctypes.data for variable in variables] == before
    assert all(step % host_memory.LINE == 0 for step in np.diff(before))


def test_the_plan_says_so() -> None:
    _, train = trainer()
    train(tv.constant(1.0))
    text = train.pretty_printed_plan()
    assert 'subtract(flat, ' in text


@pytest.mark.parametrize('held', ['tensor', 'slice', 'transposed', 'numpy', 'capsule'])
def test_who_holds_a_value_keeps_it(held: str) -> None:
    variables, train = trainer()
    for _ in range(3):
        train(tv.constant(2.0))
    assert lie_together(variables)
    first = variables[0]
    holder = {
        'tensor': lambda: first.read_value(),
        'slice': lambda: first[1:],
        'transposed': lambda: tv.transpose(first),
        'numpy': lambda: np.asarray(first.read_value()),
        'capsule': lambda: np.from_dlpack(first.read_value()),
    }[held]()
    for _ in range(5):
        train(tv.constant(2.0))
    assert (np.asarray(holder) == -3.0).all()
    assert all_are(variables, -8.0)
    kept = np.asarray(holder)
    del holder
    for _ in range(5):
        train(tv.constant(2.0))
    assert (kept == -3.0).all()
    assert all_are(variables, -13.0)


def test_holding_on_costs_ever_fewer_moves(moves: list[int]) -> None:
    variables, train = trainer()
    x = tv.constant(2.0)
    train(x)
    addresses = []
    kept = []
    for _ in range(100):
        kept = [variable.read_value() for variable in variables]
        train(x)
        addresses.append(variables[0]._array.base)
    assert len(moves) == 100
    together = [base for base in addresses if type(base) is flat_writes.Part]
    assert 1 < len(together) < 10
    assert all_are(kept, -100.0)
    assert all_are(variables, -101.0)


def test_holding_now_and_then_costs_a_call_each(moves: list[int]) -> None:
    variables, train = trainer()
    x = tv.constant(2.0)
    for step in range(200):
        held = variables[1].read_value() if step % 20 == 19 else None
        train(x)
        del held
    # The first, and one for each that was held.
    assert len(moves) == 11
    assert lie_together(variables)
    assert all_are(variables, -200.0)


def test_other_writes_in_between(moves: list[int]) -> None:
    variables, train = trainer([[4], [4], [4]])
    x = tv.constant(2.0)
    one, two, three = variables
    for _ in range(3):
        train(x)
    one.assign([1.0, 2.0, 3.0, 4.0])
    two.assign_add([8.0, 8.0, 8.0, 8.0])
    three[1:].assign([0.0, 0.0, 0.0])
    train(x)
    assert one.numpy().tolist() == [0.0, 1.0, 2.0, 3.0]
    assert two.numpy().tolist() == [4.0] * 4
    assert three.numpy().tolist() == [-4.0, -1.0, -1.0, -1.0]


def test_arrays_that_change_places() -> None:
    variables, train = trainer([[4], [4]])
    x = tv.constant(2.0)
    one, two = variables
    one.assign([10.0] * 4)
    for _ in range(3):
        train(x)
    assert lie_together(variables)
    # Where the first lay now lies the second.
    before = one.read_value()
    one.assign(two)
    two.assign(before)
    del before
    for _ in range(9):
        train(x)
    assert one.numpy().tolist() == [-12.0] * 4
    assert two.numpy().tolist() == [-2.0] * 4


def test_functions_that_share_variables() -> None:
    variables = [tv.Variable(tv.zeros([3])) for _ in range(4)]

    def over(chosen: list[Any]) -> Any:
        def train(x: Any) -> None:
            changes = [x + variable * 0.0 for variable in chosen]
            for variable, change in zip(chosen, changes, strict=True):
                variable.assign_add(2.0 * change)

        return tv.function(train)

    functions = [over(variables), over(variables[:2]), over(variables[1:]), over(variables[::-1])]
    for _ in range(20):
        for function in functions:
            function(tv.constant(1.0))
    assert [float(variable[0]) for variable in variables] == [120.0, 160.0, 120.0, 120.0]


def test_plans_of_the_same_variables_share_the_memory(moves: list[int]) -> None:
    variables = [tv.Variable(tv.zeros([3])) for _ in range(4)]

    @tv.function
    def train(x: Any) -> None:
        changes = [tv.reduce_sum(x) + variable * 0.0 for variable in variables]
        for variable, change in zip(variables, changes, strict=True):
            variable.assign_sub(RATE * change)

    for _ in range(10):
        for size in (3, 2):
            train(tv.ones([size]))
    # The first goes together, and the second finds that they have.
    assert len(moves) == 2
    assert lie_together(variables)
    assert all_are(variables, -12.5)


def test_a_write_before_does_not_count_as_somebody(moves: list[int]) -> None:
    variables = [tv.Variable(tv.ones([3])) for _ in range(2)]

    @tv.function
    def train(x: Any) -> None:
        changes = [x + variable * 0.0 for variable in variables]
        for variable in variables:
            variable.assign(variable * 0.5)
        for variable, change in zip(variables, changes, strict=True):
            variable.assign_sub(RATE * change)

    for _ in range(5):
        train(tv.ones([3]))
    assert len(moves) == 1
    assert all_are(variables, -0.453125)


def test_replicas_hear_of_it(simulated_gpus: Any) -> None:
    with tv.device('CPU:0'):
        variables, train = trainer()
        for step in range(1, 5):
            train(tv.constant(2.0))
            with tv.device('GPU:0'):
                assert all((variable + 0.0).numpy().sum() == -step * variable.numpy().size
                           for variable in variables)  # fmt: skip


def test_threads_add_up() -> None:
    variables, train = trainer()
    x = tv.constant(2.0)
    train(x)

    def work() -> None:
        for number in range(200):
            kept = variables[number % 3].read_value() if number % 7 == 0 else None
            before = None if kept is None else kept.numpy().copy()
            train(x)
            assert kept is None or (kept.numpy() == before).all()

    threads.several(work, 4)
    assert all_are(variables, -801.0)


def test_without_memory_they_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    variables, train = trainer()
    x = tv.constant(2.0)

    def full(*args: Any) -> Any:
        raise MemoryError

    for _ in range(3):
        train(x)
    with monkeypatch.context() as patched:
        patched.setattr(host_memory, 'aligned', full)
        held = variables[0].read_value()
        for _ in range(8):
            train(x)
        assert (held.numpy() == -3.0).all()
        assert not lie_together(variables)
    for _ in range(8):
        train(x)
    assert lie_together(variables)
    assert all_are(variables, -19.0)


def _twice(one: Any, two: Any, x: Any) -> None:
    first, second = tv.exp(x), tv.sin(x)
    one.assign_sub(RATE * first)
    one.assign_sub(RATE * second)


def _two_ways(one: Any, two: Any, x: Any) -> None:
    first, second = tv.exp(x), tv.sin(x)
    one.assign_sub(RATE * first)
    two.assign_add(RATE * second)


def _read_between(one: Any, two: Any, x: Any) -> Any:
    first, second = tv.exp(x), tv.sin(x)
    one.assign_sub(RATE * first)
    seen = one + two
    two.assign_sub(RATE * second)
    return seen


def _another_order(one: Any, two: Any, x: Any) -> None:
    first, second = RATE * tv.exp(x), RATE * tv.sin(x)
    two.assign_sub(second)
    one.assign_sub(first)


def _only_one(one: Any, two: Any, x: Any) -> Any:
    first, second = RATE * tv.exp(x), RATE * tv.sin(x)
    one.assign_sub(first)
    return tv.reduce_sum(second)


@pytest.mark.parametrize('body', [_twice, _two_ways, _read_between, _another_order, _only_one])
def test_what_is_not_done_together(body: Any) -> None:
    pairs = [[tv.Variable([1.0, 2.0]), tv.Variable([3.0, 4.0])] for _ in range(2)]
    function = tv.function(body)
    for step in range(4):
        x = tv.constant([0.5 * step, 1.0])
        expected, given = body(*pairs[0], x), function(*pairs[1], x)
        if expected is not None:
            assert given.numpy().tobytes() == expected.numpy().tobytes()
        for eager, planned in zip(*pairs, strict=True):
            assert planned.numpy().tobytes() == eager.numpy().tobytes()
    assert 'subtract(flat' not in function.pretty_printed_plan()
