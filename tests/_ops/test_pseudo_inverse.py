"""pinv and matrix_rank."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import pseudo_inverse
from tests._ops import matrices, rules
from tests.support import numeric_gradient

LOW_RANK = [[1.0, 2.0], [2.0, 4.0]]


@pytest.mark.parametrize('shape', [(3, 3), (4, 2), (2, 4)], ids=str)
@pytest.mark.parametrize('dtype', [np.float32, np.float64], ids=rules.name_of)
def test_pinv(device: str, dtype: Any, shape: tuple[int, int]) -> None:
    rules.check(
        device,
        pseudo_inverse.pinv,
        np.linalg.pinv,
        matrices.general(dtype, 2, *shape),
        looser=matrices.LOOSER,
    )


def test_small_singular_values(device: str) -> None:
    diagonal = np.diag([1.0, 0.1])
    with tv.device(device):
        assert pseudo_inverse.pinv(diagonal, rcond=0.5).numpy().tolist() == [[1, 0], [0, 0]]
        both = pseudo_inverse.pinv(tv.constant([np.eye(2), np.eye(2)]), rcond=[0.5, 2.0])
        np.testing.assert_array_equal(both.numpy(), [np.eye(2), np.zeros((2, 2))])
        result = pseudo_inverse.pinv(LOW_RANK)
    np.testing.assert_allclose(result.numpy(), np.linalg.pinv(LOW_RANK), rtol=1e-5)


def test_edges_of_pinv() -> None:
    assert pseudo_inverse.pinv(tv.zeros([0, 2])).shape == (2, 0)
    assert np.isnan(pseudo_inverse.pinv([[np.nan, 0.0], [0.0, 1.0]]).numpy()).all()
    with pytest.raises(ValueError, match='at least 2'):
        pseudo_inverse.pinv([1.0])
    for bad in ([[1]], [[1j]]):
        with pytest.raises(TypeError, match='float'):
            pseudo_inverse.pinv(bad)


@pytest.mark.parametrize('dtype', [np.float32, np.float64], ids=rules.name_of)
def test_rank(device: str, dtype: Any) -> None:
    batch = np.stack([LOW_RANK, np.eye(2), np.zeros((2, 2))]).astype(dtype)
    rules.check(
        device,
        pseudo_inverse.matrix_rank,
        lambda x: np.array([1, 2, 0]),
        batch,
        dtype=np.int32,
    )


def test_edges_of_rank() -> None:
    assert pseudo_inverse.matrix_rank([[1.0, 0.0], [0.0, 0.1]], tol=0.5).numpy() == 1
    assert pseudo_inverse.matrix_rank(np.ones((2, 2), np.int32)).numpy() == 1
    assert pseudo_inverse.matrix_rank(tv.zeros([0, 2, 2])).shape == (0,)
    with pytest.raises(ValueError, match='at least 2'):
        pseudo_inverse.matrix_rank([1.0])
    with pytest.raises(TypeError, match='complex64'):
        pseudo_inverse.matrix_rank(tv.eye(2, dtype=tv.complex64))
    for function in (pseudo_inverse.matrix_rank, pseudo_inverse.pinv):
        with pytest.raises(tv.errors.InvalidArgumentError, match='bfloat16'):
            function(tv.eye(2, dtype=tv.bfloat16))


@pytest.mark.parametrize('shape', [(2, 2), (3, 2), (2, 3)], ids=str)
@pytest.mark.parametrize('dtype', matrices.DOUBLE, ids=rules.name_of)
def test_gradient(dtype: Any, shape: tuple[int, int]) -> None:
    numeric_gradient.check(lambda x: pseudo_inverse.run(x, 1e-12), matrices.general(dtype, *shape))


def test_gradient_at_equal_singular_values() -> None:
    numeric_gradient.check(pseudo_inverse.pinv, np.eye(2))
