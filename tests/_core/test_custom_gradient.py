"""``custom_gradient`` as in TensorFlow."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tests.support import numeric_gradient


def value(tensor: Any) -> Any:
    return tensor.numpy().tolist()


@tv.custom_gradient
def doubled(x: Any) -> Any:
    """Twice the value, with a derivative that shows who gave it."""
    return x * 2.0, lambda dy: dy * 5.0


@tv.custom_gradient
def cubed(x: Any) -> Any:
    return x * x * x, lambda dy: dy * 3.0 * x * x


def test_its_own_derivative(device: str) -> None:
    with tv.device(device):
        x = tv.constant([1.0, 2.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = doubled(x)
    assert value(y) == [2.0, 4.0]
    gradient = tape.gradient(y, x)
    assert value(gradient) == [5.0, 5.0]
    assert gradient.device.endswith(device)


def test_without_a_tape() -> None:
    assert doubled.__name__ == 'doubled'
    assert doubled.__doc__ is not None
    for given in (2.0, np.float32(2.0), tv.constant(2.0), tv.Variable(2.0)):
        result = doubled(given)
        assert isinstance(result, tv.Tensor)
        assert value(result) == 4.0


def test_several_inputs_and_outputs() -> None:
    @tv.custom_gradient
    def both(x: Any, y: Any) -> Any:
        return (x * y, x + y), lambda a, b: (a * 10.0 + b * 100.0, a * 20.0)

    x, y = tv.constant(2.0), tv.constant(3.0)
    with tv.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        product, total = both(x, y)
    assert (value(product), value(total)) == (6.0, 5.0)
    assert [value(g) for g in tape.gradient(product, [x, y])] == [10.0, 20.0]
    assert [value(g) for g in tape.gradient([product, total], [x, y])] == [110.0, 20.0]


def test_structures() -> None:
    @tv.custom_gradient
    def of_dict(parts: Any) -> Any:
        return {'y': parts['a'] * 2.0}, lambda dy: {'a': dy * 5.0, 'b': None}

    x, other = tv.constant(2.0), tv.constant(1.0)
    with tv.GradientTape() as tape:
        tape.watch([x, other])
        y = of_dict({'a': x, 'b': other})['y']
    assert value(tape.gradient(y, x)) == 5.0


def test_keywords_reach_the_function_as_they_are() -> None:
    @tv.custom_gradient
    def scaled(x: Any, factor: float = 1.0) -> Any:
        assert isinstance(factor, float)
        return x * factor, lambda dy: dy * factor

    x = tv.constant(2.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = scaled(x, factor=3.0)
    assert value(tape.gradient(y, x)) == 3.0


def test_a_method() -> None:
    class Layer:
        factor = 4.0

        @tv.custom_gradient
        def call(self, x: Any) -> Any:
            return x * self.factor, lambda dy: dy * 7.0

    x = tv.constant(2.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = Layer().call(x)
    assert value(y) == 8.0
    assert value(tape.gradient(y, x)) == 7.0
    assert Layer.call.__name__ == 'call'


def test_a_function_that_returns_its_input() -> None:
    @tv.custom_gradient
    def same(x: Any) -> Any:
        return x, lambda dy: dy * 5.0

    x = tv.constant(2.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = same(x)
    assert y is not x
    assert value(tape.gradient(y, x)) == 5.0


def test_gradients_of_none() -> None:
    @tv.custom_gradient
    def closed(x: Any) -> Any:
        return x * 2.0, lambda dy: None

    x = tv.constant(2.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = closed(x)
    assert tape.gradient(y, x) is None


def test_gradients_as_host_values() -> None:
    @tv.custom_gradient
    def constant_slope(x: Any) -> Any:
        return x * 2.0, lambda dy: np.full((2,), 9.0)

    x = tv.constant([2.0, 3.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = constant_slope(x)
    gradient = tape.gradient(y, x)
    assert value(gradient) == [9.0, 9.0]
    assert gradient.dtype is tv.float32


# Higher orders, and one in another


def test_the_derivative_of_the_derivative() -> None:
    numeric_gradient.check(cubed, np.array([0.5, -1.5]), order=3)


def test_a_value_of_the_forward_computation_in_the_second_order() -> None:
    @tv.custom_gradient
    def softplus(x: Any) -> Any:
        e = tv.exp(x)
        return tv.math.log(1.0 + e), lambda dy: dy * (1.0 - 1.0 / (1.0 + e))

    numeric_gradient.check(softplus, np.array([0.5, -1.5]), order=2)


def test_applied_twice() -> None:
    x = tv.constant(2.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = doubled(doubled(x))
    assert value(tape.gradient(y, x)) == 25.0


def test_one_inside_of_another() -> None:
    @tv.custom_gradient
    def outer(x: Any) -> Any:
        return doubled(x) + x, lambda dy: dy * 100.0

    x = tv.constant(2.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = outer(x)
    assert value(y) == 6.0
    assert value(tape.gradient(y, x)) == 100.0


# Variables


def test_a_variable_as_argument() -> None:
    v = tv.Variable(2.0)
    with tv.GradientTape() as tape:
        y = cubed(v)
    assert value(tape.gradient(y, v)) == 12.0


def test_variables_that_the_function_reads() -> None:
    v, fixed = tv.Variable(5.0), tv.Variable(1.0, trainable=False)
    seen: list[Any] = []

    @tv.custom_gradient
    def times_v(x: Any) -> Any:
        def gradient(dy: Any, variables: Any = None) -> Any:
            seen.extend(variables)
            return dy * 7.0, [dy * 11.0]

        return x * v * fixed, gradient

    x = tv.constant(2.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = times_v(x)
    assert [value(g) for g in tape.gradient(y, [x, v])] == [7.0, 11.0]
    assert len(seen) == 1
    assert seen[0] is v


def test_variables_are_optional_where_none_is_read() -> None:
    @tv.custom_gradient
    def plain(x: Any) -> Any:
        def gradient(dy: Any, variables: Any = None) -> Any:
            assert variables is None
            return dy * 7.0, []

        return x * 2.0, gradient

    x = tv.constant(2.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = plain(x)
    assert value(tape.gradient(y, x)) == 7.0


def test_keywords_of_any_name_take_variables() -> None:
    v = tv.Variable(5.0)

    @tv.custom_gradient
    def times_v(x: Any) -> Any:
        return x * v, lambda dy, **extra: (dy, [dy * 2.0 for _ in extra['variables']])

    x = tv.constant(3.0)
    with tv.GradientTape() as tape:
        y = times_v(x)
    assert value(tape.gradient(y, v)) == 2.0


def test_variables_without_an_argument_for_them() -> None:
    v = tv.Variable(5.0, name='w')

    @tv.custom_gradient
    def times_v(x: Any) -> Any:
        return x * v, lambda dy: dy

    with tv.GradientTape(), pytest.raises(TypeError, match='trainable variables w:0'):
        times_v(tv.constant(1.0))


# Mistakes


def differentiate(function: Any) -> Any:
    x = tv.constant([2.0, 3.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = tv.custom_gradient(function)(x)
    return tape.gradient(y, x)


def test_functions_that_return_no_pair() -> None:
    for function in (lambda x: x * 2.0, lambda x: (x, x), lambda x: None):
        with pytest.raises(TypeError, match=r'return \(y, grad_fn\)'):
            differentiate(function)
        with pytest.raises(TypeError, match=r'return \(y, grad_fn\)'):
            tv.custom_gradient(function)(1.0)


def test_too_many_gradients() -> None:
    with pytest.raises(ValueError, match='gave 2 gradients for 1 inputs'):
        differentiate(lambda x: (x * 2.0, lambda dy: (dy, dy)))


def test_gradients_of_another_shape_or_dtype() -> None:
    with pytest.raises(errors.InvalidArgumentError, match=r'\[3\].* as the gradient of .*\[2\]'):
        differentiate(lambda x: (x * 2.0, lambda dy: tv.ones(3)))
    with pytest.raises(errors.InvalidArgumentError, match='float64'):
        differentiate(lambda x: (x * 2.0, lambda dy: tv.cast(dy, tv.float64)))


def test_variable_gradients_that_are_missing() -> None:
    v = tv.Variable(5.0)
    with pytest.raises(ValueError, match=r'return \(gradients, variable_gradients\)'):
        differentiate(lambda x: (x * v, lambda dy, variables=None: dy))
    with pytest.raises(ValueError, match='gave 0 gradients for 1 variables'):
        differentiate(lambda x: (x * v, lambda dy, variables=None: (dy, [])))
