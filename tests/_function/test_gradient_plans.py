"""A walk that is replayed gives what the walk gives, and nobody can tell them apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._core import dispatch
from tensorvar._function import gradient_plans
from tests import test_registry_gradients
from tests.support import threads

CALLS = 6
ENOUGH = gradient_plans._WALKS_BEFORE_A_PLAN + 1


@pytest.fixture(autouse=True)
def no_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_plans, '_plans', {})
    monkeypatch.setattr(gradient_plans, '_seen', {})
    monkeypatch.setattr(gradient_plans, '_by_size', {})


def plans() -> list[Any]:
    return [kept for kept in gradient_plans._plans.values() if kept is not None]


def walked(function: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a function gives while nothing is replayed."""
    with monkeypatch.context() as patch:
        patch.setattr(dispatch, 'replay_gradients', lambda *arguments: None)
        return function()


def bits(gradients: Any) -> list[Any]:
    dense = [tv.convert_to_tensor(g) if g is not None else None for g in gradients]
    return [g if g is None else (g.shape, g.dtype, g.numpy().tobytes()) for g in dense]


DRAW = np.random.default_rng(3)


def draw(*shape: int) -> Any:
    return tv.constant(DRAW.normal(size=shape).astype(np.float32))


def mlp(x: Any, w: Any, b: Any) -> Any:
    return tv.reduce_mean(tv.nn.relu(x @ w + b) ** 2.0)


def rows_of_a_table(table: Any, other: Any) -> Any:
    return tv.reduce_sum(tv.gather(table, [0, 2, 2]) * other[:3])


def one_source_unused(x: Any, y: Any) -> Any:
    return tv.reduce_sum(tv.exp(x))


def integers_between(x: Any, y: Any) -> Any:
    return tv.reduce_sum(x * tv.cast(tv.argsort(y), tv.float32))


def targets_of_several(x: Any, y: Any) -> Any:
    return [x * y, {'a': tv.sin(x)}, x + x]


def no_op_at_all(x: Any, y: Any) -> Any:
    return x


PROGRAMS = [
    (mlp, ((5, 4), (4, 3), (3,))),
    (rows_of_a_table, ((4, 3), (4, 3))),
    (one_source_unused, ((3,), (2,))),
    (integers_between, ((4,), (4,))),
    (targets_of_several, ((3,), (3,))),
    (no_op_at_all, ((3,), (3,))),
]


