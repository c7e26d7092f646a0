"""``crelu``, ``zero_fraction`` and ``log_poisson_loss``."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import poisson_loss, sparsity
from tests._ops import rules
from tests.support import device_parity, numeric_gradient


def test_crelu_for_every_dtype(device):
    for dtype in [*rules.FLOATS, *rules.SIGNED]:
        rules.check(
            device,
            sparsity.crelu,
            lambda x: np.maximum(np.concatenate([x, -x], -1), 0),
            device_parity.sample(dtype, (2, 3)),
        )


def test_zero_fraction(device):
    for dtype in [*rules.NUMBERS, bool]:
        x = np.array([0, 1, 0, 1, 1], dtype)
        rules.check(device, sparsity.zero_fraction, lambda x: np.float32(0.4), x, dtype=np.float32)
    assert np.isnan(sparsity.zero_fraction(tv.zeros([0])).numpy())
    assert sparsity.zero_fraction(['a', '']).numpy() == 0.5


def test_gradients_of_both_orders():
    x = np.array([[0.5, -1.5], [2.0, -0.3]])
    numeric_gradient.check(lambda x: sparsity.crelu(x * x * x, 0), x)
    counts, logs = np.array([1.5, 2.5, 7.0]), np.array([0.2, -0.4, 1.0])
    for full in (False, True):
        numeric_gradient.check(
            lambda t, x, f=full: poisson_loss.log_poisson_loss(t, x, f), counts, logs
        )


def test_targets_without_stirling_have_a_finite_gradient():
    counts = tv.constant([0.0, 1.0])
    with tv.GradientTape() as tape:
        tape.watch(counts)
        loss = poisson_loss.log_poisson_loss(counts, tv.constant([0.5, 0.5]), True)
    assert tape.gradient(loss, counts).numpy().tolist() == [-0.5, -0.5]


def test_wrong_arguments_are_named():
    with pytest.raises(errors.InvalidArgumentError):
        sparsity.crelu([1.0], 9)
    with pytest.raises(errors.InvalidArgumentError):
        sparsity.crelu(1.0)
    with pytest.raises(errors.InvalidArgumentError):
        sparsity.crelu(np.ones(2, np.uint8))
    with pytest.raises(ValueError, match='must have the same shape'):
        poisson_loss.log_poisson_loss(tv.ones([2]), tv.ones([4]))
    with pytest.raises(errors.InvalidArgumentError):
        poisson_loss.log_poisson_loss([1, 2], [1.0, 2.0])
