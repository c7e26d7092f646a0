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


def test_everything_else_is_cupys(xp: Any) -> None:
    assert xp.add is np.add
    assert xp.cuda == 'cuda'
    assert xp.__name__ == 'cupy'


def test_one_module_is_made_for_each_cupy() -> None:
    one, other = SimpleNamespace(__doc__=''), SimpleNamespace(__doc__='')
    assert cupy_module.complete(one) is cupy_module.complete(one)
    assert cupy_module.complete(one) is not cupy_module.complete(other)
