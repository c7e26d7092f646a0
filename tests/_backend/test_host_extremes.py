"""Extremes beside one number: the bits and the layout that NumPy gives."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorvar import dtypes
from tensorvar._backend import host_extremes

SIZE = host_extremes.FEW + 4099
PAIRS = {'maximum': np.maximum, 'minimum': np.minimum}
NUMBERS = [0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan]
DTYPES = sorted(dtypes.REAL, key=str)


def sample(dtype: np.dtype[Any]) -> np.ndarray:
    random = np.random.default_rng(0)
    if dtype.kind in 'iu':
        info = np.iinfo(dtype)
        return random.integers(info.min, info.max, SIZE, dtype, endpoint=True)
    values = random.standard_normal(SIZE).astype(dtype)
    for first, value in enumerate(NUMBERS):
        with np.errstate(all='ignore'):
            values[first :: 11 + first] = np.array(value).astype(dtype)
    if dtype.itemsize == 4:
        # Other bit patterns of nan, of both signs.
        values.view(np.uint32)[5::101] = 0xFFC12345
        values.view(np.uint32)[7::103] = 0x7FC54321
    return values


def numbers(dtype: np.dtype[Any]) -> list[np.ndarray]:
    if dtype.kind in 'iu':
        info = np.iinfo(dtype)
        return [np.array(value, dtype) for value in (0, 3, info.min, info.max)]
    return [np.array(value).astype(dtype) for value in NUMBERS]


@pytest.mark.parametrize('dtype', DTYPES, ids=str)
@pytest.mark.parametrize('name', PAIRS)
@np.errstate(all='ignore')
def test_the_bits_are_those_of_numpy(name: str, dtype: np.dtype[Any]) -> None:
    ours, theirs = getattr(host_extremes, name), PAIRS[name]
    x = sample(dtype)
    for number in numbers(dtype):
        expected = theirs(x, number).tobytes()
        assert ours(x, number).tobytes() == expected
        assert ours(x, number.reshape(1)).tobytes() == expected
        into = np.empty_like(x)
        assert ours(x, number, out=into) is into
        assert into.tobytes() == expected
        same = x.copy()
        ours(same, number, out=same)
        assert same.tobytes() == expected


@pytest.mark.parametrize('shape', [(), (5,), (0,), (SIZE,), (7, SIZE // 7), (3, 2, SIZE)], ids=str)
@pytest.mark.parametrize('name', PAIRS)
def test_any_shape(name: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    for y in (np.array(0.25, np.float32), np.full((1,) * 4, 0.25, np.float32), x):
        expected = PAIRS[name](x, y)
        np.testing.assert_array_equal(getattr(host_extremes, name)(x, y), expected, strict=True)


def test_other_layouts_keep_what_numpy_gives() -> None:
    x = np.random.default_rng(2).standard_normal((300, 200)).astype(np.float32)
    number = np.array(0.25, np.float32)
    for each in (x.T, x[::2], x[:, ::2]):
        given, expected = host_extremes.maximum(each, number), np.maximum(each, number)
        np.testing.assert_array_equal(given, expected, strict=True)
        assert given.strides == expected.strides
    wide = np.zeros((300, 400), np.float32)
    host_extremes.minimum(x, number, out=wide[:, ::2])
    np.testing.assert_array_equal(wide[:, ::2], np.minimum(x, number))
    assert not wide[:, 1::2].any()


def test_a_kept_row_cannot_be_written() -> None:
    assert not host_extremes._row(b'\0' * 4, np.dtype(np.float32)).flags.writeable


SHAPES = [(64, 1), (70, 9), (8, 16, 5), (65, 1024), (64, 1025), (63, 4), (100,), (5, 0)]


@given(
    st.sampled_from(SHAPES),
    st.sampled_from([np.float16, np.float32, np.float64, np.int8, np.uint16, np.int64]),
    st.integers(0, 1 << 30),
    st.booleans(),
)
def test_extremes_of_rows(shape: tuple[int, ...], dtype: type, seed: int, keepdims: bool) -> None:
    generator = np.random.default_rng(seed)
    array = generator.integers(0, 9, shape).astype(dtype)
    if array.dtype.kind == 'f' and array.size:
        array[generator.random(shape) < 0.01] = np.nan
        array[generator.random(shape) < 0.01] = -np.inf
    if not host_extremes.are_short_rows(array, -1):
        return
    largest = host_extremes.largest_of_rows(array, keepdims)
    smallest = host_extremes.smallest_of_rows(array, keepdims)
    np.testing.assert_array_equal(largest, array.max(-1, keepdims=keepdims))
    np.testing.assert_array_equal(smallest, array.min(-1, keepdims=keepdims))


def test_which_rows_are_short() -> None:
    array = np.zeros((64, 8), np.float32)
    for axis in (-1, 1, (1,), (-1,)):
        assert host_extremes.are_short_rows(array, axis)
    for axis in (0, -2, None, (0, 1), ()):
        assert not host_extremes.are_short_rows(array, axis)
    for other in (array.T, array[:, ::2], array[:9], array.astype(np.complex64), array[:, :0]):
        assert not host_extremes.are_short_rows(other, -1)
