"""Undoing broadcasting, and the small ops of gradients."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import _gradient_helpers as helpers


@pytest.mark.parametrize(
    ('given', 'shape'),
    [
        ((2, 3), ()),
        ((2, 3), (3,)),
        ((2, 3), (1, 3)),
        ((2, 3), (2, 1)),
        ((4, 2, 3), (1, 1)),
        ((0, 3), (1, 3)),
    ],
)
def test_sum_to_shape_is_the_adjoint_of_broadcasting(given, shape):
    gradient = np.random.default_rng(0).normal(size=given)
    summed = helpers.sum_to_shape(tv.constant(gradient), shape).numpy()
    values = np.random.default_rng(1).normal(size=shape)
    assert np.shape(summed) == shape
    np.testing.assert_allclose(
        np.sum(summed * values), np.sum(gradient * np.broadcast_to(values, given)), atol=1e-12
    )


def test_nothing_is_done_where_nothing_was_broadcast():
    gradient = tv.constant([[1.0]])
    assert helpers.sum_to_shape(gradient, (1, 1)) is gradient
    assert helpers.conjugate(gradient) is gradient


def test_nonzero_gives_ones_in_the_dtype_of_the_values():
    result = helpers.nonzero(tv.constant([0.0, -2.5]))
    assert result.dtype == tv.float32
    assert result.numpy().tolist() == [0, 1]
