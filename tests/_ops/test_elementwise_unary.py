"""Signs, fixed powers, and ops that pass their input on."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import elementwise_unary as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient

SHAPES = [(), (5,), (2, 3), (0, 2)]


def complex_sign(x):
    return np.where(x == 0, 0, x / np.where(x == 0, 1, np.abs(x)))


CASES = [
    (ops.negative, np.negative, rules.FLOATS + rules.SIGNED + rules.COMPLEX, -2.0),
    (ops.sign, np.sign, rules.FLOATS + rules.SIGNED, -2.0),
    (ops.sign, complex_sign, rules.COMPLEX, -2.0),
    (ops.square, np.square, rules.NUMBERS, -0.5),
    (ops.sqrt, np.sqrt, rules.FLOATS + rules.COMPLEX, 0.0),
    (ops.rsqrt, lambda x: 1 / np.sqrt(x), rules.FLOATS + rules.COMPLEX, 0.1),
    (ops.reciprocal, np.reciprocal, rules.FLOATS + rules.COMPLEX, 0.1),
    (ops.identity, lambda x: x, [*rules.NUMBERS, np.bool_], -2.0),
    (ops.stop_gradient, lambda x: x, [*rules.NUMBERS, np.bool_], -2.0),
]


@pytest.mark.parametrize(('body', 'reference', 'dtypes', 'low'), CASES, ids=rules.name_of)
def test_values_equal_numpy_for_every_dtype(device, body, reference, dtypes, low):
    for dtype in dtypes:
        rules.check(device, body, reference, device_parity.sample(dtype, (2, 3), low=low))


@pytest.mark.parametrize('shape', SHAPES)
def test_shapes(device, shape):
    rules.check(device, ops.square, np.square, device_parity.sample(np.float32, shape))


@pytest.mark.parametrize(
    ('body', 'refused'),
    [
        (ops.negative, ['uint8', 'bool', 'string']),
        (ops.sign, ['uint64', 'bool']),
        (ops.square, ['bool', 'string']),
        (ops.sqrt, ['int32', 'bool']),
        (ops.rsqrt, ['int64', 'bool']),
        (ops.reciprocal, ['int32', 'uint8']),
    ],
    ids=rules.name_of,
)
def test_other_dtypes_are_refused_by_name(body, refused):
    for dtype in refused:
        with pytest.raises(errors.InvalidTypeError, match=f'has dtype {dtype}; allowed are'):
            body(tv.zeros([2], dtype))


def test_special_values(device):
    with tv.device(device):
        x = tv.constant([np.nan, -0.0, 0.0, -4.0, np.inf])
        np.testing.assert_array_equal(ops.sign(x).numpy(), [np.nan, 0, 0, -1, 1])
        np.testing.assert_array_equal(ops.sqrt(x).numpy(), [np.nan, -0.0, 0, np.nan, np.inf])
        np.testing.assert_array_equal(ops.rsqrt(x).numpy()[2:], [np.inf, np.nan, 0])
        np.testing.assert_array_equal(ops.reciprocal(x).numpy()[1:3], [-np.inf, np.inf])


def test_most_negative_integer_wraps_around():
    assert ops.negative(tv.constant([-(2**31)])).numpy()[0] == -(2**31)


@pytest.mark.parametrize(
    'body', [ops.negative, ops.square, ops.sqrt, ops.rsqrt, ops.reciprocal, ops.identity]
)
@pytest.mark.parametrize('dtype', [np.float64, np.complex128], ids=rules.name_of)
def test_gradients(body, dtype):
    x = device_parity.sample(dtype, (2, 2), low=0.5)
    numeric_gradient.check(body, x)


def test_sign_has_a_gradient_of_zero_and_stop_gradient_none():
    x = tv.constant([-1.0, 2.0])
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = ops.sign(x)
        z = ops.stop_gradient(x) * x
        w = ops.stop_gradient(x)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [0, 0])
    np.testing.assert_array_equal(tape.gradient(z, x).numpy(), [-1, 2])
    assert tape.gradient(w, x) is None


def test_identity_of_a_variable_keeps_its_value():
    v = tv.Variable([1.0, 2.0])
    kept = ops.identity(v)
    v.assign([3.0, 4.0])
    np.testing.assert_array_equal(kept.numpy(), [1, 2])


def test_roots_of_zero_pass_no_gradient_on_where_none_arrives():
    x = tv.Variable([0.0, 4.0])
    for body, expected in ((ops.sqrt, [0.0, 0.25]), (ops.rsqrt, [0.0, -0.0625])):
        with tv.GradientTape() as tape:
            y = body(x) * tv.constant([0.0, 1.0])
        assert tape.gradient(y, x).numpy().tolist() == expected


def test_the_gradient_of_a_complex_sign_is_that_of_tensorflow():
    x = tv.constant([3 + 4j, 0j, 1j])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = ops.sign(x) * (2 + 1j)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), [0.352 - 0.264j, 0, 2], rtol=1e-12)
