"""diag and diag_part."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import diagonal
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (3,))
    rules.check(
        device,
        lambda x: [diagonal.diag(x), diagonal.diag_part(diagonal.diag(x, k=1), k=1)],
        lambda x: [np.diag(x), x],
        array,
    )


@pytest.mark.parametrize('k', [0, 1, -1, 3, -2])
def test_diag_part(device: str, k: int) -> None:
    array = device_parity.sample(np.float32, (2, 3, 4))
    rules.check(
        device,
        lambda x: diagonal.diag_part(x, k=k),
        lambda x: np.diagonal(x, k, 1, 2),
        array,
    )


@pytest.mark.parametrize('k', [0, 2, -1])
def test_diag(device: str, k: int) -> None:
    array = device_parity.sample(np.float32, (2, 3))
    rules.check(
        device,
        lambda x: diagonal.diag(x, k=k),
        lambda x: np.stack([np.diag(row, k) for row in x]),
        array,
    )


def test_sizes_and_padding() -> None:
    assert diagonal.diag([1, 2], num_rows=3).numpy().tolist() == [[1, 0], [0, 2], [0, 0]]
    assert diagonal.diag([1, 2], num_cols=3, num_rows=2).numpy().tolist() == [[1, 0, 0], [0, 2, 0]]
    assert diagonal.diag([1, 2], padding_value=9).numpy().tolist() == [[1, 9], [9, 2]]
    assert diagonal.diag([1], k=(1, 1)).numpy().tolist() == [[0, 1], [0, 0]]
    assert diagonal.diag_part(tv.zeros([2, 0])).shape == (0,)


def test_bad_arguments() -> None:
    for k in (5, -2, 2):
        with pytest.raises(tv.errors.InvalidArgumentError, match='must be between'):
            diagonal.diag_part(tv.zeros([2, 2]), k=k)
    with pytest.raises(tv.errors.InvalidArgumentError, match='at least 2-dim'):
        diagonal.diag_part([1.0])
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[MatrixDiagV3\]'):
        diagonal.diag(1.0)
    for rows, columns in ((1, 2), (3, 3)):
        with pytest.raises(tv.errors.InvalidArgumentError, match='num_rows'):
            diagonal.diag([1.0, 2.0], num_rows=rows, num_cols=columns)
    with pytest.raises(NotImplementedError, match='one at a time'):
        diagonal.diag_part(tv.zeros([2, 2]), k=(-1, 0))


@pytest.mark.parametrize('k', [0, 1, -1])
def test_gradients(k: int) -> None:
    numeric_gradient.check(lambda x: diagonal.diag_part(x, k=k) ** 2, samples.float64(2, 3, 2))
    numeric_gradient.check(
        lambda x, y: diagonal.diag(x, k=k, padding_value=y) ** 2,
        samples.float64(2, 2),
        np.array(1.5),
    )
