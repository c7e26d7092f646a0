"""unsorted_segment_max and kin."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import unsorted_segment as ops
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

IDS = [3, 0, 3, -1, 0, 3]
COUNT = 5
REDUCTIONS: dict[str, Any] = {
    'prod': (np.prod, rules.NUMBERS),
    'max': (np.max, rules.REAL),
    'min': (np.min, rules.REAL),
    'mean': (np.mean, rules.FLOATS),
    'sqrt_n': (lambda rows, axis: rows.sum(axis=axis) / np.sqrt(len(rows)), rules.FLOATS),
}
CASES = [(name, dtype) for name, (_, allowed) in REDUCTIONS.items() for dtype in allowed]


def empty(name: str, dtype: Any) -> Any:
    limits = {'max': 'min', 'min': 'max'}
    if name in limits:
        return getattr(tv.as_dtype(dtype), limits[name])
    return 1 if name == 'prod' else 0


def reference(name: str, data: np.ndarray, ids: Any, dtype: Any) -> np.ndarray:
    ids = np.asarray(ids)
    result = np.full((COUNT, *data.shape[ids.ndim :]), empty(name, dtype), data.dtype)
    for segment in set(ids.reshape(-1).tolist()) - {-1}:
        result[segment] = REDUCTIONS[name][0](data[ids == segment], axis=0).astype(data.dtype)
    return result


@pytest.mark.parametrize(('name', 'dtype'), CASES, ids=rules.name_of)
def test_dtypes(device: str, name: str, dtype: Any) -> None:
    rules.check(
        device,
        lambda x: getattr(ops, f'unsorted_segment_{name}')(x, IDS, COUNT),
        lambda x: reference(name, x, IDS, dtype),
        device_parity.sample(dtype, (6, 2)),
        looser=4,
    )


@pytest.mark.parametrize('name', REDUCTIONS)
def test_ranks(device: str, name: str) -> None:
    ids = np.array([[3, 0, -1], [0, 3, 3]], np.int64)
    rules.check(
        device,
        lambda x: getattr(ops, f'unsorted_segment_{name}')(x, ids, tv.constant(COUNT)),
        lambda x: reference(name, x, ids, np.float32),
        device_parity.sample(np.float32, (2, 3, 2)),
        looser=3,
    )


def test_means_of_integers_are_floats() -> None:
    result = ops.unsorted_segment_mean([1, 2, 4], [0, 0, 2], 4)
    assert result.dtype == tv.float64
    assert result.numpy().tolist() == [1.5, 0.0, 4.0, 0.0]
    with pytest.raises(tv.errors.InvalidArgumentError):
        ops.unsorted_segment_sqrt_n([1, 2], [0, 0], 1)
    with pytest.raises(tv.errors.InvalidArgumentError):
        ops.unsorted_segment_mean([1j], [0], 1)


@pytest.mark.usefixtures('values_checked')
@pytest.mark.parametrize('name', REDUCTIONS)
def test_bad_arguments(device: str, name: str) -> None:
    function = getattr(ops, f'unsorted_segment_{name}')
    with tv.device(device):
        for ids in ([0, 2], tv.constant([0, 2])):
            with pytest.raises(IndexError, match=r'segment_ids\[1\].* is not '):
                function(tv.ones([2]), ids, 2)
        with pytest.raises(tv.errors.InvalidArgumentError, match='does not start with'):
            function(tv.ones([2]), [0], 2)
        with pytest.raises(tv.errors.InvalidArgumentError, match='negative'):
            function(tv.ones([2]), [0, 0], -1)


@pytest.mark.parametrize('name', REDUCTIONS)
def test_gradients(name: str) -> None:
    function = getattr(ops, f'unsorted_segment_{name}')

    def used(x: Any) -> Any:
        # Empty segments of max and min are too large to be squared.
        return tv.gather(function(x, IDS, COUNT), [0, 3]) ** 2

    numeric_gradient.check(used, samples.float64(6, 2))


def test_gradients_of_products_with_zeros() -> None:
    data = np.array([0.0, 2.0, 3.0, 0.0, 0.0, 5.0])
    ids = [0, 0, 0, 1, 1, -1]
    numeric_gradient.check(lambda x: ops.unsorted_segment_prod(x, ids, 2), data, order=1)
