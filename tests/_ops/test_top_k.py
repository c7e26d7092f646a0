"""The largest elements, with ties, NaN, every dtype and both ways to find them."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import top_k as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient


def reference(k):
    def largest(x):
        order = np.argsort(-x.astype(np.float64), axis=-1, kind='stable')[..., :k]
        return np.take_along_axis(x, order, -1)

    return largest


@pytest.mark.parametrize('k', [1, 3, 20, 60])
@pytest.mark.parametrize('dtype', rules.REAL, ids=rules.name_of)
def test_values_for_every_dtype(device, dtype, k):
    x = device_parity.sample(dtype, (2, 3, 60))
    rules.check(device, lambda x: ops.top_k(x, k).values, reference(k), x)


@pytest.mark.parametrize('k', [1, 2, 5, 12, 13, 100])
def test_first_of_equal_elements_and_nan_come_first(k):
    x = np.random.default_rng(0).integers(0, 9, size=(4, 100)).astype(np.float32)
    x[0, 5] = x[1, 3] = x[1, 70] = x[2, 99] = np.nan
    keys = np.where(np.isnan(x), np.inf, x)
    expected = np.argsort(-keys, axis=-1, kind='stable')[:, :k]
    result = ops.top_k(x, k)
    np.testing.assert_array_equal(result.indices.numpy(), expected)
    np.testing.assert_array_equal(result.values.numpy(), np.take_along_axis(x, expected, -1))


def test_large_integers_are_told_apart():
    assert ops.top_k(np.array([2**62, 2**62 + 1, 3]), 2).indices.numpy().tolist() == [1, 0]


@pytest.mark.parametrize('kind', [tv.int16, tv.int32, tv.int64])
def test_index_types_and_names(kind):
    result = ops.top_k([1.0, 3.0, 2.0], 2, index_type=kind)
    assert result.indices.dtype is kind
    values, indices = result
    assert (values.numpy().tolist(), indices.numpy().tolist()) == ([3, 2], [1, 2])


def test_k_may_be_a_tensor_or_nothing():
    x = tv.constant([[1.0, 5.0], [4.0, 2.0]])
    assert ops.top_k(x).values.numpy().tolist() == [[5], [4]]
    assert ops.top_k(x, tv.constant(2)).values.shape == (2, 2)
    assert ops.top_k(x, 0).indices.shape == (2, 0)
    assert ops.top_k(tv.zeros([0, 3]), 2).values.shape == (0, 2)


def test_gradients_of_both_orders():
    x = np.random.default_rng(0).permutation(40).reshape(2, 20) / 3.0
    for k in (2, 15):
        numeric_gradient.check(lambda x, k=k: ops.top_k(x * x, k).values, x)


@pytest.mark.parametrize(
    ('arguments', 'error', 'text'),
    [
        (([1.0, 2.0], 5), errors.InvalidArgumentError, 'Had 2, needed 5'),
        (([1.0, 2.0], -1), errors.InvalidArgumentError, 'k >= 0, got -1'),
        (([1.0, 2.0], 1.5), TypeError, 'k'),
        (([1.0, 2.0], [2]), errors.InvalidArgumentError, 'scalar'),
        ((3.0, 1), errors.InvalidArgumentError, '>= 1-D'),
        (([True, False], 1), errors.InvalidArgumentError, 'bool'),
        (([1.0, 2.0], 1, True, tv.int8), errors.InvalidArgumentError, 'int8'),
    ],
)
def test_wrong_arguments_are_named(arguments, error, text):
    with pytest.raises(error, match=text):
        ops.top_k(*arguments)


def test_in_top_k(device):
    predictions = np.array(
        [[0.1, 0.5, 0.5, 0.2], [0.4, 0.3, 0.2, 0.1], [np.inf, 1, 0, 0], [np.nan, 1, 0, 0]],
        np.float32,
    )
    targets = np.array([2, 3, 1, 1], np.int32)
    for k, expected in ((1, [1, 0, 0, 0]), (4, [1, 1, 0, 0]), (0, [0] * 4), (-1, [0] * 4)):
        rules.check(
            device,
            lambda p, t, k=k: ops.in_top_k(t, p, k),
            lambda p, t, e=expected: np.array(e, bool),
            predictions,
            targets,
            dtype=bool,
        )
    outside = ops.in_top_k(tv.constant([9, -1, 0, 0], tv.int64), predictions, 3)
    assert outside.numpy().tolist() == [False] * 4
    assert ops.in_top_k(np.zeros(0, np.int32), np.zeros((0, 4)), 2).shape == (0,)


@pytest.mark.parametrize(
    ('targets', 'predictions', 'text'),
    [
        ([0, 1, 1], np.ones((4, 2)), 'must match length'),
        ([[0, 1]], np.ones((2, 2)), 'targets must be 1-dimensional'),
        ([0], np.ones(2), 'predictions must be 2-dimensional'),
        ([0.0, 1.0], np.ones((2, 2)), 'float32'),
    ],
)
def test_in_top_k_with_wrong_arguments(targets, predictions, text):
    with pytest.raises(errors.InvalidArgumentError, match=text):
        ops.in_top_k(targets, predictions, 1)


def test_in_top_k_takes_float32_tensors_alone():
    with pytest.raises(ValueError, match='float32'):
        ops.in_top_k([0], tv.ones([1, 2], tv.float64), 1)
