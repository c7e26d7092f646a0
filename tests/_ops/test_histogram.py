"""histogram_fixed_width and histogram_fixed_width_bins."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.histogram import histogram_fixed_width, histogram_fixed_width_bins
from tests._ops import rules

VALUES = [[-1, 0, 1, 2], [5, 15, 3, 4]]


@pytest.mark.parametrize('dtype', [np.int32, np.int64, np.float32, np.float64], ids=rules.name_of)
def test_counts(device: str, dtype: Any) -> None:
    with tv.device(device):
        values, ends = tv.constant(np.array(VALUES, dtype)), np.array([0, 5], dtype)
        result = histogram_fixed_width(values, ends, nbins=5)
        wide = histogram_fixed_width(values, tv.constant(ends), 2, tv.int64)
    assert (result.dtype, wide.dtype) == (tv.int32, tv.int64)
    assert result.numpy().tolist() == [2, 1, 1, 1, 3]
    assert wide.numpy().tolist() == [4, 4]


@pytest.mark.parametrize('dtype', rules.FLOATS, ids=rules.name_of)
def test_bins(device: str, dtype: Any) -> None:
    with tv.device(device):
        values, ends = tv.constant(np.array(VALUES, dtype)), np.array([0, 5], dtype)
        result = histogram_fixed_width_bins(values, ends, nbins=5, dtype=tv.int64)
    assert result.dtype == tv.int32
    assert result.numpy().tolist() == [[0, 0, 1, 2], [4, 4, 3, 4]]


def test_edges() -> None:
    assert histogram_fixed_width([], [0.0, 5.0], 2).numpy().tolist() == [0, 0]
    assert histogram_fixed_width([np.inf, -np.inf], [0.0, 5.0], 2).numpy().tolist() == [1, 1]
    assert histogram_fixed_width_bins([1.0, 2.0], [5.0, 0.0], 5).numpy().tolist() == [4, 3]


@pytest.mark.parametrize(
    ('values', 'ends', 'options'),
    [
        ([1.0, np.nan], [0.0, 5.0], {}),
        ([1.0], [5.0, 5.0], {}),
        ([1.0], [5.0, 0.0], {}),
        ([1.0], [0.0, 5.0], {'nbins': 0}),
        ([1.0], [0.0, 5.0, 1.0], {}),
        ([1.0], [0.0, 5.0], {'dtype': tv.float32}),
        ([True], [False, True], {}),
    ],
    ids=str,
)
def test_bad_counts(device: str, values: Any, ends: Any, options: Any) -> None:
    with tv.device(device), pytest.raises(tv.errors.InvalidArgumentError, match='Histogram'):
        histogram_fixed_width(values, ends, **options)


def test_bad_bins() -> None:
    for values, ends, bins in (([1], [0, 5], 2), ([1.0], [0.0, 5.0], 0), ([1.0], [0.0], 2)):
        with pytest.raises(tv.errors.InvalidArgumentError, match='HistogramFixedWidthBins'):
            histogram_fixed_width_bins(values, ends, bins)
