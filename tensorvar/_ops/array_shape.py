"""The same elements in another shape: reshape, squeeze, broadcast_to and kin."""

import math
from typing import Any

from tensorvar import _shapes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _gradient_helpers
from tensorvar._ops._gradient_helpers import Gradients

Shape = tuple[int, ...]


def _input_shape_gradient(context: Any, gradient: Tensor) -> Gradients:
    """For ops that only renumber elements: the gradient in the input's shape."""
    return (reshape(gradient, context.inputs[0]._shape),)


# Reshape


def resolve_shape(op: str, given: _shapes.PartialShape, shape: Shape) -> _shapes.PartialShape:
    """The shape asked for, with -1 replaced.

    Raises:
        InvalidArgumentError: the number of elements does not fit.
    """
    if shape.count(-1) > 1 or min(shape, default=0) < -1:
        raise errors.InvalidArgumentError(
            f'[{op}] shape {list(shape)} was asked for; allowed are dimensions >= 0 and at '
            f'most one -1; give the others explicitly',
            op,
        )
    size = _arguments.known_product(given)
    if size is None:
        return tuple(None if dim == -1 else dim for dim in shape)
    filled = _fill_in(given, shape)
    resolved = tuple(filled if dim == -1 else dim for dim in shape)
    if math.prod(resolved) != size:
        raise errors.InvalidArgumentError(
            f'[{op}] Input to reshape is a tensor with {size} values (shape {list(given)}), but '
            f'the requested shape {list(shape)} has {math.prod(resolved)}; give a shape with as '
            f'many values',
            op,
        )
    return resolved


def _fill_in(given: _shapes.PartialShape, shape: Shape) -> int:
    """What -1 stands for; beside a 0, TensorFlow leaves the zeros of both shapes out."""
    known = [dim for dim in shape if dim != -1]
    elements = [dim or 0 for dim in given]
    if 0 in known:
        known = [dim for dim in known if dim]
        elements = [dim for dim in elements if dim]
    return math.prod(elements) // math.prod(known)


def _infer_reshape(tensor: ArraySpec, *, shape: Shape) -> ArraySpec:
    return ArraySpec(resolve_shape('Reshape', tensor.shape, shape), tensor.dtype)


def _reshape(xp: Any, array: Array, *, shape: Shape) -> Array:
    if array.size == 0 or min(shape, default=0) < -1:
        # Array modules refuse -1 beside a 0, and take -2 for -1.
        return array.reshape(resolve_shape('Reshape', array.shape, shape))
    return array.reshape(shape)


RESHAPE = op_registry.register(
    OpDef('Reshape', _infer_reshape, _reshape, _input_shape_gradient, direct=True)
)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """Gives the same elements, in the same order, another shape.

    Args:
        tensor: values of any dtype.
        shape: the new shape; one dimension may be -1, which stands for what is left.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor that shares the elements of ``tensor``.

    Raises:
        InvalidArgumentError: ``shape`` has another number of elements.
    """
    result: Tensor = executor.run(
        RESHAPE, tensor, shape=_arguments.vector('Reshape', 'shape', shape)
    )
    return result


# ExpandDims and Squeeze


def _infer_expand_dims(input: ArraySpec, *, axis: int) -> ArraySpec:
    axis = _shapes.normalize_axis('ExpandDims', axis, len(input.shape) + 1)
    return ArraySpec((*input.shape[:axis], 1, *input.shape[axis:]), input.dtype)


def _expand_dims(xp: Any, array: Array, *, axis: int) -> Array:
    return xp.expand_dims(array, axis)


EXPAND_DIMS = op_registry.register(
    OpDef('ExpandDims', _infer_expand_dims, _expand_dims, _input_shape_gradient, direct=True)
)


def expand_dims(input: Any, axis: Any, name: str | None = None) -> Tensor:
    """Inserts a dimension of length 1.

    Args:
        input: values of any dtype.
        axis: where the new dimension is in the result; negative counts from its end.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of one rank more that shares the elements of ``input``.

    Raises:
        InvalidArgumentError: ``axis`` lies outside of ``[-rank - 1, rank]``.
    """
    result: Tensor = executor.run(
        EXPAND_DIMS, input, axis=_arguments.scalar('ExpandDims', 'axis', axis)
    )
    return result


def _infer_squeeze(input: ArraySpec, *, axis: Shape | None) -> ArraySpec:
    shape = input.shape
    if axis is None:
        return ArraySpec(tuple(dim for dim in shape if dim != 1), input.dtype)
    axes = {_shapes.normalize_axis('Squeeze', a, len(shape)) for a in axis}
    for a in sorted(axes):
        if shape[a] not in (1, None):
            raise errors.InvalidArgumentError(
                f'[Squeeze] Can not squeeze dim[{a}], expected a dimension of 1, got {shape[a]} '
                f'(shape {list(shape)}); name axes of length 1 only',
                'Squeeze',
            )
    return ArraySpec(tuple(d for i, d in enumerate(shape) if i not in axes), input.dtype)


