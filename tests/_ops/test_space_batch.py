"""space_to_batch, batch_to_space and the paddings they require."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import space_batch
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


def to_batch(x: np.ndarray, block: list[int], pads: list[list[int]]) -> np.ndarray:
    padded = np.pad(x, [(0, 0), *pads, *[(0, 0)] * (x.ndim - 1 - len(block))])
    starts = np.ndindex(*block)
    parts = [
        padded[(slice(None), *(slice(s, None, b) for s, b in zip(start, block, strict=True)))]
        for start in starts
    ]
    return np.concatenate(parts)


CASES: list[tuple[tuple[int, ...], list[int], list[list[int]]]] = [
    ((1, 4, 4, 1), [2, 2], [[0, 0], [0, 0]]),
    ((2, 6, 3), [3], [[1, 2]]),
    ((2, 3, 4, 2), [2, 3], [[1, 0], [0, 2]]),
    ((2, 4), [2], [[0, 0]]),
    ((2, 3), [], []),
    ((0, 4), [2], [[0, 0]]),
]


@pytest.mark.parametrize(('shape', 'block', 'pads'), CASES, ids=str)
def test_there_and_back(device: str, shape: Any, block: Any, pads: Any) -> None:
    pads = np.array(pads, np.int32).reshape(-1, 2)
    rules.check(
        device,
        lambda x: [
            space_batch.space_to_batch(x, block, pads),
            space_batch.batch_to_space(space_batch.space_to_batch(x, block, pads), block, pads),
        ],
        lambda x: [to_batch(x, block, pads.tolist()), x],
        device_parity.sample(np.float32, shape),
    )


@pytest.mark.parametrize('dtype', rules.REAL, ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    rules.check(
        device,
        lambda x: space_batch.space_to_batch(x, [2], [[0, 1]]),
        lambda x: to_batch(x, [2], [[0, 1]]),
        device_parity.sample(dtype, (2, 3)),
    )


def test_one_number_is_a_block_of_two_equal_sides() -> None:
    x = tv.constant(np.arange(16.0).reshape(4, 2, 2, 1))
    same = space_batch.batch_to_space(x, [2, 2], [[0, 1], [1, 0]])
    result = space_batch.batch_to_space(x, 2, [[0, 1], [1, 0]])
    assert result.numpy().tolist() == same.numpy().tolist()


@pytest.mark.parametrize(
    ('block', 'pads', 'match'),
    [
        (2, [[0, 0]], 'rank should be 1'),
        ([2, 2], [[0, 0]], 'should have shape'),
        ([2, 3], [[0, 0], [0, 0]], 'not divisible'),
        ([2, 0], [[0, 0], [0, 0]], 'positive'),
        ([2, 2], [[-1, 1], [0, 0]], 'non-negative'),
        ([2, 2, 2, 2], [[0, 0]] * 4, 'rank should be >='),
        ([2], [1], 'one pair'),
    ],
)
def test_bad_space_to_batch(block: Any, pads: Any, match: str) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=match):
        space_batch.space_to_batch(tv.ones([1, 4, 4, 1]), block, pads)


@pytest.mark.parametrize(
    ('shape', 'crops', 'match'),
    [
        ((3, 2, 2, 1), [[0, 0], [0, 0]], 'not divisible'),
        ((4, 2, 2, 1), [[0, 5], [0, 0]], r'cropped_shape\[0\]=-1'),
        ((4, 2, 2, 1), [[0, -1], [0, 0]], 'non-negative'),
    ],
)
def test_bad_batch_to_space(shape: Any, crops: Any, match: str) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=match):
        space_batch.batch_to_space(tv.ones(shape), [2, 2], crops)


def test_required_paddings() -> None:
    required = space_batch.required_space_to_batch_paddings
    paddings, crops = required([4, 5], [2, 3])
    assert (paddings.numpy().tolist(), crops.numpy().tolist()) == ([[0, 0], [0, 1]],) * 2
    paddings, crops = required([4, 5], [2, 3], [[1, 0], [0, 0]])
    assert paddings.numpy().tolist() == [[1, 1], [0, 1]]
    assert crops.numpy().tolist() == [[0, 1], [0, 1]]
    with pytest.raises(tv.errors.InvalidArgumentError):
        required([4, 5], [2])


def test_gradients() -> None:
    x = samples.float64(2, 3, 4)
    numeric_gradient.check(
        lambda x: space_batch.space_to_batch(x, [2, 2], [[1, 0], [0, 0]]) ** 2, x
    )
    numeric_gradient.check(lambda x: space_batch.batch_to_space(x, [2], [[1, 0]]) ** 2, x)
