"""Shapes as values: shape, size, rank, and what two shapes broadcast to."""

import math
from typing import Any, cast

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._core import tensor
from tensorvar._core.tensor import Tensor
from tensorvar._device import registry
from tensorvar._ops import _arguments

Shape = tuple[int, ...]


def _on_host(value: Any, dtype: dtypes.DType) -> Tensor:
    """Integers about a shape: they live on the CPU, where shapes are used.

    On a card every look at one would wait for the card.
    """
    cpu = registry.cpu()
    return tensor.wrap(cpu.backend.from_host(np.array(value, dtype.numpy)), cpu)


def _index_dtype(op: str, dtype: Any) -> dtypes.DType:
    wanted = dtypes.int32 if dtype is None else dtypes.as_dtype(dtype)
    if wanted not in (dtypes.int32, dtypes.int64):
        raise errors.InvalidTypeError(
            f'[{op}] out_type {wanted.name} was given; allowed are int32 and int64; '
            f'tv.cast the result',
            op,
        )
    return wanted


def _known_shape(op: str, value: Any) -> Shape:
    shape = _arguments.shape_of(value)
    if None in shape:
        raise errors.OperatorNotAllowedInGraphError(
            f'[{op}] the shape {list(shape)} of a value without data is not known in full; '
            f'call the function with real values, or use value.shape'
        )
    return cast(Shape, shape)


def shape(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """The shape as a 1-D tensor, on ``CPU:0`` wherever ``input`` is.

    Args:
        input: any value.
        out_type: int32 (also for None) or int64.
        name: accepted for TensorFlow's sake.

    Returns:
        One integer per dimension.

    Raises:
        InvalidArgumentError: another ``out_type``.
    """
    dtype = _index_dtype('Shape', out_type)
    return _on_host(_known_shape('Shape', input), dtype)


def shape_n(input: Any, out_type: Any = dtypes.int32, name: str | None = None) -> list[Tensor]:
    """The shapes of several values; see ``shape``."""
    return [shape(value, out_type) for value in input]


def size(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """The number of elements as a scalar tensor; see ``shape``."""
    dtype = _index_dtype('Size', out_type)
    return _on_host(math.prod(_known_shape('Size', input)), dtype)


def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of dimensions as a scalar int32 tensor; see ``shape``."""
    return _on_host(len(_arguments.shape_of(input)), dtypes.int32)


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> _shapes.TensorShape:
    """The ``TensorShape`` to which two shapes broadcast.

    Args:
        shape_x: a ``TensorShape`` or what makes one; dimensions may be unknown.
        shape_y: likewise.

    Returns:
        The common shape, as far as it is known.

    Raises:
        ValueError: they do not broadcast.
    """
    given = [_shapes.as_shape(s) for s in (shape_x, shape_y)]
    if any(shape.rank is None for shape in given):
        return _shapes.TensorShape(None)
    dims = [shape.as_tuple() for shape in given]
    return _shapes.TensorShape(_shapes.broadcast_shapes('broadcast_static_shape', *dims))


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape to which two shapes broadcast, as a 1-D tensor on ``CPU:0``.

    Args:
        shape_x: a shape as a list, an array or an integer tensor.
        shape_y: likewise.

    Returns:
        The common shape; int64 if one of the two is, else int32.

    Raises:
        InvalidArgumentError: they do not broadcast.
    """
    dims = [_shape_vector(given) for given in (shape_x, shape_y)]
    wide = any(getattr(s, 'dtype', None) == dtypes.int64 for s in (shape_x, shape_y))
    common = _shapes.broadcast_shapes('BroadcastArgs', *dims)
    return _on_host(common, dtypes.int64 if wide else dtypes.int32)


def _shape_vector(given: Any) -> Shape:
    if hasattr(given, 'dtype'):
        dtype = dtypes.as_dtype(given.dtype)
        if dtype not in (dtypes.int32, dtypes.int64) or len(given.shape) != 1:
            raise errors.UnsupportedTypeError(
                f'[BroadcastArgs] a shape was given as {dtype.name} values of shape '
                f'{list(given.shape)}; allowed are int32 and int64 values of rank 1; '
                f'give a flat list of integers',
                'BroadcastArgs',
            )
    return _arguments.vector('BroadcastArgs', 'shape', given)
