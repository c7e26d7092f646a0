"""Sums whose rounding error does not grow with the number of terms.

NumPy adds pairwise along the last axis but row after row along the others, where the
error of a float32 sum grows with the number of rows. Here long columns are summed in
blocks, and the blocks' sums in blocks again.
"""

import math
from typing import Any

import numpy as np

from tensorvar import _shapes, dtypes
from tensorvar._backend import host_sums
from tensorvar._backend.base import Array

BLOCK = 64
"""Rows that are added one after the other."""

_ROUNDING = frozenset({dtypes.float32.numpy, dtypes.complex64.numpy})

Axes = int | tuple[int, ...] | None


def pairwise_sum(xp: Any, array: Array, axis: Axes, keepdims: bool) -> Array:
    """Sums over ``axis`` in the dtype of ``array``."""
    if xp is np:
        short = host_sums.short_sum(array, axis, keepdims)
        if short is not None:
            return short
    if _may_be_long(array, axis) and array.dtype in _ROUNDING:
        axes = _shapes.normalize_axes('Sum', axis, array.ndim)
        if _is_long_column(array, axes):
            return _sum_columns(array, axes, keepdims)
    return array.sum(axis=axis, keepdims=keepdims, dtype=array.dtype)


def pairwise_mean(xp: Any, array: Array, axis: Axes, keepdims: bool) -> Array:
    """Means over ``axis``; NaN for means of nothing."""
    total = pairwise_sum(xp, array, axis, keepdims)
    if array.size == 0:
        return xp.full(total.shape, math.nan, total.dtype)
    return total / (array.size // total.size)


def _may_be_long(array: Array, axis: Axes) -> bool:
    """Tells short sums, which are most, from others at little cost."""
    if axis is None or array.ndim < 2 or array.size <= BLOCK:
        return False
    if type(axis) is tuple and len(axis) == 1:
        axis = axis[0]
    if type(axis) is int and -array.ndim <= axis < array.ndim:
        return bool(array.shape[axis] > BLOCK)
    return True


def _is_long_column(array: Array, axes: tuple[int, ...]) -> bool:
    """Whether ``axes`` are adjacent, do not end the shape, and hold many rows."""
    if not axes or axes[-1] == array.ndim - 1 or axes[-1] - axes[0] + 1 != len(axes):
        return False
    rows: int = math.prod(array.shape[i] for i in axes)
    return rows > BLOCK


def _sum_columns(array: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
    shape = array.shape
    outer, inner = shape[: axes[0]], shape[axes[-1] + 1 :]
    rows = math.prod(shape[axes[0] : axes[-1] + 1])
    total = _fold(array.reshape((math.prod(outer), rows, math.prod(inner))))
    return total.reshape(outer + (1,) * (len(axes) if keepdims else 0) + inner)


def _fold(array: Array) -> Array:
    """Sums an array of rank 3 over its middle axis."""
    outer, rows, inner = array.shape
    if rows <= BLOCK:
        return array.sum(axis=1)
    blocks = rows // BLOCK
    whole = blocks * BLOCK
    total = _fold(array[:, :whole].reshape((outer, blocks, BLOCK, inner)).sum(axis=2))
    return total if whole == rows else total + array[:, whole:].sum(axis=1)
