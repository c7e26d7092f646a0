"""Complex numbers: their parts, and making them of parts."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import complex_parts as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient

PARTS = {np.complex64: np.float32, np.complex128: np.float64}


@pytest.mark.parametrize(
    ('body', 'reference'),
    [(ops.abs, np.abs), (ops.real, np.real), (ops.imag, np.imag), (ops.angle, np.angle)],
    ids=rules.name_of,
)
def test_parts_of_complex_values_are_real(device, body, reference):
    for dtype, part in PARTS.items():
        for shape in ((), (2, 3), (0,)):
            x = device_parity.sample(dtype, shape)
            rules.check(device, body, reference, x, dtype=np.dtype(part))


def test_conj_equals_numpy(device):
    for dtype in PARTS:
        rules.check(device, ops.conj, np.conj, device_parity.sample(dtype, (2, 3)))


def test_abs_of_reals_equals_numpy(device):
    for dtype in rules.FLOATS + rules.SIGNED:
        rules.check(device, ops.abs, np.abs, device_parity.sample(dtype, (2, 3)))


@pytest.mark.parametrize('body', [ops.real, ops.conj])
def test_real_values_are_their_own_part(body):
    x = tv.constant([1.0, -2.0])
    assert body(x) is x
    assert body([1, 2]).dtype == tv.int32


def test_imaginary_part_and_angle_of_reals(device):
    for dtype in rules.FLOATS:
        x = device_parity.sample(dtype, (4,))
        rules.check(device, ops.imag, np.zeros_like, x)
        rules.check(device, ops.angle, np.angle, x)


def test_complex_of_parts_broadcasts_and_keeps_infinities(device):
    for whole, part in PARTS.items():
        real = np.array([[1.0], [np.inf]], part)
        imag = np.array([2.0, np.nan, -np.inf], part)

        def reference(real, imag):
            made = np.empty(np.broadcast_shapes(real.shape, imag.shape), whole)  # noqa: B023
            made.real, made.imag = real, imag
            return made

        rules.check(device, ops.complex, reference, real, imag, dtype=np.dtype(whole))
    rules.check(
        device,
        ops.complex,
        lambda real, imag: real + 1j * imag,
        np.float32(1.0),
        np.float32(2.0),
        dtype=np.dtype(np.complex64),
    )


def test_wrong_dtypes_are_refused():
    with pytest.raises(errors.InvalidTypeError, match=r'\[ComplexAbs\]|\[Abs\]'):
        ops.abs(tv.constant([True]))
    with pytest.raises(errors.InvalidTypeError, match=r'\[Conj\] a bool tensor'):
        ops.conj(tv.constant([True]))
    with pytest.raises(errors.InvalidTypeError, match=r'\[Complex\]'):
        ops.complex(tv.constant([1.0]), tv.constant([1.0], 'float64'))
    with pytest.raises(errors.InvalidTypeError, match=r'\[Complex\]'):
        ops.complex(1, 2)
    with pytest.raises(errors.InvalidArgumentError, match='Incompatible shapes'):
        ops.complex(tv.zeros([2]), tv.zeros([3]))


@pytest.mark.parametrize('body', [ops.abs, ops.conj, ops.real, ops.imag, ops.angle])
def test_gradients(body):
    numeric_gradient.check(body, device_parity.sample(np.complex128, (2, 2), low=0.5))


def test_gradient_of_abs_of_reals():
    numeric_gradient.check(ops.abs, np.array([-1.5, 2.0]))


def test_gradients_of_complex_with_broadcasting():
    numeric_gradient.check(ops.complex, np.array([[1.0], [2.0]]), np.array([0.5, -1.0, 3.0]))


def test_the_imaginary_part_of_what_is_no_number():
    assert ops.imag(tv.constant(['a'])).numpy().tolist() == [b'']
    assert ops.imag(tv.constant([True])).numpy().tolist() == [False]
