"""The same elements in another order, or several times: transpose, tile and kin."""

from typing import Any

from tensorvar import _shapes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import OPS, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _gradient_helpers, array_shape
from tensorvar._ops._gradient_helpers import Gradients

Ints = tuple[int, ...]

# Transpose


def _infer_transpose(a: ArraySpec, *, perm: Ints | None, conjugate: bool) -> ArraySpec:
    rank = len(a.shape)
    if perm is None:
        return ArraySpec(a.shape[::-1], a.dtype)
    if len(perm) != rank:
        raise errors.InvalidArgumentError(
            f'[Transpose] transpose expects a vector of size {rank}, but perm {list(perm)} has '
            f'size {len(perm)} (shape {list(a.shape)}); name every axis once',
            'Transpose',
        )
    axes = [_shapes.normalize_axis('Transpose', axis, rank) for axis in perm]
    missing = sorted(set(range(rank)) - set(axes))
    if missing:
        raise errors.InvalidArgumentError(
            f'[Transpose] {missing[0]} is missing from {list(perm)}; name every axis once',
            'Transpose',
        )
    return ArraySpec(tuple(a.shape[axis] for axis in axes), a.dtype)


def _transpose(xp: Any, array: Array, *, perm: Ints | None, conjugate: bool) -> Array:
    moved = array.transpose() if perm is None else array.transpose(perm)
    return xp.conj(moved) if conjugate and array.dtype.kind == 'c' else moved


def _transpose_gradient(context: Any, gradient: Tensor) -> Gradients:
    perm = context.attributes['perm']
    if perm is not None:
        axes = [axis % len(perm) for axis in perm]
        perm = tuple(axes.index(axis) for axis in range(len(axes)))
    return (transpose(gradient, perm, context.attributes['conjugate']),)


TRANSPOSE = op_registry.register(
    OpDef('Transpose', _infer_transpose, _transpose, _transpose_gradient, direct=True)
)


def transpose(
    a: Any, perm: Any = None, conjugate: bool = False, name: str | None = 'transpose'
) -> Tensor:
    """Puts the axes into another order.

    Args:
        a: values of any dtype.
        perm: for each axis of the result, the axis of ``a``; None reverses them.
        conjugate: whether complex values are conjugated too.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor that shares the elements of ``a``.

    Raises:
        InvalidArgumentError: ``perm`` does not name every axis once.
    """
    order = None if perm is None else _arguments.vector('Transpose', 'perm', perm)
    result: Tensor = executor.run(TRANSPOSE, a, perm=order, conjugate=bool(conjugate))
    return result


# ReverseV2


def _infer_reverse(tensor: ArraySpec, *, axis: Ints) -> ArraySpec:
    _shapes.normalize_axes('ReverseV2', axis, len(tensor.shape))
    return tensor


def _reverse(xp: Any, array: Array, *, axis: Ints) -> Array:
    return xp.flip(array, axis) if axis else array


def _reverse_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (reverse(gradient, context.attributes['axis']),)


REVERSE = op_registry.register(
    OpDef('ReverseV2', _infer_reverse, _reverse, _reverse_gradient, direct=True)
)


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """Reverses the order along axes.

    Args:
        tensor: values of any dtype.
        axis: a list of axes; a single integer is taken too.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor that shares the elements of ``tensor``.

    Raises:
        InvalidArgumentError: an axis is out of range or named twice.
    """
    axes = _arguments.vector('ReverseV2', 'axis', axis)
    result: Tensor = executor.run(REVERSE, tensor, axis=axes)
    return result


# Roll


def _infer_roll(input: ArraySpec, *, shift: Ints, axis: Ints) -> ArraySpec:
    if not input.shape:
        raise errors.InvalidArgumentError(
            '[Roll] input must be 1-D or higher, but a scalar was given; give a vector', 'Roll'
        )
    if len(shift) != len(axis):
        raise errors.InvalidArgumentError(
            f'[Roll] shift and axis must have the same size, but {list(shift)} and {list(axis)} '
            f'were given; give one shift per axis',
            'Roll',
        )
    for each in axis:
        _shapes.normalize_axis('Roll', each, len(input.shape))
    return input


def _roll(xp: Any, array: Array, *, shift: Ints, axis: Ints) -> Array:
    total: dict[int, int] = {}
    for places, each in zip(shift, axis, strict=True):
        total[each % array.ndim] = total.get(each % array.ndim, 0) + places
    for each, places in total.items():
        array = xp.roll(array, places, each)
    return array


def _roll_gradient(context: Any, gradient: Tensor) -> Gradients:
    back = [-places for places in context.attributes['shift']]
    return (roll(gradient, back, context.attributes['axis']),)


