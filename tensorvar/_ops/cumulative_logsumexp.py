"""Running log-sum-exp along an axis."""

import math
from typing import Any

from tensorvar import _shapes, dtypes
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    _gradient_helpers,
    array_layout,
    comparison,
    cumulative,
    exponential,
)
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._half_precision import in_float32

_NAME = 'CumulativeLogsumexp'


def _infer(x: ArraySpec, *, axis: int, exclusive: bool, reverse: bool) -> ArraySpec:
    _shapes.normalize_axis(_NAME, axis, len(x.shape))
    return x


@in_float32
def _forward(xp: Any, array: Array, *, axis: int, exclusive: bool, reverse: bool) -> Array:
    """Adds to each element what lies 1, 2, 4, ... before it.

    Not every array library accumulates this function.
    """
    moved = xp.moveaxis(array, axis, 0)
    length = moved.shape[0]
    if reverse:
        moved = moved[::-1]
    if exclusive and length:
        first = xp.full((1, *moved.shape[1:]), -math.inf, array.dtype)
        moved = xp.concatenate([first, moved[:-1]])
    step = 1
    while step < length:
        moved = xp.concatenate([moved[:step], xp.logaddexp(moved[step:], moved[:-step])])
        step *= 2
    if reverse:
        moved = moved[::-1]
    return xp.moveaxis(moved, 0, axis)


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    """Element j gets the sum of ``g[i] * exp(x[j] - y[i])`` over i from j on.

    That is ``exp(x[j] - y[j]) * s[j]`` with ``s[j] = g[j] + exp(y[j] - y[j + 1]) * s[j + 1]``,
    where no exponent is above 0.
    """
    given, values = context.attributes, context.inputs[0]
    axis = given['axis'] % len(values._shape)
    if given['reverse']:
        values = array_layout.reverse(values, [axis])
        gradient = array_layout.reverse(gradient, [axis])
    if given['exclusive']:
        gradient = cumulative.pull(gradient, axis, 1)
    sums = cumulative_logsumexp(values, axis)
    factors = _exp_difference(sums, cumulative.pull(sums, axis, 1))
    spread = cumulative.solve_recurrence(factors, gradient, axis)
    result = _exp_difference(values, sums) * spread
    return (array_layout.reverse(result, [axis]) if given['reverse'] else result,)


def _exp_difference(first: Tensor, second: Tensor) -> Tensor:
    """``exp(first - second)``; 0 where ``first`` is -inf, even if ``second`` is so too."""
    empty = comparison.equal(first, -math.inf)
    difference = _gradient_helpers.where(empty, 0, first) - _gradient_helpers.where(
        empty, 0, second
    )
    return _gradient_helpers.where(empty, 0, exponential.exp(difference))


CUMULATIVE_LOGSUMEXP = op_registry.register(
    OpDef(_NAME, _infer, _forward, _gradient, dtypes={'T': dtypes.FLOATING}, wide=True)
)


def cumulative_logsumexp(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """``log(cumsum(exp(x)))``, without overflow.

    Args:
        x: floating-point values of rank 1 or more.
        axis: one axis; negative ones count from the end.
        exclusive: whether a result leaves its own element out; the first is then -inf
            (TensorFlow's documentation says the least finite value).
        reverse: whether to run from the end.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: the axis is out of range; ``x`` has another dtype.
    """
    result: Tensor = executor.run(
        CUMULATIVE_LOGSUMEXP,
        x,
        axis=_arguments.scalar(_NAME, 'axis', axis),
        exclusive=bool(exclusive),
        reverse=bool(reverse),
    )
    return result
