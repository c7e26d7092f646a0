"""``GradientTape.gradient`` as in TensorFlow: targets, sources, weights, and None."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors


def value(tensor: Any) -> Any:
    return tensor.numpy().tolist()


def square_on(device: str) -> tuple[Any, Any, Any]:
    """A tape with ``y = x * x`` on it, and both."""
    with tv.device(device):
        x = tv.constant([1.0, 2.0])
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = x * x
    return tape, x, y


# Targets, sources, weights


def test_structures_of_targets_and_sources() -> None:
    x = tv.constant([1.0, 2.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y, z = x * x, x * 3.0
    found = tape.gradient({'a': y, 'b': (z,)}, {'q': x, 'r': [x]})
    assert found.keys() == {'q', 'r'}
    assert value(found['q']) == value(found['r'][0]) == [5.0, 7.0]


def test_tuples_stay_tuples() -> None:
    tape, x, y = square_on('CPU:0')
    assert isinstance(tape.gradient(y, (x,)), tuple)


def test_target_is_source() -> None:
    x = tv.constant([3.0, 4.0])
    v = tv.Variable(2.0)
    with tv.GradientTape(persistent=True) as tape:
        tape.watch([x, v])
    assert value(tape.gradient(x, x)) == [1.0, 1.0]
    assert value(tape.gradient(v, v)) == 1.0


def test_target_is_source_but_not_watched() -> None:
    x, v, whole = tv.constant([3.0, 4.0]), tv.Variable([2.0, 3.0]), tv.constant([1, 2])
    with tv.GradientTape(persistent=True) as tape:
        pass
    assert value(tape.gradient(x, x)) == [1.0, 1.0]
    assert value(tape.gradient(v, v)) == [1.0, 1.0]
    assert value(tape.gradient(x, x, output_gradients=tv.constant([5.0, 6.0]))) == [5.0, 6.0]
    assert [value(g) for g in tape.gradient([x, x, v], [x, v])] == [[2.0, 2.0], [1.0, 1.0]]
    assert value(tape.gradient(whole, whole)) == [1, 1]
    assert tape.gradient(tv.constant('a'), tv.constant('a')) is None
    text = tv.constant('a')
    assert tape.gradient(text, text) is None
    assert tape.explain(whole, whole) == 'connected: the target is the source'
    # Jacobians read the target's elements, which only a variable lets be seen.
    assert tape.jacobian(x, x) is None
    assert value(tape.jacobian(v, v)) == [[1.0, 0.0], [0.0, 1.0]]


def test_what_assign_returns_is_the_variable() -> None:
    v = tv.Variable([1.0, 2.0])
    with tv.GradientTape() as tape:
        y = v.assign([3.0, 4.0])
    assert value(tape.gradient(y, v)) == [1.0, 1.0]


def test_the_same_tensor_several_times() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert [value(g) for g in tape.gradient([y, x, y], [x, x])] == [13.0, 13.0]


def test_an_intermediate_value_as_source() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape() as tape:
        y = v * v
        z = y * v
    assert [value(g) for g in tape.gradient(z, [y, v])] == [3.0, 27.0]


def test_an_intermediate_target() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        y * x
    assert value(tape.gradient(y, x)) == 6.0


def test_nothing_asked() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape(persistent=True) as tape:
        y = v * v
    assert tape.gradient(y, []) == []
    assert tape.gradient([], v) is None


def test_values_that_have_no_gradient() -> None:
    with tv.GradientTape(persistent=True) as tape:
        pass
    x = tv.constant(1.0)
    with pytest.raises(AttributeError, match="1.0 of type float was given as a target.*'dtype'"):
        tape.gradient(1.0, x)
    with pytest.raises(AttributeError, match='as a source'):
        tape.gradient(x, np.float32(1.0))
    with pytest.raises(TypeError, match='None .* as a target'):
        tape.gradient([x, None], x)
    with pytest.raises(TypeError, match='None .* as a source'):
        tape.gradient(x, None)


def test_output_gradients_weigh_the_elements() -> None:
    tape, x, y = square_on('CPU:0')
    assert value(tape.gradient(y, x, output_gradients=tv.constant([10.0, 100.0]))) == [20.0, 400.0]


@pytest.mark.parametrize('weight', [2.0, 2, np.float32(2.0), [2.0], np.full((2,), 2.0)])
def test_output_gradients_may_be_host_data(device: str, weight: Any) -> None:
    tape, x, y = square_on(device)
    weights = np.asarray(weight) if isinstance(weight, list) else weight
    gradient = tape.gradient(y, x, output_gradients=weights)
    assert value(gradient) == [4.0, 8.0]
    assert gradient.device.endswith(device)


def test_output_gradients_for_several_targets() -> None:
    x = tv.constant([1.0, 2.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y, z = x * x, x * 3.0
    weights = {'y': None, 'z': tv.constant([10.0, 100.0])}
    assert value(tape.gradient({'y': y, 'z': z}, x, weights)) == [32.0, 304.0]


@pytest.mark.parametrize('shape', [(3,), (1, 2), (2, 2)])
def test_output_gradients_of_a_wrong_shape(shape: tuple[int, ...]) -> None:
    tape, x, y = square_on('CPU:0')
    with pytest.raises(errors.InvalidArgumentError, match=r'target of shape \[2\]; .*reshape'):
        tape.gradient(y, x, output_gradients=tv.ones(shape))


def test_output_gradients_of_a_wrong_number_or_dtype() -> None:
    x = tv.constant([1.0, 2.0])
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
    with pytest.raises(ValueError, match='2 output_gradients were given for 1 targets'):
        tape.gradient(y, x, output_gradients=[1.0, 2.0])
    with pytest.raises(ValueError, match='1 output_gradients were given for 2 targets'):
        tape.gradient([y, y], x, output_gradients=[tv.ones(2)])
    with pytest.raises(errors.InvalidArgumentError, match='float32'):
        tape.gradient(y, x, output_gradients=tv.constant([1, 2]))


# Unconnected


@pytest.mark.parametrize('mode', ['zero', tv.UnconnectedGradients.ZERO])
def test_unconnected_as_zeros(mode: Any) -> None:
    v, other, count = tv.Variable(3.0), tv.Variable([1.0, 2.0]), tv.constant([1, 2])
    with tv.GradientTape() as tape:
        y = v * v
    found = tape.gradient(y, [v, other, count], unconnected_gradients=mode)
    assert [value(gradient) for gradient in found] == [6.0, [0.0, 0.0], [0, 0]]
    assert [gradient.dtype for gradient in found] == [tv.float32, tv.float32, tv.int32]


@pytest.mark.parametrize('mode', ['none', tv.UnconnectedGradients.NONE])
def test_unconnected_as_none(mode: Any) -> None:
    v, other = tv.Variable(3.0), tv.Variable(1.0)
    with tv.GradientTape() as tape:
        y = v * v
    assert tape.gradient(y, [v, other], unconnected_gradients=mode)[1] is None


def test_unknown_mode_for_unconnected() -> None:
    for method in ('gradient', 'jacobian', 'batch_jacobian'):
        with tv.GradientTape() as tape:
            pass
        x = tv.constant([[1.0]])
        with pytest.raises(ValueError, match="Unknown value for unconnected_gradients: 'bad'"):
            getattr(tape, method)(x, x, unconnected_gradients='bad')


def test_what_ends_the_way() -> None:
    x = tv.constant([1.0, 2.0])
    computed_outside = x * 2.0
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ways = [
            tv.cast(tv.cast(x, tv.int32), tv.float32),
            tv.argmax(x),
            tv.constant(np.sin(x.numpy())) * 2.0,
            tv.stop_gradient(x) * 2.0,
            tv.floor(x) * 0.0 + computed_outside,
        ]
    assert [tape.gradient(y, x) for y in ways[:-1]] == [None] * 4
    assert tape.gradient(computed_outside, x) is None


def test_stop_gradient_cuts_one_of_two_ways() -> None:
    x = tv.constant(2.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = tv.stop_gradient(x * x) * x
    assert value(tape.gradient(y, x)) == 4.0


# Assignments


def test_assign_after_the_read_leaves_the_gradient() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape() as tape:
        y = v * v
        v.assign(10.0)
    v.assign(20.0)
    assert value(tape.gradient(y, v)) == 6.0


def test_assign_between_reads() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape() as tape:
        y = v * v
        v.assign(10.0)
        z = v * v + y
    assert value(tape.gradient(z, v)) == 26.0


def test_assign_before_the_read() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape() as tape:
        v.assign(5.0)
        y = v * v
    assert value(tape.gradient(y, v)) == 10.0


def test_assignments_are_not_differentiable() -> None:
    v, w = tv.Variable(3.0), tv.Variable(2.0)
    with tv.GradientTape(persistent=True) as tape:
        w.assign(v * 2.0)
        y = w * w
    assert tape.gradient(y, v) is None
    assert value(tape.gradient(y, w)) == 12.0


def test_what_assign_returns_is_read_as_the_variable() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape() as tape:
        y = v.assign_add(2.0) * v.assign_add(1.0)
    # The first factor is read only when the product is: both are 6.
    assert value(tape.gradient(y, v)) == 12.0
