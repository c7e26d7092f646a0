"""cumulative_logsumexp."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.cumulative_logsumexp import cumulative_logsumexp
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

FLAGS = [(False, False), (True, False), (False, True), (True, True)]


def reference(x: np.ndarray, axis: int, exclusive: bool, reverse: bool) -> np.ndarray:
    moved = np.moveaxis(x, axis, 0)
    moved = moved[::-1] if reverse else moved
    result = np.logaddexp.accumulate(moved, axis=0)
    if exclusive:
        result = np.concatenate([np.full_like(result[:1], -np.inf), result[:-1]])
    return np.moveaxis(result[::-1] if reverse else result, 0, axis)


@pytest.mark.parametrize(('exclusive', 'reverse'), FLAGS)
@pytest.mark.parametrize('dtype', rules.FLOATS, ids=rules.name_of)
def test_values(device: str, dtype: Any, exclusive: bool, reverse: bool) -> None:
    for axis in (0, -1):
        rules.check(
            device,
            lambda x, axis=axis: cumulative_logsumexp(x, axis, exclusive, reverse),
            lambda x, axis=axis: reference(x, axis, exclusive, reverse),
            device_parity.sample(dtype, (3, 5)),
            looser=2,
        )


def test_large_and_infinite_values() -> None:
    x = [1e4, 1e4, -np.inf, 2e4]
    found = cumulative_logsumexp(x).numpy()
    np.testing.assert_allclose(found, [1e4, 1e4 + np.log(2), 1e4 + np.log(2), 2e4])
    assert cumulative_logsumexp([-np.inf, -np.inf]).numpy().tolist() == [-np.inf, -np.inf]


def test_sizes_of_zero() -> None:
    for exclusive, reverse in FLAGS:
        assert cumulative_logsumexp(tv.zeros([2, 0]), 1, exclusive, reverse).shape == (2, 0)


@pytest.mark.parametrize(('x', 'axis'), [(1.0, 0), ([1.0], 2), ([1], 0), ([1j], 0)], ids=str)
def test_bad_arguments(x: Any, axis: int) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='CumulativeLogsumexp'):
        cumulative_logsumexp(x, axis)


@pytest.mark.parametrize(('exclusive', 'reverse'), FLAGS)
def test_gradients(exclusive: bool, reverse: bool) -> None:
    def used(x: Any) -> Any:
        result = cumulative_logsumexp(x, 1, exclusive, reverse)
        return result[:, :-1] if reverse else result[:, 1:]

    numeric_gradient.check(used, samples.float64(2, 4))


def test_gradient_beside_minus_infinity() -> None:
    x = tv.constant([-np.inf, 1.0, 1.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        result = cumulative_logsumexp(x)[1:]
    assert tape.gradient(result, x).numpy().tolist() == [0.0, 1.5, 0.5]
