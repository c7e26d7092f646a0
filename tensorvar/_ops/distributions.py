"""Distributions over Philox words, with TensorFlow's numbers.

Every function takes the array module, a key and a 128-bit counter, a shape and a
canonical NumPy dtype, and gives an array of that shape and dtype. Bits, integers
and uniform floats equal TensorFlow's on its CPU. Normal values go through
log, sin and cos: for float32 these are computed in float64 and rounded once, so that
devices agree with each other. Of a million float32 values 98.5 % then equal TensorFlow's,
and the others differ by 1 or 2 units in the last place, six of them by 3; of float64
values 99.8 %, the others by 1 or 2.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._ops import philox
from tensorvar._ops.philox import Words

Shape = tuple[int, ...]
NumpyDType = np.dtype[Any]

# Counters worked on at a time. It bounds temporary memory to tens of MiB on a card,
# which wants long arrays; the CPU wants what fits its caches.
_COUNTERS_ON_A_CARD = 1 << 19
_COUNTERS_ON_THE_CPU = 1 << 14

# Random bits in the fraction of a uniform value.
_FRACTION_BITS = {
    dtypes.bfloat16.numpy: 7,
    dtypes.float16.numpy: 10,
    dtypes.float32.numpy: 23,
    dtypes.float64.numpy: 52,
}
_FLOAT32 = dtypes.float32.numpy
_FLOAT64 = dtypes.float64.numpy

# Smallest uniform value that reaches the logarithm, as float32 and float64 round it.
_SMALLEST_FLOAT32 = float(np.float32(1e-7))
_SMALLEST_FLOAT64 = 1e-7

# A truncated normal keeps values nearer to 0 than this.
TRUNCATION = 2.0

# TensorFlow sets aside this many words for each value of a truncated normal, so that
# its groups of values do not depend on each other.
_WORDS_PER_TRUNCATED_VALUE = 256


def uniform(xp: Any, key: int, counter: int, shape: Shape, dtype: NumpyDType) -> Array:
    """Floats in [0, 1)."""

    def values(words: Words) -> Array:
        if dtype is _FLOAT64:
            return _pair_order(unit_float64(xp, words))
        even = _unit_float(xp, words.even, dtype)
        return word_order(xp, even, _unit_float(xp, words.odd, dtype))

    return _fill(xp, key, counter, shape, dtype, values)


def integers(
    xp: Any, key: int, counter: int, shape: Shape, dtype: NumpyDType, low: int, high: int
) -> Array:
    """Integers of 32 or 64 bits in [low, high), which must not be empty.

    As in TensorFlow a draw is taken modulo ``high - low``, which favours small values
    slightly unless that is a power of two.
    """
    bits = 8 * dtype.itemsize
    span = high - low

    def values(words: Words) -> Array:
        if bits == 64:
            drawn = _pair_order(words.odd << 32 | words.even)
        else:
            drawn = word_order(xp, words.even, words.odd)
        if span < 1 << bits:
            drawn %= span
        return shift_integers(drawn, low, dtype)

    return _fill(xp, key, counter, shape, dtype, values)


def shift_integers(drawn: Array, low: int, dtype: NumpyDType) -> Array:
    """``drawn + low`` in ``dtype``, where ``drawn`` is unsigned and may be overwritten."""
    bits = 8 * dtype.itemsize
    if low:
        # Two's complement: adding modulo 2**bits is right for negative numbers too.
        drawn += low % (1 << bits)
    return drawn.astype(f'uint{bits}', copy=False).view(dtype)


def normal(xp: Any, key: int, counter: int, shape: Shape, dtype: NumpyDType) -> Array:
    """Normal values with mean 0 and standard deviation 1."""

    def values(words: Words) -> Array:
        return _normals(xp, words, dtype).reshape(-1)

    return _fill(xp, key, counter, shape, dtype, values)


def truncated_normal(xp: Any, key: int, counter: int, shape: Shape, dtype: NumpyDType) -> Array:
    """Normal values, drawn again where they are 2 or more away from 0."""

    def values(groups: Array) -> Array:
        return _truncated_groups(xp, key, counter, groups, dtype).reshape(-1)

    return _fill_groups(xp, shape, dtype, values)


def _fill(
    xp: Any,
    key: int,
    counter: int,
    shape: Shape,
    dtype: NumpyDType,
    values: Callable[[Words], Array],
) -> Array:
    def of_counters(offsets: Array) -> Array:
        return values(philox.words(xp, key, counter, offsets))

    return _fill_groups(xp, shape, dtype, of_counters)


def _fill_groups(
    xp: Any, shape: Shape, dtype: NumpyDType, values: Callable[[Array], Array]
) -> Array:
    """An array filled by ``values(group numbers)``, some groups at a time."""
    size = math.prod(shape)
    result = xp.empty(shape, dtype)
    flat = result.reshape(-1)
    per_group = _values_per_counter(dtype)
    groups = -(-size // per_group)
    at_once = _COUNTERS_ON_THE_CPU if xp is np else _COUNTERS_ON_A_CARD
    for first in range(0, groups, at_once):
        stop = min(first + at_once, groups)
        begin, end = first * per_group, min(stop * per_group, size)
        flat[begin:end] = values(xp.arange(first, stop, dtype=xp.uint64))[: end - begin]
    return result


def _values_per_counter(dtype: NumpyDType) -> int:
    return 2 if dtype.itemsize == 8 else 4


def word_order(xp: Any, even: Array, odd: Array) -> Array:
    """Values of the words 0, 1, 2, 3 of each counter, one counter after the other."""
    return xp.stack([even, odd], axis=-1).swapaxes(0, 1).reshape(-1)


def _pair_order(values: Array) -> Array:
    """Values of the pairs 0, 1 of each counter, one counter after the other."""
    return values.swapaxes(0, 1).reshape(-1)


def _unit_float(xp: Any, words: Array, dtype: NumpyDType) -> Array:
    """The low bits of words as a fraction in [0, 1), exact in ``dtype``."""
    bits = _FRACTION_BITS[dtype]
    fraction = (words & ((1 << bits) - 1)).astype(xp.float32)
    fraction *= 2.0**-bits
    return fraction.astype(dtype, copy=False)


def unit_float64(xp: Any, words: Words) -> Array:
    """Pairs of words as fractions in [0, 1)."""
    bits = _FRACTION_BITS[_FLOAT64]
    high = words.even & ((1 << bits - 32) - 1)
    fraction = (high << 32 | words.odd).astype(xp.float64)
    fraction *= 2.0**-bits
    return fraction


def _normals(xp: Any, words: Words, dtype: NumpyDType) -> Array:
    """The normal values of each counter, along a new last axis."""
    if dtype is _FLOAT64:
        return xp.stack(box_muller_float64(xp, words), axis=-1)
    pairs = xp.stack(_box_muller_float32(xp, words), axis=-1)
    return xp.concatenate([pairs[0], pairs[1]], axis=-1).astype(dtype, copy=False)


def _box_muller_float32(xp: Any, words: Words) -> tuple[Array, Array]:
    """Two normal values for each pair of words, in TensorFlow's float32 steps."""
    first = xp.maximum(_unit_float(xp, words.even, _FLOAT32).astype(xp.float64), _SMALLEST_FLOAT32)
    radius = xp.sqrt(xp.log(first).astype(xp.float32) * -2.0)
    turn = _unit_float(xp, words.odd, _FLOAT32).astype(xp.float64) * (2.0 * math.pi)
    angle = turn.astype(xp.float32).astype(xp.float64)
    sine = xp.sin(angle).astype(xp.float32)
    cosine = xp.cos(angle).astype(xp.float32)
    return sine * radius, cosine * radius


