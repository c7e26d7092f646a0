"""Reductions above sums: log-sum-exp, variance, Euclidean norm, counts."""

import math
from typing import Any

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, OPS, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _gradient_helpers, _summation, reduction
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._half_precision import in_float32
from tensorvar._ops.reduction import Axes

# ReduceLogSumExp


@in_float32
def _logsumexp(xp: Any, array: Array, *, axis: Axes, keepdims: bool) -> Array:
    if reduction.reduced_count(array, axis) == 0:
        shape = reduction.reduced_shape('ReduceLogSumExp', array.shape, axis, keepdims)
        return xp.full(shape, -math.inf, array.dtype)
    greatest = xp.asarray(xp.max(array, axis=axis, keepdims=True))
    # An infinite maximum would give inf - inf; without the shift exp decides rightly.
    greatest = xp.where(xp.isfinite(greatest), greatest, xp.zeros((), array.dtype))
    total = _summation.pairwise_sum(xp, xp.exp(array - greatest), axis, keepdims)
    safe = xp.where(total == 0, xp.ones((), array.dtype), total)
    logarithm = xp.where(total == 0, xp.full((), -math.inf, array.dtype), xp.log(safe))
    return xp.asarray(logarithm + greatest.reshape(total.shape))


def _logsumexp_gradient(context: Any, gradient: Tensor) -> Gradients:
    result = reduction.expand_like_input(context, context.outputs[0])
    # Where every element is -inf, the weights are 0 rather than NaN.
    shift = _gradient_helpers.where(result == -math.inf, 0.0, result)
    weights = executor.run(OPS['Exp'], context.inputs[0] - shift)
    return (weights * reduction.expand_like_input(context, gradient),)


LOG_SUM_EXP = op_registry.register(
    OpDef(
        'ReduceLogSumExp',
        reduction.reduction_rule('ReduceLogSumExp'),
        _logsumexp,
        _logsumexp_gradient,
        dtypes={'T': dtypes.FLOATING},
        wide=True,
    )
)


# ReduceVariance and ReduceStd


def _infer_spread(input_tensor: ArraySpec, *, axis: Axes, keepdims: bool) -> ArraySpec:
    shape = reduction.reduced_shape('ReduceVariance', input_tensor.shape, axis, keepdims)
    return ArraySpec(shape, dtypes.from_numpy(input_tensor.dtype).real_dtype.numpy)


@in_float32
def _variance(xp: Any, array: Array, *, axis: Axes, keepdims: bool) -> Array:
    deviation = array - _summation.pairwise_mean(xp, array, axis, True)
    if array.dtype.kind == 'c':
        squares = deviation.real**2 + deviation.imag**2
    else:
        squares = deviation * deviation
    return _summation.pairwise_mean(xp, squares, axis, keepdims)


@in_float32
def _std(xp: Any, array: Array, *, axis: Axes, keepdims: bool) -> Array:
    return xp.asarray(xp.sqrt(_variance(xp, array, axis=axis, keepdims=keepdims)))


def _deviation(context: Any) -> Tensor:
    values = context.inputs[0]
    mean: Tensor = reduction.run(reduction.MEAN, values, context.attributes['axis'], True)
    deviation: Tensor = values - mean
    return deviation


def _scaled_deviation(context: Any, scale: Tensor) -> Tensor:
    """Deviations from the mean, times a real factor per result."""
    values = context.inputs[0]
    count = reduction.reduced_count(values, context.attributes['axis'])
    factor = reduction.expand_like_input(context, scale) / max(count, 1)
    if values.dtype.is_complex:
        factor = executor.run(OPS['Cast'], factor, dtype=values.dtype.numpy)
    scaled: Tensor = _deviation(context) * factor
    return scaled


def _variance_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (_scaled_deviation(context, gradient * 2),)


def _std_gradient(context: Any, gradient: Tensor) -> Gradients:
    # As of a square root, nothing of nothing: not nan where the deviation is 0.
    slope = _gradient_helpers.where(gradient == 0, 0.0, gradient / context.outputs[0])
    return (_scaled_deviation(context, slope),)


