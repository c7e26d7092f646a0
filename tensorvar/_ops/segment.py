"""Sums of rows by segment: unsorted_segment_sum."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import OPS, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    _gradient_helpers,
    _index_checks,
    _row_kernels,
    _rows,
    array_shape,
    gather,
)
from tensorvar._ops._gradient_helpers import Gradients

if TYPE_CHECKING:
    from tensorvar._core.kernels import Kernels

_NAME = 'UnsortedSegmentSum'


def check(op: str, data: ArraySpec, segment_ids: ArraySpec, num_segments: int) -> ArraySpec:
    """The result of the op ``op``, one row per segment.

    Raises:
        InvalidArgumentError: the shapes do not fit, or ``num_segments`` is negative.
    """
    if num_segments < 0:
        raise errors.InvalidArgumentError(
            f'[{op}] Input num_segments == {num_segments} must not be negative; '
            f'give the number of segments',
            op,
        )
    rank = len(segment_ids.shape)
    if len(data.shape) < rank or not all(
        map(_arguments.same_dim, data.shape[:rank], segment_ids.shape)
    ):
        raise errors.InvalidArgumentError(
            f'[{op}] data.shape = {list(data.shape)} does not start with segment_ids.shape = '
            f'{list(segment_ids.shape)}; give one segment per row',
            op,
        )
    return ArraySpec((num_segments, *data.shape[rank:]), data.dtype)


def _infer(data: ArraySpec, segment_ids: ArraySpec, *, num_segments: int) -> ArraySpec:
    return check(_NAME, data, segment_ids, num_segments)


def refuse_too_high(xp: Any, op: str, segment_ids: Array, num_segments: int) -> None:
    """Raises for a segment that there is not; negative ones are dropped."""
    kept = xp.maximum(segment_ids, 0) if num_segments else segment_ids[segment_ids >= 0]
    _index_checks.refuse_outside(xp, op, kept, num_segments, 'segment_ids')


def _forward(xp: Any, data: Array, segment_ids: Array, *, num_segments: int) -> Array:
    if _index_checks.may_look(xp):
        refuse_too_high(xp, _NAME, segment_ids, num_segments)
    tail = data.shape[segment_ids.ndim :]
    values = data.reshape((math.prod(segment_ids.shape), math.prod(tail)))
    total = _rows.sum_rows(xp, num_segments, segment_ids.reshape((-1,)), values)
    return total.astype(data.dtype, copy=False).reshape((num_segments, *tail))


def _kernel(kernels: 'Kernels', data: Array, segment_ids: Array, *, num_segments: int) -> Array:
    xp = kernels.xp
    ids = segment_ids.astype(dtypes.int64.numpy).reshape((-1,))
    # Negative ones go to a spare row behind the last; what is too high is reported.
    rows = xp.where(ids < 0, num_segments, xp.where(ids < num_segments, ids, -1))
    word = kernels.reports.word(_NAME, segment_ids.shape, f'below {num_segments}', 'segment_ids')
    shape = (num_segments + 1, *data.shape[segment_ids.ndim :])
    return _row_kernels.sum_rows(kernels, shape, 1, rows, data, word)[:num_segments]


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    data, segment_ids = context.inputs
    rows = gather.gather(gradient, executor.run(OPS['Maximum'], segment_ids, 0))
    shape = segment_ids._shape + (1,) * (data.ndim - segment_ids.ndim)
    counted = array_shape.reshape(segment_ids >= 0, shape)
    return _gradient_helpers.where(counted, rows, 0), None


UNSORTED_SEGMENT_SUM = op_registry.register(
    OpDef(
        _NAME,
        _infer,
        _forward,
        _gradient,
        inputs='T i',
        dtypes={'T': dtypes.NUMERIC, 'i': _rows.INDICES},
        kernel=_kernel,
        wide=True,
    )
)


def unsorted_segment_sum(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """Adds up the rows of each segment.

    Args:
        data: numbers whose shape begins with that of ``segment_ids``.
        segment_ids: the segment of each row, int32 or int64; negative ones are dropped.
        num_segments: how many segments there are.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of ``num_segments`` rows, zeros where a segment is empty.

    Raises:
        InvalidArgumentError: the shapes do not fit, or ``num_segments`` is negative.
        InvalidIndexError: a segment is not below ``num_segments``. One that comes from a card
            itself is dropped, and reported when the host next waits for the card.
    """
    count = _arguments.scalar(_NAME, 'num_segments', num_segments)

    def check(host: Array) -> None:
        if count >= 0:
            refuse_too_high(np, _NAME, host, count)

    _rows.check_on_host(data, segment_ids, _NAME, check)
    result: Tensor = executor.run(UNSORTED_SEGMENT_SUM, data, segment_ids, num_segments=count)
    return result
