"""Bessel functions and the exponential integral."""

from typing import Any

import numpy as np
import pytest
import scipy.special

import tensorvar as tv
from tensorvar._ops import bessel, modified_bessel
from tests._ops import rules
from tests.support import device_parity, numeric_gradient

MODIFIED = ['i0', 'i0e', 'i1', 'i1e', 'k0', 'k0e', 'k1', 'k1e']
CASES = [
    *[
        (getattr(modified_bessel, f'bessel_{each}'), getattr(scipy.special, each))
        for each in MODIFIED
    ],
    (bessel.bessel_j0, scipy.special.j0),
    (bessel.bessel_j1, scipy.special.j1),
    (bessel.bessel_y0, scipy.special.y0),
    (bessel.bessel_y1, scipy.special.y1),
    (bessel.expint, scipy.special.expi),
]
ALSO_NEGATIVE = [
    modified_bessel.bessel_i0,
    modified_bessel.bessel_i0e,
    modified_bessel.bessel_i1,
    modified_bessel.bessel_i1e,
    bessel.bessel_j0,
    bessel.bessel_j1,
]


@pytest.mark.parametrize(('body', 'reference'), CASES, ids=rules.name_of)
@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64], ids=rules.name_of)
def test_values(device: str, body: Any, reference: Any, dtype: Any) -> None:
    x = device_parity.sample(dtype, (2, 3), low=0.2)
    rules.check(device, body, reference, x, looser=30)


@pytest.mark.parametrize('body', ALSO_NEGATIVE, ids=rules.name_of)
def test_values_below_zero(device: str, body: Any) -> None:
    reference = dict(CASES)[body]
    rules.check(device, body, reference, np.array([-3.0, -0.5, 0.0, -0.0]), looser=30)


def test_outside_of_the_domain() -> None:
    x = tv.constant([-2.0, 0.0])
    assert modified_bessel.bessel_k0(x).numpy().tolist() == [np.inf, np.inf]
    assert modified_bessel.bessel_k1e(x).numpy().tolist() == [np.inf, np.inf]
    assert bessel.bessel_y0(x).numpy().tolist() == [-np.inf, -np.inf]
    assert np.isnan(bessel.expint(x).numpy()).tolist() == [True, False]


@pytest.mark.parametrize('body', [case[0] for case in CASES], ids=rules.name_of)
def test_bad_dtypes(body: Any) -> None:
    for value in (tv.constant([1]), tv.constant([1j]), tv.constant([1.0], tv.bfloat16)):
        with pytest.raises(tv.errors.InvalidTypeError, match='allowed'):
            body(value)


@pytest.mark.parametrize('body', [case[0] for case in CASES], ids=rules.name_of)
def test_gradients(body: Any) -> None:
    numeric_gradient.check(body, np.array([0.3, 1.2, 3.4]))


@pytest.mark.parametrize('body', ALSO_NEGATIVE, ids=rules.name_of)
def test_gradients_below_zero(body: Any) -> None:
    numeric_gradient.check(body, np.array([-0.3, -1.2]))


def test_gradients_at_zero() -> None:
    for body in (modified_bessel.bessel_i1, modified_bessel.bessel_i0, bessel.bessel_j1):
        numeric_gradient.check(body, np.array([0.0]), order=1)
