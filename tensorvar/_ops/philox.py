"""Philox4x32-10, the counter-based generator behind every seeded draw.

A 64-bit key and a 128-bit counter give four 32-bit words; the next counter gives
the next four. Nothing else is remembered, so any part of a stream can be computed
at once, on any device, with the same bits. (Salmon et al., 'Parallel random numbers:
as easy as 1, 2, 3', SC 2011.)

Keys and counters are Python integers: on a card they become kernel arguments, so no
draw waits for a copy. The words are computed in array-module terms, as 32-bit values
in uint64 arrays, because a product of two words needs 64 bits.
"""

from typing import Any, NamedTuple

from tensorvar._backend.base import Array

MASK_32 = (1 << 32) - 1
MASK_64 = (1 << 64) - 1
MASK_128 = (1 << 128) - 1

_ROUNDS = 10
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)

# TensorFlow scrambles the seeds of its stateless ops with this key.
_SCRAMBLE_KEY = 0x02461E293EC8F720


class Words(NamedTuple):
    """The words of many counters, two arrays of shape ``(2, *counters)``.

    Attributes:
        even: words 0 and 2 of each counter.
        odd: words 1 and 3 of each counter.

    The words of one counter come in pairs, (0, 1) and (2, 3); most distributions
    use a pair as one value, which is then ``even[i], odd[i]``.
    """

    even: Array
    odd: Array


def words(xp: Any, key: int, counter: int, offsets: Array) -> Words:
    """Computes the words of the counters ``counter + offsets``.

    Args:
        xp: the array module.
        key: 64 bits.
        counter: 128 bits; the sum wraps.
        offsets: uint64 array of any shape.

    Returns:
        The words, each a uint64 array of shape ``(2, *offsets.shape)``.
    """
    even, odd = _counter_words(xp, counter, offsets)
    ones = (1,) * offsets.ndim
    multipliers = _pair(xp, *_MULTIPLIERS).reshape((2, *ones))
    rounds = xp.arange(_ROUNDS, dtype=xp.uint64)[:, None]
    keys = _pair(xp, key & MASK_32, key >> 32) + rounds * _pair(xp, *_KEY_STEPS)
    keys = (keys & MASK_32).reshape((_ROUNDS, 2, *ones))
    for step in range(_ROUNDS):
        product = even * multipliers
        # Each product feeds the other pair: word 0 takes the high half of product 1.
        even = (product >> 32)[::-1] ^ odd
        even ^= keys[step]
        odd = product[::-1] & MASK_32
    return Words(even, odd)


def block(key: int, counter: int) -> tuple[int, int, int, int]:
    """The four words of one counter, computed on the host."""
    word_0, word_1, word_2, word_3 = (counter >> shift & MASK_32 for shift in (0, 32, 64, 96))
    for key_0, key_1 in _rounds(key):
        product_0 = word_0 * _MULTIPLIERS[0]
        product_1 = word_2 * _MULTIPLIERS[1]
        word_0 = product_1 >> 32 ^ word_1 ^ key_0
        word_1 = product_1 & MASK_32
        word_2 = product_0 >> 32 ^ word_3 ^ key_1
        word_3 = product_0 & MASK_32
    return word_0, word_1, word_2, word_3


def skip(counter: int, count: int) -> int:
    """The counter after ``count`` steps, as TensorFlow's ``Skip`` computes it.

    Args:
        counter: 128 bits.
        count: taken modulo 2**64, so that a negative count steps back.

    Returns:
        The sum, modulo 2**128. As in TensorFlow, a step back by less than 2**32 that
        does not cross a multiple of 2**32 leaves the high 64 bits alone, and one that
        does adds to them instead of borrowing.
    """
    count &= MASK_64
    low = (counter & MASK_64) + count
    # TensorFlow adds in 32-bit pieces, and loses a carry into a piece of all ones.
    lost = count >> 32 == MASK_32 and (counter & MASK_32) + (count & MASK_32) > MASK_32
    carry = 0 if lost else low >> 64
    high = (counter >> 64) + carry & MASK_64
    return high << 64 | low & MASK_64


def scramble(seed: tuple[int, int]) -> tuple[int, int]:
    """Key and counter of TensorFlow's stateless ops for a pair of 64-bit seeds."""
    counter = (seed[1] & MASK_64) << 64 | seed[0] & MASK_64
    mixed = block(_SCRAMBLE_KEY, counter)
    return mixed[1] << 32 | mixed[0], (mixed[3] << 32 | mixed[2]) << 64


def _rounds(key: int) -> list[tuple[int, int]]:
    low, high = key & MASK_32, key >> 32
    return [
        (low + step * _KEY_STEPS[0] & MASK_32, high + step * _KEY_STEPS[1] & MASK_32)
        for step in range(_ROUNDS)
    ]


def _counter_words(xp: Any, counter: int, offsets: Array) -> Words:
    low, high = counter & MASK_64, counter >> 64
    lows = offsets + low
    # The sum wraps; it is smaller than its operands exactly where it did.
    highs = (lows < offsets).astype(xp.uint64) + high
    even = xp.stack([lows & MASK_32, highs & MASK_32])
    odd = xp.stack([lows >> 32, highs >> 32])
    return Words(even, odd)


def _pair(xp: Any, first: int, second: int) -> Array:
    """Two numbers below ``2**32`` as an array, which is computed and not copied to a card."""
    places = xp.arange(2, dtype=xp.uint64)
    return (1 - places) * first + places * second
