"""where, with one and with three arguments."""

from typing import Any

import hypothesis
import hypothesis.extra.numpy as arrays
import numpy as np
import pytest

import tensorvar as tv
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_select_dtypes(device: str, dtype: Any) -> None:
    first, second = (device_parity.sample(dtype, (2, 3), seed=seed) for seed in (0, 1))
    condition = np.array([[True], [False]])
    rules.check(
        device,
        lambda x, y: tv.where(condition, x, y),
        lambda x, y: np.where(condition, x, y),
        first,
        second,
    )


@hypothesis.given(shapes=arrays.mutually_broadcastable_shapes(num_shapes=3, min_side=0))
def test_select_broadcasts(shapes: Any) -> None:
    generator = np.random.default_rng(0)
    condition, x, y = (generator.integers(0, 2, shape) for shape in shapes.input_shapes)
    result = tv.where(condition > 0, x, y)
    np.testing.assert_array_equal(result.numpy(), np.where(condition > 0, x, y))


def test_select_takes_numbers() -> None:
    values = tv.constant([1.0, 2.0, 3.0])
    assert tv.where(values > 1, values, 0).numpy().tolist() == [0, 2, 3]
    assert tv.where(values > 1, 1, 0).dtype is tv.int32
    assert tv.where([True], [[1.0]], values).shape == (1, 3)


def test_bad_select() -> None:
    values = tv.zeros([3])
    with pytest.raises(ValueError, match='both'):
        tv.where([True], values)
    with pytest.raises(tv.errors.InvalidArgumentError, match='Incompatible shapes'):
        tv.where([True, False], values, values)
    with pytest.raises(tv.errors.InvalidArgumentError, match='expected to be'):
        tv.where([True], tv.constant(1), tv.constant(1.0))
    with pytest.raises(tv.errors.InvalidArgumentError, match='allowed are bool'):
        tv.where([1, 0, 1], values, values)


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_positions(device: str, dtype: Any) -> None:
    array = np.array([[0, 1, 0], [1, 0, 1]]).astype(dtype)
    rules.check(device, tv.where, np.argwhere, array, dtype=np.int64)


def test_positions_of_nothing() -> None:
    assert tv.where(tv.zeros([2, 3])).shape == (0, 2)
    with pytest.raises(tv.errors.InvalidArgumentError, match='scalar'):
        tv.where(True)


def test_gradient() -> None:
    condition = np.array([[True, False, True], [False, False, True]])
    numeric_gradient.check(
        lambda x, y: tv.where(condition, x * x, y**3), samples.float64(3), samples.float64(2, 1)
    )


def test_gradient_does_not_pass_a_nan_of_the_other_side() -> None:
    values = tv.constant([1.0, 0.0])
    with tv.GradientTape() as tape:
        tape.watch(values)
        result = tv.where(values > 0, values, np.nan * tv.ones([2]))
    assert tape.gradient(result, values).numpy().tolist() == [1, 0]
