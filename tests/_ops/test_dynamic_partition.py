"""dynamic_partition and dynamic_stitch."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.dynamic_partition import dynamic_partition, dynamic_stitch
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    parts = np.array([1, 0, 1, 3], np.int32)
    rules.check(
        device,
        lambda x: dynamic_partition(x, parts, 4),
        lambda x: [x[parts == number] for number in range(4)],
        device_parity.sample(dtype, (4, 2)),
    )
    rules.check(
        device,
        lambda x: dynamic_stitch([[4, 0], 1], [x[:2], x[2]]),
        lambda x: np.stack([x[1], x[2], 0 * x[0], 0 * x[0], x[0]]),
        device_parity.sample(dtype, (3, 2)),
    )


@pytest.mark.parametrize('parts', [1, [[1, 0], [0, 1]]], ids=str)
def test_ranks_of_partitions(parts: Any) -> None:
    x = np.array([[1, 2], [3, 4]])
    found = dynamic_partition(x, parts, 2)
    expected = [x[np.array(parts) == number] for number in range(2)]
    assert [part.numpy().tolist() for part in found] == [part.tolist() for part in expected]


def test_the_last_row_wins(device: str) -> None:
    with tv.device(device):
        result = dynamic_stitch([[0, 1], [1, 1]], [[1, 2], [3, 4]])
    assert result.numpy().tolist() == [1, 4]


def test_sizes_of_zero() -> None:
    none = tv.zeros([0], tv.int32)
    assert dynamic_stitch([none], [tv.zeros([0, 3])]).shape == (0, 3)
    assert [part.shape for part in dynamic_partition(tv.zeros([0, 3]), none, 2)] == [(0, 3)] * 2


def test_together_they_undo_each_other() -> None:
    x, parts = tv.range(10), tv.range(10) % 3
    pieces = dynamic_partition(x, parts, 3)
    places = dynamic_partition(tv.range(10), parts, 3)
    assert dynamic_stitch(places, pieces).numpy().tolist() == list(range(10))


@pytest.mark.usefixtures('values_checked')
def test_bad_partitions(device: str) -> None:
    with tv.device(device):
        data = tv.constant([1, 2, 3])
        for parts in ([0, 2, 0], [0, -1, 0]):
            for given in (parts, tv.constant(parts)):
                with pytest.raises(tv.errors.InvalidArgumentError, match=r'partitions\[1\]'):
                    dynamic_partition(data, given, 2)
        with pytest.raises(tv.errors.InvalidArgumentError, match='start with'):
            dynamic_partition(data, [0, 1], 2)
        with pytest.raises(tv.errors.InvalidArgumentError, match='at least 1'):
            dynamic_partition(data, [0, 1, 0], 0)
        with pytest.raises(ValueError, match='int64'):
            dynamic_partition(data, tv.constant([0, 1, 0], tv.int64), 2)


@pytest.mark.parametrize(
    ('indices', 'data'),
    [
        ([], []),
        ([[0, 1], [2]], [[1, 2]]),
        ([[0, 1], [2]], [[1, 2], [3, 3]]),
        ([[0, 1], [2]], [[[1], [2]], [3]]),
        ([[0, -1]], [[1, 2]]),
    ],
    ids=str,
)
def test_bad_stitches(indices: Any, data: Any) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='DynamicStitch'):
        dynamic_stitch(indices, data)


def test_gradients() -> None:
    x = samples.float64(4, 2)
    numeric_gradient.check(lambda x: dynamic_partition(x**2, [1, 0, 1, 2], 4), x)
    numeric_gradient.check(lambda x: dynamic_partition(x, [[1, 0]] * 4, 2)[0] ** 2, x)
    numeric_gradient.check(lambda x, y: dynamic_stitch([[3, 0], 1], [x, y]) ** 2, x[:2], x[2])
