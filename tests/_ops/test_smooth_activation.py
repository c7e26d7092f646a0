"""Activations that are smooth everywhere."""

import numpy as np
import pytest
import scipy.special

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import smooth_activation as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient


def fitted_gelu(x):
    return ops.gelu(x, approximate=True)


def numpy_fitted_gelu(x):
    cube = float(np.float32(0.044715))
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + cube * x**3)))


REFERENCES = {
    ops.softplus: lambda x: np.logaddexp(x, np.zeros_like(x)),
    ops.softsign: lambda x: x / (1 + np.abs(x)),
    ops.log_sigmoid: lambda x: -np.logaddexp(-x, np.zeros_like(x)),
    ops.gelu: lambda x: 0.5 * x * scipy.special.erfc(-x * float(np.float32(np.sqrt(0.5)))),
    fitted_gelu: numpy_fitted_gelu,
    ops.silu: lambda x: x * scipy.special.expit(x),
}
BODIES = list(REFERENCES)


@pytest.mark.parametrize('body', BODIES)
def test_values_for_every_dtype(device, body):
    for dtype in rules.FLOATS:
        for shape in ((), (2, 3), (0,)):
            x = device_parity.sample(dtype, shape)
            rules.check(device, body, REFERENCES[body], x, looser=4)


def test_values_of_tensorflow():
    x = tv.constant([1.0, -2.0])
    for body, expected in (
        (ops.gelu, [0.8413447141647339, -0.0455002635717392]),
        (fitted_gelu, [0.8411920070648193, -0.04540222883224487]),
        (ops.silu, [0.7310585975646973, -0.23840583860874176]),
        (lambda x: ops.silu(x, beta=2.0), [0.8807970881462097, -0.03597242012619972]),
        (lambda x: ops.silu(x, beta=tv.constant(2.0)), [0.8807970881462097, -0.03597242012619972]),
    ):
        np.testing.assert_allclose(body(x).numpy(), expected, rtol=4e-6)


def test_ends():
    x = tv.constant([-np.inf, -200.0, 200.0, np.inf, np.nan])
    expected = [0, 0, 200, np.inf, np.nan]
    np.testing.assert_array_equal(ops.softplus(x).numpy(), expected)
    expected = [-np.inf, -200, 0, 0, np.nan]
    np.testing.assert_array_equal(ops.log_sigmoid(x).numpy(), expected)


@pytest.mark.parametrize('body', BODIES)
def test_integers_are_refused(body):
    with pytest.raises(errors.InvalidTypeError, match='has dtype int32'):
        body(tv.constant([1, -2]))


@pytest.mark.parametrize('body', BODIES)
def test_gradients(body):
    numeric_gradient.check(body, np.array([-2.0, -0.3, 0.4, 1.7]))


def test_gradient_of_silu_to_beta():
    numeric_gradient.check(ops.silu, np.array([-2.0, 1.5]), np.array(1.3))


def test_gelu_rounds_its_constants_as_tensorflow_does():
    x = tv.constant([2.25, -1.5], tv.float64)
    exact, fitted = ops.gelu(x).numpy(), fitted_gelu(x).numpy()
    np.testing.assert_allclose(exact, [2.2224949337761943, -0.10021080689063545], rtol=1e-14)
    np.testing.assert_allclose(fitted, [2.222798669347488, -0.10042842380005415], rtol=1e-14)
