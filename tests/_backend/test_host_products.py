"""Products and powers: the bits that NumPy's own functions give."""

from typing import Any

import numpy as np
import pytest

from tensorvar import dtypes
from tensorvar._backend import host_products

NUMBERS = [0.0, -0.0, 0.5, 1.0, -1.0, 2.0, -2.5, 3.0, 1e-40, 3e38, np.inf, -np.inf, np.nan]
FLOATS = [np.float32, np.float64]


@pytest.mark.parametrize('dtype', FLOATS)
@pytest.mark.parametrize('exponent', [0.0, 1.0, 2.0, -1.0, 0.5, 3.0, np.nan])
@np.errstate(all='ignore')
def test_powers(dtype: Any, exponent: float) -> None:
    x = np.array([*NUMBERS, *np.linspace(-9, 9, 50)], dtype)
    for y in (np.array(exponent, dtype), np.full(x.shape, exponent, dtype)):
        expected = np.power(x, y)
        np.testing.assert_array_equal(host_products.power(x, y), expected)
        into = x.copy()
        assert host_products.power(into, y, out=into) is into
        np.testing.assert_array_equal(into, expected)
        assert (np.signbit(into) == np.signbit(expected))[~np.isnan(expected)].all()


def test_powers_of_complex_numbers_and_of_rank_0() -> None:
    x, two = np.array([1 + 2j, -0.5j]), np.array(2 + 0j)
    assert host_products.power(x, two).tobytes() == np.power(x, two).tobytes()
    result = host_products.power(np.array(3.0), np.array(2.0))
    assert result == 9


def test_a_power_of_one_is_a_copy() -> None:
    x = np.array([1.0, 2.0])
    assert not np.shares_memory(host_products.power(x, np.array(1.0)), x)


@pytest.mark.parametrize('dtype', sorted(dtypes.INEXACT, key=str), ids=str)
@pytest.mark.parametrize('second', [[2.0, 0.0, -0.0, np.nan], [1.0, 2.0, 3.0, 4.0], 0.0, 2.0])
@np.errstate(all='ignore')
def test_zero_wins_over_nan(dtype: Any, second: Any) -> None:
    x = np.array([np.inf, np.nan, 1.0, 2.0]).astype(dtype)
    y = np.array(second).astype(dtype)
    expected = np.where(y, x * y, 0)
    result = host_products.multiply_no_nan(x, y)
    assert result.dtype == dtype
    into = x.copy()
    assert host_products.multiply_no_nan(into, y, out=into) is into
    for given in (result, into):
        np.testing.assert_array_equal(given.astype(complex), expected.astype(complex))
