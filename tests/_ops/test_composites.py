"""polyval, accumulate_n, reciprocal_no_nan, is_non_decreasing, is_strictly_increasing."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import composites as ops
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


def test_values(device: str) -> None:
    x = device_parity.sample(np.float32, (2, 3))
    rules.check(
        device,
        lambda x: [
            ops.polyval([x, 2.0, 0.5], x),
            ops.polyval([x], x),
            ops.accumulate_n([x, x + 1, x]),
            ops.reciprocal_no_nan(x),
        ],
        lambda x: [x**3 + 2 * x + 0.5, x, 3 * x + 1, 1 / x],
        x,
        looser=10,
    )


def test_polyval() -> None:
    assert ops.polyval([], 3.0).numpy() == 0.0
    assert ops.polyval([1, 2, 3], 2).numpy() == 11
    for coefficients in ((1.0, 2.0), tv.constant([1.0, 2.0])):
        with pytest.raises(ValueError, match='list'):
            ops.polyval(coefficients, 2.0)
    with pytest.raises(tv.errors.InvalidArgumentError):
        ops.polyval([1, 2.0], tv.constant(2.0))


@pytest.mark.parametrize('inputs', [[], 5, [[1.0, 2.0], [3.0]], [1.0, 2]], ids=str)
def test_bad_accumulate_n(inputs) -> None:
    with pytest.raises(ValueError, match='AccumulateNV2'):
        ops.accumulate_n(inputs)


def test_accumulate_n_checks_what_is_expected() -> None:
    assert ops.accumulate_n([1.0, 2.0], shape=[], tensor_dtype=tv.float32).numpy() == 3.0
    with pytest.raises(ValueError, match='compatible'):
        ops.accumulate_n([1.0, 2.0], shape=[2])
    with pytest.raises(TypeError, match='int32'):
        ops.accumulate_n([1.0, 2.0], tensor_dtype=tv.int32)


def test_reciprocal_of_zero() -> None:
    x = [2.0, 0.0, -0.0, np.inf, np.nan]
    np.testing.assert_equal(ops.reciprocal_no_nan(x).numpy(), np.float32([0.5, 0, 0, 0, np.nan]))
    assert ops.reciprocal_no_nan(tv.constant([2j, 0])).numpy().tolist() == [-0.5j, 0]
    for bad in ([2, 0], [True]):
        with pytest.raises(TypeError, match='reciprocal_no_nan'):
            ops.reciprocal_no_nan(bad)


@pytest.mark.parametrize(
    ('values', 'rising', 'strict'),
    [
        ([1, 1, 2], True, False),
        ([[1, 1], [2, 0]], False, False),
        (np.array([2, 1], np.uint8), False, False),
        ([1.0, 2.0, 3.0], True, True),
        ([np.nan, 2.0], False, False),
        (3, True, True),
        ([], True, True),
    ],
    ids=str,
)
def test_order(device: str, values, rising: bool, strict: bool) -> None:
    with tv.device(device):
        assert ops.is_non_decreasing(values).numpy() == rising
        assert ops.is_strictly_increasing(values).numpy() == strict


def test_order_of_what_has_none() -> None:
    for bad in ([True, False], ['a']):
        with pytest.raises(TypeError, match='numeric'):
            ops.is_non_decreasing(bad)
    with pytest.raises(tv.errors.InvalidArgumentError):
        ops.is_strictly_increasing([1j, 2j])


def test_gradients() -> None:
    x = samples.float64(2, 2)
    numeric_gradient.check(lambda x: ops.polyval([x, 2 * x, x * x], x), x)
    numeric_gradient.check(lambda x, y: ops.accumulate_n([x, y, x]) ** 2, x, x + 1)
    numeric_gradient.check(ops.reciprocal_no_nan, x)
