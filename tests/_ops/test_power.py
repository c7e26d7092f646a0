"""Powers, and products with logarithms."""

import numpy as np
import pytest
import scipy.special

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import power as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient


def test_pow_equals_numpy(device):
    for dtype in rules.FLOATS + rules.COMPLEX:
        x = device_parity.sample(dtype, (2, 1), seed=1, low=0.2)
        y = device_parity.sample(dtype, (3,), seed=2)
        rules.check(device, ops.pow, np.power, x, y, looser=8)
    for dtype in rules.SIGNED:
        x = np.array([-3, 0, 2, 5], dtype)
        rules.check(device, ops.pow, np.power, x, np.array([2, 0, 3, 1], dtype))


@pytest.mark.usefixtures('values_checked')
def test_pow_refuses_unsigned_bases_and_negative_integer_exponents(device):
    with tv.device(device):
        with pytest.raises(errors.InvalidTypeError, match='has dtype uint8'):
            ops.pow(tv.constant([2], 'uint8'), 2)
        with pytest.raises(
            errors.InvalidArgumentError, match=r'\[Pow\] Integers to negative integer powers'
        ):
            tv.constant([2, 3]) ** tv.constant([1, -1])


def test_pow_outside_of_the_reals():
    assert np.isnan(ops.pow(tv.constant([-2.0]), 0.5).numpy()[0])
    assert ops.pow(tv.constant([0.0]), 0.0).numpy()[0] == 1


@pytest.mark.parametrize(
    ('body', 'reference'),
    [(ops.xlogy, scipy.special.xlogy), (ops.xlog1py, scipy.special.xlog1py)],
    ids=rules.name_of,
)
def test_products_with_logarithms(device, body, reference):
    for dtype in rules.FLOATS:
        x = np.array([[0.0], [1.5]], dtype)
        y = np.array([0.0, 0.5, 3.0], dtype)
        rules.check(device, body, reference, x, y, looser=4)


def test_xlogy_is_zero_where_x_is_zero():
    assert ops.xlogy(tv.constant([0.0]), np.nan).numpy().tolist() == [0]
    assert ops.xlogy(tv.constant([0j]), -1.0).numpy().tolist() == [0]


@pytest.mark.parametrize('body', [ops.pow, ops.xlogy, ops.xlog1py])
@pytest.mark.parametrize('dtype', [np.float64, np.complex128], ids=rules.name_of)
def test_gradients(body, dtype):
    x = device_parity.sample(dtype, (2, 1), seed=1, low=0.5)
    y = device_parity.sample(dtype, (3,), seed=2, low=0.5)
    numeric_gradient.check(body, x, y)


def test_gradients_of_pow_at_the_edge_of_its_domain():
    x, y = tv.constant([0.0, -2.0, 0.0]), tv.constant([0.0, 3.0, 2.0])
    with tv.GradientTape() as tape:
        tape.watch([x, y])
        z = ops.pow(x, y)
    to_x, to_y = tape.gradient(z, [x, y])
    assert to_x.numpy().tolist() == [0, 12, 0]
    assert to_y.numpy().tolist() == [0, 0, 0]
