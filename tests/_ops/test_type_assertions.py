"""Checks of dtypes and of Python types."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import debugging


def test_assert_type() -> None:
    debugging.assert_type(tv.constant(1), tv.int32)
    debugging.assert_type(1, 'int32')
    debugging.assert_type(tv.Variable(1), np.int32)
    with pytest.raises(TypeError, match=r'mm\.  tensor must be of type float32; got int32'):
        debugging.assert_type(tv.constant(1), tv.float32, message='mm')


def test_assert_integer() -> None:
    debugging.assert_integer(tv.Variable(1))
    for value in (1.0, True):
        with pytest.raises(TypeError, match=r'mm\.  Expected "x" to be integer type'):
            debugging.assert_integer(value, message='mm')


class Endless:
    def __repr__(self):
        return 'Endless()'

    def __iter__(self):
        return self


@pytest.mark.parametrize('value', [[1], {}, Endless(), range(3)], ids=repr)
def test_proper_iterables(value) -> None:
    assert debugging.assert_proper_iterable(value) is None


@pytest.mark.parametrize('value', [np.zeros(2), 'ab', b'ab', 3, None], ids=repr)
def test_no_proper_iterables(value) -> None:
    with pytest.raises(TypeError, match=r'^\[assert_proper_iterable\] '):
        debugging.assert_proper_iterable(value)
    with pytest.raises(TypeError, match='Found: Tensor'):
        debugging.assert_proper_iterable(tv.constant([1]))


def test_assert_same_float_dtype() -> None:
    same = debugging.assert_same_float_dtype
    assert same() is tv.float32
    assert same([]) is tv.float32
    assert same(dtype=tv.float64) is tv.float64
    assert same([None, tv.constant(1.0), tv.Variable(1.0)]) is tv.float32


@pytest.mark.parametrize(
    ('values', 'dtype'),
    [([1.0, np.float64(1)], None), ([1], None), ([], tv.int32), ([1.0], tv.float64)],
)
def test_assert_same_float_dtype_refuses(values, dtype) -> None:
    with pytest.raises(ValueError, match=r'^\[assert_same_float_dtype\] '):
        debugging.assert_same_float_dtype([tv.constant(value) for value in values], dtype)


def test_is_numeric_tensor() -> None:
    for value in (1, 1.0, 1j):
        assert debugging.is_numeric_tensor(tv.constant(value))
        assert not debugging.is_numeric_tensor(value)
    assert not debugging.is_numeric_tensor(tv.constant('text'))
    assert not debugging.is_numeric_tensor(tv.constant(True))
    assert not debugging.is_numeric_tensor(tv.Variable(1.0))
