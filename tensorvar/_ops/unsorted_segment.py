"""Reductions over rows by segment, in any order: unsorted_segment_max and kin."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import OPS, ArraySpec, Gradient, Infer, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    _gradient_helpers,
    _index_checks,
    _row_kernels,
    _rows,
    _segment_rows,
    cast,
    division,
    elementwise_unary,
    segment,
)
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops.segment_reduction import Reduction

if TYPE_CHECKING:
    from tensorvar._core.kernels import Kernels


def _greatest(xp: Any, count: int, segments: Array, rows: Array) -> Array:
    start = _segment_rows.limit(rows.dtype, 'min')
    return _segment_rows.extreme_rows(xp, 'maximum', count, segments, rows, start)


def _least(xp: Any, count: int, segments: Array, rows: Array) -> Array:
    start = _segment_rows.limit(rows.dtype, 'max')
    return _segment_rows.extreme_rows(xp, 'minimum', count, segments, rows, start)


def _rule(op: str) -> Infer:
    def infer(data: ArraySpec, segment_ids: ArraySpec, *, num_segments: int) -> ArraySpec:
        return segment.check(op, data, segment_ids, num_segments)

    return infer


def _register(
    name: str, reduction: Reduction, gradient: Gradient, allowed: frozenset[np.dtype[Any]]
) -> OpDef:
    def forward(xp: Any, data: Array, segment_ids: Array, *, num_segments: int) -> Array:
        if _index_checks.may_look(xp):
            segment.refuse_too_high(xp, name, segment_ids, num_segments)
        tail = data.shape[segment_ids.ndim :]
        values = data.reshape((math.prod(segment_ids.shape), math.prod(tail)))
        found = reduction(xp, num_segments, segment_ids.reshape((-1,)), values)
        return found.astype(data.dtype, copy=False).reshape((num_segments, *tail))

    def kernel(kernels: 'Kernels', data: Array, segment_ids: Array, *, num_segments: int) -> Array:
        result = forward(kernels.xp, data, segment_ids, num_segments=num_segments)
        # Negative ones are dropped, and what is too high as well.
        kept = kernels.xp.maximum(segment_ids, -1)
        _row_kernels.report_outside(kernels, name, kept, num_segments, 'segment_ids', least=-1)
        return result

    return op_registry.register(
        OpDef(
            name,
            _rule(name),
            forward,
            gradient,
            inputs='T i',
            dtypes={'T': allowed, 'i': _rows.INDICES},
            kernel=kernel,
            wide=True,
        )
    )


def _prod_gradient(context: Any, gradient: Tensor) -> Gradients:
    where = context.inputs[1], context.attributes['num_segments']
    return _segment_rows.product_gradient(
        context,
        gradient,
        lambda values: segment.unsorted_segment_sum(values, *where),
        lambda values: unsorted_segment_prod(values, *where),
    )


def _extreme_gradient(context: Any, gradient: Tensor) -> Gradients:
    where = context.inputs[1], context.attributes['num_segments']
    return _segment_rows.extreme_gradient(
        context, gradient, lambda values: segment.unsorted_segment_sum(values, *where)
    )


PROD = _register('UnsortedSegmentProd', _segment_rows.multiply_rows, _prod_gradient, dtypes.NUMERIC)
MAX = _register('UnsortedSegmentMax', _greatest, _extreme_gradient, dtypes.REAL)
MIN = _register('UnsortedSegmentMin', _least, _extreme_gradient, dtypes.REAL)


def _run(op: OpDef, data: Any, segment_ids: Any, num_segments: Any) -> Tensor:
    count = _arguments.scalar(op.name, 'num_segments', num_segments)

    def check(host: Array) -> None:
        if count >= 0:
            segment.refuse_too_high(np, op.name, host, count)

    _rows.check_on_host(data, segment_ids, op.name, check)
    result: Tensor = executor.run(op, data, segment_ids, num_segments=count)
    return result


def unsorted_segment_prod(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """Multiplies the rows of each segment; ones where one is empty.

    See ``unsorted_segment_sum``.
    """
    return _run(PROD, data, segment_ids, num_segments)


def unsorted_segment_max(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The greatest elements of the rows of each segment.

    See ``unsorted_segment_sum``. ``data`` is real. An empty segment gives the least finite
    value of the dtype. Ties share the gradient. A NaN makes its segment NaN; in TensorFlow
    that depends on its place.
    """
    return _run(MAX, data, segment_ids, num_segments)


def unsorted_segment_min(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The least elements of the rows of each segment.

    See ``unsorted_segment_sum``. ``data`` is real; an empty segment gives the greatest
    finite value.
    """
    return _run(MIN, data, segment_ids, num_segments)


def unsorted_segment_mean(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The means of the rows of each segment; zeros where one is empty.

    See ``unsorted_segment_sum``. ``data`` is real; integers give floats, as in division.
    """
    data = conversion.convert_to_tensor(data)
    total = segment.unsorted_segment_sum(data, segment_ids, num_segments)
    return division.truediv(total, _sizes(data, total, segment_ids, num_segments))


def unsorted_segment_sqrt_n(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The sums of the rows of each segment, over the square roots of their numbers.

    See ``unsorted_segment_sum``. ``data`` is floating-point.
    """
    data = conversion.convert_to_tensor(data)
    total = segment.unsorted_segment_sum(data, segment_ids, num_segments)
    sizes = _sizes(data, total, segment_ids, num_segments)
    result: Tensor = total / elementwise_unary.sqrt(sizes)
    return result


def _sizes(data: Tensor, total: Tensor, segment_ids: Any, num_segments: Any) -> Tensor:
    """How many rows each segment has, at least 1, in the dtype and rank of the total."""
    segment_ids = conversion.convert_to_tensor(segment_ids)
    ones = executor.run(OPS['OnesLike'], segment_ids)
    counts = cast.cast(segment.unsorted_segment_sum(ones, segment_ids, num_segments), data.dtype)
    shape = (total._shape[0],) + (1,) * (len(total._shape) - 1)
    return _gradient_helpers.reshape(executor.run(OPS['Maximum'], counts, 1), shape)
