"""bincount and confusion_matrix."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.bincount import bincount, confusion_matrix
from tests._ops import rules
from tests.support import numeric_gradient

RESULTS = [np.int32, np.int64, np.float32, np.float64]


@pytest.mark.parametrize('dtype', RESULTS, ids=rules.name_of)
def test_counts(device: str, dtype: Any) -> None:
    arr = np.array([[1, 1, 5], [0, 2, 1]])
    weights = np.array([[1, 2, 3], [4, 5, 6]], dtype)
    with tv.device(device):
        plain = bincount(arr, dtype=dtype)
        weighted = bincount(arr, weights)
        rows = bincount(arr, axis=-1, dtype=dtype)
        weighted_rows = bincount(arr, weights, axis=-1, maxlength=3)
        binary = bincount(arr, axis=-1, binary_output=True, dtype=dtype)
    for result in (plain, weighted, rows, weighted_rows, binary):
        assert result.dtype == dtype
        assert result.device.endswith(device)
    assert plain.numpy().tolist() == [1, 3, 1, 0, 0, 1]
    assert weighted.numpy().tolist() == [4, 9, 5, 0, 0, 3]
    assert rows.numpy().tolist() == [[0, 2, 0, 0, 0, 1], [1, 1, 1, 0, 0, 0]]
    assert weighted_rows.numpy().tolist() == [[0, 3, 0], [4, 6, 5]]
    assert binary.numpy().tolist() == [[0, 1, 0, 0, 0, 1], [1, 1, 1, 0, 0, 0]]


@pytest.mark.parametrize(
    ('arr', 'options', 'expected'),
    [
        ([1, 1, 2], {'minlength': 5}, [0, 2, 1, 0, 0]),
        ([1, 1, 2], {'minlength': -1}, [0, 2, 1]),
        ([1, 1, 7], {'maxlength': 3}, [0, 2, 0]),
        ([1, 1, 7], {'minlength': 5, 'maxlength': 3}, [0, 2, 0]),
        ([1, 1, 7], {'maxlength': 0}, []),
        ([1, 1, 2], {'axis': -1}, [0, 2, 1]),
        ([1, 1, 2], {'axis': 0, 'binary_output': True}, [0, 1, 1]),
        ([], {'minlength': 2}, [0, 0]),
        ([], {}, []),
        (3, {}, [0, 0, 0, 1]),
        ([1.0, 2.0], {}, [0, 1, 1]),
        ([True, False], {}, [1, 1]),
        ([], {'weights': np.zeros(0, np.float32), 'minlength': 1}, [0]),
    ],
    ids=str,
)
def test_options(arr: Any, options: Any, expected: Any) -> None:
    assert bincount(arr, **options).numpy().tolist() == expected


@pytest.mark.parametrize(
    ('arr', 'options'),
    [
        ([1, -1], {}),
        ([[1, -1]], {'axis': -1}),
        ([[1, 1]], {'axis': 1}),
        ([[[1]]], {'axis': -1}),
        ([1, 1, 2], {'weights': [1, 2]}),
        ([1], {'weights': [1.0], 'binary_output': True}),
        ([1], {'dtype': tv.float16}),
        ([1], {'maxlength': -1}),
        (np.array([1], np.int8), {}),
    ],
    ids=str,
)
def test_bad_bincount(device: str, arr: Any, options: Any) -> None:
    with tv.device(device), pytest.raises(ValueError, match='DenseBincount'):
        bincount(tv.constant(arr), **options)


# confusion_matrix


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_confusion_matrix(device: str, dtype: Any) -> None:
    labels, predictions = np.array([1, 2, 2, 0]), np.array([1, 0, 0, 0])
    expected = np.zeros((4, 4))
    np.add.at(expected, (labels, predictions), [1, 2, 3, 0])
    with tv.device(device):
        result = confusion_matrix(labels, predictions, 4, weights=[1, 2, 3, 0], dtype=dtype)
    assert result.device.endswith(device)
    np.testing.assert_array_equal(result.numpy(), expected.astype(dtype))


def test_forms_of_classes() -> None:
    expected = [[0, 0, 0], [0, 0, 1], [0, 1, 0]]
    for labels, predictions in (
        ([1, 2], [2, 1]),
        ([[1], [2]], [2, 1]),
        ([1, 2], [[2], [1]]),
        ([1.0, 2.0], [2.0, 1.0]),
    ):
        assert confusion_matrix(labels, predictions).numpy().tolist() == expected
    assert confusion_matrix([], [], num_classes=2).numpy().tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ('labels', 'predictions', 'options'),
    [
        ([1, 2, 4], [2, 2, 4], {'num_classes': 3}),
        ([1, -2], [2, 2], {}),
        ([1, 2], [2, -2], {}),
        ([1, 2], [2, 2, 4], {}),
        ([[1], [2]], [[2], [1]], {}),
        ([1, 2], [1, 2], {'weights': [1]}),
        ([], [], {}),
        (1, 1, {}),
    ],
    ids=str,
)
def test_bad_confusion_matrix(labels: Any, predictions: Any, options: Any) -> None:
    with pytest.raises(ValueError, match='ConfusionMatrix'):
        confusion_matrix(labels, predictions, **options)


def test_gradient_by_the_weights() -> None:
    def used(weights: Any) -> Any:
        return confusion_matrix([1, 0, 1], [0, 0, 0], weights=weights, dtype=tv.float64) ** 2

    numeric_gradient.check(used, np.array([0.5, 2.0, 3.0]))
