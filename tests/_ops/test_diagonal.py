"""diag, diag_part and set_diag."""

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
    for k in ((1, 0), (0, 1, 2), ()):
        with pytest.raises(tv.errors.InvalidArgumentError, match=r'\] k'):
            diagonal.diag_part(tv.zeros([2, 2]), k=k)
    for k in ((0, 2), (-2, 0)):
        with pytest.raises(tv.errors.InvalidArgumentError, match='must be between'):
            diagonal.diag_part(tv.zeros([2, 2]), k=k)
    with pytest.raises(tv.errors.InvalidArgumentError, match='scalar'):
        diagonal.diag([1, 2], padding_value=[1])
    with pytest.raises(tv.errors.InvalidArgumentError, match='one row for each'):
        diagonal.diag([[1, 2], [3, 4]], k=(0, 2))
    for shape, k in (([2], 0), ([1, 3], (0, 0)), ([2, 2], (0, 1))):
        with pytest.raises(tv.errors.InvalidArgumentError, match='shape of that part'):
            diagonal.set_diag(tv.zeros([3, 4]), tv.zeros(shape), k=k)
    for call in (diagonal.diag_part, diagonal.diag):
        with pytest.raises(tv.errors.InvalidArgumentError, match='RIGHT_LEFT'):
            call(tv.zeros([2, 2]), align='LEFT')


# Ranges of diagonals

ALIGNMENTS = ['RIGHT_LEFT', 'LEFT_RIGHT', 'LEFT_LEFT', 'RIGHT_RIGHT']
RANGES = [(-1, 1), (-2, 3), (1, 2), (-2, -1), (0, 3), (-2, 0)]


def packed(x: np.ndarray, k: tuple[int, int], align: str, padding: float) -> np.ndarray:
    """The diagonals of one matrix as rows, the highest first."""
    diagonals = [np.diagonal(x, d) for d in range(k[1], k[0] - 1, -1)]
    length = max(len(each) for each in diagonals)
    above, below = align.split('_')
    rows = []
    for d, values in zip(range(k[1], k[0] - 1, -1), diagonals, strict=True):
        spare = length - len(values)
        right = (above if d > 0 else below) == 'RIGHT'
        widths = (spare, 0) if right else (0, spare)
        rows.append(np.pad(values, widths, constant_values=padding))
    return np.stack(rows)


@pytest.mark.parametrize('align', ALIGNMENTS)
@pytest.mark.parametrize('k', RANGES, ids=str)
def test_ranges(device: str, k: tuple[int, int], align: str) -> None:
    def inside(x: np.ndarray) -> np.ndarray:
        return np.triu(np.tril(x, k[1]), k[0])

    rules.check(
        device,
        lambda x: [
            diagonal.diag_part(x, k=k, align=align, padding_value=7),
            diagonal.diag(
                diagonal.diag_part(x, k=k, align=align),
                k=k,
                align=align,
                num_rows=3,
                num_cols=4,
                padding_value=5,
            ),
            diagonal.set_diag(x, 2 * diagonal.diag_part(x, k=k, align=align), k=k, align=align),
        ],
        lambda x: [
            np.stack([packed(each, k, align, 7) for each in x]),
            inside(x) + 5 * (1 - inside(np.ones_like(x))),
            x + inside(x),
        ],
        device_parity.sample(np.float32, (2, 3, 4)),
    )


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_set_diag(device: str, dtype: Any) -> None:
    def reference(x: np.ndarray) -> np.ndarray:
        x = x.copy()
        x[:, [0, 1, 2], [1, 2, 3]] = x[:, :, 0]
        return x

    rules.check(
        device,
        lambda x: diagonal.set_diag(x, x[:, :, 0], k=1),
        reference,
        device_parity.sample(dtype, (2, 3, 4)),
    )


def test_square_of_a_range() -> None:
    band = diagonal.diag([[1, 2, 3], [4, 5, 0]], k=(0, 1), align='LEFT_RIGHT')
    assert band.numpy().tolist() == [[4, 1, 0], [0, 5, 2], [0, 0, 0]]
    assert diagonal.diag([[1, 2, 3], [4, 5, 6]], k=(1, 2)).shape == (4, 4)
    assert diagonal.diag_part(tv.zeros([0, 3]), k=(0, 1)).shape == (2, 0)
    assert diagonal.diag(tv.zeros([2, 0]), k=(0, 1)).shape == (0, 0)


@pytest.mark.parametrize('align', ALIGNMENTS)
@pytest.mark.parametrize('k', [(-1, 1), (0, 1), (0, 0)], ids=str)
def test_gradients_of_ranges(k: tuple[int, int], align: str) -> None:
    matrix, padding = samples.float64(2, 3), np.array(1.5)
    part = diagonal.diag_part(matrix, k=k, align=align).numpy()
    numeric_gradient.check(
        lambda x, y: diagonal.diag_part(x, k=k, align=align, padding_value=y) ** 2, matrix, padding
    )
    numeric_gradient.check(
        lambda x, y: diagonal.diag(x, k=k, align=align, padding_value=y) ** 2, part, padding
    )
    numeric_gradient.check(
        lambda x, y: diagonal.set_diag(x, y, k=k, align=align) ** 2, matrix, part + 1
    )


@pytest.mark.parametrize('k', [0, 1, -1])
def test_gradients(k: int) -> None:
    numeric_gradient.check(lambda x: diagonal.diag_part(x, k=k) ** 2, samples.float64(2, 3, 2))
    numeric_gradient.check(
        lambda x, y: diagonal.diag(x, k=k, padding_value=y) ** 2,
        samples.float64(2, 2),
        np.array(1.5),
    )
