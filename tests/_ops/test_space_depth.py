"""space_to_depth and depth_to_space."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import space_depth
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


def to_depth(x: np.ndarray, size: int) -> np.ndarray:
    parts = [x[:, i::size, j::size] for i in range(size) for j in range(size)]
    return np.concatenate(parts, axis=-1)


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_depth(device: str, dtype: Any) -> None:
    rules.check(
        device,
        lambda x: [
            space_depth.space_to_depth(x, 2),
            space_depth.depth_to_space(space_depth.space_to_depth(x, 2), 2),
        ],
        lambda x: [to_depth(x, 2), x],
        device_parity.sample(dtype, (2, 4, 6, 3)),
    )


def test_depth_with_channels_first(device: str) -> None:
    def body(x: Any) -> list[Any]:
        deep = space_depth.space_to_depth(x, 3, data_format='NCHW')
        return [deep, space_depth.depth_to_space(deep, 3, data_format='NCHW')]

    rules.check(
        device,
        body,
        lambda x: [np.moveaxis(to_depth(np.moveaxis(x, 1, -1), 3), -1, 1), x],
        device_parity.sample(np.float32, (2, 2, 3, 6)),
    )


@pytest.mark.parametrize(
    ('shape', 'size', 'data_format', 'match'),
    [
        ((1, 4, 4, 1), 3, 'NHWC', 'divisible'),
        ((1, 4, 4, 1), 1, 'NHWC', 'at least 2'),
        ((1, 4, 4, 1), 2, 'XX', 'data_format'),
        ((4, 4, 1), 2, 'NHWC', 'rank should be 4'),
    ],
)
def test_bad_depth(shape: Any, size: int, data_format: str, match: str) -> None:
    for function in (space_depth.space_to_depth, space_depth.depth_to_space):
        with pytest.raises(tv.errors.InvalidArgumentError, match=match):
            function(tv.ones(shape), size, data_format)


def test_gradients() -> None:
    x = samples.float64(1, 2, 2, 4)
    numeric_gradient.check(lambda x: space_depth.space_to_depth(x, 2) ** 2, x)
    numeric_gradient.check(lambda x: space_depth.depth_to_space(x, 2) ** 2, x)
