"""band_part, tensor_diag, tensor_diag_part."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import band
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
@pytest.mark.parametrize(('lower', 'upper'), [(1, 0), (-1, 0), (0, -1), (-2, -3), (2, 1), (3, 4)])
def test_band_part(device: str, dtype: Any, lower: int, upper: int) -> None:
    def reference(x: np.ndarray) -> np.ndarray:
        x = np.triu(x, -lower) if lower >= 0 else x
        return np.tril(x, upper) if upper >= 0 else x

    array = device_parity.sample(dtype, (2, 3, 4))
    rules.check(device, lambda x: band.band_part(x, lower, upper), reference, array)


def test_bad_bands() -> None:
    for lower, upper in ((4, 0), (0, 5)):
        with pytest.raises(tv.errors.InvalidArgumentError, match='must be negative, or at most'):
            band.band_part(tv.zeros([3, 4]), lower, upper)
    with pytest.raises(tv.errors.InvalidArgumentError, match='at least 2-dim'):
        band.band_part([1, 2], 0, 0)
    with pytest.raises(tv.errors.InvalidArgumentError, match='num_lower'):
        band.band_part(tv.zeros([3, 4]), [0], 0)
    with pytest.raises(TypeError):
        band.band_part(tv.zeros([3, 4]), 1.0, 0)
    with pytest.raises(errors.NotFoundError, match='has dtype string'):
        band.band_part([['a', 'b']], 0, -1)


@pytest.mark.parametrize(
    'dtype', [*rules.FLOATS, *rules.COMPLEX, np.int32, np.int64], ids=rules.name_of
)
def test_tensor_diag(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (2, 3))
    rules.check(
        device,
        lambda x: [band.tensor_diag(x), band.tensor_diag_part(band.tensor_diag(x))],
        lambda x: [np.diag(x.reshape(-1)).reshape(2, 3, 2, 3), x],
        array,
    )


def test_edges_of_tensor_diag() -> None:
    assert band.tensor_diag_part(1.0).numpy() == 1
    assert band.tensor_diag(tv.zeros([0, 2])).shape == (0, 2, 0, 2)
    assert band.tensor_diag_part(tv.zeros([0, 0])).shape == (0,)


def test_bad_tensor_diag() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='rank 1 or more'):
        band.tensor_diag(1.0)
    for shape in ([2, 2, 2], [2, 3]):
        with pytest.raises(tv.errors.InvalidArgumentError, match='two equal halves'):
            band.tensor_diag_part(tv.zeros(shape))
    for function in (band.tensor_diag, band.tensor_diag_part):
        with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
            function([[True]])


def test_gradients() -> None:
    numeric_gradient.check(lambda x: band.band_part(x, 1, 0) ** 2, samples.float64(2, 3, 2))
    numeric_gradient.check(lambda x: band.tensor_diag(x) ** 2, samples.float64(2, 2))
    numeric_gradient.check(lambda x: band.tensor_diag_part(x) ** 2, samples.float64(2, 2))
    numeric_gradient.check(band.tensor_diag_part, np.array(1.5))
