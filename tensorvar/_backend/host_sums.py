"""Short sums on NumPy, as products with ones: a third of the time of ``add.reduce``.

A product adds one after the other, or in a few lanes, so that is done for few terms only;
and for few elements, of which BLAS makes no parts for threads, whose number would show in
the last bits.

Measured on a Zen 5 in us, ``sum`` and product: (32, 10) over axis 0 1.1 and 0.3, over
axis 1 1.2 and 0.3; (32, 128) over axis 0 1.4 and 0.3; 32 elements 0.7 and 0.3.
"""

import functools
from typing import Any

import numpy as np

from tensorvar._backend.base import Array

TERMS = 64
"""The most that are added."""

ELEMENTS = 8192
"""The most that there are."""

_FLOATS = frozenset({np.dtype(np.float32), np.dtype(np.float64)})

Axes = int | tuple[int, ...] | None


def ones_for(shape: tuple[int, ...], dtype: np.dtype[Any], axis: Axes) -> Array | None:
    """The ones by which a vector, or a matrix, is multiplied; None for other sums.

    Args:
        shape: of what is added.
        dtype: its element type.
        axis: one axis, alone or in a tuple; or None, where there is but one.
    """
    if dtype not in _FLOATS or not 1 <= len(shape) <= 2:
        return None
    if type(axis) is tuple and len(axis) == 1:
        axis = axis[0]
    if axis is None and len(shape) == 1:
        axis = 0
    if type(axis) is not int or not -len(shape) <= axis < len(shape):
        return None
    terms = shape[axis]
    elements = terms if len(shape) == 1 else shape[0] * shape[1]
    return _ones(terms, dtype) if terms <= TERMS and 0 < elements <= ELEMENTS else None


def is_turned(axis: Axes) -> bool:
    """Whether it is the transpose of a matrix that is multiplied."""
    return axis in (0, (0,), -2, (-2,))


def short_sum(array: Array, axis: Axes, keepdims: bool) -> Array | None:
    """The sum over ``axis``; None for other sums than ``ones_for`` is for."""
    ones = ones_for(array.shape, array.dtype, axis)
    if ones is None:
        return None
    # A vector is its own transpose.
    total = (array.T if is_turned(axis) else array).dot(ones)
    if keepdims:
        kept = list(array.shape)
        kept[axis[0] if isinstance(axis, tuple) else axis or 0] = 1
        return total.reshape(kept)
    return total


@functools.cache
def _ones(count: int, dtype: np.dtype[Any]) -> Array:
    ones = np.ones(count, dtype)
    ones.flags.writeable = False
    return ones
