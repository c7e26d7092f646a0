"""Tensors filled with a value."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import creation as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient, tolerances

DTYPES = [*rules.NUMBERS, np.bool_]


def same(result, expected, device):
    assert result.device.endswith(f'device:{device}')
    tolerances.assert_close(result.numpy(), expected)


@pytest.mark.parametrize('shape', [(), (3,), (2, 0), (2, 3)], ids=str)
def test_zeros_ones_and_fill(device, shape):
    with tv.device(device), rules.verified():
        for dtype in DTYPES:
            same(ops.zeros(shape, dtype), np.zeros(shape, dtype), device)
            same(ops.ones(shape, dtype), np.ones(shape, dtype), device)
            value = device_parity.sample(dtype, ())
            same(ops.fill(shape, value), np.full(shape, value, dtype), device)


def test_the_default_dtype_is_float32():
    assert ops.zeros([1]).dtype == ops.ones([1]).dtype == ops.eye(1).dtype == tv.float32


def test_spellings_of_shapes():
    for shape in (2, [2], (2,), np.array([2]), tv.constant([2]), tv.TensorShape([2])):
        assert ops.zeros(shape).shape == [2]
    assert ops.fill([tv.constant(2), 3], 1.0).shape == [2, 3]


def test_values_of_fill():
    assert ops.fill([2], 3).dtype == tv.int32
    assert ops.fill([2], 3.5).dtype == tv.float32
    assert ops.fill([2], np.float64(3)).dtype == tv.float64
    assert ops.fill([2], 'a').numpy().tolist() == [b'a', b'a']
    assert ops.fill([2], [1.5]).numpy().tolist() == [1.5, 1.5]


def test_text():
    assert ops.zeros([2], 'string').numpy().tolist() == [b'', b'']
    assert ops.zeros_like(tv.constant(['x'])).numpy().tolist() == [b'']
    with pytest.raises(errors.InvalidTypeError, match='dtype string was given'):
        ops.ones([2], 'string')
    with pytest.raises(errors.InvalidTypeError, match='dtype string was given'):
        ops.ones_like(tv.constant(['x']))


@pytest.mark.parametrize('body', [ops.zeros, ops.ones, lambda shape: ops.fill(shape, 1.0)])
def test_bad_shapes_are_refused(body):
    with pytest.raises(errors.InvalidArgumentError, match='Dimension -1 must be >= 0'):
        body([2, -1])
    for shape in ([1.5], [[2]], None, [2, None], 'a'):
        with pytest.raises((errors.InvalidArgumentError, TypeError)):
            body(shape)


def test_fill_refuses_values_of_several_elements():
    with pytest.raises(errors.InvalidArgumentError, match=r'\[Fill\] value has shape \[2\]'):
        ops.fill([2], [1.0, 2.0])


def test_layouts_are_refused():
    for call in (
        lambda: ops.zeros([1], layout=1),
        lambda: ops.ones([1], layout=1),
        lambda: ops.fill([1], 1, layout=1),
        lambda: ops.zeros_like([1], layout=1),
        lambda: ops.ones_like([1], layout=1),
    ):
        with pytest.raises(errors.UnimplementedError, match='layout'):
            call()


def test_like_another_value(device):
    for dtype in DTYPES:
        x = device_parity.sample(dtype, (2, 3))
        rules.check(device, ops.zeros_like, np.zeros_like, x)
        rules.check(device, ops.ones_like, lambda x: np.ones_like(x), x)
        rules.check(
            device,
            lambda x: ops.ones_like(x, 'int16'),
            lambda x: np.ones(x.shape),
            x,
            dtype=np.dtype(np.int16),
        )
    assert ops.zeros_like([1, 2], dtype=tv.float64).dtype == tv.float64


def test_eye(device):
    with tv.device(device), rules.verified():
        for dtype in DTYPES:
            same(ops.eye(2, dtype=dtype), np.eye(2, dtype=dtype), device)
        batch = np.broadcast_to(np.eye(2, 3, dtype=np.float32), (4, 1, 2, 3))
        same(ops.eye(2, 3, [4, 1]), np.ascontiguousarray(batch), device)
        same(ops.eye(tv.constant(1), 0), np.zeros((1, 0), np.float32), device)


def test_eye_refusals():
    with pytest.raises(errors.InvalidArgumentError, match='Dimension -1 must be >= 0'):
        ops.eye(-1)
    with pytest.raises(TypeError, match='num_rows'):
        ops.eye(2.5)
    with pytest.raises(TypeError, match='num_columns'):
        ops.eye(2, [1, 2])


def test_gradient_of_fill():
    numeric_gradient.check(lambda value: ops.fill([2, 3], value), np.array(1.5))
    numeric_gradient.check(lambda value: ops.fill([2, 3], value), np.array([1.5]))


def test_like_ops_stop_gradients():
    x = tv.constant([1.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = ops.ones_like(x)
    assert tape.gradient(y, x) is None
