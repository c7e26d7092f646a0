"""What CuPy's functions lack is made up for."""

from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tensorvar._backend import cupy_module

BF16 = ml_dtypes.bfloat16


def where_of_cupy(condition: Any, x: Any, y: Any) -> Any:
    """As CuPy 14.2: what it has no loop for is computed in the next wider dtype."""
    result = np.where(condition, x, y)
    return result.astype(np.float32) if result.dtype == BF16 else result


@pytest.fixture
def xp() -> Any:
    cupy = SimpleNamespace(where=where_of_cupy, asarray=np.asarray, cuda='cuda', add=np.add)
    return cupy_module.complete(cupy)


@pytest.mark.parametrize('other', [2, 0.5, np.array(-3, BF16), np.array([1, 2, 3], BF16)])
def test_where_keeps_bfloat16(xp: Any, other: Any) -> None:
    condition = np.array([[True], [False]])
    values = np.array([4, 5, np.nan], BF16)
    expected = np.where(condition, values, np.asarray(other, BF16))
    for result, wanted in (
        (xp.where(condition, values, other), expected),
        (xp.where(~condition, other, values), expected),
    ):
        assert result.dtype == BF16
        assert np.array_equal(result.astype(float), wanted.astype(float), equal_nan=True)


def test_where_is_cupys_own_for_everything_else(xp: Any) -> None:
    result = xp.where(np.array([True, False]), np.float32([1, 2]), 0)
    assert result.tolist() == [1, 0]
    assert result.dtype == np.float32


def remainder_of_cupy(x: Any, y: Any) -> Any:
    """As CuPy 14.2: exact for integers; for floats the quotient was rounded before."""
    return np.remainder(x, y) if x.dtype.kind in 'iu' else x - np.floor(x / y) * y


def fmod_of_cupy(x: Any, y: Any) -> Any:
    """As CuPy 14.2: exact for floats; integers are divided as float64."""
    return np.fmod(x.astype(float), y.astype(float)).astype(x.dtype)


@pytest.mark.parametrize('name', ['remainder', 'fmod'])
@pytest.mark.parametrize('dtype', ['float32', 'float64', 'int64', 'uint64', 'int8'])
def test_remainders_are_exact(name: str, dtype: str) -> None:
    cupy = SimpleNamespace(where=np.where, fmod=fmod_of_cupy, remainder=remainder_of_cupy)
    x: Any = np.array([7, -7, 1, 5, -5, 0, 100, -100], dtype if dtype != 'uint64' else 'int64')
    y: Any = np.array([3, -3, 10, -2, 7, 5, -100, 3], x.dtype)
    if dtype.startswith('f'):
        x = np.concatenate([x, [1, 3e7, -3e7, 5, -5]]).astype(dtype)
        y = np.concatenate([y, [0.1, 0.3, 0.3, np.inf, np.inf]]).astype(dtype)
    if dtype.endswith('64'):
        x[2] = (1 << 62) + 1
    x, y = (abs(each).astype(dtype) if dtype == 'uint64' else each for each in (x, y))
    found = getattr(cupy_module.complete(cupy), name)(x, y)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, getattr(np, name)(x, y))


def test_everything_else_is_cupys(xp: Any) -> None:
    assert xp.add is np.add
    assert xp.cuda == 'cuda'
    assert xp.__name__ == 'cupy'


def test_one_module_is_made_for_each_cupy() -> None:
    one, other = SimpleNamespace(__doc__=''), SimpleNamespace(__doc__='')
    assert cupy_module.complete(one) is cupy_module.complete(one)
    assert cupy_module.complete(one) is not cupy_module.complete(other)
