"""Trigonometric functions and their inverses."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import trigonometric as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient

CASES = [
    (ops.sin, np.sin),
    (ops.cos, np.cos),
    (ops.tan, np.tan),
    (ops.asin, np.arcsin),
    (ops.acos, np.arccos),
    (ops.atan, np.arctan),
]


def inside(dtype):
    """Values between -0.9 and 0.9, where all inverses are defined."""
    return (device_parity.sample(np.float64, (2, 3)) * 0.45).astype(dtype)


@pytest.mark.parametrize(('body', 'reference'), CASES, ids=rules.name_of)
def test_values_equal_numpy_for_every_dtype(device, body, reference):
    for dtype in rules.FLOATS + rules.COMPLEX:
        rules.check(device, body, reference, inside(dtype), looser=4)


def test_atan2_equals_numpy_and_broadcasts(device):
    for dtype in rules.FLOATS:
        y = device_parity.sample(dtype, (2, 1), seed=1)
        x = device_parity.sample(dtype, (3,), seed=2)
        rules.check(device, ops.atan2, np.arctan2, y, x)


@pytest.mark.parametrize('body', [case[0] for case in CASES])
def test_integers_are_refused(body):
    with pytest.raises(errors.InvalidTypeError, match='has dtype int32'):
        body(tv.constant([1]))


def test_atan2_refuses_shapes_that_do_not_broadcast():
    with pytest.raises(errors.InvalidArgumentError, match=r'Incompatible shapes: \[2\] vs. \[3\]'):
        ops.atan2(tv.zeros([2]), tv.zeros([3]))


@pytest.mark.parametrize('body', [case[0] for case in CASES])
@pytest.mark.parametrize('dtype', [np.float64, np.complex128], ids=rules.name_of)
def test_gradients(body, dtype):
    numeric_gradient.check(body, inside(dtype) + dtype(0.05))


def test_atan2_gradients_with_broadcasting():
    numeric_gradient.check(ops.atan2, np.array([[1.0], [-2.0]]), np.array([0.5, -1.5, 2.0]))
