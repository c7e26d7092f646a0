"""Activations that are linear in pieces, or exponential below 0."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import activation as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient

# TensorFlow's results for these inputs.
INPUTS = [-3.0, -0.5, 0.0, 0.5, 7.0]
TENSORFLOW = {
    ops.relu: [0.0, 0.0, 0.0, 0.5, 7.0],
    ops.relu6: [0.0, 0.0, 0.0, 0.5, 6.0],
    ops.leaky_relu: [-0.6, -0.1, 0.0, 0.5, 7.0],
    ops.elu: [-0.950212929, -0.393469346, 0.0, 0.5, 7.0],
    ops.selu: [-1.67056870, -0.691758169, 0.0, 0.525350511, 7.35490704],
}
REFERENCES = {
    ops.relu: lambda x: np.maximum(x, 0),
    ops.relu6: lambda x: np.minimum(np.maximum(x, 0), 6),
    ops.leaky_relu: lambda x: np.where(x > 0, x, float(np.float32(0.2)) * x),
    ops.elu: lambda x: np.where(x < 0, np.expm1(x), x),
    ops.selu: lambda x: 1.0507009873554805 * np.where(x < 0, 1.6732632423543772 * np.expm1(x), x),
}
BODIES = list(REFERENCES)


@pytest.mark.parametrize('body', BODIES)
def test_values_of_tensorflow(body):
    np.testing.assert_allclose(body(tv.constant(INPUTS)).numpy(), TENSORFLOW[body], rtol=1e-6)


@pytest.mark.parametrize('body', BODIES)
def test_values_for_every_dtype(device, body):
    for dtype in rules.FLOATS:
        for shape in ((), (2, 3), (0,)):
            x = device_parity.sample(dtype, shape) * dtype(4)
            rules.check(device, body, REFERENCES[body], np.asarray(x, dtype))


@pytest.mark.parametrize('body', [ops.relu, ops.relu6])
def test_integers(device, body):
    for dtype in rules.INTEGERS:
        rules.check(device, body, REFERENCES[body], device_parity.sample(dtype, (4,)))


def test_leaky_relu_takes_integers_as_float32():
    result = ops.leaky_relu(tv.constant([1, -2]))
    assert result.dtype == tv.float32
    np.testing.assert_allclose(result.numpy(), [1, -0.4], rtol=1e-6)


def test_leaky_relu_with_other_slopes():
    for alpha in (0, 0.5, 2.0):
        result = ops.leaky_relu(tv.constant([3.0, -2.0]), alpha=alpha).numpy()
        assert result.tolist() == [3, -2 * alpha]
    with pytest.raises(TypeError, match="Expected float for argument 'alpha'"):
        ops.leaky_relu(tv.constant([1.0]), alpha=tv.constant(0.3))


@pytest.mark.parametrize('body', BODIES)
def test_nan_stays(body):
    assert np.isnan(body(tv.constant([np.nan])).numpy()[0])


@pytest.mark.parametrize('body', BODIES)
def test_other_dtypes_are_refused(body):
    for value in ([1j], [True]):
        with pytest.raises(errors.InvalidTypeError, match='allowed are'):
            body(tv.constant(value))


@pytest.mark.parametrize('body', [ops.elu, ops.selu])
def test_integers_are_refused(body):
    with pytest.raises(errors.InvalidTypeError, match='has dtype int32'):
        body(tv.constant([1]))


@pytest.mark.parametrize('body', BODIES)
def test_gradients(body):
    numeric_gradient.check(body, np.array([-3.0, -0.5, 0.5, 5.0, 8.0]))


@pytest.mark.parametrize('body', BODIES)
def test_gradients_at_the_kink_are_tensorflows(body):
    x = tv.constant([0.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = body(x)
    expected = {ops.leaky_relu: 0.2, ops.elu: 1.0, ops.selu: 1.0507009}.get(body, 0.0)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), [expected], rtol=1e-6)


def test_gradients_of_sixteen_bit_floats_keep_their_dtype():
    x = tv.constant([-1.0, 2.0], 'bfloat16')
    for body in BODIES:
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = body(x)
        assert tape.gradient(y, x).dtype == tv.bfloat16


def test_the_slope_of_leaky_relu_is_a_float32_as_in_tensorflow():
    x = tv.constant([-1.0], tv.float64)
    assert ops.leaky_relu(x).numpy().tolist() == [-0.20000000298023224]
    assert ops.leaky_relu(x, alpha=None).numpy().tolist() == [-0.20000000298023224]
