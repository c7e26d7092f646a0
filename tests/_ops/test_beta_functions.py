"""betainc, lbeta, zeta and nextafter."""

import numpy as np
import pytest
import scipy.special

import tensorvar as tv
from tensorvar._ops import beta_functions as ops
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


@pytest.mark.parametrize('dtype', [np.float32, np.float64], ids=rules.name_of)
def test_values(device: str, dtype: type) -> None:
    a = device_parity.sample(dtype, (4,), low=0.3)
    b = device_parity.sample(dtype, (4,), low=0.3, seed=1)
    x = device_parity.sample(dtype, (4,), low=0.1, seed=2) / 2
    rules.check(device, ops.betainc, scipy.special.betainc, a, b, x, looser=50)
    rules.check(device, ops.zeta, scipy.special.zeta, a + 1, b, looser=50)
    rules.check(device, ops.nextafter, np.nextafter, a[:, None], b, looser=0)


def test_betainc_takes_scalars_beside_one_shape() -> None:
    x = np.array([[0.2, 0.7]], np.float32)
    found = ops.betainc(2.0, tv.constant(3.0), x).numpy()
    np.testing.assert_allclose(found, scipy.special.betainc(2, 3, x), rtol=1e-5)
    with pytest.raises(tv.errors.InvalidArgumentError, match='inconsistent'):
        ops.betainc([1.0, 2.0], [2.0], [0.5])


def test_outside_of_the_domain() -> None:
    a, b, x = [0.0, 2.0, 2.0, 2.0, 2.0], [1.0, 2.0, 2.0, -1.0, 2.0], [0.5, 0.0, 1.0, 0.5, 2.0]
    np.testing.assert_equal(ops.betainc(a, b, x).numpy(), [np.nan, 0, 1, np.nan, np.nan])
    found = ops.zeta([1.0, 0.5, 3.0, 2.0, 2.0], [2.0, 2.0, -1.0, -1.0, 0.0]).numpy()
    np.testing.assert_equal(found, [np.inf, np.nan, np.nan, np.inf, np.inf])


def test_lbeta(device: str) -> None:
    x = device_parity.sample(np.float64, (3, 4), low=0.2)

    def reference(x: np.ndarray) -> np.ndarray:
        return scipy.special.gammaln(x).sum(-1) - scipy.special.gammaln(x.sum(-1))

    rules.check(device, ops.lbeta, reference, x, looser=10)
    assert ops.lbeta(tv.zeros([2, 0])).numpy().tolist() == [-np.inf, -np.inf]
    for bad in (3.0, [[1, 2]]):
        with pytest.raises(tv.errors.InvalidArgumentError):
            ops.lbeta(bad)


@pytest.mark.parametrize('function', [ops.zeta, ops.nextafter], ids=rules.name_of)
def test_bad_dtypes(function) -> None:
    for value in (tv.constant([1.0], tv.float16), tv.constant([1])):
        with pytest.raises(tv.errors.InvalidTypeError, match='allowed'):
            function(value, value)


def test_gradients() -> None:
    a = tv.constant([0.7, 2.0], tv.float64)
    numeric_gradient.check(lambda x: ops.betainc(a, tv.constant(1.5, 'float64'), x), [0.2, 0.6])
    numeric_gradient.check(lambda x: ops.betainc(a, a, x), np.array(0.3))
    numeric_gradient.check(lambda q: ops.zeta(a + 2, q), np.array([[0.5], [3.0]]))
    numeric_gradient.check(ops.lbeta, samples.float64(2, 3) + 3)


def test_the_gradient_of_nextafter_is_that_of_its_first_argument() -> None:
    x, y = tv.constant([1.0, 2.0]), tv.constant([[3.0], [0.0]])
    with tv.GradientTape() as tape:
        tape.watch([x, y])
        result = ops.nextafter(x, y)
    first, second = tape.gradient(result, [x, y])
    assert first.numpy().tolist() == [2.0, 2.0]
    assert second.numpy().tolist() == [[0.0], [0.0]]
