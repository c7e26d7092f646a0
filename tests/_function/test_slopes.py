"""Gradients of loops and choices, on whichever devices their parts and the tape are."""

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
