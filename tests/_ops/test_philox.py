"""The generator itself: published answers, wrapping counters, TensorFlow's skips."""

import numpy as np
import pytest

from tensorvar._ops import philox

ONES_64 = philox.MASK_64
ONES_128 = philox.MASK_128

# From the test vectors of the Random123 library: key, counter, words.
KNOWN = [
    (0, 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (ONES_64, ONES_128, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        0x299F31D0A4093822,
        0x0370734413198A2E85A308D3243F6A88,
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def words_of(key: int, counter: int, offsets: np.ndarray) -> list[tuple[int, ...]]:
    even, odd = philox.words(np, key, counter, offsets)
    columns = [even[0], odd[0], even[1], odd[1]]
    return [tuple(int(word) for word in row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize(('key', 'counter', 'expected'), KNOWN)
def test_known_answers(key: int, counter: int, expected: tuple[int, ...]) -> None:
    assert philox.block(key, counter) == expected
    assert words_of(key, counter, np.zeros(1, np.uint64)) == [expected]


@pytest.mark.parametrize('counter', [0, 2**32 - 2, 2**64 - 2, 2**96 - 2, 2**128 - 2])
def test_counters_carry_and_wrap(counter: int) -> None:
    found = words_of(77, counter, np.arange(5, dtype=np.uint64))
    assert found == [philox.block(77, (counter + step) % 2**128) for step in range(5)]


def test_offsets_may_have_any_shape() -> None:
    offsets = np.array([[0, 2**63, 5], [7, 2**40, 1]], np.uint64)
    even, odd = philox.words(np, 3, 2**64 - 1, offsets)
    assert even.shape == odd.shape == (2, 2, 3)
    expected = philox.block(3, 2**64 - 1 + 2**40)
    assert [int(array[pair, 1, 1]) for pair in (0, 1) for array in (even, odd)] == list(expected)


@pytest.mark.parametrize('count', [0, 1, 2**32 - 1, 2**32, 2**56, 2**64 - 2**40])
@pytest.mark.parametrize('counter', [0, 5, 2**32 - 1, 2**64 - 1, 2**127 + 2**64 - 1, 2**128 - 1])
def test_skip_adds(counter: int, count: int) -> None:
    assert philox.skip(counter, count) == (counter + count) % 2**128


def test_small_steps_back_keep_the_high_half_as_in_tensorflow() -> None:
    high = 7 << 64
    assert philox.skip(high + 1000, -256) == high + 744
    # A borrow from the second word adds to the high half, where it should take away.
    assert philox.skip(high + (1 << 32) + 5, -256) == (8 << 64) + (1 << 32) + 5 - 256


def test_scramble_gives_a_key_and_a_counter_with_an_empty_low_half() -> None:
    key, counter = philox.scramble((1, 2))
    assert 0 <= key < 2**64
    assert counter & ONES_64 == 0
    assert philox.scramble((1 - 2**64, 2)) == (key, counter)
    assert philox.scramble((2, 1)) != (key, counter)