ROLL = op_registry.register(OpDef('Roll', _infer_roll, _roll, _roll_gradient))


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Moves elements along axes; those pushed off one end come back at the other.

    Args:
        input: values of any dtype and rank 1 or more.
        shift: by how many places, an integer or one per axis.
        axis: an axis or a list of them; one may come several times, shifts then add up.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape of ``input``.

    Raises:
        InvalidArgumentError: ``shift`` and ``axis`` differ in length; an axis is out of range.
    """
    result: Tensor = executor.run(
        ROLL,
        input,
        shift=_arguments.vector('Roll', 'shift', shift),
        axis=_arguments.vector('Roll', 'axis', axis),
    )
    return result


# Tile


def _infer_tile(input: ArraySpec, *, multiples: Ints) -> ArraySpec:
    if len(multiples) != len(input.shape) or any(count < 0 for count in multiples):
        raise errors.InvalidArgumentError(
            f'[Tile] multiples {list(multiples)} were given for shape {list(input.shape)}; '
            f'allowed is one count >= 0 per dimension; give {len(input.shape)} counts',
            'Tile',
        )
    dims = zip(input.shape, multiples, strict=True)
    shape = tuple(None if dim is None else dim * count for dim, count in dims)
    return ArraySpec(shape, input.dtype)


def _tile(xp: Any, array: Array, *, multiples: Ints) -> Array:
    return xp.tile(array, multiples)


def _tile_gradient(context: Any, gradient: Tensor) -> Gradients:
    split: list[int] = []
    dims = zip(context.attributes['multiples'], context.inputs[0]._shape, strict=True)
    for count, dim in dims:
        split += [count, dim]
    parts = array_shape.reshape(gradient, split)
    return (_gradient_helpers.sum_over(parts, tuple(range(0, len(split), 2))),)


TILE = op_registry.register(OpDef('Tile', _infer_tile, _tile, _tile_gradient))


def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """Repeats the whole of ``input`` along each axis.

    Args:
        input: values of any dtype.
        multiples: how many times, for each axis.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor whose dimension ``i`` is ``multiples[i]`` times as long.

    Raises:
        InvalidArgumentError: not one count >= 0 per axis.
    """
    counts = _arguments.vector('Tile', 'multiples', multiples)
    result: Tensor = executor.run(TILE, input, multiples=counts)
    return result


# Repeat


def _infer_repeat(input: ArraySpec, *, repeats: Ints, axis: int) -> ArraySpec:
    axis = _shapes.normalize_axis('Repeat', axis, len(input.shape))
    dim = input.shape[axis]
    if any(count < 0 for count in repeats) or not (
        len(repeats) == 1 or _arguments.same_dim(len(repeats), dim)
    ):
        raise errors.InvalidArgumentError(
            f'[Repeat] repeats {list(repeats)} were given for dimension {axis} of length {dim}; '
            f'allowed are one count >= 0, or one per element; give {dim} counts',
            'Repeat',
        )
    if len(repeats) > 1 or dim == 1:
        length: int | None = sum(repeats)
    else:
        length = None if dim is None else dim * repeats[0] if repeats else 0
    return ArraySpec((*input.shape[:axis], length, *input.shape[axis + 1 :]), input.dtype)


def _repeat(xp: Any, array: Array, *, repeats: Ints, axis: int) -> Array:
    counts = repeats[0] if len(repeats) == 1 else list(repeats)
    if not repeats:
        return array
    return xp.repeat(array, counts, axis=axis)


def _repeat_gradient(context: Any, gradient: Tensor) -> Gradients:
    repeats, axis = context.attributes['repeats'], context.attributes['axis']
    shape = context.inputs[0]._shape
    axis %= len(shape)
    if len(repeats) == 1:
        parts = (*shape[: axis + 1], repeats[0], *shape[axis + 1 :])
        summed = _gradient_helpers.sum_over(array_shape.reshape(gradient, parts), (axis + 1,))
        return (summed,)
    order = (axis, *(i for i in range(len(shape)) if i != axis))
    back = tuple(order.index(i) for i in range(len(order)))
    rows = [i for i, count in enumerate(repeats) for _ in range(count)]
    summed = executor.run(
        OPS['UnsortedSegmentSum'],
        transpose(gradient, order),
        conversion.constant(rows, 'int32'),
        num_segments=shape[axis],
    )
    return (transpose(summed, back),)


REPEAT = op_registry.register(OpDef('Repeat', _infer_repeat, _repeat, _repeat_gradient))


def repeat(input: Any, repeats: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Repeats each element along an axis.

    Args:
        input: values of any dtype.
        repeats: how many times: one count, or one per element of the axis.
        axis: one axis; None flattens ``input`` first.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the rank of ``input``, or of rank 1 if ``axis`` is None.

    Raises:
        InvalidArgumentError: the number of counts does not fit, or one is negative.
    """
    if axis is None:
        input, axis = array_shape.reshape(input, (-1,)), 0
    result: Tensor = executor.run(
        REPEAT,
        input,
        repeats=_arguments.vector('Repeat', 'repeats', repeats),
        axis=_arguments.scalar('Repeat', 'axis', axis),
    )
    return result
