"""matrix_transpose, trace, tensordot, norm."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import linalg
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


def test_matrix_transpose(device: str) -> None:
    array = device_parity.sample(np.complex64, (2, 3, 4))
    rules.check(
        device,
        lambda x: [linalg.matrix_transpose(x), linalg.adjoint(x)],
        lambda x: [np.swapaxes(x, 1, 2), np.swapaxes(x, 1, 2).conj()],
        array,
    )
    with pytest.raises(tv.errors.InvalidArgumentError, match='rank 1'):
        linalg.matrix_transpose([1, 2])


@pytest.mark.parametrize('dtype', rules.NUMBERS, ids=rules.name_of)
def test_trace(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (2, 3, 4))
    rules.check(
        device,
        linalg.trace,
        lambda x: np.trace(x, axis1=1, axis2=2, dtype=x.dtype),
        array,
    )


def test_bad_trace() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='at least 2-dim'):
        linalg.trace([1.0])
    with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
        linalg.trace([[True]])


@pytest.mark.parametrize(
    'axes',
    [0, 1, 2, [[0], [2]], [[1, 2], [0, 1]], [[2, 1], [1, 0]], [-1, 1], [[-1], [-2]]],
    ids=str,
)
def test_tensordot(device: str, axes: Any) -> None:
    a = device_parity.sample(np.float32, (2, 3, 3))
    b = device_parity.sample(np.float32, (3, 3, 2), seed=1)
    rules.check(
        device,
        lambda x, y: linalg.tensordot(x, y, axes),
        lambda x, y: np.tensordot(x, y, axes),
        a,
        b,
        looser=4,
    )


@pytest.mark.parametrize(
    'axes', [3, -1, [[0], [1]], [[0, 1], [0]], [[0]], [[5], [0]], [[0, 0], [0, 0]]], ids=str
)
def test_bad_tensordot(axes: Any) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[tensordot\]'):
        linalg.tensordot(tv.zeros([2, 3]), tv.zeros([2, 3]), axes)


@pytest.mark.parametrize('keepdims', [False, True])
@pytest.mark.parametrize(
    ('order', 'numpy_order', 'axis'),
    [
        ('euclidean', None, 1),
        (2, 2, -1),
        (1, 1, 0),
        (np.inf, np.inf, 2),
        (3, 3, 1),
        (0.5, 0.5, 1),
        ('fro', 'fro', (1, 2)),
        (2, 2, (1, 2)),
        (2, 2, [2, 0]),
        ('euclidean', 'fro', [0, 2]),
        (1, 1, (0, 1)),
        (np.inf, np.inf, (2, 0)),
        (1, 1, (-1, -3)),
    ],
    ids=str,
)
def test_norm(device: str, order: Any, numpy_order: Any, axis: Any, keepdims: bool) -> None:
    array = device_parity.sample(np.float32, (2, 3, 4))
    numpy_axis = tuple(axis) if isinstance(axis, list) else axis
    rules.check(
        device,
        lambda x: linalg.norm(x, order, axis, keepdims),
        lambda x: np.linalg.norm(x, numpy_order, numpy_axis, keepdims),
        array,
        looser=4,
    )


def test_norm_of_all_elements() -> None:
    array = device_parity.sample(np.float64, (2, 3))
    for order in ('euclidean', 1, 3, np.inf):
        expected = np.linalg.norm(array.reshape(-1), None if order == 'euclidean' else order)
        np.testing.assert_allclose(linalg.norm(array, order).numpy(), expected)


def test_norm_of_complex_numbers() -> None:
    array = device_parity.sample(np.complex128, (2, 3))
    assert linalg.norm(array).dtype is tv.complex128
    np.testing.assert_allclose(linalg.norm(array).numpy(), np.linalg.norm(array))
    np.testing.assert_allclose(linalg.norm(array, 1).numpy(), np.sum(np.abs(array)))


def test_bad_norm() -> None:
    square = tv.eye(2)
    for order, axis in (('fro', 0), ('x', None), (0, None), (-1, 0), (3, (0, 1)), (1, (0, 1, 0))):
        with pytest.raises(ValueError, match=r'\[norm\]'):
            linalg.norm(square, order, axis)
    with pytest.raises(tv.errors.InvalidArgumentError, match='unique'):
        linalg.norm(square, 2, (1, 1))
    with pytest.raises(tv.errors.InvalidArgumentError, match='int32'):
        linalg.norm([1, 2])


def test_norm_of_integers() -> None:
    assert linalg.norm([3, -4], 1).numpy() == 7
    assert linalg.norm([3, -4], np.inf).dtype is tv.int32


def test_gradients() -> None:
    values = samples.float64(3, 3)
    numeric_gradient.check(lambda x: linalg.matrix_transpose(x) ** 2, values)
    numeric_gradient.check(lambda x: linalg.trace(x**2), values)
    numeric_gradient.check(
        lambda x, y: linalg.tensordot(x, y, [[0], [1]]), values, samples.float64(2, 3)
    )
    for order, axis in (
        ('euclidean', 1),
        (1, 0),
        (np.inf, 1),
        (3, None),
        ('fro', (0, 1)),
        (1, (0, 1)),
        (2, (0, 1)),
    ):
        numeric_gradient.check(lambda x, o=order, a=axis: linalg.norm(x, o, a), values)
