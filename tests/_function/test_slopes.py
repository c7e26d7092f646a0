"""Gradients of loops and choices, on whichever devices their parts and the tape are."""

import functools
import itertools
from collections.abc import Callable
from typing import Any

import pytest

import tensorvar as tv

ROWS = [[1.0, 2.0], [3.0, -1.0], [0.5, 1.5]]

PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {
    'map_fn': lambda x, v: tv.map_fn(lambda row: row * v, x),
    'scan': lambda x, v: tv.scan(lambda a, row: a * row * v, x * v),
    'while_loop': lambda x, v: tv.while_loop(
        lambda i, y: i < 3, lambda i, y: (i + 1, y * v), (tv.constant(0), x * v)
    )[1],
    'cond': lambda x, v: tv.cond(tv.reduce_sum(x) > 0.0, lambda: x * v, lambda: x * v * v),
}


@pytest.mark.parametrize('weighted', [False, True])
@pytest.mark.parametrize('scope', ['CPU:0', 'GPU:0', 'GPU:1'])
@pytest.mark.parametrize('home', ['CPU:0', 'GPU:0'])
@pytest.mark.parametrize('name', PROGRAMS)
def test_the_gradient_under_another_device_scope(
    name: str, home: str, scope: str, weighted: bool, simulated_gpus: Any
) -> None:
    with tv.device(home):
        v = tv.Variable([1.0, 2.0])
    with tv.device('CPU:0'):
        x = tv.constant(ROWS)

    def slopes(x: Any) -> Any:
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = PROGRAMS[name](x, v)
        with tv.device('CPU:0'):
            weights = tv.ones_like(y) * 2.0 if weighted else None
        with tv.device(scope):
            return tape.gradient(y, [v, x], output_gradients=weights)

    function = tv.function(slopes)
    for value in (x, x, -x):
        for given, wanted in zip(function(value), slopes(value), strict=True):
            assert given.numpy().tolist() == wanted.numpy().tolist()
            assert given.device == wanted.device


CHOICES: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    'both branches': lambda p, x, c, v: tv.cond(p, lambda: x * c, lambda: x * c * c),
    'a variable': lambda p, x, c, v: tv.cond(p, lambda: x * v + c, lambda: c * v - x),
    'elsewhere in each branch': lambda p, x, c, v: tv.cond(
        p, lambda: x * c, lambda: x * tv.identity(c)
    ),
    'copied in one branch': lambda p, x, c, v: tv.cond(p, lambda: tv.exp(c) + c * x, lambda: x * c),
    'rows': lambda p, x, c, v: tv.cond(p, lambda: tv.gather(c, [1, 1]) * x, lambda: x * c),
    'a choice in a choice': lambda p, x, c, v: tv.cond(
        p, lambda: tv.cond(p, lambda: x * c, lambda: x + c), lambda: x * c * v
    ),
    'a choice in a loop': lambda p, x, c, v: tv.map_fn(
        lambda row: tv.cond(row > 1.5, lambda: row * c[0], lambda: row + c[1]), x
    ),
    'a scope': lambda p, x, c, v: tv.cond(p, lambda: on_second(x, c), lambda: on_second(c, x)),
    'a scan': lambda p, x, c, v: tv.scan(lambda a, row: a * row * c[1] + v[0], x, x[0]),
}


def on_second(x: Any, y: Any) -> Any:
    with tv.device('GPU:1'):
        return x * y


@pytest.mark.parametrize('mode', ['a tape inside', 'a tape around', 'a tape around both'])
@pytest.mark.parametrize('homes', list(itertools.product(('CPU:0', 'GPU:0'), repeat=3)))
@pytest.mark.parametrize('name', CHOICES)
def test_the_gradient_stays_where_an_eager_run_has_it(
    name: str, homes: tuple[str, str, str], mode: str, simulated_gpus: Any
) -> None:
    with tv.device(homes[0]):
        x = tv.constant([1.0, 2.0])
    with tv.device(homes[1]):
        c = tv.constant([3.0, 4.0])
    with tv.device(homes[2]):
        v = tv.Variable([2.0, 2.0])

    def forward(p: Any) -> Any:
        return CHOICES[name](p, x, c, v)

    def slopes(function: Callable[[Any], Any], p: Any) -> list[Any]:
        with tv.GradientTape() as tape:
            tape.watch([x, c])
            y = function(p)
        found = tape.gradient(y, [x, c, v])
        return [each if each is None else tv.convert_to_tensor(each) for each in found]

    def second(function: Callable[[Any], Any], p: Any) -> list[Any]:
        return slopes(lambda p: tv.reduce_sum(slopes(function, p)[0] * 2.0), p)

    function = tv.function(functools.partial(slopes, forward))
    if mode != 'a tape inside':
        outer = slopes if mode == 'a tape around' else second
        function = functools.partial(outer, tv.function(forward))
    eager = second if mode == 'a tape around both' else slopes
    for holds in (True, False, True):
        p = tv.constant(holds)
        for given, wanted in zip(function(p), eager(forward, p), strict=True):
            # By what the branch does not take a function has zeros, and an eager run None.
            if wanted is not None:
                assert given.device == wanted.device
                assert given.numpy().tolist() == wanted.numpy().tolist()
