"""Plans cut large arrays over threads, chosen when they are written; the bits are the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._backend import host_pieces, host_threads
from tensorvar._core import host_large

ROWS, COLUMNS = 2048, 1030
F32 = np.dtype(np.float32)


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lets three threads work; notes how many pieces each work had."""
    found: list[int] = []
    each = host_threads.each

    def counted(function: Callable[[int, int], None], length: int, step: int) -> None:
        found.append(-(-length // step))
        each(function, length, step)

    monkeypatch.setattr(host_threads, '_standard', lambda: 3)
    monkeypatch.setattr(host_threads, 'each', counted)
    return found


def values(*shape: int, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal(shape).astype(F32)
    drawn.reshape(-1)[:6] = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40]
    return drawn


def _gradient(x: Any, y: Any) -> Any:
    with tv.GradientTape() as tape:
        tape.watch(x)
        total = tv.reduce_sum(tv.nn.relu(x * y), axis=-1)
    return tape.gradient(total, x)


# A function, and how many works it has.
BODIES: dict[str, tuple[Callable[[Any, Any], Any], int]] = {
    'one call': (lambda x, y: x + y, 1),
    'into a buffer': (lambda x, y: tv.reshape(x * y, [-1])[:9], 1),
    'in place': (lambda x, y: tv.reduce_max(tv.exp(tv.tanh(x * y) - x)), 4),
    'a line first': (lambda x, y: y[:1] - x, 1),
    'a number': (lambda x, y: x * 0.5, 1),
    'an extreme': (lambda x, y: tv.maximum(x, 0.25), 1),
    'relu': (lambda x, y: tv.nn.relu(x), 1),
    'its slope': (_gradient, 3),
    'own forwards': (lambda x, y: tv.where(x > y, tv.sigmoid(x), y), 3),
    'an attribute': (lambda x, y: tv.cast(x, tv.float64), 1),
    'seen again': (lambda x, y: (x + y, tv.transpose(x + y)), 1),
    'another layout': (lambda x, y: tv.transpose(x) * tv.transpose(y), 1),
}


@pytest.mark.parametrize('name', BODIES)
def test_a_plan_gives_the_same_bits(name: str, fresh_devices: None, works: list[int]) -> None:
    body, count = BODIES[name]
    with tv.device('CPU:0'):
        x, y = tv.constant(values(ROWS, COLUMNS)), tv.constant(values(ROWS, COLUMNS, seed=1))
        expected = tv.nest.map_structure(lambda part: part.numpy(), body(x, y))
        function = tv.function(body)
        function(x, y)
        for _ in range(3):
            works.clear()
            given = function(x, y)
            assert len(works) == count
            assert min(works) > 1
            for one, other in zip(tv.nest.flatten(given), tv.nest.flatten(expected), strict=True):
                host = one.numpy()
                assert host.tobytes() == other.tobytes()
                assert (host.shape, host.dtype) == (other.shape, other.dtype)


def test_a_plan_of_small_arrays_calls_numpy(
    fresh_devices: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(host_large, 'call_of', refuse)
    monkeypatch.setattr(host_large, 'forward_of', refuse)
    with tv.device('CPU:0'):
        function = tv.function(lambda x: tv.sigmoid(x + x) * tv.nn.relu(x))
        x = tv.ones([host_pieces.LIGHT // F32.itemsize // 8])
        assert all(function(x).numpy()[0] == tv.sigmoid(2.0).numpy() for _ in range(3))


def test_one_thread_computes_the_same(
    fresh_devices: None, works: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_threads, '_standard', lambda: 1)
    with tv.device('CPU:0'):
        x = tv.constant(values(ROWS, COLUMNS))
        function = tv.function(lambda x: tv.reduce_max(tv.nn.relu(x + x) * tv.maximum(x, 0.5)))
        expected = tv.reduce_max(tv.nn.relu(x + x) * tv.maximum(x, 0.5)).numpy()
        works.clear()
        assert all(function(x).numpy().tobytes() == expected.tobytes() for _ in range(3))
    assert works == []


def test_results_of_calls_are_their_own(fresh_devices: None, works: list[int]) -> None:
    with tv.device('CPU:0'):
        function = tv.function(lambda x: tv.nn.relu(x + 1.0))
        kept = [function(tv.fill([ROWS, COLUMNS], float(n))) for n in range(4)]
        assert [tensor.numpy().max() for tensor in kept] == [1.0, 2.0, 3.0, 4.0]
    assert works


def test_a_training_step(fresh_devices: None, works: list[int]) -> None:
    start, rates = values(ROWS, COLUMNS), values(COLUMNS, seed=1)
    with tv.device('CPU:0'):
        variables = [tv.Variable(start) for _ in range(2)]
        x = tv.constant(rates)

        def step(variable: tv.Variable) -> None:
            with tv.GradientTape() as tape:
                total = tv.reduce_sum(tv.nn.relu(variable * x), axis=-1)
            variable.assign_sub(0.125 * tape.gradient(total, variable))

        function = tv.function(step)
        for _ in range(3):
            step(variables[0])
            works.clear()
            function(variables[1])
            assert works
        assert variables[0].numpy().tobytes() == variables[1].numpy().tobytes()
