"""inv, solve, lstsq."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import solve
from tests._ops import matrices, rules
from tests.support import numeric_gradient

SINGULAR = [[1.0, 2.0], [2.0, 4.0]]


@pytest.mark.parametrize('dtype', [*matrices.FACTORED, np.float16], ids=rules.name_of)
def test_inv(device: str, dtype: Any) -> None:
    rules.check(
        device,
        lambda x: [solve.inv(x), solve.inv(x, adjoint=True)],
        lambda x: [np.linalg.inv(x), np.linalg.inv(matrices.adjoint(x))],
        matrices.general(dtype, 2, 4, 4),
        looser=matrices.LOOSER,
    )


@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
@pytest.mark.parametrize('adjoint', [False, True])
def test_solve(device: str, dtype: Any, adjoint: bool) -> None:
    rules.check(
        device,
        lambda x, y: solve.solve(x, y, adjoint=adjoint),
        lambda x, y: np.linalg.solve(matrices.adjoint(x) if adjoint else x, y),
        matrices.general(dtype, 2, 4, 4),
        matrices.general(dtype, 2, 4, 3, seed=1),
        looser=matrices.LOOSER,
    )


@pytest.mark.usefixtures('values_checked')
@pytest.mark.parametrize('bad', [SINGULAR, [[np.nan, 0.0], [0.0, 1.0]]], ids=['singular', 'nan'])
def test_singular_matrices(device: str, bad: Any) -> None:
    with tv.device(device):
        batch = tv.constant([np.eye(2, dtype=np.float32), bad], tv.float32)
        for run in (solve.inv, lambda x: solve.solve(x, x)):
            with pytest.raises(tv.errors.InvalidArgumentError, match='not invertible'):
                run(batch)


def test_empty() -> None:
    assert solve.inv(tv.zeros([0, 0])).shape == (0, 0)
    assert solve.inv(tv.zeros([0, 2, 2])).shape == (0, 2, 2)
    assert solve.solve(tv.zeros([0, 0]), tv.zeros([0, 1])).shape == (0, 1)
    assert solve.solve(tv.eye(2), tv.zeros([2, 0])).shape == (2, 0)


def test_bad_inv() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='square'):
        solve.inv(tv.zeros([2, 3]))
    with pytest.raises(tv.errors.InvalidArgumentError, match='at least 2-dim'):
        solve.inv([1.0])
    with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
        solve.inv([[1]])


@pytest.mark.parametrize(
    ('matrix', 'rhs'),
    [([2, 2], [2]), ([2, 2], [3, 1]), ([2, 2], [1, 2, 1]), ([2, 2, 2], [1, 2, 1])],
)
def test_bad_solve(matrix: list[int], rhs: list[int]) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='must be equal'):
        solve.solve(tv.zeros(matrix), tv.zeros(rhs))


@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
@pytest.mark.parametrize('shape', [(5, 3), (3, 5), (3, 3)], ids=str)
def test_lstsq(device: str, dtype: Any, shape: tuple[int, int]) -> None:
    a, b = matrices.general(dtype, 2, *shape), matrices.general(dtype, 2, shape[0], 2, seed=1)
    rules.check(
        device,
        lambda x, y: [solve.lstsq(x, y), solve.lstsq(x, y, fast=False)],
        lambda x, y: [np.linalg.pinv(x) @ y] * 2,
        a,
        b,
        looser=matrices.LOOSER,
    )


def test_lstsq_with_a_regularizer() -> None:
    a, b = matrices.general(np.float64, 4, 2), matrices.general(np.float64, 4, 1, seed=1)
    wide = np.concatenate([a, np.sqrt(0.5) * np.eye(2)])
    expected = np.linalg.lstsq(wide, np.concatenate([b, np.zeros((2, 1))]))[0]
    np.testing.assert_allclose(solve.lstsq(a, b, l2_regularizer=0.5).numpy(), expected)
    with pytest.raises(NotImplementedError, match='complex128'):
        solve.lstsq(a + 0j, b + 0j, l2_regularizer=0.5)


@pytest.mark.parametrize('fast', [True, False])
@pytest.mark.parametrize('shape', [(2, 3), (3, 2)])
def test_lstsq_names_the_shapes_that_were_given(shape: tuple[int, int], fast: bool) -> None:
    with pytest.raises(ValueError, match=rf'^\[lstsq\].*\[{shape[0]}, {shape[1]}\].*\[4, 5\]'):
        solve.lstsq(tv.ones(shape), tv.ones([4, 5]), fast=fast)


def test_lstsq_of_low_rank() -> None:
    rhs = tv.ones([2, 1])
    assert np.isnan(solve.lstsq(SINGULAR, rhs).numpy()).all()
    np.testing.assert_allclose(
        solve.lstsq(SINGULAR, rhs, fast=False).numpy(), [[0.12], [0.24]], rtol=1e-5
    )


def test_bad_lstsq() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='at least 2-dim'):
        solve.lstsq(tv.eye(2), [1.0, 1.0])


@pytest.mark.parametrize('adjoint', [False, True])
@pytest.mark.parametrize('dtype', matrices.DOUBLE, ids=rules.name_of)
def test_gradients(dtype: Any, adjoint: bool) -> None:
    square = matrices.general(dtype, 2, 2)
    numeric_gradient.check(lambda x: solve.inv(x, adjoint=adjoint), square)
    numeric_gradient.check(
        lambda x, y: solve.solve(x, y, adjoint=adjoint),
        square,
        matrices.general(dtype, 2, 1, seed=1),
    )


@pytest.mark.parametrize('fast', [False, True])
@pytest.mark.parametrize('shape', [(3, 2), (2, 3)], ids=str)
def test_gradient_of_lstsq(shape: tuple[int, int], fast: bool) -> None:
    numeric_gradient.check(
        lambda x, y: solve.lstsq(x, y, fast=fast),
        matrices.general(np.float64, *shape),
        matrices.general(np.float64, shape[0], 1, seed=1),
    )
