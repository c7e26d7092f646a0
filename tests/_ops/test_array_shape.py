"""reshape, expand_dims, squeeze, broadcast_to, ensure_shape."""

import math
from typing import Any

import hypothesis
import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import strategies

import tensorvar as tv
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

SHAPES = strategies.lists(strategies.integers(0, 4), max_size=4).map(tuple)


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_reshape_dtypes(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (2, 6))
    rules.check(device, lambda x: tv.reshape(x, [3, -1]), lambda x: x.reshape(3, 4), array)


@hypothesis.given(given=SHAPES, seed=strategies.randoms(use_true_random=False))
def test_reshape_to_any_factors(given: tuple[int, ...], seed: Any) -> None:
    size = math.prod(given)
    wanted = [size] if size else list(given)
    for factor in (2, 3, 4):
        if wanted[-1:] and wanted[-1] and wanted[-1] % factor == 0:
            wanted[-1:] = [factor, wanted[-1] // factor]
    seed.shuffle(wanted)
    array = np.arange(size).reshape(given)
    result = tv.reshape(array, wanted)
    assert result.shape == tuple(wanted)
    np.testing.assert_array_equal(result.numpy(), array.reshape(wanted))
    if size:
        place = seed.randrange(len(wanted))
        unknown = [-1 if i == place else dim for i, dim in enumerate(wanted)]
        assert tv.reshape(array, unknown).shape == tuple(wanted)


def test_reshape_arguments() -> None:
    values = tv.range(6)
    for shape in (
        [2, 3],
        (2, 3),
        np.array([2, 3]),
        tv.constant([2, 3]),
        tv.TensorShape([2, 3]),
        [tv.constant(2), 3],
    ):
        assert tv.reshape(values, shape).shape == (2, 3)
    assert tv.reshape(values, 6).shape == (6,)
    assert tv.reshape([[5]], []).shape == ()


def test_reshape_of_nothing_follows_tensorflow() -> None:
    empty = tv.zeros([0])
    assert tv.reshape(empty, [-1, 0]).shape == (1, 0)
    assert tv.reshape(empty, [0, -1]).shape == (0, 1)
    assert tv.reshape(tv.zeros([0, 4]), [-1, 2]).shape == (0, 2)
    assert tv.reshape(tv.zeros([0, 4]), [0, -1]).shape == (0, 4)


@pytest.mark.parametrize('shape', [[2, 2], [-1, -1], [-2, 3], [-1, 2], [0], [0, -1], []])
def test_bad_reshape(shape: list[int]) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[Reshape\]'):
        tv.reshape(tv.zeros([3]), shape)


def test_bad_reshape_arguments() -> None:
    for shape in ([[3]], [3.0], 'a', [None]):
        with pytest.raises(tv.errors.InvalidArgumentError):
            tv.reshape(tv.zeros([3]), shape)


@hypothesis.given(shape=SHAPES, axis=strategies.integers(-6, 5))
def test_expand_dims(shape: tuple[int, ...], axis: int) -> None:
    array = np.zeros(shape)
    if not -len(shape) - 1 <= axis <= len(shape):
        with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[ExpandDims\]'):
            tv.expand_dims(tv.constant(array), axis)
        return
    assert tv.expand_dims(tv.constant(array), axis).shape == np.expand_dims(array, axis).shape


def test_squeeze(device: str) -> None:
    array = device_parity.sample(np.float32, (1, 3, 1, 1))
    for axis in (None, 0, -1, [0, 2], [2, -2], []):
        axes = axis if axis is None else (sorted({a % 4 for a in np.atleast_1d(axis)}))
        rules.check(
            device,
            lambda x, axis=axis: tv.squeeze(x, axis),
            lambda x, axes=axes: np.squeeze(x, tuple(int(a) for a in axes) if axes else None),
            array,
        )


def test_bad_squeeze() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'Can not squeeze dim\[1\]'):
        tv.squeeze(tv.zeros([1, 3]), [0, 1])
    with pytest.raises(tv.errors.InvalidArgumentError, match='out of range'):
        tv.squeeze(tv.zeros([1, 3]), 2)


@hypothesis.given(shapes=arrays.mutually_broadcastable_shapes(num_shapes=2, min_side=0))
def test_broadcast_to(shapes: Any) -> None:
    array = np.random.default_rng(0).random(shapes.input_shapes[0])
    result = tv.broadcast_to(array, shapes.result_shape)
    np.testing.assert_array_equal(result.numpy(), np.broadcast_to(array, shapes.result_shape))


def test_broadcast_to_on_devices(device: str) -> None:
    array = device_parity.sample(np.float16, (3, 1))
    rules.check(
        device, lambda x: tv.broadcast_to(x, [2, 3, 4]), lambda x: x + np.zeros((2, 3, 4)), array
    )


def test_result_of_broadcast_is_an_ordinary_tensor() -> None:
    variable = tv.Variable(tv.broadcast_to([1.0], [3]))
    variable[0].assign(5.0)
    assert variable.numpy().tolist() == [5, 1, 1]
    host = tv.broadcast_to([1.0], [3]).numpy()
    host[0] = 2
    assert host.tolist() == [2, 1, 1]


@pytest.mark.parametrize('shape', [[2, 2], [2], [-1, 2, 3], [3, 0]])
def test_bad_broadcast_to(shape: list[int]) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[BroadcastTo\]'):
        tv.broadcast_to(tv.zeros([2, 3]), shape)


def test_ensure_shape(device: str) -> None:
    array = device_parity.sample(np.int32, (2, 3))
    for shape in ([2, 3], [None, 3], None, tv.TensorShape([2, None])):
        rules.check(device, lambda x, shape=shape: tv.ensure_shape(x, shape), lambda x: x, array)
    for shape in ([3, 2], [2], [None]):
        with pytest.raises(tv.errors.InvalidArgumentError, match='not compatible'):
            tv.ensure_shape(tv.constant(array), shape)


def test_gradients() -> None:
    values = samples.float64(1, 3, 2)
    for function in (
        lambda x: tv.reshape(x, [2, -1]) * tv.constant([[1.0], [2.0]], tv.float64),
        lambda x: tv.expand_dims(x, 1) ** 2,
        lambda x: tv.squeeze(x) ** 2,
        lambda x: tv.broadcast_to(x, [4, 5, 3, 2]) ** 2,
        lambda x: tv.ensure_shape(x, [None, 3, 2]) ** 2,
    ):
        numeric_gradient.check(function, values)
