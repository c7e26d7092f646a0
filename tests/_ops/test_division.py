"""Divisions and remainders."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import division as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient

SMALL = [np.int8, np.int16, np.uint8, np.uint16]


def operands(dtype, shape=(2, 3)):
    """Two arrays, the second without zeros."""
    x = device_parity.sample(dtype, shape, seed=1)
    y = device_parity.sample(dtype, shape, seed=2)
    return x, np.where(y == 0, np.ones_like(y), y)


def truncated(x, y):
    quotient = np.trunc(x.astype(np.float64) / y.astype(np.float64))
    return quotient.astype(x.dtype)


@pytest.mark.parametrize('body', [ops.truediv, ops.divide, ops.divide_no_nan])
def test_division_of_every_dtype(device, body):
    for dtype in rules.FLOATS + rules.COMPLEX:
        rules.check(device, body, np.true_divide, *operands(dtype))
    for dtype in rules.INTEGERS:
        wide = np.dtype(np.float32 if dtype in SMALL else np.float64)
        rules.check(device, body, np.true_divide, *operands(dtype), dtype=wide)


@pytest.mark.parametrize(
    ('body', 'reference'),
    [
        (ops.floordiv, np.floor_divide),
        (ops.floormod, np.remainder),
        (ops.truncatediv, truncated),
        (ops.truncatemod, np.fmod),
    ],
    ids=rules.name_of,
)
def test_whole_quotients_and_remainders(device, body, reference):
    few = [*rules.FLOATS, np.int32, np.int64]
    for dtype in few if body is ops.truncatemod else rules.REAL:
        rules.check(device, body, reference, *operands(dtype))


def test_quotients_round_down_or_towards_zero():
    x, y = tv.constant([7, -7, 7, -7]), tv.constant([2, 2, -2, -2])
    assert ops.floordiv(x, y).numpy().tolist() == [3, -4, -4, 3]
    assert ops.floormod(x, y).numpy().tolist() == [1, 1, -1, -1]
    assert ops.truncatediv(x, y).numpy().tolist() == [3, -3, -3, 3]
    assert ops.truncatemod(x, y).numpy().tolist() == [1, -1, 1, -1]
    assert ops.truncatediv(tv.constant([-(2**31)]), -1).numpy().tolist() == [-(2**31)]


def test_float_floor_division_is_the_floor_of_the_quotient():
    assert ops.floordiv(tv.constant(1.0), tv.constant(0.1)).numpy() == 10
    assert ops.floordiv(tv.constant([7.0, -7.0]), 0.0).numpy().tolist() == [np.inf, -np.inf]
    assert np.isnan(ops.floormod(tv.constant(7.0), 0.0).numpy())


@pytest.mark.usefixtures('values_checked')
@pytest.mark.parametrize('body', [ops.floordiv, ops.floormod, ops.truncatediv, ops.truncatemod])
def test_integer_division_by_zero_raises(device, body):
    with tv.device(device):
        x, y = tv.constant([[1, 2], [3, 4]]), tv.constant([[1, 2], [0, 0]])
        with pytest.raises(
            errors.InvalidArgumentError, match=r'Integer division by zero.* first at \[1, 0\]'
        ):
            body(x, y)


def test_integer_division_by_zero_names_the_op():
    with pytest.raises(errors.InvalidArgumentError, match=r'^\[FloorDiv\] Integer division by'):
        tv.constant(1) // 0
    with pytest.raises(errors.InvalidArgumentError, match=r'^\[FloorMod\] Integer division by'):
        tv.constant(1) % 0


def test_no_nan_divisions(device):
    with tv.device(device):
        x, y = tv.constant([0.0, 1.0, np.nan]), tv.constant([0.0, 0.0, 0.0])
        assert ops.divide_no_nan(x, y).numpy().tolist() == [0, 0, 0]
        np.testing.assert_array_equal(ops.xdivy(x, y).numpy(), [0, np.inf, np.nan])
        assert ops.reciprocal_no_nan(tv.constant([0.0, 4.0])).numpy().tolist() == [0, 0.25]
        assert ops.divide_no_nan(tv.constant([1]), tv.constant([0])).dtype == tv.float64


def test_host_values_with_integer_tensors():
    x = tv.constant([1, 2])
    assert (x / 2).numpy().tolist() == [0.5, 1]
    assert (2 / x).dtype == tv.float64
    assert (np.array([1, 2]) / x).numpy().tolist() == [1, 1]
    with pytest.raises(TypeError, match='cannot hold without damage'):
        ops.truediv(x, 2.5)


def test_host_values_alone():
    assert ops.truediv(3, 2).numpy() == 1.5
    assert ops.truediv(3, 2).dtype == tv.float64
    assert ops.truediv(np.float32(3), 2).dtype == tv.float32
    assert ops.truediv(1, 2.0).dtype == tv.float32


def test_different_dtypes_are_refused():
    for pair in (('float32', 'float64'), ('int32', 'int64'), ('int32', 'float32')):
        x, y = (tv.ones([1], dtype) for dtype in pair)
        with pytest.raises(TypeError, match=f'(?s){pair[0]}.*{pair[1]}.*not promoted silently'):
            ops.truediv(x, y)
    with pytest.raises(TypeError, match='has dtype bool'):
        ops.truediv(tv.constant([True]), tv.constant([True]))


@pytest.mark.parametrize('body', [ops.truediv, ops.divide_no_nan, ops.xdivy])
@pytest.mark.parametrize('dtype', [np.float64, np.complex128], ids=rules.name_of)
def test_gradients(body, dtype):
    x = device_parity.sample(dtype, (2, 1), seed=1, low=0.5)
    y = device_parity.sample(dtype, (3,), seed=2, low=0.5)
    numeric_gradient.check(body, x, y)


def test_gradient_of_the_remainder():
    numeric_gradient.check(ops.floormod, np.array([[7.3], [-4.1]]), np.array([2.0, -1.7]))


def test_gradients_at_zero_are_not_nan():
    x, y = tv.constant([0.0, 1.0]), tv.constant([0.0, 0.0])
    with tv.GradientTape() as tape:
        tape.watch([x, y])
        z = ops.divide_no_nan(x, y)
    for gradient in tape.gradient(z, [x, y]):
        assert gradient.numpy().tolist() == [0, 0]


def test_integer_division_stops_gradients():
    x = tv.constant([4.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = ops.floordiv(x, 3.0)
    assert tape.gradient(y, x) is None


def test_realdiv_divides_floats_and_refuses_integers(device: str) -> None:
    with tv.device(device, fallback='silent'):
        assert tv.realdiv(tv.constant(1.0), 4.0).numpy() == 0.25
        with pytest.raises(tv.errors.NotFoundError, match='RealDiv'):
            tv.realdiv(tv.constant(1), tv.constant(4))
