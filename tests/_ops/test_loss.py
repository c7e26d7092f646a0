"""Cross entropies and the halved sum of squares."""

import numpy as np
import pytest
import scipy.special

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import loss as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient


def cross_entropy(labels, logits, axis=-1):
    return -np.sum(labels * scipy.special.log_softmax(logits, axis=axis), axis=axis)


def sigmoid_cross_entropy(labels, logits):
    return -labels * scipy.special.log_expit(logits) - (1 - labels) * scipy.special.log_expit(
        -logits
    )


def distribution(dtype, shape, axis=-1):
    weights = np.random.default_rng(3).uniform(0.1, 1.0, shape)
    return (weights / weights.sum(axis=axis, keepdims=True)).astype(dtype)


@pytest.mark.parametrize('axis', [-1, 0, 1])
def test_softmax_cross_entropy_for_every_dtype(device, axis):
    for dtype in rules.FLOATS:
        labels = distribution(dtype, (2, 3, 4), axis)
        logits = device_parity.sample(dtype, (2, 3, 4))
        rules.check(
            device,
            lambda z, x: ops.softmax_cross_entropy_with_logits(z, x, axis),
            lambda z, x: cross_entropy(z, x, axis),
            labels,
            logits,
            looser=4,
        )


def test_softmax_cross_entropy_broadcasts(device):
    logits = device_parity.sample(np.float32, (2, 3))
    labels = distribution(np.float32, (3,))
    rules.check(
        device, ops.softmax_cross_entropy_with_logits, cross_entropy, labels, logits, looser=4
    )
    with tv.device(device):
        vector = ops.softmax_cross_entropy_with_logits([0.0, 1.0], [1.0, 2.0])
    assert vector.shape == []
    np.testing.assert_allclose(vector.numpy(), 0.31326165795326233, rtol=1e-6)


@pytest.mark.parametrize('labels', [[0.5], [[1.0], [2.0]], [[0.25]]])
def test_one_label_for_all_classes(device, labels):
    logits = device_parity.sample(np.float32, (2, 3))
    expected = cross_entropy(np.array(labels), logits.astype(np.float64))
    with tv.device(device):
        result = ops.softmax_cross_entropy_with_logits(labels, logits)
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-5)
    spread = np.broadcast_to(labels, (2, 3)) / 3.0
    gradients = []
    for given in (np.array(labels, np.float32) / 3, spread.astype(np.float32)):
        x = tv.constant(logits)
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = ops.softmax_cross_entropy_with_logits(given, x)
        gradients.append(tape.gradient(y, x).numpy())
    np.testing.assert_allclose(*gradients, rtol=1e-6)


def test_labels_are_cast_to_the_dtype_of_the_logits():
    for dtype in ('int32', 'float64', 'float16'):
        labels = tv.constant([[0, 1]], dtype)
        result = ops.softmax_cross_entropy_with_logits(labels, tv.constant([[1.0, 2.0]]))
        assert result.dtype == tv.float32


@pytest.mark.parametrize(
    ('labels', 'logits', 'axis', 'error'),
    [
        ([[0.0, 1.0]], [[1.0, 2.0, 3.0]], -1, errors.InvalidArgumentError),
        ([0.0], [[0.0], [1.0]], 0, errors.InvalidArgumentError),
        (1.0, 1.0, -1, errors.InvalidIndexError),
        ([[0.0, 1.0]], [[1.0, 2.0]], 2, errors.InvalidIndexError),
        ([[0, 1]], [[1, 2]], -1, errors.InvalidTypeError),
    ],
)
def test_softmax_cross_entropy_refusals(labels, logits, axis, error):
    with pytest.raises(error, match=r'\[SoftmaxCrossEntropyWithLogits\]'):
        ops.softmax_cross_entropy_with_logits(labels, logits, axis)


@pytest.mark.parametrize('axis', [-1, 0])
def test_softmax_cross_entropy_gradients(axis):
    logits = device_parity.sample(np.float64, (3, 2))
    labels = distribution(np.float64, (3, 2), axis)

    def body(labels, logits):
        return ops.softmax_cross_entropy_with_logits(labels, logits, axis)

    numeric_gradient.check(body, labels, logits, order=1)
    numeric_gradient.check(lambda x: body(tv.constant(labels), x), logits)


def test_softmax_cross_entropy_gradients_with_broadcasting():
    labels = distribution(np.float64, (2,))
    logits = device_parity.sample(np.float64, (3, 2))
    numeric_gradient.check(ops.softmax_cross_entropy_with_logits, labels, logits, order=1)


def test_sigmoid_cross_entropy_for_every_dtype(device):
    for dtype in rules.FLOATS:
        labels = distribution(dtype, (2, 3))
        logits = device_parity.sample(dtype, (2, 3))
        rules.check(
            device,
            ops.sigmoid_cross_entropy_with_logits,
            sigmoid_cross_entropy,
            labels,
            logits,
            looser=4,
        )


def test_sigmoid_cross_entropy_of_large_logits():
    result = ops.sigmoid_cross_entropy_with_logits([1.0, 0.0], [2.0, -300.0])
    np.testing.assert_allclose(result.numpy(), [0.12692800164222717, 0], rtol=1e-6)


@pytest.mark.parametrize(
    'body', [ops.sigmoid_cross_entropy_with_logits, ops.weighted_cross_entropy_with_logits]
)
def test_sigmoid_cross_entropy_refusals(body):
    with pytest.raises(ValueError, match='must have the same shape'):
        body([1.0, 0.0], [2.0])
    with pytest.raises(ValueError, match='must have the same shape'):
        body([[1.0]], [2.0])
    with pytest.raises(ValueError, match='must be provided'):
        body(logits=[1.0])
    with pytest.raises(errors.InvalidArgumentError):
        body(tv.constant([1.0]), tv.constant([1.0], 'float64'))
    with pytest.raises(errors.InvalidTypeError):
        body(tv.constant([1]), tv.constant([1]))


def test_weighted_cross_entropy():
    for weight, expected in ((3.0, [0.3807840049266815, 0]), ([1.0, 3.0], [0.126928, 0])):
        result = ops.weighted_cross_entropy_with_logits([1.0, 0.0], [2.0, -300.0], weight)
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-6)


def test_sigmoid_cross_entropy_gradients():
    labels, logits = np.array([0.2, 0.9]), np.array([-1.5, 2.0])
    numeric_gradient.check(ops.sigmoid_cross_entropy_with_logits, labels, logits)
    numeric_gradient.check(
        ops.weighted_cross_entropy_with_logits, labels, logits, np.array([3.0, 0.5])
    )


def test_l2_loss(device):
    for dtype in rules.FLOATS:
        x = device_parity.sample(dtype, (2, 3))
        rules.check(device, ops.l2_loss, lambda x: np.sum(x * x) / 2, x, looser=4)
    numeric_gradient.check(ops.l2_loss, np.array([[1.0, -2.0]]))
    with pytest.raises(errors.InvalidTypeError, match='has dtype int32'):
        ops.l2_loss(tv.constant([1]))
