"""What a plan keeps for a re-run: no table whose rows it goes on to change."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv

ROWS, WIDTH = 50, 8
IDS = [3, 49, 3, 0]


def table(rows: int = ROWS) -> tv.Variable:
    return tv.Variable(np.random.default_rng(rows).normal(size=(rows, WIDTH)).astype(np.float32))


def address(variable: tv.Variable) -> int:
    return int(variable._array.ctypes.data)


def run(body: Callable[..., Any], *variables: tv.Variable, ids: Any) -> list[bool]:
    """Runs a step as a function beside an eager one; says what is written in place."""
    copies = [tv.Variable(variable.numpy()) for variable in variables]
    function = tv.function(lambda ids: body(*variables, ids))
    given = tv.constant(ids, tv.int32)
    for _ in range(3):
        before = [address(variable) for variable in variables]
        result, expected = function(given), body(*copies, given)
        assert result.numpy().tobytes() == expected.numpy().tobytes()
        for variable, copy in zip(variables, copies, strict=True):
            assert variable.numpy().tobytes() == copy.numpy().tobytes()
    return [address(v) == place for v, place in zip(variables, before, strict=True)]


def step(v: tv.Variable, ids: Any) -> Any:
    with tv.GradientTape() as tape:
        loss = tv.reduce_sum(tv.nn.embedding_lookup(v, ids) ** 2)
    gradient = tape.gradient(loss, v)
    v.scatter_sub(tv.IndexedSlices(0.1 * gradient.values, gradient.indices))
    return loss


@pytest.mark.parametrize('ids', [IDS, [IDS, IDS]], ids=['row', 'matrix'])
def test_the_step_of_an_embedding_is_in_place(ids: Any) -> None:
    assert run(step, table(), ids=ids) == [True]


def test_two_tables() -> None:
    def both(first: tv.Variable, second: tv.Variable, ids: Any) -> Any:
        with tv.GradientTape() as tape:
            loss = tv.reduce_sum(tv.gather(first, ids) * tv.gather(second, ids))
        for v, gradient in zip((first, second), tape.gradient(loss, (first, second)), strict=True):
            v.scatter_sub(gradient)
        return loss

    assert run(both, table(), table(70), ids=IDS) == [True, True]


def test_rows_gathered_twice() -> None:
    def twice(v: tv.Variable, ids: Any) -> Any:
        with tv.GradientTape() as tape:
            loss = tv.reduce_sum(tv.gather(v, ids) * tv.gather(v, ids // 2))
        v.scatter_add(tape.gradient(loss, v))
        return loss

    assert run(twice, table(), ids=IDS) == [True]


def test_a_dense_gradient() -> None:
    def dense(v: tv.Variable, ids: Any) -> Any:
        with tv.GradientTape() as tape:
            loss = tv.reduce_sum(tv.gather(v, ids))
        v.assign_sub(tv.convert_to_tensor(tape.gradient(loss, v)))
        return loss

    assert run(dense, table(), ids=IDS) == [True]


@pytest.mark.parametrize('indices', ['CPU:0', 'GPU:0'])
def test_the_step_of_an_embedding_is_in_place_on_a_gpu(simulated_gpus: Any, indices: str) -> None:
    with tv.device('GPU:0'):
        v = table()
        function = tv.function(lambda ids: step(v, ids))
    with tv.device(indices):
        ids = tv.constant(IDS)
    places = []
    for _ in range(4):
        function(ids)
        places.append(id(v._array))
    assert len(set(places[1:])) == 1


def updates(count: int) -> tuple[list[tv.Variable], Callable[[Any], Any]]:
    """Variables of 4 KiB, and a function that changes one after the other."""
    variables = [tv.Variable(tv.zeros([1024])) for _ in range(count)]

    def body(x: Any) -> Any:
        with tv.GradientTape() as tape:
            y = x
            for v in variables:
                y = tv.tanh(y * 0.5 + v)
            loss = tv.reduce_sum(y)
        for v, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            v.assign_sub(0.1 * gradient)
        return loss

    return variables, body


def test_a_gpu_needs_no_more_memory_for_a_plan_than_for_an_eager_run(simulated_gpus: Any) -> None:
    with tv.device('GPU:0'):
        variables, body = updates(10)
        x = tv.ones([1024])
        peaks = []
        function = tv.function(body)
        function(x)
        for run_once in (body, function):
            places = [id(v._array) for v in variables]
            tv.config.reset_memory_stats('GPU:0')
            run_once(x)
            peaks.append(tv.config.get_memory_info('GPU:0')['peak'])
            assert [id(v._array) for v in variables] == places
    assert peaks[1] <= peaks[0]


def fill(keep: int) -> Any:
    """Takes the memory of ``GPU:0`` but for some bytes."""
    info = tv.config.get_memory_info('GPU:0')
    return tv.zeros([(LIMIT - info['current'] - keep) // 4])


LIMIT = 1 << 20


def test_want_of_memory_before_anything_has_changed(simulated_gpus: Any) -> None:
    tv.config.set_memory_limit('GPU:0', LIMIT)

    def body(x: Any) -> Any:
        try:
            return tv.reduce_sum(tv.exp(x) + tv.exp(x * 2.0))
        except tv.errors.ResourceExhaustedError:
            return tv.constant(-1.0)

    with tv.device('GPU:0'):
        x = tv.zeros([1024])
        function = tv.function(body)
        assert [float(function(x)) for _ in range(3)] == [2048.0] * 3
        ballast = fill(6000)
        assert float(function(x)) == -1.0
        del ballast
        assert float(function(x)) == 2048.0


def test_want_of_memory_once_a_variable_has_changed(simulated_gpus: Any) -> None:
    tv.config.set_memory_limit('GPU:0', LIMIT)
    with tv.device('GPU:0'):
        x, v = tv.ones([1024]), tv.Variable(tv.zeros([1024]))

        @tv.function
        def function(x: Any) -> Any:
            v.assign_add(x)
            return tv.reduce_sum(tv.exp(x) + tv.exp(x * 2.0))

        for _ in range(3):
            function(x)
        ballast = fill(6000)
        with pytest.raises(tv.errors.ResourceExhaustedError):
            function(x)
        del ballast
        # As in an eager run.
        assert v.numpy().tolist() == [4.0] * 1024
        function(x)
        assert v.numpy().tolist() == [5.0] * 1024


@pytest.mark.parametrize('writes_before', [False, True])
def test_values_are_kept_for_a_failure_once_something_has_changed(writes_before: bool) -> None:
    v, table = tv.Variable(0.0), tv.constant([1.0, 2.0, 3.0])
    ran = []

    def body(x: Any, i: Any) -> Any:
        y = tv.exp(x)
        if writes_before:
            v.assign_add(y)
        ran.append(1)
        try:
            z = tv.gather(table, i)
        except tv.errors.InvalidArgumentError:
            z = tv.constant(-1.0)
        v.assign_add(1.0)
        return y + z

    function = tv.function(body)
    for number, i in enumerate((0, 1, 7, 2)):
        given, before = tv.constant(float(number)), float(v)
        result = function(given, tv.constant(i))
        change = float(v) - before
        v.assign(before)
        assert float(result) == float(body(given, tv.constant(i)))
        assert change == float(v) - before
    # The trace, the failure, and what an eager run did each time.
    assert len(ran) == 6
    text = function.pretty_printed_plan()
    assert (text.index('s.clear()') < text.index('Exp')) is not writes_before


@pytest.mark.parametrize('rows', [[1, 2, -1, 0], [0, 50, 1, 1]], ids=str)
def test_an_index_out_of_range_changes_nothing(rows: list[int]) -> None:
    v = table()
    function = tv.function(lambda ids: step(v, ids))
    for _ in range(3):
        function(tv.constant(IDS))
    before, version = v.numpy(), v.version
    bad = next(row for row in rows if not 0 <= row < ROWS)
    with pytest.raises(tv.errors.InvalidArgumentError, match=rf'^\[GatherV2\].*= {bad} is not in'):
        function(tv.constant(rows))
    assert v.numpy().tobytes() == before.tobytes()
    assert v.version == version
    function(tv.constant(IDS))


@pytest.mark.parametrize('gathered', ['larger', 'other', 'columns'])
def test_rows_that_no_gather_has_checked_are_refused(gathered: str) -> None:
    small, large = table(), table(70)

    def body(ids: Any) -> Any:
        if gathered == 'larger':
            read = tv.gather(large, ids)
        elif gathered == 'other':
            read = tv.gather(small, ids // 2)
        else:
            read = tv.transpose(tv.gather(tv.reshape(small, [WIDTH, ROWS]), ids // 2, axis=1))
        total = tv.reduce_sum(read) + tv.reduce_sum(small)
        small.scatter_add(tv.IndexedSlices(tv.ones([4, WIDTH]), ids))
        return total

    function = tv.function(body)
    for _ in range(3):
        function(tv.constant(IDS))
    before, version = small.numpy(), small.version
    text = r'^\[ResourceScatterAdd\] indices\[2\] = 60 is not in \[0, 50\)'
    with pytest.raises(tv.errors.InvalidArgumentError, match=text):
        function(tv.constant([1, 2, 60, 3]))
    assert small.numpy().tobytes() == before.tobytes()
    assert small.version == version


def test_checks_that_a_card_waits_for(simulated_gpus: Any) -> None:
    def body(v: Any, x: Any) -> Any:
        v.assign_add(tv.ones([2]))
        try:
            # Nobody takes the result; the check counts all the same.
            tv.debugging.check_numerics(x, 'bad')
        except tv.errors.InvalidArgumentError:
            return v * 10.0
        return v + x

    with tv.device('GPU:0'):
        eager, planned = tv.Variable([0.0, 0.0]), tv.Variable([0.0, 0.0])
        function = tv.function(lambda x: body(planned, x))
        for number in (1.0, 2.0, 3.0, float('nan'), 4.0):
            x = tv.constant([1.0, number])
            assert function(x).numpy().tolist() == body(eager, x).numpy().tolist()
        assert planned.version == eager.version


def test_powers_of_integers_may_be_refused() -> None:
    def body(v: Any, x: Any) -> Any:
        v.assign_add(x)
        try:
            return tv.pow(v, x)
        except tv.errors.InvalidArgumentError:
            return v * 1

    eager, planned = tv.Variable([1, 2]), tv.Variable([1, 2])
    function = tv.function(lambda x: body(planned, x))
    for number in (1, 2, 1, -1, 2):
        x = tv.constant([1, number])
        assert function(x).numpy().tolist() == body(eager, x).numpy().tolist()
    assert planned.version == eager.version