@pytest.mark.parametrize('kind', ['tensors', 'variables'])
@pytest.mark.parametrize(('program', 'shapes'), PROGRAMS)
def test_replayed_gradients_have_the_bits_of_walked_ones(
    program: Any, shapes: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gradients(values: list[Any]) -> Any:
        with tv.GradientTape() as tape:
            if kind == 'tensors':
                tape.watch(values)
            target = program(*values)
        return tape.gradient(target, [*values, values[0]])

    for _ in range(CALLS):
        values = [draw(*shape) for shape in shapes]
        if kind == 'variables':
            values = [tv.Variable(value) for value in values]
        wanted = walked(lambda given=values: gradients(given), monkeypatch)
        assert bits(gradients(values)) == bits(wanted)
    assert len(plans()) == (program is not no_op_at_all)


@pytest.mark.parametrize('name', test_registry_gradients.ROWS)
def test_every_differentiable_op(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function, arrays = test_registry_gradients.bound(name, ())

    def gradients() -> Any:
        inputs = [tv.constant(array) for array in arrays]
        with tv.GradientTape() as tape:
            tape.watch(inputs)
            results = function(*inputs)
        return tape.gradient(results, inputs)

    wanted = bits(walked(gradients, monkeypatch))
    for _ in range(ENOUGH + 1):
        assert bits(gradients()) == wanted


def test_attributes_that_compare_equal_are_told_apart() -> None:
    x = tv.constant([[-1.0, 2.0], [3.0, -4.0]])
    found = []
    for axis in [0, 1] * CALLS:
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = tv.cumsum(x, axis=axis) * tv.constant([[1.0, 2.0], [3.0, 4.0]])
        found.append(tape.gradient(y, x).numpy().tolist())
    assert found == [[[4.0, 6.0], [3.0, 4.0]], [[3.0, 2.0], [7.0, 4.0]]] * CALLS


def test_what_is_watched_is_part_of_the_kind() -> None:
    still, moving = tv.Variable(2.0, trainable=False), tv.Variable(2.0)

    def slope(variable: Any, watch: bool, **options: Any) -> Any:
        with tv.GradientTape(**options) as tape:
            if watch:
                tape.watch(variable)
            y = variable * variable
        gradient = tape.gradient(y, variable)
        return None if gradient is None else float(gradient)

    for _ in range(CALLS):
        assert slope(still, watch=False) is None
        assert slope(still, watch=True) == 4.0
        assert slope(moving, watch=False) == 4.0
        assert slope(moving, watch=False, watch_accessed_variables=False) is None


def test_a_gradient_of_the_program_runs_each_time() -> None:
    seen = []

    @tv.custom_gradient
    def doubled(x: Any) -> Any:
        def slope(gradient: Any) -> Any:
            seen.append(float(gradient))
            return gradient * 2.0

        return x * 2.0, slope

    for number in range(CALLS):
        x = tv.constant(float(number))
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = doubled(x) * 3.0
        assert float(tape.gradient(y, x)) == 6.0
    assert seen == [3.0] * CALLS
    assert not gradient_plans._plans
    assert not gradient_plans._seen


def test_recorders_guards_and_outer_tapes_see_a_walk() -> None:
    x = tv.Variable([1.0, 2.0])

    def slope() -> Any:
        with tv.GradientTape() as tape:
            y = x * x * x
        return tape.gradient(y, x)

    for _ in range(CALLS):
        slope()
    assert len(plans()) == 1
    with tv.debugging.record_placement() as log:
        slope()
    assert sum(record.op == 'Mul' for record in log.records) > 2
    with tv.GradientTape() as outer:
        first = slope()
    assert outer.gradient(first, x).numpy().tolist() == [6.0, 12.0]


def test_a_persistent_tape_is_asked_often() -> None:
    x = tv.Variable([1.0, 2.0])
    with tv.GradientTape(persistent=True) as tape:
        y = x * x
        z = y * x
    for _ in range(CALLS):
        assert tape.gradient(y, x).numpy().tolist() == [2.0, 4.0]
        assert tape.gradient(z, x).numpy().tolist() == [3.0, 12.0]
    assert len(plans()) == 2


def test_writes_and_looks_between_the_ops() -> None:
    x, counter = tv.Variable([1.0, 2.0]), tv.Variable(0.0)
    for number in range(CALLS * 2):
        with tv.GradientTape() as tape:
            y = x * x
            for _ in range(number % 3):
                counter.assign_add(1.0)
                y.numpy()
            z = y * x
        assert tape.gradient(z, x).numpy().tolist() == [3.0, 12.0]


def test_results_are_never_overwritten() -> None:
    found = []
    for number in range(CALLS * 2):
        x = tv.constant([float(number), 1.0])
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = tv.reduce_sum(tv.exp(x) * x)
        found.append((number, tape.gradient(y, x)))
    for number, gradient in found:
        x = np.array([number, 1.0], np.float32)
        np.testing.assert_allclose(gradient.numpy(), np.exp(x) * (x + 1), rtol=1e-6)


def test_a_variable_is_still_written_in_place() -> None:
    v = tv.Variable(np.ones(8, np.float32))
    address = v._array.ctypes.data
    for _ in range(CALLS):
        with tv.GradientTape() as tape:
            y = tv.reduce_sum(v * v)
        gradient = tape.gradient(y, v)
        del y, tape
        v.assign_sub(0.1 * gradient)
        assert v._array.ctypes.data == address
    np.testing.assert_allclose(v.numpy(), 0.8**CALLS, rtol=1e-5)


def test_large_arrays_and_other_devices_have_no_plan(simulated_gpus: Any) -> None:
    large = tv.zeros([gradient_plans._MOST_BYTES], tv.float32)
    with tv.device('GPU:0'):
        far = tv.ones([2])
    for value in (large, far):
        for _ in range(CALLS):
            with tv.GradientTape() as tape:
                tape.watch(value)
                y = value * value
            tape.gradient(y, value)
    assert not plans()


def test_long_walks_have_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_plans, '_MOST_ENTRIES', 4)
    x = tv.ones([2])
    for _ in range(CALLS):
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(4):
                y = y * 2.0
        assert tape.gradient(y, x).numpy().tolist() == [16.0, 16.0]
    assert not gradient_plans._plans


def test_there_is_an_end_to_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_plans, '_MOST_PLANS', 3)
    monkeypatch.setattr(gradient_plans, '_MOST_SEEN', 4)
    for size in range(1, 12):
        x = tv.ones([size])
        for _ in range(1 if size % 2 else CALLS):
            with tv.GradientTape() as tape:
                tape.watch(x)
                y = x * x
            assert tape.gradient(y, x).numpy().tolist() == [2.0] * size
        assert len(gradient_plans._plans) <= 3
        assert len(gradient_plans._seen) <= 4


def test_an_op_that_fails_in_a_replay_words_its_error() -> None:
    def slope(matrix: Any) -> Any:
        with tv.GradientTape() as tape:
            tape.watch(matrix)
            y = tv.linalg.det(matrix)
        return tape.gradient(y, matrix)

    good, singular = tv.eye(2), tv.zeros([2, 2])
    for _ in range(CALLS):
        slope(good)
    with pytest.raises(tv.errors.InvalidArgumentError, match='not invertible'):
        slope(singular)
    assert np.array_equal(slope(good).numpy(), np.eye(2))


def test_threads_share_a_plan() -> None:
    wrong: list[float] = []

    def work(number: float) -> None:
        for _ in range(200):
            x = tv.constant([number] * 50)
            with tv.GradientTape() as tape:
                tape.watch(x)
                y = tv.reduce_sum(tv.square(x) * x)
            gradient = tape.gradient(y, x).numpy()
            if not np.allclose(gradient, 3 * number**2):
                wrong.append(number)

    threads.each(work, [float(n) for n in range(1, 5)])
    assert not wrong
    assert len(plans()) == 1
