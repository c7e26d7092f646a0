"""A replay keeps the order in memory that an eager run has, on which the last bits depend."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._function import layout

SIDE = 33


def matrix(seed: int = 0) -> Any:
    draw = np.random.default_rng(seed)
    return tv.constant(draw.normal(size=(SIDE, SIDE)).astype(np.float32))


ORDERS: dict[str, Callable[[Any], Any]] = {
    'as it is': lambda x: x,
    'transposed': tv.transpose,
    'made of a transposed one': lambda x: tv.tanh(tv.transpose(x)),
    'backwards': lambda x: x[:, ::-1],
    'one row': lambda x: tv.broadcast_to(x[0], x.shape),
    'one column': lambda x: tv.broadcast_to(x[:, :1], x.shape),
}


def sums(x: Any) -> Any:
    y = tv.transpose(tv.tanh(tv.transpose(x)) * 1.5)
    y = y * y + x
    labels = tv.zeros([SIDE], tv.int32)
    losses = tv.nn.sparse_softmax_cross_entropy_with_logits(labels, y)
    return tv.reduce_sum(y, axis=0), tv.reduce_sum(y), tv.reduce_mean(y, axis=1), y @ x, losses


def bits(structure: Any) -> list[bytes]:
    return [part.numpy().tobytes() for part in tv.nest.flatten(structure)]


def test_a_function_gives_the_bits_of_an_eager_run() -> None:
    function = tv.function(sums)
    for _ in range(2):
        for name, order in ORDERS.items():
            x = order(matrix())
            assert bits(function(x)) == bits(sums(x)), name
    # A transposed value, and one made of it, lie in the same order.
    assert function.experimental_get_tracing_count() == 4


def test_loops_and_choices_give_the_bits_of_an_eager_run() -> None:
    def body(x: Any) -> Any:
        start = 0, x
        _, last = tv.while_loop(
            lambda i, y: i < 3,
            lambda i, y: (i + 1, tv.transpose(y) * 0.5 + y / tv.reduce_sum(tv.exp(y), axis=0)),
            start,
        )
        rows = tv.map_fn(lambda y: tv.reduce_sum(tv.tanh(tv.transpose(y)), axis=0), x[None])
        chosen = tv.cond(
            x[0, 0] > 0.0,
            lambda: tv.reduce_sum(tv.tanh(x) * 1.5, axis=0),
            lambda: tv.reduce_sum(tv.exp(x) * 1.5, axis=0),
        )
        return last, rows, chosen

    function = tv.function(body)
    for order in (*ORDERS.values(), *ORDERS.values()):
        x = order(matrix())
        assert bits(function(x)) == bits(body(x))


def test_replayed_gradients_give_the_bits_of_walked_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    w = tv.Variable(matrix(1))

    def slopes(x: Any) -> Any:
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = tv.tanh(x * 1.25) * w
            total = tv.reduce_sum(tv.reduce_sum(y * tv.transpose(y), axis=0) ** 2)
        return tape.gradient(total, [x, w])

    inputs = [order(matrix()) for order in ORDERS.values()]
    replayed = [[bits(slopes(x)) for x in inputs] for _ in range(5)]
    with monkeypatch.context() as patch:
        patch.setattr('tensorvar._core.dispatch.replay_gradients', lambda *given: None)
        assert replayed == [[bits(slopes(x)) for x in inputs]] * 5


def test_the_order_of_an_array() -> None:
    array = np.zeros((2, 3, 4))
    assert layout.order_of(array) == ()
    assert layout.order_of(array[:, ::2, ::-1]) == ()
    assert layout.order_of(array.T) == (2, 1, 0)
    assert layout.order_of(array[:1].T) == (1, 0)
    assert layout.order_of(np.broadcast_to(array[0], array.shape)) != ()
    assert [layout.has_order(shape) for shape in ((), (3,), (1, 3), (2, 3), (0, 2, 3))] == [
        False, False, False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize('nested', [False, True])
def test_a_loop_that_begins_with_another_order(nested: bool) -> None:
    start = np.random.default_rng(0).standard_normal((30, 1, 20)).astype(np.float32)

    def sums(x: Any) -> Any:
        def step(i: Any, x: Any, total: Any) -> Any:
            return i + 1, tv.tanh(x) * 1.5, total + tv.reduce_sum(tv.tanh(x) * x)

        return tv.while_loop(lambda i, x, total: i < 3, step, (tv.constant(0), x, 0.0))[2]

    def body(x: Any) -> Any:
        x = tv.transpose(x)
        if not nested:
            return sums(x)
        return tv.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, sums(x + y)), (0, 0.0))[1]

    function = tv.function(body)
    for factor in (1.0, 2.0, 3.0):
        x = tv.constant(start * np.float32(factor))
        assert function(x).numpy().tobytes() == body(x).numpy().tobytes()
