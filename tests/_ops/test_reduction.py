"""reduce_sum, mean, prod, max, min, any, all."""

from collections import deque
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import reduction
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

AXES = (None, 0, -1, 1, (0, 2), [1, -1], ())


def axis_of(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


@pytest.mark.parametrize('keepdims', [False, True])
@pytest.mark.parametrize('axis', AXES, ids=str)
@pytest.mark.parametrize('name', ['sum', 'mean', 'prod', 'max', 'min'])
def test_axes(device: str, name: str, axis: Any, keepdims: bool) -> None:
    array = device_parity.sample(np.float32, (3, 4, 2))
    rules.check(
        device,
        lambda x: getattr(reduction, f'reduce_{name}')(x, axis, keepdims),
        lambda x: getattr(np, name)(x, axis=axis_of(axis), keepdims=keepdims),
        array,
    )


@pytest.mark.parametrize('dtype', rules.NUMBERS, ids=rules.name_of)
@pytest.mark.parametrize('name', ['sum', 'prod'])
def test_numeric_dtypes(device: str, name: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (5, 7))
    rules.check(
        device,
        lambda x: getattr(reduction, f'reduce_{name}')(x, 0),
        lambda x: getattr(np, name)(x, axis=0, dtype=x.dtype),
        array,
    )


@pytest.mark.parametrize('dtype', rules.FLOATS + rules.COMPLEX, ids=rules.name_of)
def test_mean_of_inexact(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (5, 7))
    rules.check(device, lambda x: tv.reduce_mean(x, 1), lambda x: np.mean(x, axis=1), array)


@pytest.mark.parametrize('dtype', rules.INTEGERS, ids=rules.name_of)
def test_mean_of_integers_is_cut_towards_zero(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (5, 7))
    rules.check(
        device,
        lambda x: tv.reduce_mean(x, 0),
        lambda x: np.trunc(np.sum(x, axis=0, dtype=np.float64) / 5),
        array,
    )


def test_mean_of_integers_does_not_overflow(device: str) -> None:
    array = np.array([100, 100], np.int8)
    rules.check(device, tv.reduce_mean, lambda x: np.array(100), array)


@pytest.mark.parametrize('dtype', rules.FLOATS + rules.INTEGERS, ids=rules.name_of)
@pytest.mark.parametrize('name', ['max', 'min'])
def test_ordered_dtypes(device: str, name: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (5, 7))
    rules.check(
        device,
        lambda x: getattr(reduction, f'reduce_{name}')(x, 0),
        lambda x: getattr(np, name)(x, axis=0),
        array,
    )


@pytest.mark.parametrize('axis', AXES, ids=str)
def test_truth_values(device: str, axis: Any) -> None:
    array = device_parity.sample(np.bool_, (3, 4, 2))
    rules.check(
        device,
        lambda x: [tv.reduce_any(x, axis), tv.reduce_all(x, axis)],
        lambda x: [np.any(x, axis=axis_of(axis)), np.all(x, axis=axis_of(axis))],
        array,
    )


def test_of_nothing(device: str) -> None:
    with tv.device(device):
        empty, none = tv.zeros([0], tv.float32), tv.zeros([2, 0, 3], tv.int32)
        assert tv.reduce_sum(empty).numpy() == 0
        assert np.isnan(tv.reduce_mean(empty).numpy())
        assert tv.reduce_prod(empty).numpy() == 1
        assert tv.reduce_max(empty).numpy() == -np.inf
        assert tv.reduce_min(empty).numpy() == np.inf
        assert tv.reduce_mean(none, 1).numpy().tolist() == [[0] * 3] * 2
        assert tv.reduce_max(none, 1).numpy().tolist() == [[-(2**31)] * 3] * 2
        assert tv.reduce_min(none, 1, True).numpy().tolist() == [[[2**31 - 1] * 3]] * 2
        assert tv.reduce_max(none, 0).shape == (0, 3)


def test_nan_wins() -> None:
    values = tv.constant([1.0, np.nan, 2.0])
    assert np.isnan(tv.reduce_max(values).numpy())
    assert np.isnan(tv.reduce_min(values).numpy())


def test_lists_of_other_types_have_their_rank() -> None:
    assert tv.reduce_mean(deque([1.0, 2.0])).numpy() == 1.5
    assert tv.reduce_max(deque([[1.0, 2.0]]), -1).numpy().tolist() == [2.0]
    assert tv.reduce_sum(range(4), -1).numpy() == 6


def test_half_precision_rounds_once(device: str) -> None:
    """2,048 ones and a half: in float16 the sum would stop at 2,048."""
    ones = np.ones(4096, np.float16)
    rules.check(device, tv.reduce_sum, lambda x: np.sum(x), ones)
    ones = np.ones(1024, ml_dtypes.bfloat16)
    rules.check(device, tv.reduce_mean, lambda x: np.mean(x), ones)


@pytest.mark.parametrize('shape', [(100_000, 3), (300, 400, 3), (2, 70_001, 3)])
def test_long_columns_are_summed_pairwise(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).random(shape, np.float32)
    axes = (0, 1) if shape[0] == 300 else (1 if shape[0] == 2 else 0)
    expected = np.sum(array, axis=axes, dtype=np.float64)
    for keepdims in (False, True):
        result = tv.reduce_sum(tv.constant(array), axes, keepdims).numpy().reshape(expected.shape)
        np.testing.assert_allclose(result, expected, rtol=5e-7)


def test_axis_arguments() -> None:
    values = tv.constant([[1, 2], [3, 4]])
    for axis in (0, np.int64(0), [0], np.array(0), np.array([0]), tv.constant(0), (-2,)):
        assert tv.reduce_sum(values, axis).numpy().tolist() == [4, 6]


@pytest.mark.parametrize('axis', [2, -3, [0, 0], [0, -2]])
def test_bad_axes(axis: Any) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[Sum\]'):
        tv.reduce_sum(tv.zeros([2, 2]), axis)


def test_bad_arguments() -> None:
    with pytest.raises(TypeError):
        tv.reduce_sum(tv.zeros([2]), 1.5)
    with pytest.raises(tv.errors.InvalidArgumentError, match='1-D'):
        tv.reduce_sum(tv.zeros([2]), [[0]])
    for function, wrong in (
        (tv.reduce_sum, tv.constant([True])),
        (tv.reduce_mean, tv.constant([True])),
        (tv.reduce_max, tv.constant([1j])),
        (tv.reduce_any, tv.constant([1])),
    ):
        with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
            function(wrong)
    with pytest.raises(TypeError):
        tv.reduce_any([1, 2])


@pytest.mark.parametrize('keepdims', [False, True])
@pytest.mark.parametrize('axis', [None, 1, (0, -1), ()], ids=str)
@pytest.mark.parametrize('name', ['sum', 'mean', 'prod', 'max', 'min'])
def test_gradient(name: str, axis: Any, keepdims: bool) -> None:
    function = getattr(reduction, f'reduce_{name}')
    numeric_gradient.check(lambda x: function(x, axis, keepdims), samples.float64(2, 3, 2))


@pytest.mark.parametrize('name', ['sum', 'mean', 'prod'])
def test_complex_gradient(name: str) -> None:
    function = getattr(reduction, f'reduce_{name}')
    numeric_gradient.check(lambda x: function(x, 1), samples.complex128(2, 3))


@pytest.mark.parametrize('zeros', [1, 2])
def test_gradient_of_prod_at_zeros(zeros: int) -> None:
    values = samples.float64(2, 4)
    values[0, :zeros] = 0
    numeric_gradient.check(lambda x: tv.reduce_prod(x, 1), values)


def test_ties_share_the_gradient() -> None:
    values = tv.constant([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(values)
        greatest, least = tv.reduce_max(values, 1), tv.reduce_min(values)
    third = np.float32(1) / 3
    expected = np.array([[0, 0.5, 0.5], [third, third, third]], np.float32)
    np.testing.assert_allclose(tape.gradient(greatest, values).numpy(), expected)
    assert tape.gradient(least, values).numpy().tolist() == [[1, 0, 0], [0, 0, 0]]
