"""Dropout: rates, shapes of decisions, seeds and errors."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import dropout as ops
from tests._ops import rules


@pytest.fixture(autouse=True)
def no_global_seed():
    tv.random.set_seed(None)
    yield
    tv.random.set_seed(None)


def test_kept_values_are_scaled(device):
    with tv.device(device):
        y = ops.dropout(tv.ones([40, 50]), 0.25, seed=1)
    values = np.unique(y.numpy())
    np.testing.assert_allclose(values, [0, 4 / 3], rtol=1e-6)
    assert abs((y.numpy() == 0).mean() - 0.25) < 0.05


@pytest.mark.parametrize('dtype', rules.FLOATS, ids=rules.name_of)
def test_dtype_stays(dtype):
    y = ops.dropout(np.ones((3, 4), dtype), 0.5, seed=1)
    assert y.dtype.numpy == np.dtype(dtype)
    assert set(y.numpy().astype(float).ravel()) <= {0.0, 2.0}


def test_decisions_broadcast():
    y = ops.dropout(tv.ones([6, 5, 4]), 0.5, noise_shape=[None, 1, 4], seed=2).numpy()
    assert (y == y[:, :1]).all()
    assert len(np.unique(y[:, 0])) == 2
    assert ops.dropout(tv.ones([2, 3]), 0.5, noise_shape=[4, 2, 3]).shape == (4, 2, 3)


def test_a_rate_of_zero_gives_the_values_and_takes_a_seed_all_the_same():
    x = tv.ones([30])
    tv.random.set_seed(4)
    assert ops.dropout(x, 0) is x
    after_zero = ops.dropout(x, 0.5)
    tv.random.set_seed(4)
    ops.dropout(x, 0.1)
    np.testing.assert_array_equal(after_zero.numpy(), ops.dropout(x, 0.5).numpy())


def test_stateless_repeats(device):
    with tv.device(device):
        first = ops.stateless_dropout(tv.ones([30]), 0.5, [1, 2])
        second = ops.stateless_dropout(tv.ones([30]), 0.5, [1, 2])
        other = ops.stateless_dropout(tv.ones([30]), 0.5, [1, 3])
    np.testing.assert_array_equal(first.numpy(), second.numpy())
    assert (first.numpy() != other.numpy()).any()


def test_gradient_is_that_of_the_kept_values():
    x = tv.ones([20])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = ops.dropout(x, 0.5, seed=3)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), y.numpy())


@pytest.mark.parametrize('rate', [1, 1.0, -0.1, True, [0.5], 'a', None, np.array(0.5)])
def test_bad_rates(rate):
    with pytest.raises(ValueError, match='rate'):
        ops.dropout(tv.ones([3]), rate)


def test_rates_that_are_tensors():
    x = tv.ones([3])
    assert not ops.dropout(x, tv.constant(1.0)).numpy().any()
    with pytest.raises(ValueError, match='rank 0'):
        ops.dropout(x, tv.constant([0.5]))
    with pytest.raises(ValueError, match='compatible'):
        ops.dropout(x, tv.constant(0.5, tv.float64))


def test_other_wrong_arguments():
    with pytest.raises(ValueError, match='floating point'):
        ops.dropout([1, 2], 0.5)
    with pytest.raises(errors.InvalidArgumentError):
        ops.dropout(tv.ones([2, 4]), 0.5, noise_shape=[3])
    with pytest.raises(errors.InvalidArgumentError, match='must be >= 0'):
        ops.dropout(tv.ones([2, 4]), 0.5, noise_shape=[-1, 1])
