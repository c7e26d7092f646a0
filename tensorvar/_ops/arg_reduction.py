"""Positions of extremes: argmax and argmin."""

import math
from typing import Any

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, Infer, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments

_POSITIONS = (dtypes.int64, dtypes.int32, dtypes.int16, dtypes.uint16)


def _rule(op: str) -> Infer:
    def infer(input: ArraySpec, *, axis: int, output_type: np.dtype[Any]) -> ArraySpec:
        shape = input.shape
        axis = _shapes.normalize_axis(op, axis, len(shape))
        if shape[axis] == 0:
            raise errors.InvalidArgumentError(
                f'[{op}] Reduction axis {axis} is empty in shape {list(shape)}; no element has '
                f'a position; give an axis with elements',
                op,
            )
        return ArraySpec(shape[:axis] + shape[axis + 1 :], output_type)

    return infer


def _argmax(xp: Any, array: Array, *, axis: int, output_type: np.dtype[Any]) -> Array:
    axis = _shapes.normalize_axis('ArgMax', axis, array.ndim)
    return _find(xp, 'argmax', array, axis, -math.inf).astype(output_type)


def _argmin(xp: Any, array: Array, *, axis: int, output_type: np.dtype[Any]) -> Array:
    axis = _shapes.normalize_axis('ArgMin', axis, array.ndim)
    return _find(xp, 'argmin', array, axis, math.inf).astype(output_type)


def _find(xp: Any, name: str, array: Array, axis: int, instead: float) -> Array:
    """Positions of extremes; array libraries find NaN first, so ``instead`` hides it."""
    function = getattr(xp, name)
    if array.dtype not in dtypes.FLOATING:
        return xp.asarray(function(array, axis=axis))
    if xp is np and array.dtype.itemsize > 2:
        # The host can see at once whether there was a NaN to find, and mostly there is none.
        found = function(array, axis=axis, keepdims=True)
        if not np.isnan(np.take_along_axis(array, found, axis)).any():
            return found.squeeze(axis)
    hidden = xp.where(xp.isnan(array), xp.full((), instead, array.dtype), array)
    return xp.asarray(function(hidden, axis=axis))


_ORDERED = dtypes.REAL | dtypes.BOOLEAN

ARG_MAX = op_registry.register(
    OpDef(
        'ArgMax', _rule('ArgMax'), _argmax, NOT_DIFFERENTIABLE, dtypes={'T': _ORDERED}, direct=True
    )
)
ARG_MIN = op_registry.register(
    OpDef(
        'ArgMin', _rule('ArgMin'), _argmin, NOT_DIFFERENTIABLE, dtypes={'T': _ORDERED}, direct=True
    )
)


def _run(op: OpDef, input: Any, axis: Any, output_type: Any) -> Tensor:
    wanted = dtypes.as_dtype(output_type)
    if wanted not in _POSITIONS:
        names = ', '.join(dtype.name for dtype in _POSITIONS)
        raise errors.InvalidTypeError(
            f'[{op.name}] output_type {wanted.name} was given; allowed are {names}; '
            f'tv.cast the result',
            op.name,
        )
    position = 0 if axis is None else _arguments.scalar(op.name, 'axis', axis)
    result: Tensor = executor.run(op, input, axis=position, output_type=wanted.numpy)
    return result


def argmax(
    input: Any, axis: Any = None, output_type: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """Positions of the greatest elements along an axis; the first of several.

    NaNs are passed over, as in TensorFlow; where all elements are NaN or -inf, the first
    counts.

    Args:
        input: real numbers or booleans.
        axis: one axis; None for the first.
        output_type: int64, int32, int16 or uint16.
        name: accepted for TensorFlow's sake.

    Returns:
        The positions, with the shape of ``input`` less the axis.

    Raises:
        InvalidArgumentError: the axis is out of range or empty; wrong dtype.
    """
    return _run(ARG_MAX, input, axis, output_type)


def argmin(
    input: Any, axis: Any = None, output_type: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """Positions of the least elements along an axis; the first of several.

    See ``argmax``.
    """
    return _run(ARG_MIN, input, axis, output_type)
