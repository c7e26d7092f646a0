"""Operators of simulated arrays give NumPy's values and dtypes, on the device."""

import operator

import numpy as np
import pytest

from tensorvar import dtypes, errors
from tensorvar._backend.simulated_array import SimulatedArray
from tensorvar._backend.simulated_backend import SimulatedBackend

ARITHMETIC = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
]
BITWISE = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
IN_PLACE_ARITHMETIC = [
    operator.iadd,
    operator.isub,
    operator.imul,
    operator.itruediv,
    operator.ifloordiv,
    operator.imod,
    operator.ipow,
]
IN_PLACE_BITWISE = [
    operator.iand,
    operator.ior,
    operator.ixor,
    operator.ilshift,
    operator.irshift,
]
FLOATS = [np.float32, np.float64, np.float16, dtypes.bfloat16.numpy]


@pytest.fixture
def backend():
    return SimulatedBackend('GPU:0')


def check(backend, result, expected):
    assert isinstance(result, SimulatedArray)
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    np.testing.assert_array_equal(backend.to_host(result), expected)


@pytest.mark.parametrize('function', ARITHMETIC + COMPARISONS)
@pytest.mark.parametrize('dtype', FLOATS)
def test_binary(backend, function, dtype):
    x, y = np.array([1, 2.5, 7], dtype), np.array([[2], [3]], dtype)
    a, b = backend.from_host(x), backend.from_host(y)
    check(backend, function(a, b), function(x, y))
    check(backend, function(a, 2.0), function(x, 2.0))
    check(backend, function(2.0, a), function(2.0, x))


@pytest.mark.parametrize('function', BITWISE)
def test_binary_bits(backend, function):
    x, y = np.array([1, 2, 7], np.int32), np.array([3, 1, 2], np.int32)
    a, b = backend.from_host(x), backend.from_host(y)
    check(backend, function(a, b), function(x, y))
    check(backend, function(a, 2), function(x, 2))
    check(backend, function(2, a), function(2, x))


@pytest.mark.parametrize(
    ('function', 'dtype'),
    [(function, np.float32) for function in IN_PLACE_ARITHMETIC]
    + [(function, np.int32) for function in IN_PLACE_BITWISE],
)
def test_in_place(backend, function, dtype):
    x, y = np.array([1, 2, 7], dtype), np.array([3, 1, 2], dtype)
    a, b = backend.from_host(x), backend.from_host(y)
    before = backend.memory_info().current
    result = function(a, b)
    assert result is a
    check(backend, a, function(x, y))
    assert backend.memory_info().current == before


@pytest.mark.parametrize('function', [operator.neg, operator.pos, abs])
def test_unary(backend, function):
    x = np.array([1, -2], np.float32)
    check(backend, function(backend.from_host(x)), function(x))


def test_invert(backend):
    x = np.array([True, False])
    check(backend, ~backend.from_host(x), ~x)


def test_matrix_product(backend):
    x = np.arange(4, dtype=np.float32).reshape(2, 2)
    a, b = backend.from_host(x), backend.from_host(x)
    check(backend, a @ b, x @ x)
    a @= b
    check(backend, a, x @ x)
    with pytest.raises(TypeError):
        [[1.0, 2.0]] @ np.asarray(a)


def test_divmod(backend):
    x = np.array([7.0, 5.0])
    for result, expected in zip(divmod(backend.from_host(x), 3), divmod(x, 3), strict=True):
        check(backend, result, expected)
    for result, expected in zip(divmod(3, backend.from_host(x)), divmod(3, x), strict=True):
        check(backend, result, expected)


def test_lists_of_numbers_are_constants_on_the_left_of_a_product(backend):
    a = backend.from_host(np.eye(2))
    check(backend, [[1.0, 2.0]] @ a, [[1.0, 2.0]] @ np.eye(2))


@pytest.mark.parametrize('function', [operator.add, operator.matmul, operator.lt])
def test_host_arrays_are_refused_on_both_sides(backend, function):
    x = np.eye(2)
    a = backend.from_host(x)
    for left, right in ((a, x), (x, a)):
        with pytest.raises(TypeError, match=r'of the host with shape \(2, 2\)'):
            function(left, right)


def test_arrays_of_another_device_are_refused(backend):
    a = backend.from_host(np.ones(2))
    b = SimulatedBackend('GPU:1').from_host(np.ones(2))
    with pytest.raises(errors.InvalidArgumentError, match=r'\[add\] an array of GPU:1'):
        a + b


def test_numpy_scalars_are_numbers(backend):
    a = backend.from_host(np.ones(2, np.float32))
    check(backend, np.float32(2) * a, np.full(2, 2, np.float32))
    check(backend, a * np.float32(2), np.full(2, 2, np.float32))


def test_there_is_no_hash(backend):
    with pytest.raises(TypeError, match='unhashable'):
        hash(backend.from_host(np.ones(2)))
