"""boolean_mask."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (4, 3))
    mask = np.array([True, False, True, True])
    rules.check(device, lambda x: tv.boolean_mask(x, mask), lambda x: x[mask], array)


def test_axes_and_ranks(device: str) -> None:
    array = device_parity.sample(np.float32, (2, 3, 2))
    mask = np.array([[True, False], [False, False], [True, True]])
    rules.check(
        device,
        lambda x: [
            tv.boolean_mask(x, mask, axis=1),
            tv.boolean_mask(x, [False, True], -1),
            tv.boolean_mask(x, [0, 1]),
            tv.boolean_mask(x, tv.constant(array > 0)),
        ],
        lambda x: [x[:, mask], x[..., 1:], x[1:], x[array > 0]],
        array,
    )


@pytest.mark.parametrize(
    ('shape', 'mask', 'axis'),
    [
        ([2, 2], [True], None),
        ([2, 2], True, None),
        ([2, 2], [True, False], 5),
        ([2], [[True]], None),
        ([2, 2], [[True, True], [True, True]], 1),
        ([], [True], None),
        ([2], [2, 0], None),
        ([2], [1.0, 0.0], None),
    ],
)
def test_bad_masks(shape: list[int], mask: Any, axis: int | None) -> None:
    with pytest.raises(ValueError, match=r'\[BooleanMask\]'):
        tv.boolean_mask(tv.zeros(shape), mask, axis)


def test_gradient() -> None:
    mask = [True, False, True]
    numeric_gradient.check(lambda x: tv.boolean_mask(x, mask, 1) ** 2, samples.float64(2, 3, 2))


def test_in_a_scope_elsewhere(simulated_gpus: tuple[str, str]) -> None:
    with tv.device('GPU:1'):
        variable = tv.Variable([1.0, 2.0, 3.0])
    with tv.device('GPU:0'):
        part = tv.boolean_mask(variable, [True, False, True])
    assert part.device.endswith('GPU:0')
    assert part.numpy().tolist() == [1, 3]
