"""Choosing elements by a condition, and finding where one holds."""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend import host_choice, host_pieces
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, _gradient_helpers
from tensorvar._ops._gradient_helpers import Gradients

# SelectV2


def _infer_select(condition: ArraySpec, t: ArraySpec, e: ArraySpec) -> ArraySpec:
    return ArraySpec(_define.broadcast('SelectV2', condition, t, e), t.dtype)


def _select(xp: Any, condition: Array, chosen: Array, otherwise: Array) -> Array:
    return (host_choice if xp is np else xp).where(condition, chosen, otherwise)


def _select_gradient(context: Any, gradient: Tensor) -> Gradients:
    condition, chosen, otherwise = context.inputs
    grads: list[Tensor | None] = [None, None, None]
    if context.needs[1]:
        kept = executor.run(SELECT, condition, gradient, 0)
        grads[1] = _gradient_helpers.sum_to_shape(kept, chosen._shape)
    if context.needs[2]:
        kept = executor.run(SELECT, condition, 0, gradient)
        grads[2] = _gradient_helpers.sum_to_shape(kept, otherwise._shape)
    return tuple(grads)


SELECT = op_registry.register(
    OpDef(
        'SelectV2',
        _infer_select,
        _select,
        _select_gradient,
        inputs='c T T',
        dtypes={'c': dtypes.BOOLEAN},
        grain=host_pieces.LIGHT,
        host_into=host_choice.where,
    )
)


# Where


def _infer_where(condition: ArraySpec) -> ArraySpec:
    if not condition.shape:
        raise errors.InvalidArgumentError(
            '[Where] a scalar condition was given; positions need a rank of 1 or more; '
            'reshape it to [1], or give x and y',
            'Where',
        )
    return ArraySpec((None, len(condition.shape)), dtypes.int64.numpy)


def _where(xp: Any, condition: Array) -> Array:
    return xp.stack(xp.nonzero(condition), axis=1).astype(dtypes.int64.numpy)


WHERE = op_registry.register(OpDef('Where', _infer_where, _where, NOT_DIFFERENTIABLE))


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Chooses elements by a condition, or finds where it holds.

    Args:
        condition: booleans; with ``condition`` alone any dtype, and other than 0 holds.
        x: elements taken where the condition holds.
        y: elements taken elsewhere. The three broadcast against each other.
        name: accepted for TensorFlow's sake.

    Returns:
        With ``x`` and ``y``, the chosen elements. With neither, the positions where the
        condition holds: int64, one row per position, one column per dimension.

    Raises:
        ValueError: only one of ``x`` and ``y`` was given.
        InvalidArgumentError: the shapes do not broadcast, or the dtypes differ.
    """
    if x is None and y is None:
        positions: Tensor = executor.run(WHERE, condition)
        return positions
    if x is None or y is None:
        raise errors.InvalidArgumentError(
            f'[where] {"y" if x is None else "x"} was given alone; x and y must both be '
            f'non-None or both be None; give both',
            'where',
        )
    chosen: Tensor = executor.run(SELECT, condition, x, y)
    return chosen
