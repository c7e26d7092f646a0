"""Jacobians, of tensors and of batches, and Hessians."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv


def value(tensor: Any) -> Any:
    return tensor.numpy().tolist()


def place(tensor: Any) -> str:
    return str(tensor.device.rpartition('device:')[2])


def test_jacobian(device: str) -> None:
    with tv.device(device):
        x = tv.constant([1.0, 2.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x[:, None] * x
    jacobian = tape.jacobian(y, x)
    assert value(jacobian) == [[[2.0, 0.0], [2.0, 1.0]], [[2.0, 1.0], [0.0, 4.0]]]
    assert place(jacobian) == device


def test_jacobian_by_several_sources() -> None:
    x, z, v = tv.constant([1.0, 2.0]), tv.constant([1.0]), tv.Variable([[3.0]])
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * v
    found = tape.jacobian(y, {'x': x, 'z': z, 'v': [v]})
    assert value(found['x']) == [[[3.0, 0.0], [0.0, 3.0]]]
    assert found['z'] is None
    assert value(found['v'][0]) == [[[[1.0]], [[2.0]]]]
    zeros = tape.jacobian(y, [x, z], unconnected_gradients='zero')[1]
    assert value(zeros) == [[[0.0], [0.0]]]


def test_jacobian_of_a_gather_and_of_a_scalar() -> None:
    v = tv.Variable([[1.0, 2.0], [3.0, 4.0]])
    with tv.GradientTape(persistent=True) as tape:
        y = tv.gather(v, [0, 0])
        total = tv.reduce_sum(v)
    assert tape.jacobian(y, v).shape == (2, 2, 2, 2)
    assert value(tv.reduce_sum(tape.jacobian(y, v), axis=[0, 1])) == [[2.0, 2.0], [0.0, 0.0]]
    assert value(tape.jacobian(total, v)) == [[1.0, 1.0], [1.0, 1.0]]


def test_jacobian_of_nothing() -> None:
    x = tv.zeros([0, 2])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x * 2.0
    assert tape.jacobian(y, x).shape == (0, 2, 0, 2)


def test_jacobian_inside_of_the_block_and_twice() -> None:
    x = tv.constant([1.0, 2.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x * 2.0
        assert value(tape.jacobian(y, x)) == [[2.0, 0.0], [0.0, 2.0]]
    with pytest.raises(RuntimeError, match='one set of gradients'):
        tape.jacobian(y, x)


def test_hessian() -> None:
    x = tv.constant([1.0, 2.0])
    with tv.GradientTape() as outer:
        outer.watch(x)
        with tv.GradientTape() as inner:
            inner.watch(x)
            y = tv.reduce_sum(x * x * x) + x[0] * x[1]
        first = inner.gradient(y, x)
    assert value(outer.jacobian(first, x)) == [[6.0, 1.0], [1.0, 12.0]]


def test_jacobian_of_a_list_is_refused() -> None:
    with tv.GradientTape() as tape:
        x = tv.Variable([1.0])
        y = x * 2.0
    with pytest.raises(AttributeError, match='as a target'):
        tape.jacobian([y], x)


def test_batch_jacobian(device: str) -> None:
    with tv.device(device):
        x = tv.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x[:, :2] * x[:, 1:]
    found = tape.batch_jacobian(y, x)
    dense = tape.jacobian(y, x)
    assert found.shape == (2, 2, 3)
    assert place(found) == device
    for row in range(2):
        assert value(found[row]) == value(dense[row, :, row])


def test_batch_jacobian_without_a_connection() -> None:
    x, other = tv.ones([2, 3]), tv.ones([2, 4])
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * 2.0
    # TensorFlow gives zeros in both modes.
    for mode in ('none', 'zero'):
        found = tape.batch_jacobian(y, other, unconnected_gradients=mode)
        assert value(found) == np.zeros((2, 3, 4)).tolist()
    assert tape.batch_jacobian(tv.ones([2, 0]), x).shape == (2, 0, 3)


@pytest.mark.parametrize(('target', 'source'), [((2, 3), (3, 3)), ((), ()), ((2,), ()), ((), (2,))])
def test_batches_of_different_sizes(target: tuple[int, ...], source: tuple[int, ...]) -> None:
    with tv.GradientTape() as tape:
        pass
    with pytest.raises(ValueError, match='Need first dimension of target shape'):
        tape.batch_jacobian(tv.ones(target), tv.ones(source))


@pytest.mark.parametrize(('target', 'source'), [((2,), (2,)), ((2, 1), (2,)), ((2,), (2, 1))])
def test_batches_have_rows(target: tuple[int, ...], source: tuple[int, ...]) -> None:
    with tv.GradientTape() as tape:
        pass
    with pytest.raises(ValueError, match=r'Shape \[2\] must have rank at least 2'):
        tape.batch_jacobian(tv.ones(target), tv.ones(source))


def test_batch_jacobian_of_a_variable_by_itself() -> None:
    v = tv.Variable([[1.0, 2.0]])
    with tv.GradientTape(persistent=True) as tape:
        pass
    assert value(tape.batch_jacobian(v, v)) == [[[1.0, 0.0], [0.0, 1.0]]]
    x = tv.constant([[1.0]])
    assert value(tape.batch_jacobian(x, x)) == [[[0.0]]]
