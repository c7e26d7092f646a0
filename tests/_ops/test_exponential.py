"""Exponentials, logarithms and the sigmoid."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import exponential as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


CASES = [
    (ops.exp, np.exp, -2.0),
    (ops.expm1, np.expm1, -2.0),
    (ops.log, np.log, 0.1),
    (ops.log1p, np.log1p, -0.5),
    (ops.sigmoid, sigmoid, -2.0),
]


@pytest.mark.parametrize(('body', 'reference', 'low'), CASES, ids=rules.name_of)
def test_values_equal_numpy_for_every_dtype(device, body, reference, low):
    for dtype in rules.FLOATS + rules.COMPLEX:
        x = device_parity.sample(dtype, (2, 3), low=low)
        rules.check(device, body, reference, x, looser=4)


@pytest.mark.parametrize('body', [case[0] for case in CASES])
def test_integers_and_bools_are_refused(body):
    for dtype in ('int32', 'uint8', 'bool'):
        with pytest.raises(errors.InvalidTypeError, match=f'has dtype {dtype}; allowed are'):
            body(tv.ones([2], dtype))


def test_limits(device):
    with tv.device(device):
        log = ops.log(tv.constant([0.0, -1.0, np.inf])).numpy()
        ends = ops.sigmoid(tv.constant([-np.inf, -1000.0, 0.0, 1000.0, np.inf, np.nan])).numpy()
        plane = ops.sigmoid(tv.constant(np.array([-1000, 1000], np.complex64))).numpy()
    np.testing.assert_array_equal(log, [-np.inf, np.nan, np.inf])
    np.testing.assert_array_equal(ends, [0, 0, 0.5, 1, 1, np.nan])
    np.testing.assert_array_equal(plane, [0, 1])


def test_sigmoid_of_large_values_does_not_overflow():
    assert ops.sigmoid(tv.constant([-1e30, 1e30])).numpy().tolist() == [0.0, 1.0]


def test_sixteen_bit_sigmoid_rounds_once():
    x = np.linspace(-8, 8, 101, dtype=np.float16)
    expected = sigmoid(x.astype(np.float64)).astype(np.float16)
    actual = ops.sigmoid(tv.constant(x)).numpy()
    # Float32 in between moves a value only if it lies within float32's error of a tie.
    assert np.sum(actual != expected) <= 1


@pytest.mark.parametrize('body', [case[0] for case in CASES])
@pytest.mark.parametrize('dtype', [np.float64, np.complex128], ids=rules.name_of)
def test_gradients(body, dtype):
    numeric_gradient.check(body, device_parity.sample(dtype, (2, 2), low=0.5))


def test_sigmoid_grad_is_the_slope_times_the_gradient():
    numeric_gradient.check(ops.sigmoid_grad, np.array([0.2, 0.9]), np.array([1.5, -2.0]))
