"""unique and unique_with_counts."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.unique import unique, unique_with_counts
from tests._ops import rules


def reference(x: np.ndarray) -> tuple[list[Any], list[int], list[int]]:
    values = x.tolist()
    found = list(dict.fromkeys(values))
    return found, [found.index(value) for value in values], [values.count(v) for v in found]


@pytest.mark.parametrize('dtype', [*rules.REAL, np.bool_], ids=rules.name_of)
@pytest.mark.parametrize('out_idx', [tv.int32, tv.int64], ids=str)
def test_dtypes(device: str, dtype: Any, out_idx: Any) -> None:
    x = np.random.default_rng(0).integers(0, 9, 40).astype(dtype)
    with tv.device(device):
        y, idx, count = unique_with_counts(tv.constant(x), out_idx)
        plain = unique(tv.constant(x), out_idx)
    assert (y.dtype, idx.dtype, count.dtype) == (x.dtype, out_idx, out_idx)
    found = [each.numpy().tolist() for each in (y, idx, count)]
    assert found == list(reference(x))
    assert [plain.y.numpy().tolist(), plain.idx.numpy().tolist()] == found[:2]


def test_strings() -> None:
    y, idx, count = unique_with_counts(['b', 'a', 'b'])
    assert y.numpy().tolist() == [b'b', b'a']
    assert (idx.numpy().tolist(), count.numpy().tolist()) == ([0, 1, 0], [2, 1])


def test_nan_and_zeros() -> None:
    y, idx = unique([np.nan, np.nan, 1.0, 0.0, -0.0])
    np.testing.assert_array_equal(y.numpy(), [np.nan, np.nan, 1.0, 0.0])
    assert idx.numpy().tolist() == [0, 1, 2, 3, 3]


def test_no_elements() -> None:
    assert [each.shape for each in unique_with_counts(tv.zeros([0]))] == [(0,)] * 3


@pytest.mark.parametrize('x', [3, [[3, 1]], [1j]], ids=str)
def test_bad_arguments(x: Any) -> None:
    for function in (unique, unique_with_counts):
        with pytest.raises(tv.errors.InvalidArgumentError, match='Unique'):
            function(x)
        with pytest.raises(tv.errors.InvalidArgumentError, match='out_idx'):
            function([1], out_idx=tv.float32)
