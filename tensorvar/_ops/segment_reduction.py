"""Reductions over runs of rows: segment_sum, segment_mean and kin.

Segments come in ascending order, so that the last one says how many there are.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, Forward, Gradient, Infer, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _index_checks, _rows, _segment_rows
from tensorvar._ops._gradient_helpers import Gradients, reshape

Reduction = Callable[[Any, int, Array, Array], Array]
"""``reduction(xp, number of segments, segment of each row, rows)`` gives a row per segment."""


def _rule(op: str) -> Infer:
    def infer(data: ArraySpec, segment_ids: ArraySpec) -> ArraySpec:
        if len(segment_ids.shape) != 1:
            raise errors.InvalidArgumentError(
                f'[{op}] segment_ids should be a vector, but shape {list(segment_ids.shape)} was '
                f'given; give one segment per row',
                op,
            )
        if not data.shape or not _arguments.same_dim(data.shape[0], segment_ids.shape[0]):
            raise errors.InvalidArgumentError(
                f'[{op}] segment_ids should be the same size as dimension 0 of input, but shapes '
                f'{list(segment_ids.shape)} and {list(data.shape)} were given; input must be at '
                f'least rank 1, with one segment per row',
                op,
            )
        return ArraySpec((None, *data.shape[1:]), data.dtype)

    return infer


def _refuse_disorder(xp: Any, op: str, segment_ids: Array) -> None:
    # On a card, too: the number of segments, asked for next, has to be waited for.
    falling = (segment_ids[1:] < segment_ids[:-1]).any()
    if not _index_checks.look(xp, xp.asarray(falling | (segment_ids[0] < 0))):
        return
    host = _index_checks.look(xp, segment_ids)
    if host[0] < 0:
        raise errors.InvalidIndexError(
            f'[{op}] segment id {int(host[0])} out of range; segments count from 0 on; '
            f'correct them',
            op,
        )
    place = int(np.flatnonzero(host[1:] < host[:-1])[0]) + 1
    raise errors.InvalidArgumentError(
        f'[{op}] segment ids are not increasing: segment_ids[{place}] = {int(host[place])} '
        f'comes after {int(host[place - 1])}; sort the rows, or use an unsorted_segment op',
        op,
    )


def _forward(op: str, reduction: Reduction) -> Forward:
    def forward(xp: Any, data: Array, segment_ids: Array) -> Array:
        tail = data.shape[1:]
        if segment_ids.shape[0] == 0:
            return xp.zeros((0, *tail), data.dtype)
        _refuse_disorder(xp, op, segment_ids)
        # An array operation, because on a card the host does not know the last segment.
        count = xp.bincount(segment_ids).shape[0]
        rows = reduction(xp, count, segment_ids, data.reshape((data.shape[0], math.prod(tail))))
        return rows.astype(data.dtype, copy=False).reshape((count, *tail))

    return forward


def _add(xp: Any, count: int, segments: Array, rows: Array) -> Array:
    return _rows.sum_rows(xp, count, segments, rows)


def _average(xp: Any, count: int, segments: Array, rows: Array) -> Array:
    total = _rows.sum_rows(xp, count, segments, rows)
    sizes = xp.maximum(xp.bincount(segments), 1)[:, None]
    if rows.dtype.kind not in 'iu':
        return total / sizes.astype(total.real.dtype)
    # Towards zero, as integers divide in C.
    total = total.astype(rows.dtype)
    if rows.dtype.kind == 'u':
        return total // sizes.astype(total.dtype)
    total = total.astype(dtypes.int64.numpy)
    return xp.sign(total) * (xp.abs(total) // sizes)


def _greatest(xp: Any, count: int, segments: Array, rows: Array) -> Array:
    start = _segment_rows.limit(rows.dtype, 'min') if rows.dtype.kind in 'iu' else -math.inf
    found = _segment_rows.extreme_rows(xp, 'maximum', count, segments, rows, start)
    return _zero_gaps(xp, segments, found)


def _least(xp: Any, count: int, segments: Array, rows: Array) -> Array:
    start = _segment_rows.limit(rows.dtype, 'max') if rows.dtype.kind in 'iu' else math.inf
    found = _segment_rows.extreme_rows(xp, 'minimum', count, segments, rows, start)
    return _zero_gaps(xp, segments, found)


def _zero_gaps(xp: Any, segments: Array, found: Array) -> Array:
    return xp.where((xp.bincount(segments) > 0)[:, None], found, xp.zeros((), found.dtype))


def _register(
    name: str, reduction: Reduction, gradient: Gradient, allowed: frozenset[np.dtype[Any]]
) -> OpDef:
    return op_registry.register(
        OpDef(
            name,
            _rule(name),
            _forward(name, reduction),
            gradient,
            inputs='T i',
            dtypes={'T': allowed, 'i': _rows.INDICES},
            wide=True,
        )
    )


def _sum_gradient(context: Any, gradient: Tensor) -> Gradients:
    data, segment_ids = context.inputs
    return _segment_rows.spread(gradient, segment_ids, len(data._shape)), None


def _mean_gradient(context: Any, gradient: Tensor) -> Gradients:
    data, segment_ids = context.inputs
    rank = len(data._shape)
    ones = executor.run(op_registry.OPS['OnesLike'], segment_ids)
    sizes = executor.run(op_registry.OPS['Cast'], segment_sum(ones, segment_ids), dtype=_real(data))
    sizes = reshape(_segment_rows.spread(sizes, segment_ids, 1), (-1,) + (1,) * (rank - 1))
    if data.dtype.is_complex:
        sizes = executor.run(op_registry.OPS['Cast'], sizes, dtype=data.dtype.numpy)
    return _segment_rows.spread(gradient, segment_ids, rank) / sizes, None


def _real(data: Tensor) -> np.dtype[Any]:
    return data.dtype.real_dtype.numpy


def _prod_gradient(context: Any, gradient: Tensor) -> Gradients:
    segment_ids = context.inputs[1]
    return _segment_rows.product_gradient(
        context,
        gradient,
        lambda values: segment_sum(values, segment_ids),
        lambda values: segment_prod(values, segment_ids),
    )


def _extreme_gradient(context: Any, gradient: Tensor) -> Gradients:
    segment_ids = context.inputs[1]
    return _segment_rows.extreme_gradient(
        context, gradient, lambda values: segment_sum(values, segment_ids)
    )


SEGMENT_SUM = _register('SegmentSum', _add, _sum_gradient, dtypes.NUMERIC)
SEGMENT_MEAN = _register('SegmentMean', _average, _mean_gradient, dtypes.NUMERIC)
SEGMENT_PROD = _register('SegmentProd', _segment_rows.multiply_rows, _prod_gradient, dtypes.NUMERIC)
SEGMENT_MAX = _register('SegmentMax', _greatest, _extreme_gradient, dtypes.REAL)
SEGMENT_MIN = _register('SegmentMin', _least, _extreme_gradient, dtypes.REAL)


def _run(op: OpDef, data: Any, segment_ids: Any) -> Tensor:
    def check(host: Array) -> None:
        if host.ndim == 1 and host.size:
            _refuse_disorder(np, op.name, host)

    _rows.check_on_host(data, segment_ids, op.name, check)
    result: Tensor = executor.run(op, data, segment_ids)
    return result


def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Adds up the rows of each segment.

    On a card, segments that are not in order, or are negative, are not noticed.

    Args:
        data: numbers of rank 1 or more.
        segment_ids: the segment of each row, in ascending order; int32 or int64.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor with one row for each segment up to the last, zeros where one is empty.

    Raises:
        InvalidArgumentError: the segments are no vector of one per row, or not in order.
        InvalidIndexError: a segment is negative.
    """
    return _run(SEGMENT_SUM, data, segment_ids)


def segment_mean(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The means of the rows of each segment. See ``segment_sum``.

    Means of integers are rounded towards zero.
    """
    return _run(SEGMENT_MEAN, data, segment_ids)


def segment_prod(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Multiplies the rows of each segment; ones where one is empty. See ``segment_sum``."""
    return _run(SEGMENT_PROD, data, segment_ids)


def segment_max(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The greatest elements of the rows of each segment. See ``segment_sum``.

    ``data`` is real. Ties share the gradient. A NaN makes its segment NaN; in TensorFlow
    that depends on its place.
    """
    return _run(SEGMENT_MAX, data, segment_ids)


def segment_min(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The least elements of the rows of each segment: as ``segment_max`` does.

    See ``segment_sum``.
    """
    return _run(SEGMENT_MIN, data, segment_ids)
