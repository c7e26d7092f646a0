"""triangular_solve and cholesky_solve."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import triangular
from tests._ops import matrices, rules, samples
from tests.support import numeric_gradient

SIDES = [(True, False), (True, True), (False, False), (False, True)]


def reference(a: np.ndarray, b: np.ndarray, lower: bool, adjoint: bool) -> np.ndarray:
    a = np.tril(a) if lower else np.triu(a)
    a = matrices.adjoint(a) if adjoint else a
    return np.linalg.solve(np.broadcast_to(a, (*b.shape[:-2], *a.shape[-2:])), b)


@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
@pytest.mark.parametrize(('lower', 'adjoint'), SIDES)
def test_values(device: str, dtype: Any, lower: bool, adjoint: bool) -> None:
    a, b = matrices.general(dtype, 2, 5, 5), matrices.general(dtype, 2, 5, 3, seed=1)
    rules.check(
        device,
        lambda x, y: [
            triangular.triangular_solve(x, y, lower=lower, adjoint=adjoint),
            triangular.triangular_solve(x[0], y, lower=lower, adjoint=adjoint),
            triangular.triangular_solve(x, y[:1], lower=lower, adjoint=adjoint),
        ],
        lambda x, y: [
            reference(x, y, lower, adjoint),
            reference(x[0], y, lower, adjoint),
            reference(x, np.broadcast_to(y[:1], y.shape), lower, adjoint),
        ],
        a,
        b,
        looser=matrices.LOOSER,
    )


@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
def test_cholesky_solve(device: str, dtype: Any) -> None:
    a, b = matrices.positive(dtype, 2, 4, 4), matrices.general(dtype, 2, 4, 2, seed=1)
    factor = np.linalg.cholesky(a)
    rules.check(
        device,
        triangular.cholesky_solve,
        lambda x, y: np.linalg.solve(x @ matrices.adjoint(x), y),
        factor,
        b,
        looser=matrices.LOOSER,
    )


def test_zero_on_the_diagonal_is_no_error(device: str) -> None:
    with tv.device(device):
        solved = triangular.triangular_solve([[1.0, 0.0], [1.0, 0.0]], [[1.0, 1.0], [2.0, 1.0]])
    np.testing.assert_array_equal(solved.numpy(), [[1, 1], [np.inf, np.nan]])


def test_empty() -> None:
    assert triangular.triangular_solve(tv.zeros([0, 0]), tv.zeros([0, 2])).shape == (0, 2)
    assert triangular.triangular_solve(tv.eye(2), tv.zeros([3, 2, 0])).shape == (3, 2, 0)


@pytest.mark.parametrize(
    ('matrix', 'rhs', 'text'),
    [
        ([2, 3], [2, 1], 'square'),
        ([2], [2, 1], 'at least 2-dim'),
        ([2, 2], [2], 'at least 2-dim'),
        ([2, 2], [3, 1], 'as many rows'),
        ([2, 2, 2], [3, 2, 1], 'Incompatible shapes'),
    ],
)
def test_bad_shapes(matrix: list[int], rhs: list[int], text: str) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=text):
        triangular.triangular_solve(tv.zeros(matrix), tv.zeros(rhs))


def test_bad_dtypes() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
        triangular.triangular_solve([[1]], [[1]])
    with pytest.raises(tv.errors.InvalidArgumentError, match='expected'):
        triangular.triangular_solve(tv.eye(2), tv.eye(2, dtype=tv.float64))


@pytest.mark.parametrize(('lower', 'adjoint'), SIDES)
@pytest.mark.parametrize('dtype', matrices.DOUBLE, ids=rules.name_of)
def test_gradient(dtype: Any, lower: bool, adjoint: bool) -> None:
    numeric_gradient.check(
        lambda x, y: triangular.triangular_solve(x, y, lower=lower, adjoint=adjoint),
        matrices.general(dtype, 2, 2),
        matrices.general(dtype, 2, 2, 1, seed=1),
    )


def test_gradient_of_cholesky_solve() -> None:
    numeric_gradient.check(
        triangular.cholesky_solve, matrices.general(np.float64, 2, 2), samples.float64(2, 1)
    )
