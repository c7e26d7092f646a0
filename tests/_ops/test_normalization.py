"""Moments, batch, l2 and local response normalization: gradients and errors."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import local_response, moments, normalization
from tests._ops import rules
from tests.support import device_parity, numeric_gradient

X = np.random.default_rng(0).normal(size=(2, 3, 2, 4))


def test_moments_for_every_dtype(device):
    for dtype in [*rules.FLOATS, np.int32, np.int64]:
        x = device_parity.sample(dtype, (4, 5))
        rules.check(
            device,
            lambda x: moments.moments(x, [0]),
            (lambda x: (np.trunc(x.mean(0)), np.trunc(((x - np.trunc(x.mean(0))) ** 2).mean(0))))
            if np.dtype(dtype).kind == 'i'
            else (lambda x: (x.mean(0), x.var(0))),
            x,
            looser=2,
        )


def test_float16_is_computed_in_float32():
    mean, variance = moments.moments(np.array([60000, 59936], np.float16), [0])
    assert (mean.numpy(), variance.numpy()) == (59968, 1024)
    assert moments.moments(np.full(70000, 2, np.float16), [0])[0].numpy() == 2


@pytest.mark.parametrize('axes', [0, [0, -1], None, []])
@pytest.mark.parametrize('keepdims', [False, True])
def test_axes_of_moments(axes, keepdims):
    over = None if axes is None else tuple(np.atleast_1d(axes).astype(int))
    mean, variance = moments.moments(X, axes, keepdims=keepdims)
    np.testing.assert_allclose(mean.numpy(), X.mean(over, keepdims=keepdims))
    np.testing.assert_allclose(variance.numpy(), X.var(over, keepdims=keepdims), atol=1e-15)


def test_gradients_of_both_orders():
    vector = [np.random.default_rng(seed).uniform(1, 2, 4) for seed in range(1, 5)]
    numeric_gradient.check(lambda x: moments.moments(x, [0, 2]), X, order=1)
    numeric_gradient.check(lambda x, w: moments.weighted_moments(x, [0, 1], w), X, vector[0])
    numeric_gradient.check(lambda x: moments.sufficient_statistics(x, [0], 0.5)[1:3], X)
    numeric_gradient.check(
        lambda x, m, v, o, s: normalization.batch_normalization(x, m, v, o, s, 0.1), X, *vector
    )
    numeric_gradient.check(lambda x: normalization.l2_normalize(x, [1, 2]), X)
    numeric_gradient.check(lambda x: normalization.l2_normalize(x, -1), X + 1j * X[::-1])
    numeric_gradient.check(lambda x: normalization.normalize(x, axis=-1), X)


def test_second_order_of_moments_takes_the_mean_as_a_constant():
    x = tv.constant([1.0, 2.0, 4.0, 7.0])
    with tv.GradientTape() as outer:
        outer.watch(x)
        with tv.GradientTape() as inner:
            inner.watch(x)
            variance = moments.moments(x, [0])[1]
        slope = inner.gradient(variance, x)
    assert slope.numpy().tolist() == [-1.25, -0.75, 0.25, 1.75]
    # Exact it would be 0, as the slopes add up to 0.
    assert outer.gradient(slope, x).numpy().tolist() == [0.5] * 4


@pytest.mark.parametrize('beta', [0.5, 0.75])
def test_local_response_gradients_of_both_orders(beta):
    numeric_gradient.check(
        lambda x: local_response.local_response_normalization(x, 1, 1.5, 0.3, beta), X
    )


@pytest.mark.parametrize('dtype', rules.FLOATS, ids=rules.name_of)
def test_local_response_for_every_dtype(device, dtype):
    def reference(x):
        squares = np.zeros_like(x)
        for channel in range(6):
            near = x[..., max(channel - 2, 0) : channel + 3]
            squares[..., channel] = (near * near).sum(-1)
        return x / (1 + 0.5 * squares) ** 0.75

    rules.check(
        device,
        lambda x: local_response.local_response_normalization(x, 2, 1, 0.5, 0.75),
        reference,
        device_parity.sample(dtype, (2, 3, 1, 6)),
        looser=4,
    )


def test_batch_normalization_keeps_the_dtype_of_the_values():
    x = tv.ones([2, 4], tv.float16)
    result = normalization.batch_normalization(x, tv.zeros(4), tv.ones(4), tv.ones(4), None, 0.0)
    assert result.dtype is tv.float16
    assert (result.numpy() == 2).all()
    assert normalization.batch_normalization(tv.ones([3]), 0.0, 1.0, None, 2.0, 0.0).shape == (3,)


def test_zero_vectors_stay_zero():
    assert normalization.l2_normalize(tv.zeros([3])).numpy().tolist() == [0, 0, 0]
    mean, variance = moments.weighted_moments(X, [0], 0.0)
    assert not mean.numpy().any()
    assert not variance.numpy().any()


@pytest.mark.parametrize('name', ['depth_radius', 'bias', 'alpha', 'beta'])
def test_none_is_the_default_of_local_response(name):
    expected = local_response.local_response_normalization(X)
    result = local_response.local_response_normalization(X, **{name: None})
    assert (result.numpy() == expected.numpy()).all()
    for wrong in ('a', '1', [1, 2]):
        with pytest.raises(TypeError, match=f'{name} = .* was given; expected'):
            local_response.local_response_normalization(X, **{name: wrong})


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="both 'dim' and 'axis'"):
        normalization.l2_normalize(X, axis=1, dim=1)
    with pytest.raises(TypeError, match='int32'):
        normalization.l2_normalize([3, 4])
    with pytest.raises(errors.InvalidArgumentError):
        normalization.l2_normalize(X, 7)
    with pytest.raises(errors.InvalidArgumentError):
        moments.moments(X, [4])
    with pytest.raises(errors.InvalidArgumentError, match='duplicate'):
        moments.moments(X, [0, -4])
    with pytest.raises(errors.InvalidArgumentError, match='Incompatible shapes'):
        normalization.batch_normalization(X, np.zeros(3), np.ones(3), None, None, 0.1)
    with pytest.raises(errors.InvalidArgumentError, match='4-dimensional'):
        local_response.local_response_normalization(X[0])
    with pytest.raises(errors.InvalidArgumentError, match='depth_radius = -1'):
        local_response.local_response_normalization(X, -1)
    with pytest.raises(errors.InvalidTypeError):
        local_response.local_response_normalization(X.astype(np.int32))
    assert local_response.local_response_normalization([[[[1, 2]]]]).dtype is tv.float32
