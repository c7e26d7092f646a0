"""Hyperbolic functions and their inverses."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import hyperbolic as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient

CASES = [
    (ops.sinh, np.sinh, 0.0),
    (ops.cosh, np.cosh, 0.0),
    (ops.tanh, np.tanh, 0.0),
    (ops.asinh, np.arcsinh, 0.0),
    (ops.acosh, np.arccosh, 2.0),
    (ops.atanh, np.arctanh, 0.0),
]


def values(dtype, shift):
    """Values between -0.9 and 0.9, moved by ``shift``."""
    return (device_parity.sample(np.float64, (2, 3)) * 0.45 + shift).astype(dtype)


@pytest.mark.parametrize(('body', 'reference', 'shift'), CASES, ids=rules.name_of)
def test_values_equal_numpy_for_every_dtype(device, body, reference, shift):
    for dtype in rules.FLOATS + rules.COMPLEX:
        rules.check(device, body, reference, values(dtype, shift), looser=4)


@pytest.mark.parametrize('body', [case[0] for case in CASES])
def test_integers_are_refused(body):
    with pytest.raises(errors.InvalidTypeError, match='has dtype int32'):
        body(tv.constant([1]))


@pytest.mark.parametrize(('body', 'reference', 'shift'), CASES, ids=rules.name_of)
@pytest.mark.parametrize('dtype', [np.float64, np.complex128], ids=rules.name_of)
def test_gradients(body, reference, shift, dtype):
    numeric_gradient.check(body, values(dtype, shift))


def test_tanh_grad_is_the_slope_times_the_gradient():
    numeric_gradient.check(ops.tanh_grad, np.array([0.2, -0.9]), np.array([1.5, -2.0]))
