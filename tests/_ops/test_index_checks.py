"""Indices are looked at before anything goes by them."""

from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._ops import _index_checks

INDEX_TYPES = [np.int32, np.int64]


@pytest.mark.parametrize('dtype', INDEX_TYPES)
def test_indices_inside(dtype: Any) -> None:
    largest = int(np.iinfo(dtype).max)
    for given, limit in (([], 0), ([[0, 4], [2, 1]], 5), (3, 4), ([largest], largest + 1)):
        indices = np.array(given, dtype)
        assert _index_checks.are_inside(indices, limit)
        _index_checks.refuse_outside(np, 'Op', indices, limit)


@pytest.mark.parametrize('dtype', INDEX_TYPES)
@pytest.mark.parametrize('bad', ['least', -1, 5, 'largest'])
def test_the_first_index_outside_is_named(dtype: Any, bad: Any) -> None:
    bounds = np.iinfo(dtype)
    number = {'least': bounds.min, 'largest': bounds.max}.get(bad, bad)
    indices = np.array([[0, 1, 4], [2, number, number]], dtype)[:, ::-1]
    assert not _index_checks.are_inside(indices, 5)
    text = rf'^\[Op\] segments\[1,0\] = {number} is not in \[0, 5\); give'
    with pytest.raises(errors.InvalidIndexError, match=text):
        _index_checks.refuse_outside(np, 'Op', indices, 5, 'segments')
    with pytest.raises(errors.InvalidIndexError, match=rf'indices = {number} is not'):
        _index_checks.refuse_outside(np, 'Op', np.array(number, dtype), 5)
