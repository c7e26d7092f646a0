"""A pattern recognises just the walks that have the key of its own."""

import itertools
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._function import gradient_plans
from tensorvar._function.walk_pattern import Place, recogniser

Walk = tuple[list[Any], list[Any], list[Any]]


def walk(program: Any, *values: Any, watch: bool = True) -> Walk:
    """The entries, targets and sources of a program on some values."""
    with tv.GradientTape(persistent=True) as tape:
        if watch:
            tape.watch(values)
        results = program(*values)
    return list(tape._entries), [*results] if type(results) is tuple else [results], list(values)


def tensor(*shape: int, dtype: Any = np.float32) -> Any:
    return tv.constant(np.ones(shape, dtype))


def in_columns(*shape: int) -> Any:
    return tv.transpose(tensor(*shape[::-1]))


def read_twice(x: Any, y: Any) -> Any:
    return x.read_value() * x.read_value()


def with_a_look(x: Any, y: Any) -> Any:
    z = x * y
    z.numpy()
    return z


def walks() -> dict[str, Walk]:
    x, y, v = tensor(2, 2), tensor(2, 2), tv.Variable(np.ones((2, 2), np.float32))
    still = tv.Variable(np.ones((2, 2), np.float32), trainable=False)
    found = {
        'product': walk(lambda x, y: x * y, x, y),
        'product of others': walk(lambda x, y: x * y, tensor(2, 2), tensor(2, 2)),
        'product turned': walk(lambda x, y: y * x, x, y),
        'square': walk(lambda x, y: x * x, x, y),
        'product of one value': walk(lambda x, y: x * y, x, x),
        'sum': walk(lambda x, y: x + y, x, y),
        'longer': walk(lambda x, y: x * y * y, x, y),
        'longer, turned': walk(lambda x, y: x * (y * y), x, y),
        'two targets': walk(lambda x, y: (x * y, x), x, y),
        'two other targets': walk(lambda x, y: (x, x * y), x, y),
        'another shape': walk(lambda x, y: x * y, tensor(2, 1), tensor(2, 2)),
        'another dtype': walk(lambda x, y: x * y, *[tensor(2, 2, dtype=np.float64)] * 2),
        'another order in memory': walk(lambda x, y: x * y, in_columns(2, 2), y),
        'both in another order': walk(lambda x, y: x * y, in_columns(2, 2), in_columns(2, 2)),
        'unwatched': walk(lambda x, y: x * y, x, y, watch=False),
        'a look between': walk(with_a_look, x, y),
        'variable': walk(lambda x, y: x * y, v, y),
        'another variable': walk(lambda x, y: x * y, tv.Variable(tensor(2, 2)), y),
        'variable that is not trained': walk(lambda x, y: x * y, still, y),
        'variable read twice': walk(read_twice, v, y),
    }
    for axis, keepdims in itertools.product((0, 1, None, (0, 1)), (True, False)):
        found[f'sum of axis {axis!r}, {keepdims}'] = walk(
            lambda x, axis=axis, keepdims=keepdims: tv.reduce_sum(x, axis, keepdims), x
        )
    for slope in (0.2, 0.0, -0.0, 1.0, 1):
        found[f'leaky relu {slope!r}'] = walk(lambda x, slope=slope: tv.nn.leaky_relu(x, slope), x)
    return found


def test_it_agrees_with_the_keys_of_all_pairs() -> None:
    known = walks()
    alike = 0
    for name, given in known.items():
        recognise = recogniser(*given, places=())
        for other, candidate in known.items():
            same = gradient_plans._key_of(*given, True) == gradient_plans._key_of(*candidate, True)
            alike += same
            if recognise is not None:
                found = recognise(*candidate)
                assert (found is not None) == same, (name, other)
    assert len(known) < alike < 2 * len(known)


def test_it_gives_the_arrays_of_the_places() -> None:
    given = walk(lambda x, y: x * y * y, tensor(3), tensor(3))
    recognise = recogniser(*given, places=(Place(2, 1, 1), Place(2, 2, 0)))
    assert recognise is not None
    entries, targets, sources = walk(lambda x, y: x * y * y, tensor(3), tensor(3))
    first, second = recognise(entries, targets, sources) or (None, None)
    assert first is sources[1]._array
    assert second is entries[2][2][0]._array


def test_values_of_another_device_are_others() -> None:
    given = walk(lambda x: x * x, tensor(2))
    recognise = recogniser(*given, places=())
    assert recognise is not None
    moved = walk(lambda x: x * x, tensor(2))
    assert recognise(*moved) is not None
    moved[2][0]._device = type('Elsewhere', (), {'backend': None})()
    assert recognise(*moved) is None


@pytest.mark.parametrize('count', [0, 1])
def test_no_pattern_where_a_value_takes_no_part(count: int) -> None:
    targets = [tensor(1)] * count
    entries, _, sources = walk(lambda x: x * x, tensor(2))
    assert (recogniser(entries, targets, sources, ()) is None) == bool(count)
