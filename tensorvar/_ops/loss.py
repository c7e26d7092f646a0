"""Cross entropies and the halved sum of squares."""

from typing import Any

from tensorvar import dtypes, errors
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    _define,
    _half_precision,
    cast,
    exponential,
    smooth_activation,
    softmax,
)
from tensorvar._ops._gradient_helpers import Gradients, reshape, sum_to_shape

_DENSE = 'SoftmaxCrossEntropyWithLogits'
_SIGMOID = 'SigmoidCrossEntropyWithLogits'


def _softmax_rule(logits: ArraySpec, labels: ArraySpec, *, axis: int) -> ArraySpec:
    given = f'[{_DENSE}] logits of shape {list(logits.shape)}, labels of {list(labels.shape)}'
    rank = max(len(logits.shape), len(labels.shape))
    if not -rank <= axis < rank:
        raise errors.InvalidIndexError(
            f'{given} and axis {axis} were given; allowed is [{-rank}, {rank})', _DENSE
        )
    from_end = axis - rank if axis >= 0 else axis
    shortest = min(len(logits.shape), len(labels.shape))
    if shortest < -from_end or not (
        labels.shape[from_end] == 1
        or _arguments.same_dim(logits.shape[from_end], labels.shape[from_end])
    ):
        raise errors.InvalidArgumentError(
            f'{given} were given; logits and labels must be broadcastable, with equally many '
            f'classes along axis {axis}, or one label for all; give one label per logit',
            _DENSE,
        )
    shape = list(_define.broadcast(_DENSE, logits, labels))
    del shape[from_end]
    return ArraySpec(tuple(shape), logits.dtype)


def _softmax_cross_entropy(xp: Any, logits: Any, labels: Any, *, axis: int) -> Any:
    from_end = axis - max(logits.ndim, labels.ndim) if axis >= 0 else axis
    return xp.sum(labels * -softmax.log_softmax_of(xp, logits, axis=from_end), axis=from_end)


def _softmax_cross_entropy_gradient(context: Any, gradient: Tensor) -> Gradients:
    logits, labels = context.inputs
    rank = max(len(logits._shape), len(labels._shape))
    axis = context.attributes['axis'] % rank
    weight = reshape(gradient, (*gradient._shape[:axis], 1, *gradient._shape[axis:]))
    to_logits = to_labels = None
    if context.needs[0]:
        # As in TensorFlow, this supposes that the labels along the axis sum to 1.
        slope = softmax.softmax(logits, axis=axis - rank) - labels
        to_logits = sum_to_shape(weight * slope, logits._shape)
    if context.needs[1]:
        slope = -softmax.log_softmax(logits, axis=axis - rank)
        to_labels = sum_to_shape(weight * slope, labels._shape)
    return to_logits, to_labels


def _sigmoid_rule(logits: ArraySpec, labels: ArraySpec) -> ArraySpec:
    if len(logits.shape) != len(labels.shape) or not all(
        map(_arguments.same_dim, logits.shape, labels.shape)
    ):
        raise errors.InvalidArgumentError(
            f'[{_SIGMOID}] `logits` and `labels` must have the same shape, received '
            f'({list(logits.shape)} vs {list(labels.shape)}); reshape or broadcast one of them',
            _SIGMOID,
        )
    return logits


def _sigmoid_cross_entropy(xp: Any, logits: Any, labels: Any) -> Any:
    # The exponent is never positive, so nothing overflows.
    decay = xp.log1p(xp.exp(-xp.abs(logits)))
    return xp.maximum(logits, 0) - logits * labels + decay


def _sigmoid_cross_entropy_gradient(context: Any, gradient: Tensor) -> Gradients:
    logits, labels = context.inputs
    return (
        gradient * (exponential.sigmoid(logits) - labels) if context.needs[0] else None,
        -gradient * logits if context.needs[1] else None,
    )


def _l2_rule(t: ArraySpec) -> ArraySpec:
    return ArraySpec((), t.dtype)


def _l2_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (context.inputs[0] * gradient,)


