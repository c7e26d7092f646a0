"""Error functions, gamma functions and their relatives."""

import numpy as np
import pytest
import scipy.special

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import special_functions as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient

CASES = [
    (ops.erf, scipy.special.erf, -2.0),
    (ops.erfc, scipy.special.erfc, -2.0),
    (ops.erfinv, scipy.special.erfinv, -2.0),
    (ops.erfcinv, scipy.special.erfcinv, 0.1),
    (ops.ndtri, scipy.special.ndtri, 0.1),
    (ops.lgamma, scipy.special.gammaln, 0.1),
    (ops.digamma, scipy.special.digamma, 0.1),
]
WITHIN_ONE = {ops.erfinv, ops.ndtri}


def values(body, dtype, low):
    x = device_parity.sample(np.float64, (2, 3), low=low)
    return (x * 0.45 if body in WITHIN_ONE else x * 0.9).astype(dtype)


@pytest.mark.parametrize(('body', 'reference', 'low'), CASES)
def test_values_equal_scipy_for_every_dtype(device, body, reference, low):
    for dtype in rules.FLOATS:
        rules.check(device, body, reference, values(body, dtype, low), looser=10)


def test_polygamma_equals_scipy(device):
    order = np.array([[0.0], [1.0], [3.0]])
    x = np.array([0.5, 1.0, 4.5])
    for dtype in (np.float32, np.float64):
        rules.check(
            device,
            ops.polygamma,
            lambda a, x: scipy.special.polygamma(a.astype(int), x.astype(np.float64)),
            order.astype(dtype),
            x.astype(dtype),
            looser=100,
        )


def test_poles():
    assert np.isnan(ops.digamma(tv.constant([0.0, -0.0, -1.0])).numpy()).all()
    assert ops.lgamma(tv.constant([0.0, -1.0])).numpy().tolist() == [np.inf, np.inf]


@pytest.mark.parametrize('body', [case[0] for case in CASES])
def test_integers_and_complex_are_refused(body):
    for value in ([1], [1j]):
        with pytest.raises(errors.InvalidTypeError):
            body(tv.constant(value))


@pytest.mark.parametrize(('body', 'reference', 'low'), CASES)
def test_gradients(body, reference, low):
    numeric_gradient.check(body, values(body, np.float64, low) + 0.02)


def test_polygamma_gradient_with_broadcasting():
    x = np.array([[0.5], [1.0], [2.5]])
    numeric_gradient.check(lambda x: ops.polygamma(tv.constant([1.0, 2.0], 'float64'), x), x)