VARIANCE = op_registry.register(
    OpDef(
        'ReduceVariance',
        _infer_spread,
        _variance,
        _variance_gradient,
        dtypes={'T': dtypes.INEXACT},
        wide=True,
    )
)
STD = op_registry.register(
    OpDef('ReduceStd', _infer_spread, _std, _std_gradient, dtypes={'T': dtypes.INEXACT}, wide=True)
)


# EuclideanNorm


@in_float32
def _euclidean_norm(xp: Any, array: Array, *, axis: Axes, keepdims: bool) -> Array:
    kind = array.dtype.kind
    if kind in 'iu':
        values = array.astype(dtypes.float64.numpy)
        squares = values * values
    elif kind == 'c':
        squares = array.real**2 + array.imag**2
    else:
        squares = array * array
    norm = xp.sqrt(_summation.pairwise_sum(xp, squares, axis, keepdims))
    return xp.asarray(norm).astype(array.dtype)


def _euclidean_norm_gradient(context: Any, gradient: Tensor) -> Gradients:
    """X / norm of each; NaN where the norm is 0, as in TensorFlow."""
    if gradient.dtype.is_complex:
        # The norm is real, so that only the real part of its gradient counts.
        gradient = (gradient + _gradient_helpers.conjugate(gradient)) / 2
    scale = reduction.expand_like_input(context, gradient / context.outputs[0])
    return (context.inputs[0] * scale,)


EUCLIDEAN_NORM = op_registry.register(
    OpDef(
        'EuclideanNorm',
        reduction.reduction_rule('EuclideanNorm'),
        _euclidean_norm,
        _euclidean_norm_gradient,
        dtypes={'T': dtypes.NUMERIC},
        wide=True,
    )
)


# CountNonzero


def _infer_count(input: ArraySpec, *, axis: Axes, keepdims: bool, dtype: Any) -> ArraySpec:
    shape = reduction.reduced_shape('CountNonzero', input.shape, axis, keepdims)
    return ArraySpec(shape, dtype)


def _count_nonzero(xp: Any, array: Array, *, axis: Axes, keepdims: bool, dtype: Any) -> Array:
    nonzero = array != (b'' if array.dtype.kind == 'O' else 0)
    return xp.asarray(xp.sum(nonzero, axis=axis, keepdims=keepdims, dtype=dtype))


COUNT_NONZERO = op_registry.register(
    OpDef('CountNonzero', _infer_count, _count_nonzero, NOT_DIFFERENTIABLE)
)


def reduce_logsumexp(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """``log(sum(exp(x)))`` over axes, without overflow; -inf for no elements.

    The gradient where every element is -inf is 0; TensorFlow's is NaN.
    See ``reduce_sum`` for the arguments.
    """
    return reduction.run(LOG_SUM_EXP, input_tensor, axis, keepdims)


def reduce_variance(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Population variance over axes (division by n); real for complex input.

    See ``reduce_sum`` for the arguments.
    """
    return reduction.run(VARIANCE, input_tensor, axis, keepdims)


def reduce_std(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Population standard deviation over axes; real for complex input.

    See ``reduce_sum`` for the arguments.
    """
    return reduction.run(STD, input_tensor, axis, keepdims)


def reduce_euclidean_norm(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Square root of the sum of squared magnitudes over axes; integers are truncated.

    See ``reduce_sum`` for the arguments.
    """
    return reduction.run(EUCLIDEAN_NORM, input_tensor, axis, keepdims)


def count_nonzero(
    input: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: Any = dtypes.int64,
    name: str | None = None,
) -> Tensor:
    """Counts the elements other than 0, False or ``''`` over axes.

    Args:
        input: values of any dtype.
        axis: an axis, a list of axes, or None for all.
        keepdims: whether the reduced axes stay, with length 1.
        dtype: of the result.
        name: accepted for TensorFlow's sake.

    Returns:
        The counts.

    Raises:
        InvalidArgumentError: an axis is out of range or named twice.
    """
    result: Tensor = executor.run(
        COUNT_NONZERO,
        input,
        axis=_arguments.axes('CountNonzero', axis),
        keepdims=bool(keepdims),
        dtype=dtypes.as_dtype(dtype).numpy,
    )
    return result
