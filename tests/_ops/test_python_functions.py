"""``py_function`` and ``numpy_function``."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.python_functions import numpy_function, py_function


def x():
    return tv.constant(3.0)


# py_function


def test_results_follow_tout(device: str) -> None:
    with tv.device(device):
        assert float(py_function(lambda a: a * 2, [x()], tv.float32)) == 6.0
        doubled, held = py_function(lambda a: (a * 2, a > 1), [x()], (tv.float32, tv.bool))
    assert float(doubled) == 6.0
    assert bool(held)


@pytest.mark.parametrize(
    ('function', 'kinds', 'expected'),
    [
        (lambda a: a, 'float32', 3.0),
        (lambda a: a, tv.TensorSpec([2], tv.float32), 3.0),
        (lambda a: a.numpy() * 2, tv.float32, 6.0),
        (lambda a: 2, tv.float32, 2.0),
        (lambda a: np.float64(2.5), tv.float32, 2.5),
        (lambda a: a * 2, [tv.float32], [6.0]),
        (lambda a: [a, a, a], [tv.float32] * 2, [3.0, 3.0]),
        (lambda a: None, [], []),
    ],
)
def test_tout(function, kinds, expected) -> None:
    result = py_function(function, [x()], kinds)
    assert (list(map(float, result)) if isinstance(result, list) else float(result)) == expected


def test_arguments_are_tensors() -> None:
    kinds = []
    py_function(lambda *values: kinds.extend(map(type, values)), [1, tv.Variable(2.0)], [])
    assert kinds == [tv.Tensor, tv.Tensor]
    assert float(py_function(lambda a, b: a * b, tv.constant([3.0, 4.0]), tv.float32)) == 12.0


@pytest.mark.parametrize(
    ('function', 'kinds', 'error'),
    [
        (lambda a: a * 2, tv.int32, tv.errors.InvalidArgumentError),
        (lambda a: 2.5, tv.int32, tv.errors.InvalidArgumentError),
        (lambda a: None, tv.float32, tv.errors.InvalidArgumentError),
        (lambda a: [a], [tv.float32] * 2, tv.errors.InvalidArgumentError),
        (lambda a: a, [], tv.errors.UnknownError),
        (lambda a: tv.Variable(1.0), tv.float32, tv.errors.UnknownError),
        (lambda a: 1 / 0, tv.float32, tv.errors.UnknownError),
        (lambda a: {}[1], tv.float32, tv.errors.UnknownError),
        (lambda a: a + 'text', tv.float32, tv.errors.UnknownError),
        (lambda a: int('a'), tv.float32, tv.errors.InvalidArgumentError),
        (lambda a: len(3), tv.float32, tv.errors.InvalidArgumentError),
        (lambda a: next(iter([])), tv.float32, tv.errors.OutOfRangeError),
    ],
)
def test_errors_are_those_of_tensorflow(function, kinds, error) -> None:
    with pytest.raises(error) as raised:
        py_function(function, [x()], kinds)
    assert type(raised.value) is error or error is tv.errors.InvalidArgumentError


def test_missing_arguments() -> None:
    with pytest.raises(TypeError, match="'Tout'"):
        py_function(lambda a: a, [x()])
    with pytest.raises(TypeError, match="'inp'"):
        py_function(lambda: x(), Tout=tv.float32)
    with pytest.raises(TypeError, match='without func'):
        py_function(inp=[x()], Tout=tv.float32)
    with pytest.raises(ValueError, match='to be callable'):
        py_function(3, [x()], tv.float32)


def test_decorator() -> None:
    @py_function(Tout=[tv.float32])
    def product(a, b):
        """Multiplies."""
        return a * b

    assert [float(each) for each in product(x(), 2.0)] == [6.0]
    assert product.__doc__ == 'Multiplies.'


def test_gradients_of_every_order_and_of_variables() -> None:
    value, weight = x(), tv.Variable(2.0)
    with tv.GradientTape() as outer:
        outer.watch(value)
        with tv.GradientTape(persistent=True) as inner:
            inner.watch(value)
            y = py_function(lambda a: a * a * a * weight, [value], tv.float32)
        slope = inner.gradient(y, value)
    assert float(slope) == 54.0
    assert float(inner.gradient(y, weight)) == 27.0
    assert float(outer.gradient(slope, value)) == 36.0


# numpy_function


def test_numpy_function_gets_arrays(device: str) -> None:
    with tv.device(device):
        seen = []
        result = numpy_function(lambda *a: seen.extend(a) or a[0] * 2, [tv.ones([2]), 3], 'float32')
    assert result.numpy().tolist() == [2.0, 2.0]
    assert [type(each) for each in seen] == [np.ndarray, np.ndarray]


@pytest.mark.parametrize(
    ('function', 'expected'),
    [
        (lambda a: a.astype(np.float64), 'float64'),
        (lambda a: 2.5, 'float32'),
        (lambda a: 2, 'int32'),
        (lambda a: [a], 'float32'),
        (lambda a: tv.constant(2.0), 'float32'),
    ],
)
def test_numpy_function_keeps_the_dtype_of_the_result(function, expected: str) -> None:
    assert numpy_function(function, [x()], tv.int32).dtype.name == expected


def test_numpy_function_results() -> None:
    first, second = numpy_function(lambda a: (a, a > 1), [x()], [tv.float32, tv.bool])
    assert (float(first), bool(second)) == (3.0, True)
    assert numpy_function(lambda a: None, [x()], []) is None
    assert float(numpy_function(Tout=tv.float32)(lambda a: a * 2)(x())) == 6.0


def test_numpy_function_leaves_its_arguments_alone() -> None:
    value = tv.constant([3.0])
    assert numpy_function(lambda a: a.fill(7) or a, [value], tv.float32).numpy().tolist() == [7.0]
    assert value.numpy().tolist() == [3.0]


def test_numpy_function_has_no_gradient_and_passes_errors_on() -> None:
    value = x()
    with tv.GradientTape() as tape:
        tape.watch(value)
        y = numpy_function(lambda a: a * a, [value], tv.float32)
    assert tape.gradient(y, value) is None
    with pytest.raises(ZeroDivisionError):
        numpy_function(lambda a: 1 / 0, [value], tv.float32)
