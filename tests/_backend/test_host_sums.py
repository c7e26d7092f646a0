"""Sums by products are those of NumPy, and only short ones are taken."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorvar as tv
from tensorvar._backend import host_sums
from tests.support import tolerances

SHORT = [
    ((5,), None), ((5,), 0), ((5,), -1), ((5,), (0,)), ((64,), None), ((1,), 0),
    ((3, 7), 0), ((3, 7), 1), ((3, 7), -1), ((3, 7), -2), ((3, 7), (0,)), ((3, 7), (-1,)),
    ((64, 128), 0), ((128, 64), 1), ((1, 8192), 0),
]  # fmt: skip
LONG = [
    ((65,), None), ((65, 2), 0), ((2, 65), 1), ((64, 129), 0), ((0, 3), 0), ((3, 0), 0), ((0,), 0),
    ((2, 3), None), ((2, 3), (0, 1)), ((2, 3), ()), ((2, 3, 4), 0), ((), None), ((3,), 1),
]  # fmt: skip


@pytest.mark.parametrize('keepdims', [True, False])
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
@pytest.mark.parametrize(('shape', 'axis'), SHORT)
def test_a_short_sum(shape, axis, dtype, keepdims):
    array = np.random.default_rng(1).normal(size=shape).astype(dtype)
    found = host_sums.short_sum(array, axis, keepdims)
    wanted = array.sum(axis=axis, keepdims=keepdims)
    assert found is not None
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    tolerances.assert_close(found, wanted)
    turned = np.asfortranarray(array)[::-1]
    tolerances.assert_close(
        host_sums.short_sum(turned, axis, keepdims), turned.sum(axis=axis, keepdims=keepdims)
    )


@pytest.mark.parametrize(('shape', 'axis'), LONG)
def test_other_sums_are_left(shape, axis):
    assert host_sums.short_sum(np.ones(shape), axis, False) is None


@pytest.mark.parametrize('dtype', [np.float16, np.int32, np.complex64, np.bool_])
def test_other_dtypes_are_left(dtype):
    assert host_sums.short_sum(np.ones(3, dtype), None, False) is None


@pytest.mark.parametrize('value', [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_stays_in_its_column(value):
    array = np.ones((4, 3), np.float32)
    array[2, 1] = value
    np.testing.assert_array_equal(host_sums.short_sum(array, 0, False), [4, value, 4])


@given(st.integers(1, 8), st.integers(1, 8), st.booleans(), st.sampled_from([0, 1, None]))
def test_a_plan_adds_as_an_eager_op_does(rows, columns, keepdims, axis):
    values = tv.constant(np.random.default_rng(rows).normal(size=(rows, columns)), tv.float32)

    def both(x):
        return tv.reduce_sum(x * 3.0, axis, keepdims), tv.reduce_mean(x * 3.0, axis, keepdims)

    planned = tv.function(both)
    for _ in range(3):
        for found, wanted in zip(planned(values), both(values), strict=True):
            assert found.numpy().tobytes() == wanted.numpy().tobytes()
