"""searchsorted."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.searchsorted import searchsorted
from tests._ops import rules
from tests.support import device_parity


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
