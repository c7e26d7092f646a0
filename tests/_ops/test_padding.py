"""pad in its three modes."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

PADDINGS = [[[0, 0], [0, 0]], [[1, 0], [0, 2]], [[0, 2], [1, 3]], [[2, 1], [3, 0]]]


@pytest.mark.parametrize('paddings', PADDINGS, ids=str)
@pytest.mark.parametrize('mode', ['constant', 'reflect', 'SYMMETRIC'])
def test_modes(device: str, mode: str, paddings: Any) -> None:
    array = device_parity.sample(np.float32, (3, 4))
    rules.check(
        device,
        lambda x: tv.pad(x, paddings, mode),
        lambda x: np.pad(x, paddings, mode=mode.lower()),
        array,
    )


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (3,))
    rules.check(
        device,
        lambda x: [tv.pad(x, [[1, 2]], constant_values=1), tv.pad(x, [[2, 1]], 'REFLECT')],
        lambda x: [np.pad(x, [[1, 2]], constant_values=1), np.pad(x, [[2, 1]], mode='reflect')],
        array,
    )


def test_paddings_may_be_a_tensor() -> None:
    result = tv.pad([1, 2], tv.constant([[1, 0]]), constant_values=tv.constant(7))
    assert result.numpy().tolist() == [7, 1, 2]
    assert tv.pad(5, np.zeros((0, 2), np.int32)).numpy() == 5


def test_full_mirror_of_symmetric() -> None:
    assert tv.pad([1, 2, 3], [[3, 0]], 'SYMMETRIC').numpy().tolist() == [3, 2, 1, 1, 2, 3]


@pytest.mark.parametrize(
    ('paddings', 'mode'),
    [
        ([[1, 1]], 'FOO'),
        ([[3, 0]], 'REFLECT'),
        ([[4, 0]], 'SYMMETRIC'),
        ([[-1, 0]], 'CONSTANT'),
        ([1, 1], 'CONSTANT'),
        ([[1, 1], [1, 1]], 'CONSTANT'),
        ([[1, 1, 1]], 'CONSTANT'),
    ],
)
def test_bad_arguments(paddings: Any, mode: str) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='were given|was given'):
        tv.pad(tv.zeros([3]), paddings, mode)


def test_bad_constant() -> None:
    with pytest.raises(TypeError):
        tv.pad(tv.constant([1]), [[1, 1]], constant_values=7.5)
    with pytest.raises(tv.errors.InvalidArgumentError, match='scalar'):
        tv.pad(tv.constant([1]), [[1, 1]], constant_values=[1, 2])


@pytest.mark.parametrize('paddings', PADDINGS, ids=str)
@pytest.mark.parametrize('mode', ['CONSTANT', 'REFLECT', 'SYMMETRIC'])
def test_gradient(mode: str, paddings: Any) -> None:
    numeric_gradient.check(lambda x: tv.pad(x, paddings, mode) ** 2, samples.float64(3, 4))
