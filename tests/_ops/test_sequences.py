"""reverse_sequence, sequence_mask, searchsorted and unravel_index."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.reverse_sequence import reverse_sequence
from tensorvar._ops.searchsorted import searchsorted
from tensorvar._ops.sequence_mask import sequence_mask
from tensorvar._ops.unravel_index import unravel_index
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

# reverse_sequence


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
def test_bad_reverse_sequence(
    device: str, lengths: Any, seq: int, batch: int, match: str
) -> None:
    with tv.device(device):
        x = tv.ones([2, 3])
        for given in (lengths, tv.constant(lengths)):
            with pytest.raises(tv.errors.InvalidArgumentError, match=match):
                reverse_sequence(x, given, seq, batch)
        with pytest.raises(TypeError, match='seq_axis is None'):
            reverse_sequence(x, [1, 1])


def test_gradient_of_reverse_sequence() -> None:
    numeric_gradient.check(
        lambda x: reverse_sequence(x, [2, 3], 1) ** 2, samples.float64(2, 3)
    )


# sequence_mask


@pytest.mark.parametrize('maxlen', [None, 5, 2, 0, tv.int32])
def test_sequence_mask(device: str, maxlen: Any) -> None:
    given = tv.constant(4) if maxlen is tv.int32 else maxlen
    length = {None: 3, tv.int32: 4}.get(maxlen, maxlen)
    for dtype in (np.int32, np.int64, np.float32, np.float16):
        rules.check(
            device,
            lambda x: sequence_mask(x, given),
            lambda x: np.arange(length) < x[..., None],
            np.array([[1, 3], [0, -2]], dtype),
            dtype=np.bool_,
        )


@pytest.mark.parametrize('dtype', rules.NUMBERS, ids=rules.name_of)
def test_dtypes_of_sequence_mask(dtype: Any) -> None:
    found = sequence_mask(2, 3, dtype=dtype)
    assert found.dtype == dtype
    assert found.numpy().tolist() == [1, 1, 0]


def test_edges_of_sequence_mask() -> None:
    assert sequence_mask([]).shape == (0, 0)
    assert sequence_mask([0, -1]).shape == (2, 0)
    assert sequence_mask([1.5, 2.0], 2.0).numpy().tolist() == [[True, True]] * 2
    with pytest.raises(ValueError, match='scalar'):
        sequence_mask([1, 2], [3])
    with pytest.raises(tv.errors.InvalidArgumentError, match='maxlen -1'):
        sequence_mask([1, 2], -1)
    for bad in ([True], [1j], np.array([1], np.uint8)):
        with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
            sequence_mask(bad)


# searchsorted


@pytest.mark.parametrize('side', ['left', 'right'])
@pytest.mark.parametrize('dtype', rules.REAL, ids=rules.name_of)
def test_searchsorted(device: str, dtype: Any, side: str) -> None:
    sequences = np.sort(device_parity.sample(dtype, (3, 7)), axis=-1)
    values = np.concatenate([device_parity.sample(dtype, (3, 4), seed=1), sequences[:, 2:4]], 1)

    def reference(sequences: np.ndarray, values: np.ndarray) -> np.ndarray:
        pairs = zip(sequences, values, strict=True)
        return np.stack([np.searchsorted(row, value, side) for row, value in pairs])

    rules.check(
        device,
        lambda s, v: [
            searchsorted(s, v, side),
            searchsorted(s[0], v[0], side),
            searchsorted(s[None], v[None], side)[0],
        ],
        lambda s, v: [reference(s, v), reference(s, v)[0], reference(s, v)],
        sequences,
        values,
        dtype=np.int32,
    )


def test_edges_of_searchsorted() -> None:
    assert searchsorted(tv.zeros([0]), [3.0]).numpy().tolist() == [0]
    assert searchsorted(tv.zeros([2, 0]), tv.zeros([2, 3])).numpy().tolist() == [[0] * 3] * 2
    assert searchsorted([1], [2], out_type=tv.int64).dtype == tv.int64


@pytest.mark.parametrize(
    ('sequence', 'values', 'options'),
    [
        ([1, 3], [2], {'side': 'x'}),
        ([1, 3], [2], {'out_type': tv.float32}),
        ([[1, 3], [2, 4]], [1, 2], {}),
        ([1, 3], [[1, 2], [3, 4]], {}),
        ([1, 3], 3, {}),
        (1, [3], {}),
        ([1, 3], [3.0], {}),
        ([True], [True], {}),
    ],
    ids=str,
)
def test_bad_searchsorted(sequence: Any, values: Any, options: Any) -> None:
    with pytest.raises(ValueError, match='searchsorted|LowerBound'):
        searchsorted(sequence, values, **options)


# unravel_index


@pytest.mark.parametrize('dtype', [np.int32, np.int64], ids=rules.name_of)
def test_unravel_index(device: str, dtype: Any) -> None:
    rules.check(
        device,
        lambda x: unravel_index(x, [2, 3, 4]),
        lambda x: np.stack(np.unravel_index(x, (2, 3, 4))),
        np.array([0, 5, 23, 12], dtype),
    )
    assert unravel_index(5, [2, 3]).numpy().tolist() == [1, 2]
    assert unravel_index(tv.zeros([0], tv.int32), [2, 3]).shape == (2, 0)


@pytest.mark.parametrize(
    ('indices', 'dims'),
    [([6], [2, 3]), ([-1], [2, 3]), ([[1]], [2, 3]), ([1], [2, 0]), ([1], 3), ([1.0], [2]),
     ([1], [[2]])],
    ids=str,
)  # fmt: skip
def test_bad_unravel_index(device: str, indices: Any, dims: Any) -> None:
    with tv.device(device):
        for given in (indices, tv.constant(indices)):
            with pytest.raises(tv.errors.InvalidArgumentError, match='UnravelIndex'):
                unravel_index(given, dims)
