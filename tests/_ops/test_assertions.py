"""Checks of values: what passes, what raises, and with which text."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import debugging

PAIRS = [
    (debugging.assert_equal, [1, 2], [1, 2], [1, 3]),
    (debugging.assert_none_equal, [1, 2], [2, 1], [2, 2]),
    (debugging.assert_less, [1, 2], [2, 3], [2, 2]),
    (debugging.assert_less_equal, [1, 2], [1, 3], [1, 1]),
    (debugging.assert_greater, [1, 2], [0, 1], [0, 2]),
    (debugging.assert_greater_equal, [1, 2], [1, 1], [1, 3]),
]
SIGNS = [
    (debugging.assert_positive, [1.0, 2.0], [1.0, 0.0]),
    (debugging.assert_negative, [-1.0, -2.0], [-1.0, 0.0]),
    (debugging.assert_non_negative, [0.0, 1.0], [0.0, -1.0]),
    (debugging.assert_non_positive, [0.0, -1.0], [0.0, 1.0]),
]


@pytest.mark.parametrize(('check', 'x', 'good', 'bad'), PAIRS)
def test_comparisons_on_every_device(device: str, check, x, good, bad) -> None:
    with tv.device(device):
        value = tv.constant(x)
        assert check(value, tv.constant(good)) is None
        assert check(tv.zeros([0]), tv.zeros([0])) is None
        with pytest.raises(tv.errors.InvalidArgumentError, match='did not hold') as raised:
            check(value, tv.Variable(bad), message='the message')
    assert raised.value.message.startswith(f'[{check.__name__}] the message\nCondition x ')
    assert '1 pairs differ, at the indices [[1]]' in raised.value.message
    assert 'First elements of x: 1, 2\nFirst elements of y: ' in raised.value.message


def test_comparisons_broadcast() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError) as raised:
        debugging.assert_less([[1, 2], [3, 4]], [9, 0])
    assert 'indices' not in raised.value.message
    assert 'First elements of x: 1, 2, 3, ...\n' in raised.value.message


@pytest.mark.parametrize(
    ('summarize', 'shown'), [(None, '0, 1, 2, ...'), (1, '0, ...'), (-1, '0, 1, 2, 3, 4')]
)
def test_summarize(summarize, shown: str) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=f'elements of x: {shown}\n'):
        debugging.assert_equal(list(range(5)), 7, summarize=summarize)


def test_nan_equals_nothing() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError):
        debugging.assert_equal(float('nan'), float('nan'))
    debugging.assert_none_equal(float('nan'), float('nan'))


@pytest.mark.parametrize(
    ('x', 'y'), [([1, 2], [1, 2, 3]), ([1], np.array([1.0])), (None, 3)], ids=repr
)
def test_comparisons_refuse_what_their_op_refuses(x, y) -> None:
    with pytest.raises(ValueError, match=r'^\['):
        debugging.assert_equal(tv.constant(x) if x else x, y)


@pytest.mark.parametrize(('check', 'good', 'bad'), SIGNS)
def test_signs_on_every_device(device: str, check, good, bad) -> None:
    with tv.device(device):
        assert check(tv.constant(good)) is None
        assert check(tv.zeros([0])) is None
        with pytest.raises(tv.errors.InvalidArgumentError) as raised:
            check(tv.constant(bad), message='the message')
    text = raised.value.message
    assert text.startswith(f'[{check.__name__}] the message\nCondition x ')
    assert f'x (shape=(2,) dtype=float32) = {bad[0]}, {bad[1]}' in text


@pytest.mark.parametrize('value', ['text', True, 1j], ids=repr)
def test_signs_are_those_of_numbers(value) -> None:
    with pytest.raises(TypeError, match='allowed are real numbers'):
        debugging.assert_positive(value)


def test_near_on_every_device(device: str) -> None:
    with tv.device(device):
        debugging.assert_near(tv.constant([[1.0, 1.0]]), tv.constant(1.0))
        debugging.assert_near(1.0, 1.1, rtol=0.5)
        debugging.assert_near([1.0, 2.0], [1.05, 2.0], atol=0.1)
        debugging.assert_near(1.0 + 1j, 1.0 + 1j)
        with pytest.raises(tv.errors.InvalidArgumentError, match='not equal to tolerance rtol'):
            debugging.assert_near(1.0, 1.1)


@pytest.mark.parametrize(
    ('dtype', 'near', 'far'),
    [
        (tv.float16, 1.005, 1.03),
        (tv.bfloat16, 1.01, 1.2),
        (tv.float32, 1 + 2e-6, 1 + 3e-6),
        (tv.float64, 1 + 4e-15, 1 + 5e-15),
    ],
)
def test_tolerances_follow_the_dtype(dtype, near: float, far: float) -> None:
    one = tv.constant(1.0, dtype)
    debugging.assert_near(one, tv.constant(near, dtype))
    with pytest.raises(tv.errors.InvalidArgumentError):
        debugging.assert_near(one, tv.constant(far, dtype))


@pytest.mark.parametrize(
    ('x', 'y'),
    [(1, 1), (np.float32(1), np.float64(1)), (float('nan'),) * 2, (float('inf'),) * 2],
    ids=repr,
)
def test_near_refuses(x, y) -> None:
    with pytest.raises(ValueError, match=r'^\['):
        debugging.assert_near(tv.constant(x), tv.constant(y))


def test_assert() -> None:
    assert debugging.Assert(True, None) is None
    assert debugging.Assert(tv.constant([True]), [1]) is None
    with pytest.raises(tv.errors.InvalidArgumentError, match='Summarized data: 1, 2, ...\nabc'):
        debugging.Assert(False, [tv.constant([1, 2, 3]), 'abc'], summarize=2)
    with pytest.raises(ValueError, match='ambiguous'):
        debugging.Assert(tv.constant([True, False]), [1])
    with pytest.raises(TypeError, match='must be a list'):
        debugging.Assert(False, tv.constant([1]))
