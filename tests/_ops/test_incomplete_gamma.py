"""igamma, igammac and their derivative by order."""

import numpy as np
import pytest
import scipy.special

import tensorvar as tv
from tensorvar._ops import incomplete_gamma as ops
from tests._ops import rules
from tests.support import numeric_gradient

A = np.array([0.3, 0.9, 2.0, 5.0, 40.0, 40.0, 40.0, 700.0])
X = np.array([0.5, 3.0, 0.1, 9.0, 20.0, 40.0, 80.0, 690.0])


def test_values(device: str) -> None:
    for dtype in (np.float32, np.float64):
        a, x = A[:, None].astype(dtype), X.astype(dtype)
        rules.check(device, ops.igamma, scipy.special.gammainc, a, x, looser=100)
        rules.check(device, ops.igammac, scipy.special.gammaincc, a, x, looser=100)


def test_ends() -> None:
    a = [1.0, 0.0, -1.0, 2.0, 2.0, 0.0]
    x = [1.0, 1.0, 1.0, 0.0, np.inf, 0.0]
    lower, upper = ops.igamma(a, x).numpy(), ops.igammac(a, x).numpy()
    np.testing.assert_allclose(lower, [1 - np.exp(-1), np.nan, np.nan, 0, 1, 0], rtol=1e-6)
    np.testing.assert_allclose(upper, [np.exp(-1), np.nan, np.nan, 1, 0, np.nan], rtol=1e-6)


def test_the_derivative_by_order_on_every_device(device: str) -> None:
    step = 1e-6
    slope = (scipy.special.gammainc(A + step, X) - scipy.special.gammainc(A - step, X)) / (2 * step)
    with tv.device(device):
        a = tv.constant(A)
        with tv.GradientTape() as tape:
            tape.watch(a)
            result = ops.igamma(a, X)
        found = tape.gradient(result, a)
    assert found.device.endswith(device)
    np.testing.assert_allclose(found.numpy(), slope, atol=1e-8)


def test_the_derivative_by_order_at_the_ends() -> None:
    a = tv.constant([2.0, 2.0, -1.0, np.nan])
    with tv.GradientTape() as tape:
        tape.watch(a)
        result = ops.igamma(a, [0.0, np.inf, 1.0, 1.0])
    assert tape.gradient(result, a).numpy().tolist()[:2] == [0.0, 0.0]


@pytest.mark.parametrize('body', [ops.igamma, ops.igammac], ids=rules.name_of)
def test_gradients(body) -> None:
    numeric_gradient.check(body, A, X, order=1)
    numeric_gradient.check(body, A[:2, None], X[:3], order=1)
    numeric_gradient.check(lambda x: body(tv.constant(A[:4]), x), X[:4])


def test_bad_arguments() -> None:
    for value in (tv.constant([1.0], tv.float16), tv.constant([1])):
        with pytest.raises(tv.errors.InvalidTypeError, match='allowed'):
            ops.igamma(value, value)
    with pytest.raises(tv.errors.InvalidArgumentError, match='Igammac'):
        ops.igammac(tv.ones([2]), tv.ones([3]))
