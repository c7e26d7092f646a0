"""concat, stack, unstack, split."""

from collections import deque
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    first, second = (device_parity.sample(dtype, (2, 3), seed=seed) for seed in (0, 1))
    rules.check(
        device,
        lambda x, y: [
            tv.concat([x, y], 1),
            tv.stack([x, y]),
            *tv.unstack(x),
            *tv.split(y, [2, 1], 1),
        ],
        lambda x, y: [np.concatenate([x, y], 1), np.stack([x, y]), *x, y[:, :2], y[:, 2:]],
        first,
        second,
    )


@pytest.mark.parametrize('axis', [0, 1, -1, -2])
def test_concat_axes(device: str, axis: int) -> None:
    first, second = (device_parity.sample(np.float32, (2, 2), seed=seed) for seed in (0, 1))
    rules.check(
        device,
        lambda x, y: tv.concat([x, y, x], axis),
        lambda x, y: np.concatenate([x, y, x], axis),
        first,
        second,
    )


def test_concat_arguments() -> None:
    vector = tv.Variable([1.0, 2.0])
    assert tv.concat(vector, 0).numpy().tolist() == [1, 2]
    assert tv.concat([vector], tv.constant(0)).numpy().tolist() == [1, 2]
    assert tv.concat([vector, [3]], 0).numpy().tolist() == [1, 2, 3]
    assert tv.concat([[1], tv.constant([2], tv.int64)], 0).dtype is tv.int64


@pytest.mark.parametrize(
    ('values', 'axis'),
    [
        ([[1.0], [[1.0]]], 0),
        ([[[1.0, 2.0]], [[1.0]]], 0),
        ([[1.0], [1.0]], 1),
        ([1.0, 2.0], 0),
        ([], 0),
    ],
    ids=str,
)
def test_bad_concat(values: Any, axis: int) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[ConcatV2\]'):
        tv.concat([tv.constant(value) for value in values], axis)


def test_mixed_dtypes() -> None:
    parts = [tv.constant([1.0]), tv.constant([1])]
    for function in (lambda: tv.concat(parts, 0), lambda: tv.stack(parts)):
        with pytest.raises(tv.errors.InvalidArgumentError, match='expected to be a float32'):
            function()


@pytest.mark.parametrize('axis', [0, 1, 2, -1, -3])
def test_stack_axes(device: str, axis: int) -> None:
    first, second = (device_parity.sample(np.float32, (2, 3), seed=seed) for seed in (0, 1))
    rules.check(
        device,
        lambda x, y: tv.stack([x, y], axis),
        lambda x, y: np.stack([x, y], axis),
        first,
        second,
    )


def test_stack_arguments() -> None:
    assert tv.stack([]).shape == (0,)
    assert tv.stack([1, 2]).numpy().tolist() == [1, 2]
    whole = tv.constant([[1, 2], [3, 4]])
    assert tv.stack(whole) is whole
    assert tv.stack(whole, 1).numpy().tolist() == [[1, 3], [2, 4]]
    frames = deque([whole[0], whole[1]], maxlen=2)
    assert tv.stack(frames, 1).numpy().tolist() == [[1, 3], [2, 4]]
    assert tv.concat(frames, 0).numpy().tolist() == [1, 2, 3, 4]
    assert tv.concat(range(3), 0).numpy().tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ('values', 'dtype'),
    [
        ([1, 2.5], tv.float32),
        (([1, 2], [3.0, 4.0]), tv.float32),
        ([[1, 2], np.ones(2, np.float32)], tv.float32),
        ([1, 2**40], tv.int64),
        ([np.uint8(1), 2], tv.uint8),
        ([1, True], tv.int32),
        ([np.float32(1), np.float64(2)], tv.float32),
    ],
)
def test_numbers_that_are_stacked_have_a_common_dtype(values: Any, dtype: tv.DType) -> None:
    stacked = tv.stack(values)
    assert stacked.dtype is dtype
    assert stacked.numpy().tolist() == np.stack(values).tolist()


def test_bad_stack() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='must match'):
        tv.stack([tv.zeros([2]), tv.zeros([3])])
    with pytest.raises(ValueError, match='out of range'):
        tv.stack([tv.zeros([2])], axis=3)
    with pytest.raises(TypeError, match='None was given'):
        tv.stack(None, axis=1)


@pytest.mark.parametrize('axis', [0, 1, -1])
def test_unstack_and_split(device: str, axis: int) -> None:
    array = device_parity.sample(np.float32, (4, 2))
    length = array.shape[axis]
    rules.check(
        device,
        lambda x: [*tv.unstack(x, axis=axis), *tv.split(x, 2, axis), *tv.split(x, [1, -1], axis)],
        lambda x: [
            *np.moveaxis(x, axis, 0),
            *np.split(x, 2, axis),
            *np.split(x, [1], axis),
        ],
        array,
    )
    assert len(tv.unstack(array, length, axis)) == length


def test_nothing_to_unstack() -> None:
    assert tv.unstack(tv.zeros([0, 2])) == []
    assert [part.shape for part in tv.split(tv.zeros([0, 2]), 2)] == [(0, 2), (0, 2)]


def test_parts_of_rank_zero(device: str) -> None:
    rules.check(device, tv.unstack, list, np.arange(3.0))


def test_bad_unstack() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='must equal 2'):
        tv.unstack(tv.zeros([3]), 2)
    for value, axis in ((1.0, 0), ([1.0], 2)):
        with pytest.raises(ValueError, match='out of range'):
            tv.unstack(value, axis=axis)


@pytest.mark.parametrize('splits', [2, 0, [1, 1], [-1, -1], [4, -1], [2, 2], [[3]]], ids=str)
def test_bad_split(splits: Any) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[SplitV\]'):
        tv.split(tv.zeros([3]), splits)


def test_gradients() -> None:
    first, second = samples.float64(2, 3), samples.float64(2, 1, seed=1)
    numeric_gradient.check(lambda x, y: tv.concat([x, y, x], 1) ** 2, first, second)
    numeric_gradient.check(lambda x: tv.stack([x, x * x], 1), first)
    numeric_gradient.check(lambda x: [part**2 for part in tv.unstack(x, axis=1)], first)
    numeric_gradient.check(lambda x: tv.split(x**2, [1, 2], 1), first)


def test_gradient_of_one_part() -> None:
    values = tv.constant([1.0, 2.0, 3.0])
    with tv.GradientTape() as tape:
        tape.watch(values)
        part = tv.split(values, 3)[1] * 5
    assert tape.gradient(part, values).numpy().tolist() == [0, 5, 0]
