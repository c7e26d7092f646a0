"""transpose, reverse, roll, tile, repeat."""

import itertools
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (2, 3))
    rules.check(
        device,
        lambda x: [
            tv.transpose(x),
            tv.reverse(x, [1]),
            tv.roll(x, 1, 1),
            tv.tile(x, [2, 3]),
            tv.repeat(x, [2, 0, 1], 1),
        ],
        lambda x: [
            x.T,
            x[:, ::-1],
            np.roll(x, 1, 1),
            np.tile(x, [2, 3]),
            np.repeat(x, [2, 0, 1], 1),
        ],
        array,
    )


@pytest.mark.parametrize('perm', [None, *itertools.permutations(range(3)), (-1, 0, -2)], ids=str)
def test_transpose(device: str, perm: Any) -> None:
    array = device_parity.sample(np.float32, (2, 3, 4))
    rules.check(device, lambda x: tv.transpose(x, perm), lambda x: np.transpose(x, perm), array)


def test_conjugate_transpose(device: str) -> None:
    array = device_parity.sample(np.complex64, (2, 3))
    rules.check(device, lambda x: tv.transpose(x, conjugate=True), lambda x: x.conj().T, array)
    real = device_parity.sample(np.int32, (2, 3))
    rules.check(device, lambda x: tv.transpose(x, conjugate=True), lambda x: x.T, real)


@pytest.mark.parametrize('perm', [[0], [0, 0], [0, 2], [0, 1, 2], [0, -2]])
def test_bad_perm(perm: list[int]) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[Transpose\]'):
        tv.transpose(tv.zeros([2, 3]), perm)


@pytest.mark.parametrize('axis', [[], [0], [0, -1], [1, 0, 2]])
def test_reverse(device: str, axis: list[int]) -> None:
    array = device_parity.sample(np.float32, (2, 3, 4))
    rules.check(device, lambda x: tv.reverse(x, axis), lambda x: np.flip(x, axis), array)


def test_bad_reverse() -> None:
    for axis in ([1], [0, 0], [0, -1]):
        with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[ReverseV2\]'):
            tv.reverse(tv.zeros([3]), axis)


@pytest.mark.parametrize(
    ('shift', 'axis'), [(1, 0), (-5, -1), ([1, 2], [0, 1]), ([1, 2, -4], [0, 0, -2])]
)
def test_roll(device: str, shift: Any, axis: Any) -> None:
    array = device_parity.sample(np.float32, (3, 4))
    rules.check(device, lambda x: tv.roll(x, shift, axis), lambda x: np.roll(x, shift, axis), array)


def test_bad_roll() -> None:
    for value, shift, axis in (([1], [1], [1]), ([1], [1, 2], [0]), (1, 1, 0)):
        with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[Roll\]'):
            tv.roll(value, shift, axis)


@pytest.mark.parametrize('multiples', [[1, 1], [0, 2], [3, 2]])
def test_tile(device: str, multiples: list[int]) -> None:
    array = device_parity.sample(np.float32, (2, 3))
    rules.check(device, lambda x: tv.tile(x, multiples), lambda x: np.tile(x, multiples), array)


def test_tile_of_a_scalar() -> None:
    assert tv.tile(5, []).numpy() == 5


def test_bad_tile() -> None:
    for multiples in ([2], [2, 2, 2], [2, -1]):
        with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[Tile\]'):
            tv.tile(tv.zeros([2, 2]), multiples)


@pytest.mark.parametrize(
    ('repeats', 'axis'),
    [(2, None), ([2], 0), (0, 1), ([1, 2, 3], -1), ([1, 2], 0), ([1, 0, 2, 1, 1, 0], None)],
)
def test_repeat(device: str, repeats: Any, axis: Any) -> None:
    array = device_parity.sample(np.float32, (2, 3))
    rules.check(
        device,
        lambda x: tv.repeat(x, repeats, axis),
        lambda x: np.repeat(x, repeats, axis),
        array,
    )


def test_repeat_arguments() -> None:
    assert tv.repeat(3, 2).numpy().tolist() == [3, 3]
    assert tv.repeat([3, 4], tv.constant([1, 2])).numpy().tolist() == [3, 4, 4]
    assert tv.repeat(tv.zeros([0]), []).shape == (0,)
    for repeats, axis in (([1, 2, 3], 0), ([], 0), (-1, 0), ([1, -1], 0), (1, 2)):
        with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[Repeat\]'):
            tv.repeat(tv.zeros([2, 2]), repeats, axis)


def test_gradients() -> None:
    values = samples.float64(2, 3)
    for function in (
        lambda x: tv.transpose(x) ** 2,
        lambda x: tv.reverse(x, [1, 0]) ** 2,
        lambda x: tv.roll(x, [1, 2], [0, 1]) ** 2,
        lambda x: tv.tile(x, [3, 2]) ** 2,
        lambda x: tv.repeat(x, 3, 1) ** 2,
        lambda x: tv.repeat(x, [2, 0, 1], 1) ** 2,
        lambda x: tv.repeat(x, 2) ** 2,
    ):
        numeric_gradient.check(function, values)
    numeric_gradient.check(
        lambda x: tv.transpose(x, [1, 2, 0], conjugate=True), samples.complex128(2, 1, 3)
    )
