"""Rows changed by number on the CPU: the bits that NumPy's ``at`` gives."""

from typing import Any

import numpy as np
import pytest

from tensorvar import dtypes
from tensorvar._ops import _host_rows, _rows

NAMES = ('add', 'subtract', 'multiply', 'maximum', 'minimum')
ROWS = 40
SPECIAL = (0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, 3e38)
NUMBERS: dict[str, Any] = {
    'different': lambda draw, count: draw.permutation(max(ROWS, count))[:count],
    'repeated': lambda draw, count: draw.integers(0, ROWS, count),
    'one': lambda draw, count: np.full(count, 7),
}


def sample(dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray:
    draw = np.random.default_rng(shape[0])
    if dtype.kind in 'iu':
        info = np.iinfo(dtype)
        return draw.integers(info.min, info.max, shape, dtype, endpoint=True)
    values = draw.standard_normal(shape).astype(dtype)
    for first, value in enumerate(SPECIAL):
        values.reshape(-1)[first :: 31 + first] = np.array(value).astype(dtype)
    return values


def bits(values: np.ndarray) -> bytes:
    """Of the values; one NaN is as good as another."""
    if values.dtype.kind in 'iu':
        return values.tobytes()
    wide = values.astype(np.complex128)
    parts = np.stack([wide.real, wide.imag])
    parts[np.isnan(parts)] = np.nan
    return parts.tobytes()


@pytest.mark.parametrize('offered', [True, False], ids=['scipy', 'without'])
@pytest.mark.parametrize('count_and_width', [(3, 1), (300, 1), (20, 20), (300, 16), (30, 300)])
@pytest.mark.parametrize('dtype', sorted(dtypes.NUMERIC, key=str), ids=str)
@np.errstate(all='ignore')
def test_the_bits_are_those_of_at(
    monkeypatch: pytest.MonkeyPatch, dtype: Any, count_and_width: Any, offered: bool
) -> None:
    if not offered:
        monkeypatch.setattr(_host_rows, '_product', lambda: None)
    values = sample(dtype, count_and_width)
    for kind, index in zip(NUMBERS, (np.int32, np.int64, np.int32), strict=True):
        rows = NUMBERS[kind](np.random.default_rng(1), len(values)).astype(index)
        table = sample(dtype, (max(ROWS, len(values)), values.shape[1]))
        for name in NAMES:
            expected = table.copy()
            for row, value in zip(rows, values, strict=True):
                getattr(np, name)(expected[row], value, out=expected[row])
            given = table.copy()
            _rows.update_rows(np, name, given, rows, values)
            assert bits(given) == bits(expected), f'{name} {kind}'


def test_scipy_offers_the_product() -> None:
    assert _host_rows._product() is not None


def test_values_may_be_views() -> None:
    table = np.zeros((ROWS, 32), np.complex64)
    draw = np.random.default_rng(0)
    rows = draw.integers(0, ROWS, 400)
    wide = (draw.standard_normal((400, 64)) * (1 + 2j)).astype(table.dtype)
    expected = table.copy()
    np.add.at(expected, rows, wide[:, ::2])
    _rows.update_rows(np, 'add', table, rows, wide[:, ::2])
    assert table.tobytes() == expected.tobytes()


def test_scipy_is_not_loaded_for_few_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_host_rows, '_product', lambda: pytest.fail('SciPy was asked for'))
    table = np.zeros((ROWS, 8), np.float32)
    _rows.update_rows(np, 'add', table, np.arange(3), np.ones((3, 8), np.float32))
    assert table.sum() == 24
