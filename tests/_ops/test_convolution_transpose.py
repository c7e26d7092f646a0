"""Transposed convolutions: gradients, layouts and errors."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import convolution
from tensorvar._ops import convolution_transpose as ops
from tests.support import numeric_gradient, tolerances


def sample(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize('dilations', [None, [1, 2]])
def test_gradients_of_both_orders(dilations):
    stride = 2 if dilations is None else 1
    height, width = (6, 4) if dilations is None else (3, 2)
    numeric_gradient.check(
        lambda x, w: ops.conv2d_transpose(x, w, [2, height, width, 3], stride, dilations=dilations),
        sample(2, 3, 2, 4),
        sample(3, 2, 3, 4, seed=1),
    )


def test_it_is_the_transpose_of_the_convolution(device):
    x, y, w = sample(2, 6, 5, 3), sample(2, 3, 3, 4, seed=1), sample(3, 2, 3, 4, seed=2)
    with tv.device(device):
        back = ops.conv2d_transpose(tv.constant(y), tv.constant(w), x.shape, 2)
        there = convolution.conv2d(tv.constant(x), tv.constant(w), 2, 'SAME')
    np.testing.assert_allclose((there.numpy() * y).sum(), (back.numpy() * x).sum())


def test_channels_first_is_the_same_transposed(device):
    y, w = sample(2, 3, 3, 4), sample(3, 2, 3, 4, seed=2)
    with tv.device(device):
        last = ops.conv2d_transpose(tv.constant(y), tv.constant(w), [2, 6, 5, 3], 2)
        moved = tv.constant(np.moveaxis(y, -1, 1))
        first = ops.conv2d_transpose(moved, tv.constant(w), [2, 3, 6, 5], 2, data_format='NCHW')
    tolerances.assert_close(np.moveaxis(first.numpy(), 1, -1), last.numpy())


def test_output_shape_may_be_spatial_alone_or_a_tensor():
    y, w = sample(2, 3, 3, 4), sample(3, 2, 3, 4, seed=2)
    whole = ops.conv2d_transpose(y, w, tv.constant([2, 6, 5, 3]), 2)
    assert ops.conv2d_transpose(y, w, [6, 5], 2).shape == whole.shape == (2, 6, 5, 3)


@pytest.mark.parametrize(
    ('output_shape', 'text'),
    [
        ([2, 8, 5, 3], "doesn't match computed"),
        ([1, 6, 5, 3], "doesn't match computed"),
        ([2, 6, 5, 2], 'evenly divisible'),
        ([2, 6, 5], 'requires 4 values'),
        ([2, -6, 5, 3], 'must be >= 0'),
    ],
)
def test_shapes_that_do_not_fit(output_shape, text):
    with pytest.raises(errors.InvalidArgumentError, match=text):
        ops.conv2d_transpose(sample(2, 3, 3, 4), sample(3, 2, 3, 4), output_shape, 2)


def test_conv_transpose_takes_its_dimensions_from_the_shape():
    assert ops.conv_transpose(sample(2, 5, 3), sample(3, 4, 3), [2, 10, 4], 2).shape == (2, 10, 4)
    with pytest.raises(ValueError, match='length 3, 4 or 5'):
        ops.conv_transpose(sample(2, 5, 3), sample(3, 4, 3), [2, 10], 2)
    with pytest.raises(ValueError, match='sized collection'):
        ops.conv_transpose(sample(2, 5, 3), sample(3, 4, 3), 2, 2)


def test_pairs_are_for_two_dimensions():
    with pytest.raises(TypeError, match='Expected string'):
        ops.conv1d_transpose(sample(2, 5, 3), sample(3, 4, 3), [2, 10, 4], 2, [[0, 0]] * 3)
    with pytest.raises(ValueError, match="'NWC' or 'NCW'"):
        ops.conv1d_transpose(sample(2, 5, 3), sample(3, 4, 3), [2, 10, 4], 2, data_format='foo')
