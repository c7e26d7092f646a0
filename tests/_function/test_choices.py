"""Choices that write variables, and parts with gradients that the program brings."""

from collections.abc import Callable
from typing import Any

import pytest

import tensorvar as tv

Program = Callable[[Any, Any], Any]


def test_a_choice_that_gives_nothing() -> None:
    up, down = tv.Variable(0.0), tv.Variable(0.0)

    @tv.function
    def step(x: Any) -> None:
        tv.cond(x > 0, lambda: tv.group(up.assign_add(x)), lambda: tv.group(down.assign_sub(x)))

    for value in (1.0, 2.0, -3.0, 4.0):
        step(tv.constant(value))
    assert [float(up), float(down)] == [7.0, 3.0]
    assert step.experimental_get_tracing_count() == 1


def test_what_one_branch_writes_the_other_may_read() -> None:
    v, w = tv.Variable([1.0, 2.0]), tv.Variable([3.0, 4.0])

    @tv.function
    def step(x: Any) -> Any:
        def read() -> Any:
            return v * w

        # The second branch only shows what it writes when the first one has been traced.
        first = tv.cond(x > 0, lambda: v.assign_add(w) * 1.0, read)
        return first, tv.cond(x > 0, read, lambda: w.assign_sub(v) * 1.0)

    addresses = set()
    for value, wanted in ((1.0, [[4, 6], [12, 24]]), (-1.0, [[3, 8], [2, 2]])):
        for _ in range(3):
            v.assign([1.0, 2.0])
            w.assign([3.0, 4.0])
            assert [part.numpy().tolist() for part in step(tv.constant(value))] == wanted
        addresses.add((v._array.ctypes.data, w._array.ctypes.data))
    # No plan holds a value, so the variables are written in place.
    assert len(addresses) == 1
    assert step.experimental_get_tracing_count() == 1


def custom(w: Any) -> Callable[[Any], Any]:
    """A sine whose gradient the program says, wrongly, with what a variable holds by then."""

    @tv.custom_gradient
    def sine(x: Any) -> Any:
        return tv.sin(x), lambda dy: dy * w

    return sine


OWN_RULES: dict[str, Program] = {
    'map_fn': lambda x, f: tv.map_fn(f, x),
    'cond': lambda x, f: tv.cond(x[0] > 0, lambda: f(x), lambda: x),
    'while_loop': lambda x, f: tv.while_loop(
        lambda i, y: i < 3, lambda i, y: (i + 1, f(y)), (0, x)
    )[1],
    'a loop in a loop': lambda x, f: tv.map_fn(
        lambda row: tv.foldl(lambda a, part: f(a) * part, x, row), x
    ),
}


@pytest.mark.parametrize('where', ['inside', 'outside'])
@pytest.mark.parametrize('name', OWN_RULES)
def test_gradients_that_the_program_brings(name: str, where: str) -> None:
    w = tv.Variable(1.0, trainable=False)

    def program(x: Any) -> Any:
        return OWN_RULES[name](x, custom(w))

    def slope(x: Any, body: Any = program) -> Any:
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = body(x)
        return tape.gradient(y, x)

    function = tv.function(slope if where == 'inside' else program)
    x = tv.constant([1.0, 2.0])
    function(x)
    for value in (2.0, 3.0):
        w.assign(value)
        given = function(x) if where == 'inside' else slope(x, function)
        assert given.numpy().tolist() == slope(x).numpy().tolist()


@pytest.mark.parametrize('error', [KeyError, RuntimeError, ZeroDivisionError])
def test_a_branch_that_raises_where_it_is_taken(error: type[Exception]) -> None:
    def fail() -> Any:
        raise error('taken')

    function = tv.function(lambda x: tv.cond(x > 0.0, lambda: x * 2.0, fail))
    for number in (1.0, 3.0):
        assert float(function(tv.constant(number))) == number * 2.0
    with pytest.raises(error, match='taken'):
        function(tv.constant(-1.0))
