"""Shape rules that most elementwise ops share."""

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._core.op_registry import ArraySpec
from tensorvar._ops import _define

FLOAT = np.dtype(np.float32)


def spec(*shape):
    return ArraySpec(shape, FLOAT)


@pytest.mark.parametrize(
    ('x', 'y', 'expected'),
    [
        ((), (2,), (2,)),
        ((2, 1), (3,), (2, 3)),
        ((0, 3), (1,), (0, 3)),
        ((None,), (3,), (3,)),
        ((None,), (1,), (None,)),
        ((None, 2), (None, 1), (None, 2)),
        ((1, 2), (None, 2), (None, 2)),
    ],
)
def test_broadcast_knows_what_can_be_known(x, y, expected):
    rule = _define.broadcast_rule('Some')
    assert rule(spec(*x), spec(*y)) == ArraySpec(expected, FLOAT)
    assert rule(spec(*y), spec(*x)) == ArraySpec(expected, FLOAT)


def test_the_dtype_of_the_result_can_be_given():
    assert _define.broadcast_rule('Some', _define.BOOL)(spec(), spec()).dtype is _define.BOOL
    assert _define.bool_like_input(spec(2)) == ArraySpec((2,), _define.BOOL)


def test_refusals_name_the_op_and_all_shapes():
    with pytest.raises(
        errors.InvalidArgumentError, match=r'^\[Some\] Incompatible shapes: \[2\] vs. \[3\]'
    ):
        _define.broadcast('Some', spec(2), spec(3))
