"""``bias_add``."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops.bias_add import bias_add
from tests._ops import rules
from tests.support import device_parity, numeric_gradient


def test_channels_last(device):
    for dtype in rules.NUMBERS:
        value = device_parity.sample(dtype, (2, 4, 3), seed=1)
        bias = device_parity.sample(dtype, (3,), seed=2)
        rules.check(device, bias_add, np.add, value, bias)


@pytest.mark.parametrize('data_format', ['NC', 'NCW', 'NCHW'])
def test_channels_first(device, data_format):
    value = device_parity.sample(np.float32, (2, 3, 4, 5), seed=1)
    bias = device_parity.sample(np.float32, (3,), seed=2)
    rules.check(
        device,
        lambda value, bias: bias_add(value, bias, data_format),
        lambda value, bias: value + bias[:, None, None],
        value,
        bias,
    )


@pytest.mark.parametrize(
    ('value', 'bias', 'data_format', 'message'),
    [
        ([2, 3], [2], None, 'as many biases as the last dimension'),
        ([1, 3, 2], [2], 'NCW', 'as many biases as the second dimension'),
        ([3], [3], None, 'must be at least 2D'),
        ([2, 3], [1, 3], None, 'Biases must be 1D'),
        ([2, 3], [3], 'XX', "data_format='XX'"),
    ],
)
def test_refusals(value, bias, data_format, message):
    with pytest.raises(errors.InvalidArgumentError, match=message):
        bias_add(tv.zeros(value), tv.zeros(bias), data_format)


@pytest.mark.parametrize('data_format', [None, 'NCW'])
def test_gradients(data_format):
    value = device_parity.sample(np.float64, (2, 3, 3), seed=1)
    bias = device_parity.sample(np.float64, (3,), seed=2)
    numeric_gradient.check(lambda x, y: bias_add(x, y, data_format), value, bias)
