"""sort and argsort."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.sort import argsort, sort
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


@pytest.mark.parametrize('dtype', rules.REAL, ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    x = device_parity.sample(dtype, (3, 5))
    for axis in (0, -1):
        rules.check(
            device,
            lambda x, axis=axis: [sort(x, axis), sort(x, axis, 'DESCENDING')],
            lambda x, axis=axis: [np.sort(x, axis), np.flip(np.sort(x, axis), axis)],
            x,
        )
        rules.check(
            device,
            lambda x, axis=axis: argsort(x, axis),
            lambda x, axis=axis: np.argsort(x, axis, kind='stable'),
            x,
            dtype=np.int32,
        )


def test_limits_of_integers() -> None:
    for dtype in rules.INTEGERS:
        limits = np.iinfo(dtype)
        x = np.array([1, limits.max, limits.min, 0], dtype)
        assert sort(x).numpy().tolist() == np.sort(x).tolist()
        assert sort(x, direction='DESCENDING').numpy().tolist() == np.sort(x)[::-1].tolist()


def test_equal_elements_keep_their_order(device: str) -> None:
    with tv.device(device):
        x = tv.constant([3, 1, 2, 1, 3])
        assert argsort(x).numpy().tolist() == [1, 3, 2, 0, 4]
        assert argsort(x, direction='DESCENDING', stable=True).numpy().tolist() == [0, 4, 2, 1, 3]


def test_nan_is_above_all() -> None:
    x = [3.0, np.nan, 1.0]
    assert argsort(x).numpy().tolist() == [2, 0, 1]
    assert argsort(x, direction='DESCENDING').numpy().tolist() == [1, 0, 2]


def test_sizes_of_zero() -> None:
    assert sort([]).shape == (0,)
    assert argsort(tv.zeros([2, 0]), 0).shape == (2, 0)


@pytest.mark.parametrize(
    ('values', 'options'),
    [
        ([3, 1], {'direction': 'UP'}),
        ([3, 1], {'axis': 1}),
        ([3, 1], {'axis': None}),
        (3, {}),
        ([True], {}),
        ([1j], {}),
    ],
    ids=str,
)
def test_bad_arguments(values: Any, options: Any) -> None:
    for function in (sort, argsort):
        with pytest.raises(ValueError, match='Sort'):
            function(values, **options)


def test_gradients() -> None:
    x = samples.float64(2, 3, 2)
    for axis in (0, 1, 2):
        numeric_gradient.check(lambda x, axis=axis: sort(x, axis) ** 2, x)
    numeric_gradient.check(lambda x: sort(x, direction='DESCENDING') ** 2, x)