SOFTMAX_CROSS_ENTROPY = op_registry.register(
    OpDef(
        name=_DENSE,
        infer=_softmax_rule,
        forward=_half_precision.in_float32(_softmax_cross_entropy),
        gradient=_softmax_cross_entropy_gradient,
        inputs='T T',
        dtypes={'T': dtypes.FLOATING},
        wide=True,
    )
)
SIGMOID_CROSS_ENTROPY = op_registry.register(
    OpDef(
        name=_SIGMOID,
        infer=_sigmoid_rule,
        forward=_half_precision.in_float32(_sigmoid_cross_entropy),
        gradient=_sigmoid_cross_entropy_gradient,
        inputs='T T',
        dtypes={'T': dtypes.FLOATING},
        wide=True,
    )
)
L2_LOSS = _define.unary(
    'L2Loss',
    lambda xp, t: xp.sum(t * t) / 2,
    _l2_gradient,
    dtypes.FLOATING,
    infer=_l2_rule,
    wide=True,
    grain=0,
)


def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: Any = -1, name: str | None = None
) -> Tensor:
    """``-sum(labels * log_softmax(logits))`` along an axis.

    The gradient with respect to ``logits`` supposes that the labels along the axis sum
    to 1, as in TensorFlow.

    Args:
        labels: probabilities; cast to the dtype of ``logits``.
        logits: floating-point values of rank 1 or more; broadcasts with ``labels``, but
            for the axis, along which it has the length of ``labels`` unless that is 1.
        axis: the axis of the classes.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the dtype of ``logits``, of the broadcast shape without the axis.

    Raises:
        InvalidArgumentError: the shapes do not fit, the axis is out of range, or
            ``logits`` is not floating-point.
    """
    values = conversion.convert_to_tensor(logits)
    weights = cast.cast(labels, values.dtype) if isinstance(labels, ArrayValue) else labels
    position = _arguments.scalar('softmax_cross_entropy_with_logits', 'axis', axis)
    result: Tensor = executor.run(SOFTMAX_CROSS_ENTROPY, values, weights, axis=position)
    return result


def sigmoid_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """``-labels * log(sigmoid(logits)) - (1 - labels) * log(1 - sigmoid(logits))``.

    Args:
        labels: probabilities, of the dtype and shape of ``logits``.
        logits: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``logits``.

    Raises:
        InvalidArgumentError: shapes or dtypes differ, or an argument is missing.
    """
    _require_both('sigmoid_cross_entropy_with_logits', labels, logits)
    result: Tensor = executor.run(SIGMOID_CROSS_ENTROPY, logits, labels)
    return result


def weighted_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, pos_weight: Any = None, name: str | None = None
) -> Tensor:
    """``sigmoid_cross_entropy_with_logits`` whose first term is weighted.

    Args:
        labels: probabilities, of the dtype and shape of ``logits``.
        logits: floating-point values.
        pos_weight: weight of the positive labels, a number or a value that broadcasts.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``logits``.

    Raises:
        InvalidArgumentError: shapes or dtypes differ, or an argument is missing.
    """
    _require_both('weighted_cross_entropy_with_logits', labels, logits)
    x = conversion.convert_to_tensor(logits)
    z = conversion.convert_to_tensor(labels, x.dtype)
    _sigmoid_rule(x._spec(), z._spec())
    weight = conversion.convert_to_tensor(1 if pos_weight is None else pos_weight, x.dtype)
    result: Tensor = (1 - z) * x + (1 + (weight - 1) * z) * smooth_activation.softplus(-x)
    return result


def _require_both(op: str, labels: Any, logits: Any) -> None:
    if labels is None or logits is None:
        missing = 'labels' if labels is None else 'logits'
        raise errors.InvalidArgumentError(
            f'[{op}] {missing} is None; Both `labels` and `logits` must be provided', op
        )


def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """``sum(t * t) / 2``.

    Args:
        t: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of rank 0, of the dtype of ``t``.

    Raises:
        InvalidTypeError: ``t`` has another dtype.
    """
    result: Tensor = executor.run(L2_LOSS, t)
    return result
