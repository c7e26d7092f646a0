"""Sums, means, products, extremes and truth values over axes."""

import math
from typing import Any, cast

import numpy as np

from tensorvar import _shapes, dtypes
from tensorvar._backend import host_extremes
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, OPS, ArraySpec, Infer, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    _gradient_helpers,
    _summation,
    array_layout,
    array_shape,
    cumulative,
)
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._half_precision import in_float32

Axes = int | tuple[int, ...] | None


def reduced_shape(
    op: str, shape: _shapes.PartialShape, axis: Axes, keepdims: bool
) -> _shapes.PartialShape:
    """The shape that is left after reducing ``axis``.

    Raises:
        InvalidArgumentError: an axis is out of range or named twice.
    """
    axes = _shapes.normalize_axes(op, axis, len(shape))
    if keepdims:
        return tuple(1 if i in axes else dim for i, dim in enumerate(shape))
    return tuple(dim for i, dim in enumerate(shape) if i not in axes)


def reduction_rule(op: str, dtype: np.dtype[Any] | None = None) -> Infer:
    """The shape rule of reductions.

    Args:
        op: its name, for errors.
        dtype: of the result; None for that of the input.
    """

    def infer(input_tensor: ArraySpec, *, axis: Axes, keepdims: bool) -> ArraySpec:
        shape = reduced_shape(op, input_tensor.shape, axis, keepdims)
        return ArraySpec(shape, dtype or input_tensor.dtype)

    return infer


def reduced_count(array: Array, axis: Axes) -> int:
    """How many elements of ``array`` go into one result."""
    axes = _shapes.normalize_axes('reduce', axis, array.ndim)
    return math.prod(array.shape[i] for i in axes)


def _refuse_axis_of_scalar(array: Array, axis: Axes) -> None:
    """Raises as the rule does where array modules would take axis 0 of a scalar."""
    if array.ndim == 0 and axis not in (None, ()):
        _shapes.normalize_axes('reduce', axis, 0)


def expand_like_input(context: Any, values: Tensor) -> Tensor:
    """``values``, a result or its gradient, in a shape that broadcasts to the input."""
    axis = context.attributes['axis']
    if context.attributes['keepdims'] or axis is None:
        return values
    shape = reduced_shape('reduce', context.inputs[0]._shape, axis, True)
    return _gradient_helpers.reshape(values, cast(_shapes.Shape, shape))


def _spread(context: Any, values: Tensor) -> Tensor:
    """Broadcasts a gradient back over the reduced axes."""
    expanded = expand_like_input(context, values)
    result: Tensor = executor.run(OPS['BroadcastTo'], expanded, shape=context.inputs[0]._shape)
    return result


# Sum and Mean


@in_float32
def _sum(xp: Any, array: Array, *, axis: Axes, keepdims: bool) -> Array:
    _refuse_axis_of_scalar(array, axis)
    return _summation.pairwise_sum(xp, array, axis, keepdims)


def _sum_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (_spread(context, gradient),)


SUM = op_registry.register(
    OpDef(
        'Sum',
        reduction_rule('Sum'),
        _sum,
        _sum_gradient,
        dtypes={'T': dtypes.NUMERIC},
        direct=True,
        wide=True,
    )
)


@in_float32
def _mean(xp: Any, array: Array, *, axis: Axes, keepdims: bool) -> Array:
    _refuse_axis_of_scalar(array, axis)
    if array.dtype.kind in 'iu':
        return _integer_mean(xp, array, axis, keepdims)
    return _summation.pairwise_mean(xp, array, axis, keepdims)


def _integer_mean(xp: Any, array: Array, axis: Axes, keepdims: bool) -> Array:
    """Divides as C does, towards zero; the sum is kept in 64 bits."""
    count = reduced_count(array, axis)
    wide = dtypes.int64.numpy if array.dtype.kind == 'i' else dtypes.uint64.numpy
    total = xp.asarray(xp.sum(array, axis=axis, keepdims=keepdims, dtype=wide))
    if count == 0:
        return total.astype(array.dtype)
    quotient = total // count
    towards_zero = (total < 0) & (quotient * count != total)
    return xp.asarray(quotient + towards_zero).astype(array.dtype)


def _mean_gradient(context: Any, gradient: Tensor) -> Gradients:
    results = math.prod(gradient._shape)
    count = math.prod(context.inputs[0]._shape) // results if results else 1
    return (_spread(context, gradient / max(count, 1)),)


MEAN = op_registry.register(
    OpDef(
        'Mean',
        reduction_rule('Mean'),
        _mean,
        _mean_gradient,
        dtypes={'T': dtypes.NUMERIC},
        direct=True,
        wide=True,
    )
)


# Prod


@in_float32
def _prod(xp: Any, array: Array, *, axis: Axes, keepdims: bool) -> Array:
    _refuse_axis_of_scalar(array, axis)
    return xp.asarray(xp.prod(array, axis=axis, keepdims=keepdims, dtype=array.dtype))


def _prod_gradient(context: Any, gradient: Tensor) -> Gradients:
    """The gradient times the product of the other elements, which holds at zeros too."""
    values = context.inputs[0]
    shape = values._shape
    axes = _shapes.normalize_axes('Prod', context.attributes['axis'], len(shape))
    kept = tuple(i for i in range(len(shape)) if i not in axes)
    order = axes + kept
    moved = array_layout.transpose(values, order)
    rows = math.prod(shape[i] for i in axes)
    flat = array_shape.reshape(moved, (rows, math.prod(shape[i] for i in kept)))
    before = cumulative.cumprod(flat, axis=0, exclusive=True)
    after = cumulative.cumprod(flat, axis=0, exclusive=True, reverse=True)
    others = array_shape.reshape(before * after, moved._shape)
    back = tuple(order.index(i) for i in range(len(order)))
    others = array_layout.transpose(others, back)
    return (_spread(context, gradient) * _gradient_helpers.conjugate(others),)