def box_muller_float64(xp: Any, words: Words) -> tuple[Array, Array]:
    """Two normal values for the two pairs of each counter."""
    units = unit_float64(xp, words)
    radius = xp.sqrt(xp.log(xp.maximum(units[0], _SMALLEST_FLOAT64)) * -2.0)
    angle = units[1] * (2.0 * math.pi)
    return xp.sin(angle) * radius, xp.cos(angle) * radius


def _truncated_groups(xp: Any, key: int, counter: int, groups: Array, dtype: NumpyDType) -> Array:
    """The values of some groups, shape ``(groups, values per group)``.

    A group is what TensorFlow draws from its own stretch of counters: as many values as
    one counter gives, each the next one that is acceptable. One counter is enough for
    five groups of six; the others go on with more and more.
    """
    computed = _FLOAT64 if dtype is _FLOAT64 else _FLOAT32
    wanted = _values_per_counter(dtype)
    starts = groups * (wanted * _WORDS_PER_TRUNCATED_VALUE // 4)
    result = _candidates(xp, key, counter, starts, 1, computed)
    rows = xp.nonzero((xp.abs(result) >= TRUNCATION).any(axis=1))[0]
    counters = 1
    while rows.size:
        counters *= 4
        candidates = _candidates(xp, key, counter, starts[rows], counters, computed)
        accepted = (xp.abs(candidates) < TRUNCATION).astype(xp.int32).cumsum(axis=1)
        # The first place at which 1, 2, ... candidates have been accepted.
        places = xp.stack([(accepted > count).argmax(axis=1) for count in range(wanted)], axis=1)
        result[rows] = xp.take_along_axis(candidates, places, axis=1)
        rows = rows[xp.nonzero(accepted[:, -1] < wanted)[0]]
    return result.astype(dtype, copy=False)


def _candidates(
    xp: Any, key: int, counter: int, starts: Array, counters: int, dtype: NumpyDType
) -> Array:
    """The normal values of ``counters`` counters from each start, a row for each."""
    offsets = starts[:, None] + xp.arange(counters, dtype=xp.uint64)
    words = philox.words(xp, key, counter, offsets)
    return _normals(xp, words, dtype).reshape(starts.size, -1)
