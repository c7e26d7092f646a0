"""Operands reduced to few dimensions, and the numbers that kernels divide by."""

import random
import struct

import numpy as np
import pytest

from tensorvar._cuda import layout
from tensorvar._cuda.layout import Dimension, Pattern


def collapse(destination: np.ndarray, source: np.ndarray) -> tuple[Dimension, ...]:
    strides = layout.broadcast_strides(destination.shape, source.shape, source.strides)
    assert strides is not None
    return layout.collapse(destination.shape, destination.strides, strides)


def pattern(destination: np.ndarray, source: np.ndarray) -> Pattern:
    dimensions = collapse(destination, source)
    return layout.classify(dimensions, destination.itemsize, source.itemsize)


FLOATS = np.zeros((4, 5, 6), np.float32)
MATRIX = np.zeros((40, 30), np.float32)


@pytest.mark.parametrize(
    ('destination', 'source', 'expected'),
    [
        (FLOATS, FLOATS, Pattern('contiguous')),
        (FLOATS, FLOATS.astype(np.int8), Pattern('contiguous')),
        (FLOATS.T, FLOATS.T, Pattern('contiguous')),
        (FLOATS[0, 0, 0], FLOATS[0, 0, 0], Pattern('contiguous')),
        (FLOATS[:1, :, :1], FLOATS[:1, :, 0:1], Pattern('strided')),
        (FLOATS, FLOATS[:1, :1, :1], Pattern('single')),
        (FLOATS, FLOATS[0], Pattern('row', (30,))),
        (FLOATS, FLOATS[0, 0], Pattern('row', (6,))),
        (FLOATS, FLOATS[:, :, :1], Pattern('strided')),
        (FLOATS, FLOATS[:, :1], Pattern('strided')),
        (FLOATS[:, ::2], FLOATS[:, ::2], Pattern('strided')),
        (FLOATS[::-1], FLOATS, Pattern('strided')),
        (MATRIX, np.zeros((30, 40), np.float32).T, Pattern('transposed', (1, 30, 40))),
        (MATRIX[:, :9], np.zeros((9, 40), np.float32).T, Pattern('strided')),
        (np.zeros((40, 9)), np.zeros((9, 40)).T, Pattern('strided')),
        (np.zeros((3, 20, 30)), np.zeros((3, 30, 20)).swapaxes(1, 2),
         Pattern('transposed', (3, 30, 20))),
    ],
)  # fmt: skip
def test_patterns(destination: np.ndarray, source: np.ndarray, expected: Pattern) -> None:
    assert pattern(destination, source) == expected


def test_dimensions_that_are_walked_as_one_are_merged() -> None:
    whole = np.zeros((2, 3, 4, 5), np.float32)
    assert collapse(whole, whole) == (Dimension(120, 4, 4),)
    assert collapse(whole[:, :, :, 1:], whole[:, :, :, 1:]) == (
        Dimension(24, 20, 20), Dimension(4, 4, 4),
    )  # fmt: skip
    assert collapse(whole, whole[:, :1]) == (
        Dimension(2, 240, 240), Dimension(3, 80, 0), Dimension(20, 4, 4),
    )  # fmt: skip


@pytest.mark.parametrize(
    ('shape', 'source'), [((3,), (2,)), ((3,), (1, 3)), ((2, 3), (2, 1, 1)), ((1,), (0,))]
)
def test_shapes_that_do_not_broadcast(shape: tuple[int, ...], source: tuple[int, ...]) -> None:
    assert layout.broadcast_strides(shape, source, (4,) * len(source)) is None


def divide(dividend: int, divisor: int) -> int:
    value, multiplier, shift = struct.unpack('<3Q', layout.pack_divisor(divisor))
    assert value == divisor
    return (dividend * multiplier >> 64) >> shift if multiplier else dividend


def test_divisors_are_exact_below_2_to_63() -> None:
    draw = random.Random(0)
    divisors = [1, 2, 3, 5, 7, 10, 641, 2**31, 2**31 + 1, 2**62, 2**63 - 1]
    divisors += [draw.randrange(1, 2 ** draw.randrange(1, 64)) for _ in range(500)]
    for divisor in divisors:
        most = (2**63 - 1) // divisor
        for quotient in (0, 1, most, draw.randrange(most + 1)):
            exact = quotient * divisor
            for dividend in (exact - 1, exact, exact + 1, 2**63 - 1):
                if 0 <= dividend < 2**63:
                    assert divide(dividend, divisor) == dividend // divisor


def test_a_walk_by_value() -> None:
    walk = layout.pack_walk((Dimension(7, -80, 0), Dimension(5, 16, -4)))
    assert len(walk) == layout.WALK_BYTES
    numbers = struct.unpack('<2Q18Q12q', walk)
    assert numbers[:2] == (35, 2)
    assert numbers[2] == 5
    assert numbers[5] == 7
    assert numbers[20:26] == (16, -80, 0, 0, 0, 0)
    assert numbers[26:] == (-4, 0, 0, 0, 0, 0)


def test_offsets_of_dimensions_that_a_kernel_does_not_walk() -> None:
    assert layout.outer_offsets(()) == [(0, 0)]
    offsets = layout.outer_offsets((Dimension(2, 100, 0), Dimension(3, 10, -1)))
    assert offsets == [(0, 0), (10, -1), (20, -2), (100, 0), (110, -1), (120, -2)]


def test_the_bytes_that_an_array_covers() -> None:
    assert layout.byte_range(FLOATS) == (0, 480)
    assert layout.byte_range(FLOATS[::-1, 0, 0]) == (-360, 4)
    assert layout.byte_range(FLOATS[0, 0, 0]) == (0, 4)
