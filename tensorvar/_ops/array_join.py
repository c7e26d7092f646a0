"""Several tensors to one and one to several: concat, stack, split, unstack."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorvar import _shapes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, host_data, host_lists, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments
from tensorvar._ops._gradient_helpers import Gradients

Ints = tuple[int, ...]


def _as_list(values: Any) -> list[Any]:
    several = isinstance(values, host_lists.LISTS) and not isinstance(values, range)
    return list(values) if several else [values]


# ConcatV2


def _infer_concat(*values: ArraySpec, axis: int) -> ArraySpec:
    first = values[0].shape
    rank = len(first)
    if rank == 0:
        raise errors.InvalidArgumentError(
            "[ConcatV2] Can't concatenate scalars; values must have rank 1 or more; use tv.stack",
            'ConcatV2',
        )
    axis = _shapes.normalize_axis('ConcatV2', axis, rank)
    common = first
    lengths: list[int | None] = []
    for position, value in enumerate(values):
        known = _arguments.merged(common, value.shape, axis)
        if known is None:
            raise errors.InvalidArgumentError(
                f'[ConcatV2] Dimensions of inputs should match: shape[0] = {list(first)} vs. '
                f'shape[{position}] = {list(value.shape)}; all but dimension {axis} must be '
                f'equal; reshape or slice one of them',
                'ConcatV2',
            )
        common = known
        lengths.append(value.shape[axis])
    total = None if None in lengths else sum(length or 0 for length in lengths)
    return ArraySpec((*common[:axis], total, *common[axis + 1 :]), values[0].dtype)


def _concat(xp: Any, *arrays: Array, axis: int) -> Array:
    return xp.concatenate(arrays, axis=axis)


def _concat_gradient(context: Any, gradient: Tensor) -> Gradients:
    axis = context.attributes['axis']
    return tuple(split(gradient, [value._shape[axis] for value in context.inputs], axis))


CONCAT = op_registry.register(
    OpDef('ConcatV2', _infer_concat, _concat, _concat_gradient, inputs='*T', direct=True)
)


def concat(values: Any, axis: Any, name: str | None = 'concat') -> Tensor:
    """Joins tensors along an axis they have.

    Args:
        values: a list of tensors of one dtype and rank; a single tensor is given back.
        axis: the axis along which their lengths add up.
        name: accepted for TensorFlow's sake.

    Returns:
        The joined tensor.

    Raises:
        InvalidArgumentError: no values, scalars, different dtypes, ranks or dimensions.
    """
    parts = _as_list(values)
    if not parts:
        raise errors.InvalidArgumentError(
            '[ConcatV2] an empty list was given; allowed are 1 or more values; give one',
            'ConcatV2',
        )
    result: Tensor = executor.run(CONCAT, *parts, axis=_arguments.scalar('ConcatV2', 'axis', axis))
    return result


# Pack


def _infer_stack(*values: ArraySpec, axis: int) -> ArraySpec:
    first = values[0].shape
    axis = _shapes.normalize_axis('Pack', axis, len(first) + 1)
    common = first
    for position, value in enumerate(values):
        known = _arguments.merged(common, value.shape)
        if known is None:
            raise errors.InvalidArgumentError(
                f'[Pack] Shapes of all inputs must match: values[0].shape = {list(first)} != '
                f'values[{position}].shape = {list(value.shape)}; reshape one of them',
                'Pack',
            )
        common = known
    return ArraySpec((*common[:axis], len(values), *common[axis:]), values[0].dtype)


def _stack(xp: Any, *arrays: Array, axis: int) -> Array:
    return xp.stack(arrays, axis=axis)


def _stack_gradient(context: Any, gradient: Tensor) -> Gradients:
    return tuple(unstack(gradient, len(context.inputs), context.attributes['axis']))


STACK = op_registry.register(
    OpDef('Pack', _infer_stack, _stack, _stack_gradient, inputs='*T', direct=True)
)


def stack(values: Any, axis: Any = 0, name: str | None = 'stack') -> Tensor:
    """Joins tensors of one shape along a new axis.

    Args:
        values: a list of tensors of one dtype and shape.
        axis: where the new axis is in the result; negative counts from its end.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of one rank more.

    Raises:
        InvalidArgumentError: different dtypes or shapes; ``axis`` is out of range.
    """
    position = _arguments.scalar('Pack', 'axis', axis)
    if values is None:
        raise errors.InvalidTypeError(
            '[Pack] None was given; allowed is a list of values of one dtype and shape; give one',
            'Pack',
        )
    if not isinstance(values, host_lists.LISTS):
        whole = conversion.convert_to_tensor(values)
        if position == 0:
            return whole
        values = unstack(whole)
    if not values or (position == 0 and _need_more_than_the_first(values)):
        return conversion.convert_to_tensor(values)
    result: Tensor = executor.run(STACK, *values, axis=position)
    return result


def _need_more_than_the_first(values: Sequence[Any]) -> bool:
    """Whether host data begins with a bool or an integer, whose dtype cannot hold the rest.

    Operands take the dtype of the first; numbers of one list have a common one.
    """
    if conversion.holds_value(values):
        return False
    first, *others = map(_dtype_on_the_host, values)
    return first.kind in 'biu' and not all(np.can_cast(other, first) for other in others)


def _dtype_on_the_host(value: Any) -> np.dtype[Any]:
    known = isinstance(value, np.ndarray | np.generic)
    dtype: np.dtype[Any] = (value if known else host_data.to_array(value, None, 'Pack')).dtype
    return dtype


# Unpack


def _infer_unstack(value: ArraySpec, *, num: int, axis: int) -> tuple[ArraySpec, ...]:
    shape = value.shape
    axis = _shapes.normalize_axis('Unpack', axis, len(shape))
    if not _arguments.same_dim(shape[axis], num):
        raise errors.InvalidArgumentError(
            f'[Unpack] Input shape axis {axis} must equal {num}, got shape {list(shape)}; '
            f'leave num out',
            'Unpack',
        )
    part = ArraySpec(shape[:axis] + shape[axis + 1 :], value.dtype)
    return (part,) * num


def _unstack(xp: Any, array: Array, *, num: int, axis: int) -> tuple[Array, ...]:
    lead = (slice(None),) * (axis % array.ndim)
    # The Ellipsis keeps parts of rank 0 arrays.
    return tuple(array[(*lead, i, Ellipsis)] for i in range(num))


def _unstack_gradient(context: Any, *gradients: Tensor) -> Gradients:
    return (stack(list(gradients), context.attributes['axis']),)


UNSTACK = op_registry.register(OpDef('Unpack', _infer_unstack, _unstack, _unstack_gradient))


def unstack(
    value: Any, num: int | None = None, axis: Any = 0, name: str | None = 'unstack'
) -> list[Tensor]:
    """Splits a tensor into its parts along an axis, which goes.

    Args:
        value: values of any dtype and rank 1 or more.
        num: the length of the axis; None to take it from ``value``.
        axis: one axis.
        name: accepted for TensorFlow's sake.

    Returns:
        A list with one tensor per element of the axis.

    Raises:
        InvalidArgumentError: ``axis`` is out of range, or ``num`` is not its length.
    """
    position = _arguments.scalar('Unpack', 'axis', axis)
    if num is None:
        num = _known_dim('Unpack', value, position)
    if num == 0:
        _infer_unstack(_arguments.spec_of(value), num=0, axis=position)
        return []
    return list(executor.run(UNSTACK, value, num=num, axis=position))


def _known_dim(op: str, value: Any, axis: int) -> int:
    shape = _arguments.shape_of(value)
    dim = shape[_shapes.normalize_axis(op, axis, len(shape))]
    if dim is None:
        raise errors.OperatorNotAllowedInGraphError(
            f'[{op}] axis {axis} of shape {list(shape)} has no known length; the number of '
            f'results must be known; give it explicitly'
        )
    return dim


# SplitV


def _infer_split(value: ArraySpec, *, sizes: Ints, axis: int) -> tuple[ArraySpec, ...]:
    shape = value.shape
    axis = _shapes.normalize_axis('SplitV', axis, len(shape))
    if any(size < 0 for size in sizes) or not _arguments.same_dim(sum(sizes), shape[axis]):
        raise errors.InvalidArgumentError(
            f'[SplitV] sizes {list(sizes)} were given for dimension {axis} of shape '
            f'{list(shape)}; allowed are sizes >= 0 whose sum is {shape[axis]}; correct them, or '
            f'give one of them as -1',
            'SplitV',
        )
    head, tail = shape[:axis], shape[axis + 1 :]
    return tuple(ArraySpec((*head, size, *tail), value.dtype) for size in sizes)


def _split(xp: Any, array: Array, *, sizes: Ints, axis: int) -> tuple[Array, ...]:
    lead = (slice(None),) * (axis % array.ndim)
    parts, start = [], 0
    for size in sizes:
        parts.append(array[(*lead, slice(start, start + size))])
        start += size
    return tuple(parts)


def _split_gradient(context: Any, *gradients: Tensor) -> Gradients:
    return (concat(list(gradients), context.attributes['axis']),)


SPLIT = op_registry.register(OpDef('SplitV', _infer_split, _split, _split_gradient))


def split(
    value: Any,
    num_or_size_splits: Any,
    axis: Any = 0,
    num: int | None = None,
    name: str | None = 'split',
) -> list[Tensor]:
    """Splits a tensor into consecutive parts along an axis.

    Args:
        value: values of any dtype and rank 1 or more.
        num_or_size_splits: an integer, the number of equal parts; or the list of lengths,
            of which one may be -1 for the rest.
        axis: one axis.
        num: accepted for TensorFlow's sake; the list has the number of parts.
        name: accepted for TensorFlow's sake.

    Returns:
        The parts, which share the elements of ``value``.

    Raises:
        InvalidArgumentError: the lengths do not add up, or the parts cannot be equal.
    """
    position = _arguments.scalar('SplitV', 'axis', axis)
    given = conversion.host_integers(num_or_size_splits, 'SplitV', 'num_or_size_splits')
    dim = _known_dim('SplitV', value, position)
    sizes = _equal_sizes(given, dim) if isinstance(given, int) else _listed_sizes(given, dim)
    return list(executor.run(SPLIT, value, sizes=sizes, axis=position)) if sizes else []


def _equal_sizes(count: int, dim: int) -> Ints:
    if count < 1 or dim % count:
        raise errors.InvalidArgumentError(
            f'[SplitV] {count} equal parts of {dim} elements were asked for; the number of ways '
            f'to split must be at least 1 and evenly divide the dimension; give a list of sizes',
            'SplitV',
        )
    return (dim // count,) * count


def _listed_sizes(given: Any, dim: int) -> Ints:
    sizes = _arguments.vector('SplitV', 'num_or_size_splits', given)
    if sizes.count(-1) > 1:
        raise errors.InvalidArgumentError(
            f'[SplitV] sizes {list(sizes)} were given; there can only be one -1; give the others',
            'SplitV',
        )
    rest = dim - sum(size for size in sizes if size != -1)
    return tuple(rest if size == -1 else size for size in sizes)
