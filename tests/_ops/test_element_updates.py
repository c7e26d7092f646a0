"""Updates by index with no more than CuPy's atomic operations."""

from typing import Any

import numpy as np
import pytest

from tensorvar import dtypes, errors
from tensorvar._device import determinism
from tensorvar._ops import _element_updates

NAMES = ('add', 'subtract', 'maximum', 'minimum')
INTEGERS = ('int32', 'uint32', 'int64', 'uint64')

AT = {
    'add': (*INTEGERS, 'float16', 'float32', 'float64'),
    'subtract': ('int32', 'uint32'),
    'maximum': (*INTEGERS, 'float32', 'float64'),
    'minimum': (*INTEGERS, 'float32', 'float64'),
}


class CupyUfunc:
    """A ufunc whose ``at`` knows the dtypes that CuPy 14.2 knows."""

    def __init__(self, ufunc: np.ufunc) -> None:
        self._ufunc = ufunc
        self._drops_nan = {np.maximum: np.fmax, np.minimum: np.fmin}.get(ufunc, ufunc)

    def __call__(self, *arguments: Any) -> Any:
        return self._ufunc(*arguments)

    def at(self, target: Any, places: Any, values: Any) -> None:
        known = AT[self._ufunc.__name__]
        if target.dtype.name not in known:
            raise TypeError(f'{self._ufunc.__name__}.at only supports {known}')
        if self._drops_nan is not self._ufunc:
            values = values.astype(np.float32) if target.dtype == np.float64 else values
        self._drops_nan.at(target, places, values)


class LikeCupy:
    """NumPy with the gaps of CuPy."""

    cuda = None

    def __getattr__(self, name: str) -> Any:
        return CupyUfunc(getattr(np, name)) if name in NAMES else getattr(np, name)


def numbers(dtype: dtypes.DType, count: int) -> Any:
    random = np.random.default_rng(count)
    drawn = random.integers(0 if dtype.is_unsigned else -9, 10, count)
    if dtype.is_complex:
        return (drawn + 1j * random.integers(-9, 10, count)).astype(dtype.numpy)
    return drawn.astype(dtype.numpy)


@pytest.mark.parametrize('xp', [np, LikeCupy()], ids=['numpy', 'cupy'])
@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('dtype', sorted(dtypes.NUMERIC, key=str), ids=str)
def test_every_update_of_an_element_counts(xp: Any, name: str, dtype: Any) -> None:
    kind = dtypes.from_numpy(dtype)
    if kind.is_complex and name in ('maximum', 'minimum'):
        pytest.skip('complex numbers have no order')
    target, values = numbers(kind, 10), numbers(kind, 50)
    places = np.random.default_rng(1).integers(0, 10, 50)
    expected = target.copy()
    for place, value in zip(places, values, strict=True):
        expected[place] = getattr(np, name)(expected[place], value)
    _element_updates.update_at(xp, name, target, places, values)
    assert target.dtype == dtype
    assert np.array_equal(target, expected)


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
@pytest.mark.parametrize('name', ['maximum', 'minimum'])
def test_extremes_of_floats_are_exact_and_keep_nan(name: str, dtype: Any) -> None:
    fine = np.array([1 + 2**-20, -1 - 2**-20, np.inf, -np.inf, 0.0, 5e-40, 3.0], dtype)
    fine[:2] *= dtype(1 + np.finfo(dtype).eps)
    for first in fine:
        target = np.full(len(fine) + 2, first, dtype)
        values = np.concatenate([fine, np.array([np.nan, -np.nan], dtype)])
        expected = getattr(np, name)(target, values)
        _element_updates.update_at(LikeCupy(), name, target, np.arange(len(values)), values)
        assert np.array_equal(target, expected, equal_nan=True)


@pytest.mark.parametrize('name', ['maximum', 'minimum'])
def test_a_nan_stays(name: str) -> None:
    target = np.array([np.nan, -np.nan], np.float32)
    values = np.array([1.0, np.inf], np.float32)
    _element_updates.update_at(LikeCupy(), name, target, np.arange(2), values)
    assert np.isnan(target).all()


def test_sums_in_no_order_are_refused_where_results_must_be_the_same() -> None:
    places = np.array([0, 0])
    determinism.enable_op_determinism()
    try:
        for xp, kind in ((np, np.float32), (LikeCupy(), np.int32)):
            target = np.zeros(2, kind)
            _element_updates.update_at(xp, 'add', target, places, np.ones(2, kind))
            assert target[0] == 2
        floats = np.zeros(2, np.float32)
        _element_updates.update_at(LikeCupy(), 'maximum', floats, places, floats)
        for kind in (np.float16, np.float64, np.complex64):
            values = np.ones(2, kind)
            with pytest.raises(errors.UnimplementedError, match=r'use tv.device\("CPU:0"\)'):
                _element_updates.update_at(LikeCupy(), 'add', np.zeros(2, kind), places, values)
    finally:
        determinism.set_enabled(False)
