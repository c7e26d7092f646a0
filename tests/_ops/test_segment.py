"""unsorted_segment_sum."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import segment
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


def reference(data: np.ndarray, ids: Any, count: int) -> np.ndarray:
    ids = np.asarray(ids)
    result = np.zeros((count, *data.shape[ids.ndim :]), data.dtype)
    for place in np.ndindex(ids.shape):
        if ids[place] >= 0:
            result[ids[place]] += data[place]
    return result


@pytest.mark.parametrize('dtype', rules.NUMBERS, ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (6, 3))
    ids = [2, 0, 2, -1, 3, 2]
    rules.check(
        device,
        lambda x: segment.unsorted_segment_sum(x, ids, 5),
        lambda x: reference(x, ids, 5),
        array,
    )


@pytest.mark.parametrize('ids', [0, [1, 1, 0], [[0, 2], [1, 0], [-5, 1]]], ids=str)
def test_ranks(device: str, ids: Any) -> None:
    array = device_parity.sample(np.float32, (3, 2, 2))
    rules.check(
        device,
        lambda x: segment.unsorted_segment_sum(x, np.array(ids, np.int64), tv.constant(3)),
        lambda x: reference(x, ids, 3),
        array,
    )


def test_half_precision_rounds_once(device: str) -> None:
    array = np.ones((1000, 1), ml_dtypes.bfloat16)
    rules.check(
        device,
        lambda x: segment.unsorted_segment_sum(x, [0] * 1000, 1),
        lambda x: np.full((1, 1), 1000.0),
        array,
    )


def test_integers_wrap_as_their_dtype_does() -> None:
    result = segment.unsorted_segment_sum(tv.constant([100, 100, -1], tv.int8), [0, 0, 1], 2)
    assert result.numpy().tolist() == [-56, -1]
    result = segment.unsorted_segment_sum(tv.constant([-5, 2**62], tv.int64), [0, 1], 2)
    assert result.numpy().tolist() == [-5, 2**62]


def test_sizes_of_zero() -> None:
    assert segment.unsorted_segment_sum(tv.zeros([0, 2]), tv.zeros([0], tv.int32), 3).shape == (
        3,
        2,
    )
    assert segment.unsorted_segment_sum(tv.zeros([3, 0]), [0, 1, 2], 3).shape == (3, 0)
    assert segment.unsorted_segment_sum(tv.zeros([2]), [-1, -1], 0).shape == (0,)


@pytest.mark.usefixtures('values_checked')
def test_bad_arguments(device: str) -> None:
    with tv.device(device):
        values = tv.ones([3])
        with pytest.raises(IndexError, match=r'segment_ids\[2\] = 2 is not in \[0, 2\)'):
            segment.unsorted_segment_sum(values, [0, -1, 2], 2)
        with pytest.raises(IndexError):
            segment.unsorted_segment_sum(values, tv.constant([0, -1, 2]), 2)
        with pytest.raises(IndexError):
            segment.unsorted_segment_sum(values, [-1, -1, 0], 0)
        with pytest.raises(tv.errors.InvalidArgumentError, match='does not start with'):
            segment.unsorted_segment_sum(values, [0, 0], 2)
        with pytest.raises(tv.errors.InvalidArgumentError, match='negative'):
            segment.unsorted_segment_sum(values, [0, 0, 1], -2)
        with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
            segment.unsorted_segment_sum(values, [0.0, 0.0, 1.0], 2)


def test_gradient() -> None:
    for ids in ([1, 0, 1], [-1, 2, 2]):
        numeric_gradient.check(
            lambda x, ids=ids: segment.unsorted_segment_sum(x, ids, 3) ** 2, samples.float64(3, 2)
        )
