"""lu and what is made of its factors."""

from typing import Any

import numpy as np
import pytest
import scipy.linalg

import tensorvar as tv
from tensorvar._ops import lu
from tests._ops import matrices, rules
from tests.support import numeric_gradient


def reference(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By SciPy, with the order of the rows in place of their exchanges."""
    factors, exchanges = scipy.linalg.lu_factor(array)
    order = np.arange(len(array))
    for row, other in enumerate(exchanges):
        order[[row, other]] = order[[other, row]]
    return factors, order


@pytest.mark.parametrize('side', [1, 2, 5, 8])
@pytest.mark.parametrize('dtype', [np.float32, np.float64], ids=rules.name_of)
def test_factors(device: str, dtype: Any, side: int) -> None:
    array = matrices.general(dtype, 3, side, side)[:, ::-1].copy()
    expected = [np.stack(part) for part in zip(*map(reference, array), strict=True)]
    rules.check(device, lambda x: lu.lu(x)[0], lambda x: expected[0], array, looser=matrices.LOOSER)
    with tv.device(device):
        order = lu.lu(tv.constant(array), output_idx_type=tv.int64)[1]
    assert order.dtype is tv.int64
    np.testing.assert_array_equal(order.numpy(), expected[1])


@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
def test_use_of_the_factors(device: str, dtype: Any) -> None:
    array, rhs = matrices.general(dtype, 2, 3, 3)[:, ::-1].copy(), matrices.general(dtype, 2, 3, 2)
    rules.check(
        device,
        lambda x, y: [
            lu.lu_reconstruct(*lu.lu(x)),
            lu.lu_matrix_inverse(*lu.lu(x)),
            lu.lu_solve(*lu.lu(x), y),
            lu.lu_solve(*lu.lu(x[0]), y),
        ],
        lambda x, y: [x, np.linalg.inv(x), np.linalg.solve(x, y), np.linalg.solve(x[[0, 0]], y)],
        array,
        rhs,
        looser=matrices.LOOSER,
    )


@pytest.mark.usefixtures('values_checked')
def test_edges(device: str) -> None:
    with tv.device(device):
        factors, order = lu.lu(tv.zeros([0, 2, 2]))
        assert (factors.shape, order.shape) == ((0, 2, 2), (0, 2))
        assert order.dtype is tv.int32
        assert lu.lu(tv.zeros([0, 0]))[0].shape == (0, 0)
        for bad in ([[1.0, 2.0], [2.0, 4.0]], [[np.nan, 0.0], [0.0, 1.0]]):
            with pytest.raises(tv.errors.InvalidArgumentError, match='not invertible'):
                lu.lu(bad)


def test_bad_arguments() -> None:
    factors, order = lu.lu([[0.0, 1.0], [2.0, 3.0]])
    with pytest.raises(tv.errors.InvalidArgumentError, match='int32 and int64'):
        lu.lu(tv.eye(2), output_idx_type=tv.float32)
    with pytest.raises(tv.errors.InvalidArgumentError, match='square'):
        lu.lu(tv.zeros([2, 3]))
    with pytest.raises(ValueError, match='as many rows'):
        lu.lu_solve(factors, order, tv.zeros([3, 1]))
    with pytest.raises(ValueError, match='at least 2'):
        lu.lu_solve(factors, order, [1.0, 2.0])
    with pytest.raises(ValueError, match='one axis less'):
        lu.lu_reconstruct(factors[None], order)
    with pytest.raises(tv.errors.InvalidArgumentError, match='duplicated'):
        lu.lu_reconstruct(factors, [0, 0])


def test_gradients_of_what_is_made_of_the_factors() -> None:
    factors = matrices.general(np.float64, 2, 2)
    numeric_gradient.check(lambda x: lu.lu_reconstruct(x, [1, 0]), factors)
    numeric_gradient.check(lambda x: lu.lu_matrix_inverse(x, [1, 0]), factors)
