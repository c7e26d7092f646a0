"""Rounding to whole numbers."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import rounding as ops
from tests._ops import rules
from tests.support import device_parity

HALVES = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]


@pytest.mark.parametrize(
    ('body', 'reference'),
    [(ops.floor, np.floor), (ops.ceil, np.ceil), (ops.round, np.rint), (ops.rint, np.rint)],
    ids=rules.name_of,
)
def test_values_equal_numpy_for_every_dtype(device, body, reference):
    for dtype in rules.FLOATS:
        rules.check(device, body, reference, device_parity.sample(dtype, (2, 3)))


@pytest.mark.parametrize('body', [ops.round, ops.rint])
def test_halves_go_to_the_even_number(body):
    rounded = body(tv.constant(HALVES)).numpy()
    assert rounded.tolist() == [-2, -2, 0, 0, 2, 2]
    assert np.signbit(rounded[2])


def test_round_returns_integers_as_they_are(device):
    for dtype in rules.INTEGERS:
        x = device_parity.sample(dtype, (3,))
        rules.check(device, ops.round, lambda x: x, x)


@pytest.mark.parametrize('body', [ops.floor, ops.ceil, ops.rint])
def test_integers_are_refused(body):
    with pytest.raises(errors.InvalidTypeError, match='has dtype int32'):
        body(tv.constant([1]))


@pytest.mark.parametrize('body', [ops.floor, ops.ceil, ops.round, ops.rint])
def test_there_is_no_gradient(body):
    x = tv.constant([1.5])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = body(x)
    assert tape.gradient(y, x) is None
