"""Comparisons, and tests for nan and infinity."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import comparison as ops
from tests._ops import rules
from tests.support import device_parity

BOOL = np.dtype(np.bool_)
ORDER = [
    (ops.less, np.less),
    (ops.less_equal, np.less_equal),
    (ops.greater, np.greater),
    (ops.greater_equal, np.greater_equal),
]
EQUALITY = [(ops.equal, np.equal), (ops.not_equal, np.not_equal)]


def pair(dtype):
    """Two arrays that broadcast, with equal elements among them."""
    x = device_parity.sample(dtype, (3, 1), seed=1)
    return x, np.array([x[0, 0], x[1, 0]])


@pytest.mark.parametrize(('body', 'reference'), ORDER + EQUALITY, ids=rules.name_of)
def test_comparisons_equal_numpy(device, body, reference):
    more = [*rules.COMPLEX, np.bool_] if (body, reference) in EQUALITY else []
    for dtype in rules.REAL + more:
        rules.check(device, body, reference, *pair(dtype), dtype=BOOL)


@pytest.mark.parametrize('body', [case[0] for case in ORDER])
def test_order_of_complex_numbers_and_bools_is_refused(body):
    for value in ([1j], [True]):
        with pytest.raises(errors.InvalidTypeError, match='allowed are'):
            body(tv.constant(value), tv.constant(value))


def test_strings_are_compared():
    x = tv.constant(['a', 'b'])
    assert ops.equal(x, 'a').numpy().tolist() == [True, False]
    assert ops.not_equal(x, ['a', 'c']).numpy().tolist() == [False, True]


def test_nan_equals_nothing():
    x = tv.constant([np.nan, 1.0])
    assert ops.equal(x, x).numpy().tolist() == [False, True]
    assert ops.not_equal(x, x).numpy().tolist() == [True, False]


@pytest.mark.parametrize(
    ('body', 'reference'),
    [(ops.is_nan, np.isnan), (ops.is_inf, np.isinf), (ops.is_finite, np.isfinite)],
    ids=rules.name_of,
)
def test_tests_of_floats(device, body, reference):
    for dtype in rules.FLOATS:
        x = np.array([np.nan, np.inf, -np.inf, 0.0, -1.5], dtype)
        rules.check(device, body, reference, x, dtype=BOOL)
    with pytest.raises(errors.InvalidTypeError, match='has dtype int32'):
        body(tv.constant([1]))


def test_functions_refuse_shapes_that_do_not_broadcast():
    for body, _ in ORDER + EQUALITY:
        with pytest.raises(errors.InvalidArgumentError, match='Incompatible shapes'):
            body(tv.constant([1, 2]), tv.constant([1, 2, 3]))


def test_operators_answer_for_shapes_that_do_not_broadcast():
    x = tv.constant([1, 2])
    assert (x == [1, 2]).numpy().tolist() == [True, True]
    assert (x != [1, 3]).numpy().tolist() == [False, True]
    for other in (tv.constant([1, 2, 3]), [1, 2, 3], np.array([1, 2, 3])):
        assert (x == other).numpy() == np.False_
        assert (x != other).numpy() == np.True_


def test_operators_refuse_what_cannot_be_compared():
    x = tv.constant([1, 2])
    with pytest.raises(errors.InvalidTypeError, match='expected to be a int32'):
        assert x == tv.constant([1.0, 2.0])
    with pytest.raises(ValueError, match='None'):
        assert x == None  # noqa: E711
    with pytest.raises(TypeError):
        assert x == 'a'


def test_there_is_no_gradient():
    x = tv.constant([1.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = ops.less(x, 2.0)
    assert tape.gradient(y, x) is None
