"""Depthwise and separable convolutions."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import _convolution_arrays, convolution
from tensorvar._ops import depthwise as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient, tolerances

ONES = [1, 1, 1, 1]


def sample(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def by_groups(x, w, **layout):
    """A convolution in which each channel is a group of its own."""
    height, width, channels, multiplier = w.shape
    return convolution.conv2d(x, w.reshape(height, width, 1, channels * multiplier), **layout)


@pytest.mark.parametrize('dtype', rules.FLOATS, ids=rules.name_of)
def test_values_for_every_dtype(device, dtype):
    def reference(x, w):
        return by_groups(x, w, strides=[2, 1], padding='SAME', dilations=2).numpy()

    rules.check(
        device,
        lambda x, w: ops.depthwise_conv2d(x, w, [1, 2, 1, 1], 'SAME', dilations=[2, 2]),
        reference,
        device_parity.sample(dtype, (2, 5, 4, 3)),
        device_parity.sample(dtype, (3, 2, 3, 2), seed=1),
        looser=4,
    )


@pytest.mark.parametrize('multiplier', [1, 2])
@pytest.mark.parametrize(
    ('strides', 'padding', 'dilations'),
    [
        (ONES, 'SAME', None),
        ([1, 2, 2, 1], 'VALID', [1, 2]),
        ([1, 2, 1, 1], [[0, 0], [1, 2], [0, 1], [0, 0]], None),
    ],
)
def test_gradients_of_both_orders(strides, padding, dilations, multiplier):
    numeric_gradient.check(
        lambda x, w: ops.depthwise_conv2d(x, w, strides, padding, dilations=dilations),
        sample(2, 5, 4, 3),
        sample(3, 2, 3, multiplier, seed=1),
    )


def test_separable_gradients():
    numeric_gradient.check(
        lambda x, w, p: ops.separable_conv2d(x, w, p, ONES, 'SAME'),
        sample(1, 3, 4, 2),
        sample(2, 2, 2, 2, seed=1),
        sample(1, 1, 4, 3, seed=2),
    )


def test_channels_first_is_the_same_transposed(device):
    x, w, p = sample(2, 5, 4, 3), sample(3, 2, 3, 2, seed=1), sample(1, 1, 6, 5, seed=2)
    with tv.device(device):
        last = ops.separable_conv2d(tv.constant(x), w, p, [1, 2, 2, 1], 'SAME')
        moved = tv.constant(np.moveaxis(x, -1, 1))
        first = ops.separable_conv2d(moved, w, p, [1, 1, 2, 2], 'SAME', 'NCHW')
    tolerances.assert_close(np.moveaxis(first.numpy(), 1, -1), last.numpy())


@pytest.mark.parametrize('limit', [1, 40])
def test_work_in_blocks_gives_the_same(monkeypatch, limit):
    def run():
        with tv.GradientTape() as tape:
            tape.watch([x, w])
            y = ops.depthwise_conv2d(x, w, [1, 2, 2, 1], 'SAME')
        return [y, *tape.gradient(y, [x, w])]

    x, w = tv.constant(sample(3, 5, 4, 2)), tv.constant(sample(3, 2, 2, 2))
    expected = run()
    monkeypatch.setattr(_convolution_arrays, '_HOST_LIMIT', limit)
    for actual, wanted in zip(run(), expected, strict=True):
        tolerances.assert_close(actual.numpy(), wanted.numpy())


def test_empty():
    x, w = np.ones((2, 5, 6, 4)), np.ones((3, 2, 4, 2))
    assert ops.depthwise_conv2d(x[:0], w, ONES, 'VALID').shape == (0, 3, 5, 8)
    assert ops.depthwise_conv2d(x, w[..., :0], ONES, 'SAME').shape == (2, 5, 6, 0)


@pytest.mark.parametrize(
    ('change', 'error', 'text'),
    [
        ({'strides': 1}, TypeError, 'Expected list'),
        ({'strides': [1, 1]}, ValueError, 'must specify 4 dimensions'),
        ({'strides': [2, 1, 1, 1]}, errors.UnimplementedError, 'batch and depth'),
        ({'strides': [1, 0, 0, 1]}, ValueError, 'must be > 0'),
        ({'dilations': 2}, TypeError, 'two integers'),
        ({'dilations': [1, 2, 2, 1]}, ValueError, 'one'),
        ({'dilations': [0, 1]}, ValueError, 'must be positive'),
        ({'padding': 'foo'}, ValueError, "'SAME' and 'VALID'"),
        ({'data_format': 'foo'}, ValueError, "'NHWC' or 'NCHW'"),
        ({'filter': np.ones((3, 2, 3, 2))}, ValueError, 'same depth: 4 vs 3'),
        ({'filter': np.ones((2, 4, 2))}, ValueError, 'must be 4-dimensional'),
        ({'input': np.ones((5, 6, 4))}, ValueError, 'must be 4-dimensional'),
        ({'input': np.ones((1, 2, 5, 6, 4))}, ValueError, 'must be 4-dimensional'),
    ],
)
def test_wrong_arguments_are_named(change, error, text):
    given = {
        'input': np.ones((2, 5, 6, 4)),
        'filter': np.ones((3, 2, 4, 2)),
        'strides': ONES,
        'padding': 'SAME',
    }
    with pytest.raises(error, match=text):
        ops.depthwise_conv2d(**given | change)


@pytest.mark.parametrize('shape', [(1, 1, 7, 5), (2, 1, 8, 5), (1, 8, 5)])
def test_pointwise_filter_has_to_fit(shape):
    with pytest.raises(errors.InvalidArgumentError):
        ops.separable_conv2d(
            np.ones((2, 5, 6, 4)), np.ones((3, 2, 4, 2)), np.ones(shape), ONES, 'SAME'
        )
