"""expm and sqrtm."""

from typing import Any

import numpy as np
import pytest
import scipy.linalg

import tensorvar as tv
from tensorvar._ops import matrix_functions
from tests._ops import matrices, rules
from tests.support import numeric_gradient


@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
def test_expm(device: str, dtype: Any) -> None:
    sizes = np.array([0.0, 1e-3, 0.1, 1.0, 8.0]).reshape(5, 1, 1)
    array = (matrices.general(dtype, 5, 3, 3) * sizes).astype(dtype)

    def relative(x: Any) -> Any:
        return matrix_functions.expm(x) / tv.cast(np.exp(6 * sizes), x.dtype)

    rules.check(
        device,
        relative,
        lambda x: (
            scipy.linalg.expm(x.astype(np.complex128 if x.dtype.kind == 'c' else float))
            / np.exp(6 * sizes)
        ),
        array,
        looser=matrices.LOOSER,
    )


def test_edges_of_expm(device: str) -> None:
    with tv.device(device):
        result = matrix_functions.expm([[[np.nan, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]])
        assert np.isnan(result.numpy()[0]).all()
        assert result.numpy()[1].tolist() == [[1, 0], [0, 1]]
        assert matrix_functions.expm(tv.zeros([0, 0])).shape == (0, 0)
        assert matrix_functions.expm(tv.zeros([0, 2, 2])).shape == (0, 2, 2)
    with pytest.raises(tv.errors.InvalidArgumentError, match='square'):
        matrix_functions.expm(tv.zeros([2, 3]))


@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
def test_sqrtm(device: str, dtype: Any) -> None:
    rules.check(
        device,
        matrix_functions.sqrtm,
        lambda x: np.stack([scipy.linalg.sqrtm(each) for each in x]),
        matrices.positive(dtype, 2, 3, 3),
        looser=matrices.LOOSER,
    )


@pytest.mark.parametrize(
    'matrix',
    [
        [[0.0, 1.0], [-1.0, 0.0]],
        [[2.0, 1.0], [0.0, 2.0]],
        [[1.0, 2.0], [2.0, 4.0]],
        np.zeros((2, 2)),
    ],
    ids=['rotation', 'defective', 'singular', 'zero'],
)
def test_special_roots(device: str, matrix: Any) -> None:
    with tv.device(device):
        root = matrix_functions.sqrtm(np.array(matrix)).numpy()
    np.testing.assert_allclose(root @ root, matrix, atol=1e-12)


@pytest.mark.parametrize('matrix', [[[-1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]]], ids=str)
def test_no_root_is_nan(device: str, matrix: Any) -> None:
    with tv.device(device):
        both = matrix_functions.sqrtm(tv.constant([matrix, [[4.0, 0.0], [0.0, 9.0]]])).numpy()
    assert np.isnan(both[0]).all()
    np.testing.assert_allclose(both[1], [[2, 0], [0, 3]])


def test_edges_of_sqrtm() -> None:
    assert matrix_functions.sqrtm(tv.zeros([0, 2, 2])).shape == (0, 2, 2)
    assert np.isnan(matrix_functions.sqrtm([[np.nan, 0.0], [0.0, 1.0]]).numpy()).all()
    with pytest.raises(tv.errors.InvalidArgumentError, match='at least 2-dim'):
        matrix_functions.sqrtm([1.0])


@pytest.mark.parametrize('dtype', matrices.DOUBLE, ids=rules.name_of)
def test_gradients(dtype: Any) -> None:
    numeric_gradient.check(matrix_functions.expm, 0.3 * matrices.general(dtype, 2, 2))
    numeric_gradient.check(matrix_functions.sqrtm, matrices.positive(dtype, 2, 2))
