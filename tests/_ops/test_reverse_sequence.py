"""reverse_sequence."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.reverse_sequence import reverse_sequence
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


def reversed_start(x: np.ndarray, lengths: Any, seq: int, batch: int) -> np.ndarray:
    moved = np.moveaxis(x, (batch, seq), (0, 1)).copy()
    for row, length in enumerate(lengths):
        moved[row, :length] = moved[row, :length][::-1].copy()
    return np.moveaxis(moved, (0, 1), (batch, seq))


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_reverse_sequence(device: str, dtype: Any) -> None:
    rules.check(
        device,
        lambda x: [
            reverse_sequence(x, [0, 2], seq_axis=1),
            reverse_sequence(x, np.array([1, 0, 3, 2]), 1, batch_axis=2),
            reverse_sequence(x, [2, 1, 0], seq_axis=0, batch_axis=1),
        ],
        lambda x: [
            reversed_start(x, [0, 2], 1, 0),
            reversed_start(x, [1, 0, 3, 2], 1, 2),
            reversed_start(x, [2, 1, 0], 0, 1),
        ],
        device_parity.sample(dtype, (2, 3, 4)),
    )


@pytest.mark.usefixtures('values_checked')
@pytest.mark.parametrize(
    ('lengths', 'seq', 'batch', 'match'),
    [
        ([2, 4], 1, 0, r'seq_lengths\[1\] = 4'),
        ([2, -1], 1, 0, r'seq_lengths\[1\] = -1'),
        ([2, 2], -1, 0, 'Invalid seq_axis'),
        ([2, 2], 3, 0, 'Invalid seq_axis'),
        ([2, 2], 0, 0, 'must differ'),
        ([2], 1, 0, 'its length'),
        ([2.0, 2.0], 1, 0, 'allowed'),
    ],
)
def test_bad_reverse_sequence(device: str, lengths: Any, seq: int, batch: int, match: str) -> None:
    with tv.device(device):
        x = tv.ones([2, 3])
        for given in (lengths, tv.constant(lengths)):
            with pytest.raises(tv.errors.InvalidArgumentError, match=match):
                reverse_sequence(x, given, seq, batch)
        with pytest.raises(TypeError, match='seq_axis is None'):
            reverse_sequence(x, [1, 1])


def test_gradient_of_reverse_sequence() -> None:
    numeric_gradient.check(lambda x: reverse_sequence(x, [2, 3], 1) ** 2, samples.float64(2, 3))
