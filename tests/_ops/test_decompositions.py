"""cholesky and qr."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import decompositions
from tests._ops import matrices, rules
from tests.support import numeric_gradient


@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
def test_cholesky(device: str, dtype: Any) -> None:
    rules.check(
        device,
        decompositions.cholesky,
        np.linalg.cholesky,
        matrices.positive(dtype, 2, 3, 3),
        looser=matrices.LOOSER,
    )


@pytest.mark.parametrize('bad', [[[1.0, 2.0], [2.0, 1.0]], [[np.nan, 0.0], [0.0, 1.0]]], ids=str)
def test_no_cholesky_factor_is_nan(device: str, bad: Any) -> None:
    with tv.device(device):
        batch = tv.constant([bad, [[4.0, 99.0], [0.0, 9.0]]])
        factor = decompositions.cholesky(batch)
    nan = np.nan
    np.testing.assert_array_equal(factor.numpy(), [[[nan, 0], [nan, nan]], [[2, 0], [0, 3]]])


def test_what_a_card_leaves_is_no_factor() -> None:
    matrix = np.tril(matrices.positive(np.float64, 2, 3, 3))
    factor = np.linalg.cholesky(matrix)
    factor[1, 2, 2] = -1
    found = decompositions.is_factor(np, factor, matrix)
    assert found.tolist() == [[[True]], [[False]]]


def test_edges_of_cholesky() -> None:
    assert decompositions.cholesky(tv.zeros([0, 0])).shape == (0, 0)
    assert decompositions.cholesky(tv.zeros([0, 2, 2])).shape == (0, 2, 2)
    upper_is_not_read = decompositions.cholesky([[4.0, np.nan], [0.0, 9.0]])
    assert upper_is_not_read.numpy().tolist() == [[2, 0], [0, 3]]
    with pytest.raises(tv.errors.InvalidArgumentError, match='square'):
        decompositions.cholesky(tv.zeros([2, 3]))
    with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
        decompositions.cholesky([[1]])


@pytest.mark.parametrize('full', [False, True])
@pytest.mark.parametrize('shape', [(3, 3), (4, 2), (2, 4)], ids=str)
@pytest.mark.parametrize('dtype', [*matrices.FACTORED, np.float16], ids=rules.name_of)
def test_qr(device: str, dtype: Any, shape: tuple[int, int], full: bool) -> None:
    rules.check(
        device,
        lambda x: decompositions.qr(x, full_matrices=full),
        lambda x: np.linalg.qr(x, mode='complete' if full else 'reduced'),
        matrices.general(dtype, 2, *shape),
        looser=matrices.LOOSER,
    )


def test_edges_of_qr() -> None:
    q, r = decompositions.qr(tv.zeros([3, 0]), full_matrices=True)
    assert (q.shape, r.shape) == ((3, 3), (3, 0))
    q, r = decompositions.qr(tv.zeros([0, 3, 2]))
    assert (q.shape, r.shape) == ((0, 3, 2), (0, 2, 2))
    with pytest.raises(tv.errors.InvalidArgumentError, match='at least 2-dim'):
        decompositions.qr([1.0])


def positive_of(x: Any) -> Any:
    return tv.matmul(x, x, adjoint_b=True) + tv.eye(2, dtype=x.dtype)


@pytest.mark.parametrize('dtype', matrices.DOUBLE, ids=rules.name_of)
def test_gradient_of_cholesky(dtype: Any) -> None:
    numeric_gradient.check(
        lambda x: decompositions.cholesky(positive_of(x)), matrices.general(dtype, 2, 2)
    )


@pytest.mark.parametrize('shape', [(2, 2), (3, 2), (2, 3)], ids=str)
@pytest.mark.parametrize('dtype', matrices.DOUBLE, ids=rules.name_of)
def test_gradient_of_qr(dtype: Any, shape: tuple[int, int]) -> None:
    numeric_gradient.check(decompositions.qr, matrices.general(dtype, *shape))


def test_gradient_of_full_qr() -> None:
    numeric_gradient.check(
        lambda x: decompositions.qr(x, full_matrices=True), matrices.general(np.float64, 2, 3)
    )
    tall = tv.constant(matrices.general(np.float64, 3, 2))
    with tv.GradientTape() as tape:
        tape.watch(tall)
        q, _ = decompositions.qr(tall, full_matrices=True)
    with pytest.raises(NotImplementedError, match='more rows than columns'):
        tape.gradient(q, tall)
