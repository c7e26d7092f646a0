"""Logic of bools."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import logical as ops
from tests._ops import rules

X = np.array([[True], [False]])
Y = np.array([True, False])
CASES = [
    (ops.logical_and, np.logical_and),
    (ops.logical_or, np.logical_or),
    (ops.logical_xor, np.logical_xor),
]


@pytest.mark.parametrize(('body', 'reference'), CASES, ids=rules.name_of)
def test_values_equal_numpy(device, body, reference):
    rules.check(device, body, reference, X, Y)
    rules.check(device, body, reference, np.array(True), np.array(False))


def test_not(device):
    rules.check(device, ops.logical_not, np.logical_not, X)


def test_other_dtypes_are_refused():
    for body in (ops.logical_and, ops.logical_or, ops.logical_xor):
        with pytest.raises(errors.InvalidTypeError, match='has dtype int32; allowed are bool'):
            body(tv.constant([1]), tv.constant([0]))
    with pytest.raises(errors.InvalidTypeError, match='has dtype float32; allowed are bool'):
        ops.logical_not(tv.constant([1.0]))


def test_operators_of_bools():
    x, y = tv.constant([True, False]), tv.constant([True, True])
    assert (x & y).numpy().tolist() == [True, False]
    assert (x | y).numpy().tolist() == [True, True]
    assert (x ^ y).numpy().tolist() == [False, True]
    assert (~x).numpy().tolist() == [False, True]
