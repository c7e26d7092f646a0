"""The cross entropy of class numbers."""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    _half_precision,
    _index_checks,
    _summation,
    _value_checks,
    softmax,
)
from tensorvar._ops._gradient_helpers import Gradients, reshape, sum_over

_NAME = 'SparseSoftmaxCrossEntropyWithLogits'
_LABELS = frozenset({dtypes.int32.numpy, dtypes.int64.numpy})


def _rule(logits: ArraySpec, labels: ArraySpec) -> ArraySpec:
    given = f'[{_NAME}] logits of shape {list(logits.shape)}, labels of {list(labels.shape)}'
    if not logits.shape:
        raise errors.InvalidArgumentError(f'{given}; `logits` cannot be a scalar', _NAME)
    if len(labels.shape) != len(logits.shape) - 1:
        raise errors.InvalidArgumentError(
            f'{given}; `labels.shape.rank` must equal `logits.shape.rank - 1`; labels are class '
            f'numbers, for probabilities use softmax_cross_entropy_with_logits',
            _NAME,
        )
    if not all(map(_arguments.same_dim, labels.shape, logits.shape[:-1])):
        raise errors.InvalidArgumentError(
            f'{given}; `labels.shape` must equal `logits.shape` except for the last dimension',
            _NAME,
        )
    if logits.shape[-1] == 0:
        raise errors.InvalidArgumentError(f'{given}; Must have at least one class', _NAME)
    return ArraySpec(labels.shape, logits.dtype)


def _backprop_rule(logits: ArraySpec, labels: ArraySpec) -> ArraySpec:
    return ArraySpec(logits.shape, logits.dtype)


def _checked(xp: Any, logits: Any, labels: Any) -> tuple[Any, Any]:
    """Labels that are classes, in one row, and where there were others.

    The latter is None where there are none, or where an error has said so.
    """
    classes = logits.shape[-1]
    if labels.shape != logits.shape[:-1] or not classes:
        raise ValueError('the rule words this')
    row = labels.reshape((-1,))
    if xp is np and _index_checks.are_inside(row, classes):
        return row, None
    outside = xp.asarray((labels < 0) | (labels >= classes))
    _value_checks.refuse_where(
        xp,
        outside,
        _NAME,
        f'Received a label value which is outside the valid range of [0, {classes}); labels are '
        f'class numbers; mask the rows that have none',
    )
    if _index_checks.may_look(xp):
        return row, None
    return xp.where(outside, 0, labels).reshape((-1,)), outside


def _forward(xp: Any, logits: Any, labels: Any) -> Any:
    classes, outside = _checked(xp, logits, labels)
    rows = logits.reshape((-1, logits.shape[-1]))
    shifted = rows - softmax.largest(xp, rows, 1)
    places = xp.arange(0, rows.size, rows.shape[1]) + classes
    chosen = shifted.reshape((-1,)).take(places)
    xp.exp(shifted, out=shifted)
    loss = (xp.log(_summation.pairwise_sum(xp, shifted, 1, False)) - chosen).reshape(labels.shape)
    return loss if outside is None else xp.where(outside, xp.nan, loss)


def _backprop(xp: Any, logits: Any, labels: Any) -> Any:
    """``softmax(logits)`` less 1 at the label; nan in rows whose label is no class."""
    if _index_checks.may_look(xp):
        # The loss has refused labels that are no classes.
        classes, outside = labels.reshape((-1,)), None
    else:
        classes, outside = _checked(xp, logits, labels)
    rows = logits.reshape((labels.size, logits.shape[-1]))
    slope = softmax.softmax_of(xp, rows, axis=-1)
    slope[xp.arange(labels.size), classes] -= 1
    slope = slope.reshape(logits.shape)
    return slope if outside is None else xp.where(outside[..., None], xp.nan, slope)


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    logits, labels = context.inputs
    slope: Tensor = executor.run(BACKPROP, logits, labels)
    return reshape(gradient, (*gradient._shape, 1)) * slope, None


def _backprop_gradient(context: Any, gradient: Tensor) -> Gradients:
    y = softmax.softmax(context.inputs[0])
    weighted = gradient * y
    mean = sum_over(weighted, (len(y._shape) - 1,), keep=True)
    return weighted - mean * y, None


SPARSE_SOFTMAX_CROSS_ENTROPY = op_registry.register(
    OpDef(
        name=_NAME,
        infer=_rule,
        forward=_half_precision.in_float32(_forward),
        gradient=_gradient,
        inputs='T i',
        dtypes={'T': dtypes.FLOATING, 'i': _LABELS},
        direct=True,
        wide=True,
    )
)
BACKPROP = op_registry.register(
    OpDef(
        name='SparseSoftmaxCrossEntropyBackprop',
        infer=_backprop_rule,
        forward=_half_precision.in_float32(_backprop),
        gradient=_backprop_gradient,
        inputs='T i',
        dtypes={'T': dtypes.FLOATING, 'i': _LABELS},
        direct=True,
        wide=True,
    )
)


def sparse_softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, name: str | None = None
) -> Tensor:
    """``-log_softmax(logits)[label]`` along the last axis.

    Args:
        labels: class numbers, int32 or int64, of the shape of ``logits`` without its
            last axis.
        logits: floating-point values of rank 1 or more.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape of ``labels`` and the dtype of ``logits``.

    Raises:
        InvalidArgumentError: shapes or dtypes do not fit, or a label is no class (a GPU
            gives nan for its row, as in TensorFlow).
    """
    result: Tensor = executor.run(SPARSE_SOFTMAX_CROSS_ENTROPY, logits, labels)
    return result
