"""``softmax`` and its logarithm."""

from typing import Any

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend import host_extremes, host_rows
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, Infer, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _half_precision, _summation, exponential
from tensorvar._ops._gradient_helpers import Gradients, sum_over


def _rule(name: str) -> Infer:
    def infer(logits: ArraySpec, *, axis: int) -> ArraySpec:
        if not logits.shape:
            raise errors.InvalidArgumentError(
                f'[{name}] logits of shape [] were given; logits must have >= 1 dimension; '
                f'use tv.expand_dims',
                name,
            )
        _shapes.normalize_axis(name, axis, len(logits.shape))
        return logits

    return infer


def _shifted(xp: Any, logits: Any, axis: int) -> Any:
    """The logits less their largest, so that no exponential overflows."""
    return logits - largest(xp, logits, axis)


def largest(xp: Any, logits: Any, axis: int) -> Any:
    """The largest along an axis, which stays."""
    if xp is np and host_extremes.are_short_rows(logits, axis):
        return host_extremes.largest_of_rows(logits, keepdims=True)
    return logits.max(axis=axis, keepdims=True)


def softmax_of(xp: Any, logits: Any, *, axis: int) -> Any:
    """The array computation of softmax, in the dtype of the logits."""
    if logits.shape[axis] == 0:
        return logits.copy()
    if xp is np and host_rows.are_many(logits, axis):
        return host_rows.computed(_fill_softmax, logits)
    raised = _shifted(xp, logits, axis)
    xp.exp(raised, out=raised)
    raised /= _summation.pairwise_sum(xp, raised, axis, True)
    return raised


def _fill_softmax(rows: Any, out: Any) -> None:
    np.subtract(rows, largest(np, rows, 1), out=out)
    np.exp(out, out=out)
    np.divide(out, np.add.reduce(out, axis=1, keepdims=True), out=out)


def log_softmax_of(xp: Any, logits: Any, *, axis: int) -> Any:
    """The array computation of the logarithm of softmax, in the dtype of the logits."""
    if logits.shape[axis] == 0:
        return logits.copy()
    if xp is np and host_rows.are_many(logits, axis):
        return host_rows.computed(_fill_log_softmax, logits)
    shifted = _shifted(xp, logits, axis)
    shifted -= xp.log(_summation.pairwise_sum(xp, xp.exp(shifted), axis, True))
    return shifted


def _fill_log_softmax(rows: Any, out: Any) -> None:
    np.subtract(rows, largest(np, rows, 1), out=out)
    total = np.add.reduce(np.exp(out), axis=1, keepdims=True)
    np.subtract(out, np.log(total, out=total), out=out)


def _softmax_gradient(context: Any, gradient: Tensor) -> Gradients:
    y = context.outputs[0]
    mean = _summed(gradient * y, context)
    return ((gradient - mean) * y,)


def _log_softmax_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient - _summed(gradient, context) * exponential.exp(context.outputs[0]),)


def _summed(values: Tensor, context: Any) -> Tensor:
    axis = context.attributes['axis'] % len(values._shape)
    return sum_over(values, (axis,), keep=True)


SOFTMAX = op_registry.register(
    OpDef(
        name='Softmax',
        infer=_rule('Softmax'),
        forward=_half_precision.in_float32(softmax_of),
        gradient=_softmax_gradient,
        dtypes={'T': dtypes.FLOATING},
        direct=True,
        wide=True,
    )
)
LOG_SOFTMAX = op_registry.register(
    OpDef(
        name='LogSoftmax',
        infer=_rule('LogSoftmax'),
        forward=_half_precision.in_float32(log_softmax_of),
        gradient=_log_softmax_gradient,
        dtypes={'T': dtypes.FLOATING},
        direct=True,
        wide=True,
    )
)


def softmax(logits: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """``exp(logits) / sum(exp(logits))`` along an axis, without overflow.

    Args:
        logits: floating-point values of rank 1 or more.
        axis: an integer; None for the last.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``logits``, with sum 1 along the axis.

    Raises:
        InvalidArgumentError: the axis is out of range, or rank or dtype are wrong.
    """
    position = -1 if axis is None else _arguments.scalar('softmax', 'axis', axis)
    result: Tensor = executor.run(SOFTMAX, logits, axis=position)
    return result


def log_softmax(logits: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """``logits - log(sum(exp(logits)))`` along an axis, without overflow.

    Args:
        logits: floating-point values of rank 1 or more.
        axis: an integer; None for the last.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``logits``.

    Raises:
        InvalidArgumentError: the axis is out of range, or rank or dtype are wrong.
    """
    position = -1 if axis is None else _arguments.scalar('log_softmax', 'axis', axis)
    result: Tensor = executor.run(LOG_SOFTMAX, logits, axis=position)
    return result