def _squeeze(xp: Any, array: Array, *, axis: Shape | None) -> Array:
    if axis is None:
        return array.reshape(tuple(dim for dim in array.shape if dim != 1))
    # An axis may be named twice, which array modules refuse.
    axes = {a % array.ndim for a in axis}
    return array.reshape(tuple(d for i, d in enumerate(array.shape) if i not in axes))


SQUEEZE = op_registry.register(OpDef('Squeeze', _infer_squeeze, _squeeze, _input_shape_gradient))


def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Removes dimensions of length 1.

    Args:
        input: values of any dtype.
        axis: the axes to remove; None or an empty list for all of length 1.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor that shares the elements of ``input``.

    Raises:
        InvalidArgumentError: an axis is out of range or has another length.
    """
    axes = None if axis is None else _arguments.vector('Squeeze', 'axis', axis)
    result: Tensor = executor.run(SQUEEZE, input, axis=axes or None)
    return result


# BroadcastTo


def _infer_broadcast_to(input: ArraySpec, *, shape: Shape) -> ArraySpec:
    given = input.shape
    offset = len(shape) - len(given)
    if min(shape, default=0) < 0:
        raise errors.InvalidArgumentError(
            f'[BroadcastTo] shape {list(shape)} was asked for; every dimension must be >= 0; '
            f'give the dimensions explicitly',
            'BroadcastTo',
        )
    if offset < 0:
        raise errors.InvalidArgumentError(
            f'[BroadcastTo] Rank of input ({len(given)}) must be no greater than rank of output '
            f'shape ({len(shape)}): {list(given)} to {list(shape)}; reshape the input first',
            'BroadcastTo',
        )
    for dim, target in zip(given, shape[offset:], strict=True):
        if dim not in (1, None, target):
            raise errors.InvalidArgumentError(
                f'[BroadcastTo] Incompatible shapes: {list(given)} vs. {list(shape)}; every '
                f'dimension of the input must be 1 or that of the output',
                'BroadcastTo',
            )
    return ArraySpec(shape, input.dtype)


def _broadcast_to(xp: Any, array: Array, *, shape: Shape) -> Array:
    return xp.broadcast_to(array, shape)


def _broadcast_to_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (_gradient_helpers.sum_to_shape(gradient, context.inputs[0]._shape),)


BROADCAST_TO = op_registry.register(
    OpDef('BroadcastTo', _infer_broadcast_to, _broadcast_to, _broadcast_to_gradient, direct=True)
)


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """Repeats ``input`` along new axes and along axes of length 1, without copying.

    Args:
        input: values of any dtype.
        shape: the shape of the result.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of ``shape`` that shares the elements of ``input``.

    Raises:
        InvalidArgumentError: ``input`` does not broadcast to ``shape``.
    """
    result: Tensor = executor.run(
        BROADCAST_TO, input, shape=_arguments.vector('BroadcastTo', 'shape', shape)
    )
    return result


# EnsureShape


def _infer_ensure_shape(x: ArraySpec, *, shape: _shapes.PartialShape | None) -> ArraySpec:
    given = _shapes.from_tuple(x.shape)
    expected = _shapes.TensorShape(shape)
    if not given.is_compatible_with(expected):
        raise errors.InvalidArgumentError(
            f'[EnsureShape] Shape of tensor input {list(x.shape)} is not compatible with '
            f'expected shape {expected}; reshape it, or correct the expectation',
            'EnsureShape',
        )
    return ArraySpec(given.merge_with(expected).as_tuple(), x.dtype)


def _ensure_shape(xp: Any, array: Array, *, shape: _shapes.PartialShape | None) -> Array:
    return array


def _ensure_shape_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient,)


ENSURE_SHAPE = op_registry.register(
    OpDef('EnsureShape', _infer_ensure_shape, _ensure_shape, _ensure_shape_gradient)
)


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """Returns ``x`` if its shape is compatible with ``shape``.

    Args:
        x: values of any dtype.
        shape: a shape; None is any dimension, and in place of the whole, any shape.
        name: accepted for TensorFlow's sake.

    Returns:
        ``x`` as a tensor.

    Raises:
        InvalidArgumentError: the shapes are incompatible.
    """
    dims = _shapes.TensorShape(shape)
    expected = dims.as_tuple() if dims.rank is not None else None
    result: Tensor = executor.run(ENSURE_SHAPE, x, shape=expected)
    return result