PROD = op_registry.register(
    OpDef(
        'Prod',
        reduction_rule('Prod'),
        _prod,
        _prod_gradient,
        dtypes={'T': dtypes.NUMERIC},
        direct=True,
        wide=True,
    )
)


# Max and Min


def _max(xp: Any, array: Array, *, axis: Axes, keepdims: bool) -> Array:
    _refuse_axis_of_scalar(array, axis)
    if array.size == 0 and reduced_count(array, axis) == 0:
        return _of_nothing(xp, array, axis, keepdims, 'min')
    if xp is np and host_extremes.are_short_rows(array, axis):
        return host_extremes.largest_of_rows(array, keepdims)
    return xp.asarray(xp.max(array, axis=axis, keepdims=keepdims))


def _min(xp: Any, array: Array, *, axis: Axes, keepdims: bool) -> Array:
    _refuse_axis_of_scalar(array, axis)
    if array.size == 0 and reduced_count(array, axis) == 0:
        return _of_nothing(xp, array, axis, keepdims, 'max')
    if xp is np and host_extremes.are_short_rows(array, axis):
        return host_extremes.smallest_of_rows(array, keepdims)
    return xp.asarray(xp.min(array, axis=axis, keepdims=keepdims))


def _of_nothing(xp: Any, array: Array, axis: Axes, keepdims: bool, which: str) -> Array:
    """The extreme of no elements: the far end of the dtype, infinite for floats."""
    dtype = dtypes.from_numpy(array.dtype)
    if dtype.is_floating:
        value = -math.inf if which == 'min' else math.inf
    else:
        value = int(dtype.min if which == 'min' else dtype.max)
    # The sum has the shape that is wanted, for values without data as well.
    return xp.full_like(xp.sum(array, axis=axis, keepdims=keepdims, dtype=array.dtype), value)


def _extreme_gradient(context: Any, gradient: Tensor) -> Gradients:
    """Ties share the gradient equally."""
    values = context.inputs[0]
    selected = values == expand_like_input(context, context.outputs[0])
    marks = executor.run(OPS['Cast'], selected, dtype=values.dtype.numpy)
    ties = executor.run(SUM, marks, axis=context.attributes['axis'], keepdims=True)
    return (marks / ties * expand_like_input(context, gradient),)


MAX = op_registry.register(
    OpDef(
        'Max',
        reduction_rule('Max'),
        _max,
        _extreme_gradient,
        dtypes={'T': dtypes.REAL},
        direct=True,
    )
)
MIN = op_registry.register(
    OpDef(
        'Min',
        reduction_rule('Min'),
        _min,
        _extreme_gradient,
        dtypes={'T': dtypes.REAL},
        direct=True,
    )
)


# Any and All


def _any(xp: Any, array: Array, *, axis: Axes, keepdims: bool) -> Array:
    _refuse_axis_of_scalar(array, axis)
    return xp.asarray(xp.any(array, axis=axis, keepdims=keepdims))


def _all(xp: Any, array: Array, *, axis: Axes, keepdims: bool) -> Array:
    _refuse_axis_of_scalar(array, axis)
    return xp.asarray(xp.all(array, axis=axis, keepdims=keepdims))


ANY = op_registry.register(
    OpDef(
        'Any',
        reduction_rule('Any'),
        _any,
        NOT_DIFFERENTIABLE,
        dtypes={'T': dtypes.BOOLEAN},
        direct=True,
    )
)
ALL = op_registry.register(
    OpDef(
        'All',
        reduction_rule('All'),
        _all,
        NOT_DIFFERENTIABLE,
        dtypes={'T': dtypes.BOOLEAN},
        direct=True,
    )
)


def run(op: OpDef, input_tensor: Any, axis: Any, keepdims: bool | None) -> Tensor:
    """Runs a reduction with TensorFlow's arguments."""
    axes = _arguments.axes(op.name, axis)
    result: Tensor = executor.run(op, input_tensor, axis=axes, keepdims=bool(keepdims))
    return result


def reduce_sum(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Sums over axes; float32 is summed pairwise, 16-bit floats in float32.

    Args:
        input_tensor: numbers of any dtype.
        axis: an axis, a list of axes, or None for all; negative ones count from the end.
        keepdims: whether the reduced axes stay, with length 1.
        name: accepted for TensorFlow's sake.

    Returns:
        The sums, in the dtype of ``input_tensor``.

    Raises:
        InvalidArgumentError: an axis is out of range or named twice; wrong dtype.
    """
    return run(SUM, input_tensor, axis, keepdims)


def reduce_mean(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Means over axes; of integers too, rounded towards zero. See ``reduce_sum``."""
    return run(MEAN, input_tensor, axis, keepdims)


def reduce_prod(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Products over axes. See ``reduce_sum``."""
    return run(PROD, input_tensor, axis, keepdims)


def reduce_max(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Greatest elements over axes; NaN wins; of none, the lowest value of the dtype.

    See ``reduce_sum``. Ties share the gradient equally.
    """
    return run(MAX, input_tensor, axis, keepdims)


def reduce_min(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Least elements over axes; NaN wins; of none, the greatest value of the dtype.

    See ``reduce_sum``. Ties share the gradient equally.
    """
    return run(MIN, input_tensor, axis, keepdims)


def reduce_any(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Whether any element over axes is True; takes booleans. See ``reduce_sum``."""
    return run(ANY, input_tensor, axis, keepdims)


def reduce_all(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Whether all elements over axes are True; takes booleans. See ``reduce_sum``."""
    return run(ALL, input_tensor, axis, keepdims)
