"""cumsum and cumprod."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import cumulative
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

FLAGS = [(False, False), (True, False), (False, True), (True, True)]


def scan(name: str, x: np.ndarray, axis: int, exclusive: bool, reverse: bool) -> np.ndarray:
    moved = np.moveaxis(x, axis, 0)
    moved = moved[::-1] if reverse else moved
    result = getattr(np, name)(moved, axis=0, dtype=x.dtype)
    if exclusive:
        neutral = np.full_like(result[:1], 0 if name == 'cumsum' else 1)
        result = np.concatenate([neutral, result[:-1]])
    return np.moveaxis(result[::-1] if reverse else result, 0, axis)


@pytest.mark.parametrize(('exclusive', 'reverse'), FLAGS)
@pytest.mark.parametrize('name', ['cumsum', 'cumprod'])
def test_flags(device: str, name: str, exclusive: bool, reverse: bool) -> None:
    array = device_parity.sample(np.float32, (3, 4))
    for axis in (0, 1, -1):
        rules.check(
            device,
            lambda x, axis=axis: getattr(cumulative, name)(x, axis, exclusive, reverse),
            lambda x, axis=axis: scan(name, x, axis, exclusive, reverse),
            array,
        )


@pytest.mark.parametrize('dtype', rules.NUMBERS, ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (9,))
    for name in ('cumsum', 'cumprod'):
        rules.check(
            device,
            lambda x, name=name: getattr(cumulative, name)(x, exclusive=True),
            lambda x, name=name: scan(name, x, 0, True, False),
            array,
        )


def test_empty_axis() -> None:
    for exclusive, reverse in FLAGS:
        result = tv.cumsum(tv.zeros([2, 0]), 1, exclusive, reverse)
        assert result.shape == (2, 0)


def test_exclusive_sum_keeps_infinity_where_it_is() -> None:
    result = tv.cumsum([1.0, np.inf, 2.0], exclusive=True)
    assert result.numpy().tolist() == [0, 1, np.inf]


def test_bad_arguments() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[Cumsum\]'):
        tv.cumsum([1, 2], 1)
    with pytest.raises(tv.errors.InvalidArgumentError):
        cumulative.cumprod(tv.constant(1))
    with pytest.raises(tv.errors.InvalidArgumentError):
        tv.cumsum([True])


@pytest.mark.parametrize(('exclusive', 'reverse'), FLAGS)
@pytest.mark.parametrize('name', ['cumsum', 'cumprod'])
def test_gradient(name: str, exclusive: bool, reverse: bool) -> None:
    function = getattr(cumulative, name)
    numeric_gradient.check(lambda x: function(x, 1, exclusive, reverse), samples.float64(2, 5))
    numeric_gradient.check(lambda x: function(x, 0, exclusive, reverse), samples.complex128(3, 2))


def test_gradient_of_cumprod_at_zeros() -> None:
    values = samples.float64(6)
    values[[1, 4]] = 0
    for exclusive, reverse in FLAGS:
        numeric_gradient.check(
            lambda x, e=exclusive, r=reverse: cumulative.cumprod(x, 0, e, r), values
        )
