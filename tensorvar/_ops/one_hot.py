"""Indicator vectors of positions: one_hot."""

import math
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, host_data, op_registry
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments

_NAME = 'OneHot'

_FEW = 1 << 11
"""Up to so many elements of a result it is cheaper to compare positions than to set some."""


def _infer(
    indices: ArraySpec, on_value: ArraySpec, off_value: ArraySpec, *, depth: int, axis: int
) -> ArraySpec:
    rank = len(indices.shape)
    if depth < 0 or not -1 <= axis <= rank:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] depth {depth} and axis {axis} were given for indices of shape '
            f'{list(indices.shape)}; allowed are a depth >= 0 and an axis of -1 or in '
            f'[0, {rank}]; correct them',
            _NAME,
        )
    for argument, value in (('on_value', on_value), ('off_value', off_value)):
        if value.shape:
            raise errors.InvalidArgumentError(
                f'[{_NAME}] {argument} of shape {list(value.shape)} was given; it must be a '
                f'scalar; give one value',
                _NAME,
            )
    position = rank if axis == -1 else axis
    shape = (*indices.shape[:position], depth, *indices.shape[position:])
    return ArraySpec(shape, on_value.dtype)


def _forward(
    xp: Any, indices: Array, on_value: Array, off_value: Array, *, depth: int, axis: int
) -> Array:
    position = indices.ndim if axis == -1 else axis
    if xp is np and indices.size * depth > _FEW:
        return _set_among_others(indices, on_value, off_value, depth, position)
    places = xp.arange(depth).reshape((depth,) + (1,) * (indices.ndim - position))
    return xp.where(xp.expand_dims(indices, position) == places, on_value, off_value)


def _set_among_others(
    indices: Array, on_value: Array, off_value: Array, depth: int, position: int
) -> Array:
    """Touches each element once, and those that are set twice."""
    before, after = indices.shape[:position], indices.shape[position:]
    flat = indices.reshape(math.prod(before), math.prod(after))
    result = np.full((len(flat), depth, flat.shape[1]), off_value)
    row, column = np.nonzero((flat >= 0) & (flat < depth))
    result[row, flat[row, column], column] = on_value
    return result.reshape(*before, depth, *after)


ONE_HOT = op_registry.register(
    OpDef(
        _NAME,
        _infer,
        _forward,
        NOT_DIFFERENTIABLE,
        inputs='i T T',
        dtypes={
            'i': frozenset(d.numpy for d in (dtypes.uint8, dtypes.int8, dtypes.int32, dtypes.int64))
        },
    )
)


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: Any = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """Writes each position as a vector with one element set.

    Args:
        indices: positions; one outside of ``[0, depth)`` gives a vector without any set.
        depth: length of the vectors.
        on_value: of the set element; None for 1.
        off_value: of the others; None for 0.
        axis: where the vectors lie in the result; None or -1 for the last.
        dtype: of the result; None for that of the values given, else float32.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of one rank more than ``indices``.

    Raises:
        TypeError: ``on_value``, ``off_value`` and ``dtype`` disagree.
        InvalidArgumentError: ``depth`` is negative, or ``axis`` out of range.
    """
    wanted = _result_dtype(on_value, off_value, dtype)
    result: Tensor = executor.run(
        ONE_HOT,
        indices,
        _scalar(on_value, 1, wanted),
        _scalar(off_value, 0, wanted),
        depth=_arguments.scalar(_NAME, 'depth', depth),
        axis=-1 if axis is None else _arguments.scalar(_NAME, 'axis', axis),
    )
    return result


def _result_dtype(on_value: Any, off_value: Any, dtype: Any) -> dtypes.DType:
    if dtype is not None:
        return dtypes.as_dtype(dtype)
    given = [_natural_dtype(value) for value in (on_value, off_value) if value is not None]
    if len(given) == 2 and given[0] is not given[1]:
        raise errors.InvalidTypeError(
            f'[{_NAME}] dtype {given[0].name} of on_value does not match dtype {given[1].name} '
            f'of off_value; both must be equal; give dtype',
            _NAME,
        )
    return given[0] if given else dtypes.float32


def _natural_dtype(value: Any) -> dtypes.DType:
    if isinstance(value, ArrayValue):
        return value.dtype
    return dtypes.from_numpy(host_data.to_array(value, None, _NAME).dtype)


def _scalar(value: Any, default: int, dtype: dtypes.DType) -> Any:
    """A value of ``dtype``; one of the host stays there, to go where the op runs."""
    if isinstance(value, ArrayValue):
        return conversion.convert_to_tensor(value, dtype)
    if value is None:
        return np.array(default, dtype.numpy)
    return host_data.to_array(value, dtype.numpy, _NAME)


op_registry.provide('one_hot', one_hot)
