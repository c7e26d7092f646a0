"""Evenly spaced numbers."""

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import ranges as ops
from tests._ops import rules
from tests.support import numeric_gradient, tolerances


@pytest.mark.parametrize(
    'arguments',
    [(5,), (1, 5, 2), (5, 1, -2), (0,), (3, 3), (10, 0, -3), (-4, 4, 3), (5, 0, -5)],
    ids=str,
)
def test_range_equals_numpy_for_every_dtype(device, arguments):
    expected = np.arange(*arguments)
    with tv.device(device), rules.verified():
        for dtype in rules.REAL:
            if min(arguments) < 0 and np.dtype(dtype).kind == 'u':
                continue
            result = ops.range(*arguments, dtype=dtype)
            assert result.device.endswith(f'device:{device}')
            tolerances.assert_close(result.numpy(), expected.astype(dtype))


def test_range_of_fractions():
    result = ops.range(1.0, 2.0, 0.3)
    np.testing.assert_array_equal(result.numpy(), np.float32([1, 1.3, 1.6, 1.9000001]))
    assert ops.range(1, 2.5).numpy().tolist() == [1, 2]
    assert ops.range(0.0, 1.0, tv.constant(0.1, 'float16')).shape == [11]
    assert ops.range(*(tv.constant(x, 'float16') for x in (0.0, 1.0, 0.1))).shape == [10]


def test_range_chooses_the_widest_dtype():
    assert ops.range(5).dtype == tv.int32
    assert ops.range(2**40, 2**40 + 2).dtype == tv.int64
    assert ops.range(5.0).dtype == tv.float32
    assert ops.range(np.int64(4)).dtype == tv.int64
    assert ops.range(np.float64(4)).dtype == tv.float64
    assert ops.range(tv.constant(1), tv.constant(5.0)).dtype == tv.float32
    assert ops.range(ml_dtypes.bfloat16(3)).dtype == tv.bfloat16


def test_range_at_the_ends_of_integer_types():
    assert ops.range(250, 255, 3, dtype='uint8').numpy().tolist() == [250, 253]
    ends = ops.range(2**64 - 3, 2**64 - 1, dtype='uint64').numpy()
    assert ends.tolist() == [2**64 - 3, 2**64 - 2]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ((1, 5, 0), 'delta != 0'),
        ((5, 1), 'start <= limit when delta > 0'),
        ((1, 5, -1), 'start >= limit when delta < 0'),
        ((0.0, float('inf')), 'all have to be finite'),
        (([1, 2],), 'one real number each'),
        (('a',), 'one real number each'),
        ((True,), 'one real number each'),
        ((1j,), 'one real number each'),
    ],
    ids=str,
)
def test_range_refusals(arguments, message):
    with pytest.raises(errors.InvalidArgumentError, match=message):
        ops.range(*arguments)


def test_range_refuses_dtypes():
    with pytest.raises(errors.InvalidTypeError):
        ops.range(5, dtype='bool')
    with pytest.raises(errors.InvalidTypeError, match='cannot hold without damage'):
        ops.range(0, 5, 0.5, dtype='int32')


@pytest.mark.parametrize('num', [0, 1, 2, 5])
@pytest.mark.parametrize('axis', [0, 1, -1])
def test_linspace_equals_numpy(device, num, axis):
    def linspace(start, stop):
        return ops.linspace(start, stop, num, axis=axis)

    def reference(start, stop):
        return np.linspace(start, stop, num, axis=axis)

    for dtype in rules.FLOATS:
        start, stop = np.array([0.0, 5.0], dtype), np.array([[1.0], [2.0]], dtype)
        rules.check(device, linspace, reference, start, stop)


def test_linspace_of_host_values():
    assert ops.linspace(0.0, 1.0, 5).numpy().tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert ops.linspace(0, 1, 5).dtype == tv.float64
    assert ops.linspace(tv.constant(0), tv.constant(10), tv.constant(4)).dtype == tv.float64
    assert ops.linspace(0.0, 0.7, 3).numpy()[-1] == np.float32(0.7)


def test_linspace_refusals():
    with pytest.raises(errors.InvalidArgumentError, match='num is -1'):
        ops.linspace(0.0, 1.0, -1)
    with pytest.raises(errors.InvalidTypeError, match='num'):
        ops.linspace(0.0, 1.0, 2.5)
    with pytest.raises(errors.InvalidIndexError, match='axis 2 is out of range'):
        ops.linspace([0.0], [1.0], 3, axis=2)
    with pytest.raises(errors.InvalidArgumentError, match='Incompatible shapes'):
        ops.linspace([0.0, 1.0], [1.0, 2.0, 3.0], 3)


@pytest.mark.parametrize('num', [1, 4])
def test_linspace_gradients(num):
    start, stop = np.array([0.5, 1.0]), np.array([[2.0], [3.0]])
    numeric_gradient.check(lambda a, b: ops.linspace(a, b, num, axis=1), start, stop)


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        (tv.int8, tv.float32),
        (tv.uint16, tv.float32),
        (tv.int32, tv.float64),
        (tv.uint64, tv.float64),
        (tv.complex64, tv.complex64),
    ],
)
def test_linspace_of_other_dtypes(given, expected):
    values = ops.linspace(tv.constant(1, given), tv.constant(4, given), 3)
    assert values.dtype == expected
    assert values.numpy().tolist() == [1, 2.5, 4]
