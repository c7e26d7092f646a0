"""``softmax`` and its logarithm."""

from typing import Any

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, Infer, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _half_precision, _summation, exponential
from tensorvar._ops._gradient_helpers import Gradients, sum_over

# How many elements on the CPU stay in its cache.
_PIECE = 1 << 16


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
    return logits - logits.max(axis=axis, keepdims=True)


def softmax_of(xp: Any, logits: Any, *, axis: int) -> Any:
    """The array computation of softmax, in the dtype of the logits."""
    if logits.shape[axis] == 0:
        return logits.copy()
    raised = _shifted(xp, logits, axis)
    xp.exp(raised, out=raised)
    raised /= _summation.pairwise_sum(xp, raised, axis, True)
    return raised


def log_softmax_of(xp: Any, logits: Any, *, axis: int) -> Any:
    """The array computation of the logarithm of softmax, in the dtype of the logits."""
    if logits.shape[axis] == 0:
        return logits.copy()
    shifted = _shifted(xp, logits, axis)
    shifted -= xp.log(_sum_exponentials(xp, shifted, axis))
    return shifted


def _sum_exponentials(xp: Any, values: Any, axis: int) -> Any:
    """The sums of the exponentials along an axis, which stays.

    On the CPU in pieces, because another large array would take more time than they.
    """
    last = axis in (-1, values.ndim - 1)
    if xp is not np or values.size <= _PIECE or not (last and values.flags.c_contiguous):
        return _summation.pairwise_sum(xp, xp.exp(values), axis, True)
    width = values.shape[-1]
    rows = values.reshape((-1, width))
    step = max(1, _PIECE // width)
    total = np.empty((len(rows), 1), values.dtype)
    kept = np.empty((min(step, len(rows)), width), values.dtype)
    for start in range(0, len(rows), step):
        piece = rows[start : start + step]
        raised = np.exp(piece, out=kept[: len(piece)])
        np.add.reduce(raised, axis=1, keepdims=True, out=total[start : start + step])
    return total.reshape((*values.shape[:-1], 1))


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
