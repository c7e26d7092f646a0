"""Tapes of the caller see a replay as they see an eager run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv


def bits(structure: Any) -> Any:
    flat = tv.nest.flatten(structure)
    return [None if part is None else tv.convert_to_tensor(part).numpy().tobytes() for part in flat]


def gradients(body: Callable[..., Any], x: Any, variables: list[Any], persistent: bool) -> Any:
    """Values and slopes of a program around ``body`` that uses its arguments twice."""
    with tv.GradientTape(persistent=persistent) as tape:
        tape.watch(x)
        before = x * 1.7
        results = body(before, x)
        loss = tv.reduce_sum(before * x)
        for part in tv.nest.flatten(results):
            loss += tv.reduce_sum(part) * 0.3
    sources = [x, *variables, before]
    return bits(results), bits(tape.gradient(loss, sources))


KINDS = (
    'straight', 'the same argument twice', 'inner tape', 'branches', 'writes', 'slices',
    'returns a variable', 'parts',
)  # fmt: skip


def make_bodies() -> tuple[dict[str, Callable[..., Any]], list[Any]]:
    w = tv.Variable([[0.5, -1.0], [2.0, 0.25]])
    table = tv.Variable([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])

    def inner_tape(y: Any, x: Any) -> Any:
        with tv.GradientTape() as tape:
            tape.watch(y)
            inner = tv.reduce_sum(tv.tanh(y @ w) ** 2.0)
        return inner, tape.gradient(inner, [y, w])

    def branches(y: Any, x: Any) -> Any:
        z = y @ w
        return z * 2.0 if z[0, 0] > 0 else tv.exp(z)

    def writes(y: Any, x: Any) -> Any:
        before = w * 1.0
        w.assign_add(tv.stop_gradient(y) * 1e-3)
        return before @ w, tv.concat([w, y], 0)

    bodies: dict[str, Callable[..., Any]] = {
        'straight': lambda y, x: (tv.nn.relu(y @ w + 1.0), x),
        'the same argument twice': lambda y, x: y * y + y - x * y,
        'inner tape': inner_tape,
        'branches': branches,
        'writes': writes,
        'slices': lambda y, x: tv.gather(table, [0, 2, 0]) * y[0],
        'returns a variable': lambda y, x: (w, y @ w),
        'parts': lambda y, x: tv.split(tv.sort(y), 2, axis=1),
    }
    return bodies, [w, table]


@pytest.mark.parametrize('persistent', [False, True])
@pytest.mark.parametrize('kind', KINDS)
def test_gradients_have_the_bits_of_an_eager_run(kind: str, persistent: bool) -> None:
    draw = np.random.default_rng(0)
    inputs = [tv.constant(draw.normal(size=(2, 2)).astype(np.float32)) for _ in range(5)]
    eager, eager_variables = make_bodies()
    bodies, variables = make_bodies()
    function = tv.function(bodies[kind])
    for x in inputs:
        wanted = gradients(eager[kind], x, eager_variables, persistent)
        assert gradients(function, x, variables, persistent) == wanted
        assert bits(variables) == bits(eager_variables)
        # Without a tape the same plan is replayed.
        other = x * 2.0
        assert bits(function(x, other)) == bits(eager[kind](x, other))
    assert function.experimental_get_tracing_count() == (2 if kind == 'branches' else 1)


def test_a_function_that_is_replayed_under_nested_tapes() -> None:
    cube = tv.function(lambda x: x * x * x)
    for value in (2.0, 3.0, 4.0):
        x = tv.constant(value)
        with tv.GradientTape() as outer:
            outer.watch(x)
            with tv.GradientTape() as inner:
                inner.watch(x)
                y = cube(x)
            slope = inner.gradient(y, x)
        assert float(slope) == 3 * value**2
        assert float(outer.gradient(slope, x)) == 6 * value
    assert cube.experimental_get_tracing_count() == 1


def test_later_calls_do_not_overwrite_what_a_tape_holds() -> None:
    v = tv.Variable([1.0, 2.0])
    function = tv.function(lambda x: tv.exp(tv.tanh(x * v) * v))
    inputs = [tv.constant([float(n), 0.5]) for n in range(4)]
    with tv.GradientTape() as tape:
        total = tv.add_n([function(x) for x in inputs])
        v.assign_add([1.0, 1.0])
        total += function(inputs[0])
    v.assign_sub([1.0, 1.0])
    with tv.GradientTape() as eager:
        wanted = tv.add_n([function.python_function(x) for x in inputs])
        v.assign_add([1.0, 1.0])
        wanted += function.python_function(inputs[0])
    assert bits(tape.gradient(total, v)) == bits(eager.gradient(wanted, v))


def test_an_error_in_a_replay_under_a_tape() -> None:
    v = tv.Variable([1.0, 2.0])

    def body(x: Any, index: Any) -> Any:
        y = x * v
        return tv.gather(y, index) * 3.0

    function = tv.function(body)
    x = tv.constant([3.0, 4.0])
    for index, wanted in ((0, 9.0), (1, 12.0), (5, None), (1, 12.0)):
        with tv.GradientTape() as tape:
            if wanted is None:
                with pytest.raises(tv.errors.InvalidArgumentError):
                    function(x, tv.constant(index))
                y = tv.reduce_sum(v)
            else:
                y = function(x, tv.constant(index))
        slope = tv.convert_to_tensor(tape.gradient(y, v)).numpy()
        assert slope.max() == (1.0 if wanted is None else wanted)


def test_watched_variables_and_explanations() -> None:
    v, w = tv.Variable(2.0, name='v'), tv.Variable(3.0, trainable=False)
    function = tv.function(lambda x: v * x + w)
    for _ in range(3):
        with tv.GradientTape(persistent=True) as tape:
            y = function(tv.constant(1.0))
        assert [each.name for each in tape.watched_variables()] == ['v:0']
        assert 'not trainable' in tape.explain(y, w)


def test_a_gradient_of_the_programs_own_runs_eagerly_under_a_tape() -> None:
    @tv.custom_gradient
    def doubled(x: Any) -> Any:
        return x * 2.0, lambda dy: dy * x * 10.0

    function = tv.function(lambda x: doubled(x) + 1.0)
    for value in (1.0, 2.0, 3.0):
        x = tv.constant(value)
        assert float(function(x)) == 2.0 * value + 1.0
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        assert float(tape.gradient(y, x)) == 10.0 * value
    assert function.experimental_get_tracing_count() == 1


def test_a_function_that_uses_a_tape_of_the_caller_is_not_replayed() -> None:
    x = tv.constant(2.0)

    @tv.function
    def slope(tape: Any, y: Any) -> Any:
        return tape.gradient(y, x)

    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        with pytest.warns(UserWarning, match='tape of the caller'):
            assert float(slope(tape, y)) == 4.0
    assert float(slope(tape, y)) == 4.0

    @tv.function
    def watched(factor: Any) -> Any:
        tapes[-1].watch(x)
        return x * factor

    tapes = []
    for number in (1.0, 2.0):
        with tv.GradientTape() as other:
            tapes.append(other)
            if number == 1.0:
                with pytest.warns(UserWarning, match='tape of the caller'):
                    y = watched(tv.constant(number))
            else:
                y = watched(tv.constant(number))
        assert float(other.gradient(y, x)) == number


def test_a_tape_that_is_paused_notes_nothing() -> None:
    function = tv.function(lambda x: x * 3.0)
    x = tv.constant(1.0)
    for _ in range(3):
        with tv.GradientTape() as tape:
            tape.watch(x)
            with tape.stop_recording():
                y = function(x)
        assert tape.gradient(y, x) is None
