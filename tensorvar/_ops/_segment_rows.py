"""Products and extremes of rows by segment, and what their gradients share.

Sums are ``_rows.sum_rows``. Rows whose segment is out of range are dropped.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._core import executor
from tensorvar._core.op_registry import OPS
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _gradient_helpers, _rows, array_shape, gather
from tensorvar._ops._gradient_helpers import Gradients

_INT64 = dtypes.int64.numpy
_UNSCALED = (dtypes.int64.numpy, dtypes.uint64.numpy)

Reduce = Callable[[Any], Tensor]
"""Reduces values of the shape of an op's data with the op's segments."""


def extreme_rows(xp: Any, name: str, count: int, rows: Array, values: Array, start: Any) -> Array:
    """The greatest or least elements of the rows of each segment.

    Args:
        xp: the array module.
        name: ``'maximum'`` or ``'minimum'``.
        count: number of segments.
        rows: the segment of each row, shape ``(n,)``.
        values: real numbers, shape ``(n, width)``.
        start: what an empty segment gives.

    Returns:
        An array of shape ``(count, width)`` in the dtype of ``values``.
    """
    dtype = values.dtype
    # Small dtypes, which CUDA has no atomic operations for, are widened without loss.
    wide = dtype if dtype in _UNSCALED else _rows.accumulation_dtype(dtype)
    result = xp.full((count + 1, values.shape[1]), start, wide)
    _rows.update_rows(xp, name, result, _rows.caught(xp, rows, count), values.astype(wide))
    return result[:count].astype(dtype)


def multiply_rows(xp: Any, count: int, rows: Array, values: Array) -> Array:
    """The products of the rows of each segment; 1 for an empty segment.

    Not every array library multiplies in place by index. So rows are brought next to
    those of their segment, and each is multiplied with what lies 1, 2, 4, ... before it.

    Args:
        xp: the array module.
        count: number of segments.
        rows: the segment of each row, shape ``(n,)``.
        values: numbers, shape ``(n, width)``.

    Returns:
        An array of shape ``(count, width)`` in ``accumulation_dtype``.
    """
    wide = _rows.accumulation_dtype(values.dtype)
    one = xp.ones((), wide)
    length = rows.shape[0]
    if length == 0 or count == 0:
        return xp.ones((count, values.shape[1]), wide)
    order = xp.argsort(rows, kind='stable')
    rows = xp.take(rows, order).astype(_INT64)
    running = xp.take(values, order, axis=0).astype(wide)
    step = 1
    while step < length:
        same = (rows[step:] == rows[:-step])[:, None]
        factors = xp.where(same, running[:-step], one)
        running = xp.concatenate([running[:step], running[step:] * factors])
        step *= 2
    segments = xp.arange(count, dtype=_INT64)
    last = xp.maximum(xp.searchsorted(rows, segments, side='right') - 1, 0)
    filled = xp.take(rows, last) == segments
    return xp.where(filled[:, None], xp.take(running, last, axis=0), one)


def limit(dtype: np.dtype[Any], which: str) -> Any:
    """The least (``'min'``) or greatest finite value of a real dtype."""
    value = getattr(dtypes.from_numpy(dtype), which)
    return int(value) if dtype.kind in 'iu' else float(value)


# Gradients


def spread(values: Tensor, segment_ids: Tensor, rank: int) -> Tensor:
    """Gives every row what its segment has; zeros for rows that were dropped.

    Args:
        values: one row per segment.
        segment_ids: the segments; negative ones were dropped.
        rank: of the result.
    """
    rows = gather.gather(values, executor.run(OPS['Maximum'], segment_ids, 0))
    shape = segment_ids._shape + (1,) * (rank - segment_ids.ndim)
    return _gradient_helpers.where(array_shape.reshape(segment_ids >= 0, shape), rows, 0)


def extreme_gradient(context: Any, gradient: Tensor, total: Reduce) -> Gradients:
    """The elements that reach the extreme of their segment share its gradient."""
    data, segment_ids = context.inputs
    rank = len(data._shape)
    reached = data == spread(context.outputs[0], segment_ids, rank)
    chosen = executor.run(OPS['Cast'], reached, dtype=data.dtype.numpy)
    # NaN and empty segments leave segments that nothing reaches.
    ties = executor.run(OPS['Maximum'], total(chosen), 1)
    return chosen * spread(gradient / ties, segment_ids, rank), None


def product_gradient(context: Any, gradient: Tensor, total: Reduce, product: Reduce) -> Gradients:
    """Each element gets the product of the others, zeros among them included."""
    data, segment_ids = context.inputs
    rank = len(data._shape)
    data = _gradient_helpers.conjugate(data)
    is_zero = data == 0
    zeros = total(executor.run(OPS['Cast'], is_zero, dtype=data.dtype.real_dtype.numpy))
    several = zeros > 1
    gradient = _gradient_helpers.where(several, 0, gradient)
    others = _gradient_helpers.where(is_zero, 1, data)
    whole = spread(_gradient_helpers.conjugate(context.outputs[0]), segment_ids, rank)
    beside_zero = spread(product(others), segment_ids, rank)
    partial = _gradient_helpers.where(is_zero, beside_zero, whole / others)
    return spread(gradient, segment_ids, rank) * partial, None
