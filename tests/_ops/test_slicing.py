"""slice and strided_slice."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


def test_slice(device: str) -> None:
    array = device_parity.sample(np.float32, (3, 4))
    rules.check(
        device,
        lambda x: [
            tv.slice(x, [1, 0], [2, 3]),
            tv.slice(x, np.array([0, 1]), tv.constant([-1, -1])),
            tv.slice(x, [3, 4], [0, -1]),
        ],
        lambda x: [x[1:3, :3], x[:, 1:], x[3:, 4:]],
        array,
    )


@pytest.mark.parametrize(
    ('begin', 'size'),
    [([1], [5]), ([-1], [1]), ([1, 1], [1]), ([4], [0]), ([0], [-2]), (1, [1, 1])],
)
def test_bad_slice(begin: Any, size: Any) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[Slice\] Expected'):
        tv.slice(tv.zeros([3]), begin, size)


def test_strided_slice(device: str) -> None:
    array = device_parity.sample(np.float32, (3, 4, 2))
    rules.check(
        device,
        lambda x: [
            tv.strided_slice(x, [0], [2]),
            tv.strided_slice(x, [2, 3], [0, 0], [-1, -2]),
            tv.strided_slice(x, [1, 1], [9, 9], begin_mask=1, end_mask=2),
            tv.strided_slice(x, [1, 0], [2, 0], shrink_axis_mask=1, end_mask=2),
            tv.strided_slice(x, [0, 1], [0, 2], ellipsis_mask=1),
            tv.strided_slice(x, [0, 1], [0, 3], new_axis_mask=1),
        ],
        lambda x: [x[:2], x[2:0:-1, 3:0:-2], x[:9, 1:], x[1, 0:], x[..., 1:2], x[None, 1:3]],
        array,
    )


def test_bad_strided_slice() -> None:
    values = tv.zeros([2, 2])
    for arguments in (
        {'begin': [0, 0], 'end': [1, 1], 'strides': [1]},
        {'begin': [0, 0], 'end': [1, 1], 'strides': [1, 0]},
        {'begin': [0, 0], 'end': [2, 2], 'ellipsis_mask': 3},
        {'begin': [5], 'end': [9], 'shrink_axis_mask': 1},
        {'begin': [0], 'end': [1], 'var': values},
    ):
        with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[StridedSlice\]'):
            tv.strided_slice(values, **arguments)


def test_gradient() -> None:
    numeric_gradient.check(
        lambda x: tv.slice(x, [1, 0], [1, 2]) ** 2 + tv.strided_slice(x, [0], [3], [2])[:1, :2],
        samples.float64(3, 3),
    )
