"""Elements in order: sort and argsort."""

import math
from typing import Any

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, array_layout, gather
from tensorvar._ops._gradient_helpers import Gradients, reshape

_FLOAT32 = dtypes.float32.numpy
_INT32 = dtypes.int32.numpy


def _order(xp: Any, array: Array, axis: int, descending: bool) -> Array:
    """Positions in order; of equal elements the first comes first. NaN is above all."""
    # Not every array library sorts 16-bit floats; float32 holds them exactly.
    keys = array.astype(_FLOAT32) if array.dtype in dtypes.HALF_PRECISION else array
    if not descending:
        return xp.argsort(keys, axis=axis, kind='stable')
    # Both reversals keep equal elements in their order.
    order = xp.argsort(xp.flip(keys, axis), axis=axis, kind='stable')
    return array.shape[axis] - 1 - xp.flip(order, axis)


def _infer_sort(values: ArraySpec, *, axis: int, descending: bool) -> tuple[ArraySpec, ArraySpec]:
    _shapes.normalize_axis('Sort', axis, len(values.shape))
    return values, ArraySpec(values.shape, _INT32)


def _sort(xp: Any, array: Array, *, axis: int, descending: bool) -> tuple[Array, Array]:
    order = _order(xp, array, axis, descending)
    return xp.take_along_axis(array, order, axis=axis), order.astype(_INT32)


def _sort_gradient(context: Any, gradient: Tensor, _: Any) -> Gradients:
    shape = context.inputs[0]._shape
    axis = context.attributes['axis'] % len(shape)
    order = (*(i for i in range(len(shape)) if i != axis), axis)
    back = tuple(order.index(i) for i in range(len(order)))
    length = shape[axis]
    count = math.prod(shape[:axis] + shape[axis + 1 :])
    dense = executor.run(
        gather.GATHER_GRAD,
        reshape(array_layout.transpose(gradient, order), (count, length)),
        reshape(array_layout.transpose(context.outputs[1], order), (count, length)),
        params_shape=(count, length),
        axis=1,
        batch_dims=1,
    )
    moved = tuple(shape[i] for i in order)
    return (array_layout.transpose(reshape(dense, moved), back),)


def _infer_argsort(values: ArraySpec, *, axis: int, descending: bool) -> ArraySpec:
    _shapes.normalize_axis('ArgSort', axis, len(values.shape))
    return ArraySpec(values.shape, _INT32)


def _argsort(xp: Any, array: Array, *, axis: int, descending: bool) -> Array:
    return _order(xp, array, axis, descending).astype(_INT32)


SORT = op_registry.register(
    OpDef('Sort', _infer_sort, _sort, _sort_gradient, dtypes={'T': dtypes.REAL})
)
ARG_SORT = op_registry.register(
    OpDef('ArgSort', _infer_argsort, _argsort, NOT_DIFFERENTIABLE, dtypes={'T': dtypes.REAL})
)


def _run(op: OpDef, values: Any, axis: Any, direction: str) -> Any:
    if direction not in ('ASCENDING', 'DESCENDING'):
        raise errors.InvalidArgumentError(
            f'[{op.name}] Argument `direction` should be one of ASCENDING, DESCENDING. Received: '
            f'direction={direction}; give one of them',
            op.name,
        )
    if axis is None:
        raise errors.InvalidArgumentError(
            f'[{op.name}] axis is None; one axis is sorted along; tv.reshape the values to [-1] to '
            f'sort them all',
            op.name,
        )
    along = _arguments.scalar(op.name, 'axis', axis)
    return executor.run(op, values, axis=along, descending=direction == 'DESCENDING')


def sort(
    values: Any, axis: Any = -1, direction: str = 'ASCENDING', name: str | None = None
) -> Tensor:
    """Sorts along an axis.

    NaN is above all numbers; what TensorFlow does with it depends on its place.

    Args:
        values: real numbers of rank 1 or more.
        axis: one axis.
        direction: ``'ASCENDING'`` or ``'DESCENDING'``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``values``.

    Raises:
        ValueError: another ``direction``.
        InvalidArgumentError: the axis is out of range; the dtype is not real.
    """
    result: Tensor = _run(SORT, values, axis, direction)[0]
    return result


def argsort(
    values: Any,
    axis: Any = -1,
    direction: str = 'ASCENDING',
    stable: bool = False,
    name: str | None = None,
) -> Tensor:
    """The positions of the elements in sorted order; see ``sort``.

    Args:
        values: real numbers of rank 1 or more.
        axis: one axis.
        direction: ``'ASCENDING'`` or ``'DESCENDING'``.
        stable: accepted for TensorFlow's sake; equal elements always keep their order.
        name: accepted for TensorFlow's sake.

    Returns:
        An int32 tensor of the shape of ``values``.

    Raises:
        ValueError: another ``direction``.
        InvalidArgumentError: the axis is out of range; the dtype is not real.
    """
    result: Tensor = _run(ARG_SORT, values, axis, direction)
    return result
