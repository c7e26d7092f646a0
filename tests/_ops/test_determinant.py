"""det, slogdet, logdet."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import determinant
from tests._ops import matrices, rules
from tests.support import numeric_gradient


@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
def test_values(device: str, dtype: Any) -> None:
    rules.check(
        device,
        lambda x: [determinant.det(x), *determinant.slogdet(x)],
        lambda x: [np.linalg.det(x), *np.linalg.slogdet(x)],
        matrices.general(dtype, 2, 3, 3),
        looser=matrices.LOOSER,
    )


@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
def test_logdet(device: str, dtype: Any) -> None:
    rules.check(
        device,
        determinant.logdet,
        lambda x: np.linalg.slogdet(x)[1],
        matrices.positive(dtype, 2, 3, 3),
        dtype=np.zeros(0, dtype).real.dtype,
        looser=matrices.LOOSER,
    )


def test_edges(device: str) -> None:
    with tv.device(device):
        singular = tv.constant([[1.0, 2.0], [2.0, 4.0]])
        assert determinant.det(singular).numpy() == 0
        assert [each.numpy() for each in determinant.slogdet(singular)] == [0, -np.inf]
        assert np.isnan(determinant.logdet(-tv.eye(2)).numpy())
        assert determinant.det(tv.zeros([0, 0])).numpy() == 1
        assert determinant.det(tv.zeros([0, 2, 2])).shape == (0,)
        for value in determinant.slogdet(tv.fill([2, 2], np.nan)):
            assert np.isnan(value.numpy())


def test_bad_arguments() -> None:
    for function in (determinant.det, determinant.slogdet, determinant.logdet):
        with pytest.raises(tv.errors.InvalidArgumentError, match='square'):
            function(tv.zeros([2, 3]))
        with pytest.raises(tv.errors.InvalidArgumentError, match='at least 2-dim'):
            function([1.0])
        with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
            function([[1]])


@pytest.mark.parametrize('dtype', matrices.DOUBLE, ids=rules.name_of)
def test_gradients(dtype: Any) -> None:
    numeric_gradient.check(determinant.det, matrices.general(dtype, 2, 2, 2))
    numeric_gradient.check(determinant.slogdet, matrices.general(dtype, 2, 2, 2))

    def logdet(x: Any) -> Any:
        return determinant.logdet(tv.matmul(x, x, adjoint_b=True) + tv.eye(2, dtype=x.dtype))

    numeric_gradient.check(logdet, matrices.general(dtype, 2, 2))
