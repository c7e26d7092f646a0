"""Bits of integers."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import bitwise as ops
from tests._ops import rules
from tests.support import device_parity

CASES = [
    (ops.bitwise_and, np.bitwise_and),
    (ops.bitwise_or, np.bitwise_or),
    (ops.bitwise_xor, np.bitwise_xor),
]


@pytest.mark.parametrize(('body', 'reference'), CASES, ids=rules.name_of)
def test_values_equal_numpy_for_every_dtype(device, body, reference):
    for dtype in rules.INTEGERS:
        x = device_parity.sample(dtype, (2, 1), seed=1)
        rules.check(device, body, reference, x, device_parity.sample(dtype, (3,), seed=2))


def test_invert_and_shifts(device):
    for dtype in rules.INTEGERS:
        x = device_parity.sample(dtype, (2, 3))
        bits = np.array([0, 1, 3], dtype)
        rules.check(device, ops.invert, np.invert, x)
        rules.check(device, ops.left_shift, np.left_shift, x, bits)
        rules.check(device, ops.right_shift, np.right_shift, x, bits)


@pytest.mark.parametrize('body', [case[0] for case in CASES])
def test_bools_and_floats_are_refused(body):
    for value in ([True], [1.0]):
        with pytest.raises(errors.InvalidTypeError, match='allowed are int8'):
            body(tv.constant(value), tv.constant(value))


def test_operators_of_integers():
    x, y = tv.constant([6]), tv.constant([3])
    assert [(x & y).numpy()[0], (x | y).numpy()[0], (x ^ y).numpy()[0]] == [2, 7, 5]
    assert (~x).numpy()[0] == -7
    with pytest.raises(errors.InvalidTypeError):
        tv.constant([1.0]) & tv.constant([1.0])
