"""Arguments such as ``axis`` and ``shape``, read into hashable Python integers."""

import math
from typing import Any, cast

from tensorvar import _shapes, errors
from tensorvar._core import conversion, host_lists
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import ArraySpec
from tensorvar._core.tensor import Tensor

Ints = tuple[int, ...]


def axes(op: str, axis: Any) -> int | Ints | None:
    """An ``axis`` argument: None, one integer or a flat tuple of them.

    Raises:
        InvalidArgumentError: it holds something other than integers, or is nested.
    """
    if axis is None or type(axis) is int:
        return axis
    read = conversion.host_integers(axis, op, 'axis')
    return read if isinstance(read, int) else vector(op, 'axis', read)


def scalar(op: str, argument: str, value: Any) -> int:
    """One integer.

    Raises:
        InvalidArgumentError: it is no integer, or more than one.
    """
    if type(value) is int:
        return value
    read = conversion.host_integers(value, op, argument)
    if not isinstance(read, int):
        raise errors.InvalidTypeError(
            f'[{op}] {argument} was given as {value!r:.80}; it must be a scalar; give one integer',
            op,
        )
    return read


def vector(op: str, argument: str, value: Any) -> Ints:
    """A flat tuple of integers; a single integer counts as a tuple of one.

    Raises:
        InvalidArgumentError: it holds something other than integers, or is nested.
    """
    read = conversion.host_integers(value, op, argument)
    if isinstance(read, int):
        return (read,)
    if not isinstance(read, tuple) or not all(isinstance(item, int) for item in read):
        raise errors.InvalidTypeError(
            f'[{op}] {argument} was given as {value!r:.80}; it must be 1-D; '
            f'give a flat list of integers',
            op,
        )
    return read


def shape_of(value: Any) -> _shapes.PartialShape:
    """The shape of a tensor, a variable or host data."""
    return spec_of(value).shape


def spec_of(value: Any) -> ArraySpec:
    """Shape and dtype of a tensor, a variable or anything that converts to one."""
    if not hasattr(value, '_spec'):
        value = conversion.convert_to_tensor(value)
    return cast(ArraySpec, value._spec())


def rank_of(value: Any) -> int:
    """The rank of a tensor, a variable or host data, without converting it."""
    if type(value) is Tensor:
        rank: int = value._array.ndim
        return rank
    if isinstance(value, ArrayValue):
        return len(value._spec().shape)
    nesting = 0
    while isinstance(value, host_lists.LISTS):
        nesting += 1
        if not value:
            return nesting
        value = value[0]
    return nesting + len(getattr(value, 'shape', ()))


def known_product(dims: _shapes.PartialShape) -> int | None:
    """The product of dimensions; None while one is unknown."""
    if None in dims:
        return None
    return math.prod(cast(Ints, dims))


def same_dim(first: int | None, second: int | None) -> bool:
    """Whether two dimensions can be equal."""
    return first is None or second is None or first == second


def merged(
    first: _shapes.PartialShape, second: _shapes.PartialShape, besides: int | None = None
) -> _shapes.PartialShape | None:
    """What two shapes of equal arrays know together; None if they contradict each other.

    Args:
        first: one shape.
        second: the other.
        besides: an axis in which they may differ; there the first counts.
    """
    if len(first) != len(second):
        return None
    dims: list[int | None] = []
    for axis, (one, other) in enumerate(zip(first, second, strict=True)):
        if axis != besides and not same_dim(one, other):
            return None
        dims.append(one if one is not None or axis == besides else other)
    return tuple(dims)
